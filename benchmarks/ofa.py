"""OFA at the size of its paper's RoBERTa, against the published algorithm written as it is published.

200,000 words with vectors of 200 numbers, an old vocabulary of 40,000 tokens with rows of 768, a new one of 100,000, of
which a fifth is shared, 100 coordinates. The peer follows the rule of the authors' code (github.com/cisnlp/ofa), from
which it was written: it cuts words one by one and collects them subword by subword, takes numpy's singular value
decomposition of the whole embedding, and looks for neighbours by cosines and argpartition, 1,024 subwords at a time.
Some words have a capital inside and some have boundary marks, so that a variant made in another way shows. Each side
runs in a process of its own, on one thread; CPU seconds and the memory that each step needs beyond what there was
before it. New rows are compared, those aside whose last neighbour is tied with the next.

Beside that, the packages that their authors have published, where they are installed; see `vocabulary_packages`.
"""

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy

from benchmarks import vocabulary_packages
from benchmarks.paired import Row, summary

STEPS = ("map", "factorise", "combine")
NEIGHBOURS, TEMPERATURE, BATCH = 10, 0.1, 1024
ROUNDS = 3
BASE = 109  # tokens that are special or letters
ALIKE = 1e-5  # neighbours whose similarities differ by less are tied


@dataclass(frozen=True)
class Size:
    """What is measured."""

    words: int = 200_000
    wide: int = 200
    old: int = 40_000
    new: int = 100_000
    shared: int = 20_000
    width: int = 768
    kept: int = 100
    checked: int = 2_000  # rows that are compared


class Case:
    """Random words with vectors, two WordPiece vocabularies of their parts, and an embedding.

    With capitals, one word in ten has one inside, and another one in ten has boundary marks, `$word$`.
    """

    def __init__(self, size: Size, capitals: bool = True):
        self.size, draw = size, numpy.random.default_rng(0)
        syllables = [a + b + c for a in "bdfgklmnprstvz" for b in "aeiou" for c in ("", "n", "r", "s", "t")]
        found = dict[str, None]()
        while len(found) < size.words:
            lengths = draw.integers(1, 6, 4096)
            found |= dict.fromkeys("".join(draw.choice(syllables, count)) for count in lengths.tolist())
        self.words = list(found)[: size.words]
        self.vectors = draw.normal(size=(size.words, size.wide)).astype(numpy.float32)
        stems = self.words
        if capitals:
            self.words = [spelled(place % 10, word) for place, word in enumerate(stems)]
        pieces = self.pieces(draw, stems)
        pieces = pieces if capitals else [piece for piece in pieces if piece.islower()]
        self.old = tokenizer(pieces[: size.old - BASE], capitals)
        self.new = tokenizer(
            pieces[size.old - BASE - size.shared : size.old - 2 * BASE - size.shared + size.new], capitals
        )
        self.embedding = draw.normal(size=(len(self.old), size.width)).astype(numpy.float32)
        self.embedding *= numpy.linspace(1, 0.05, size.width, dtype=numpy.float32)

    def pieces(self, draw, words: list[str]) -> list[str]:
        """Parts of words, as WordPiece writes them, each once."""
        found = dict[str, None]()
        while len(found) < self.size.old + self.size.new:
            for word in draw.choice(words, 4096).tolist():
                start, length = int(draw.integers(0, max(len(word) - 1, 1))), int(draw.integers(2, 9))
                found.setdefault(
                    "##" * (start > 0) + (word if start else word.title() * (length > 7) or word)[start:][:length]
                )
        return list(found)


def spelled(kind: int, word: str) -> str:
    """A word with a capital inside (kind 0), with boundary marks (kind 1), or as it is."""
    if kind == 0:
        return word[:2] + word[2:].capitalize()
    return f"${word}$" if kind == 1 else word


def tokenizer(pieces: list[str], capitals: bool):
    """A WordPiece tokenizer of these pieces and of all letters."""
    from string import ascii_lowercase, ascii_uppercase

    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [mark + letter for letter in ascii_lowercase + ascii_uppercase * capitals for mark in ("", "##")]
    every = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *pieces])
    backend = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(every)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


class Ours:
    """The parts of `cli ofa init ofa`."""

    def __init__(self, case: Case):
        import torch

        from ofa.vocabulary import Vocabulary

        self.case = case
        self.source, self.target = (Vocabulary(each, len(each)) for each in (case.old, case.new))
        self.embedding = torch.from_numpy(case.embedding)

    def map(self):
        from ofa.mapping import map_subwords
        from ofa.vectors.word_vectors import WordVectors

        words = WordVectors(self.case.words, self.case.vectors).plain()
        self.mappings = [map_subwords(each.tokenizer, words, each.rows) for each in (self.source, self.target)]

    def factorise(self):
        from ofa.factorisation import factorise

        self.factors = factorise(self.embedding, self.case.size.kept)

    def combine(self):
        import torch

        from ofa.methods.similar import combine_mapped
        from ofa.plan import RowSources
        from ofa.vocabulary import shared

        draft = RowSources(self.target.rows, self.source.used)
        draft.copy(*shared(self.source, self.target))
        old, new = ((mapping, self.case.vectors) for mapping in self.mappings)
        combine_mapped(draft, old, new, neighbours=NEIGHBOURS, temperature=TEMPERATURE)
        self.plan = draft.plan()
        self.rows = self.plan.apply(self.factors.coordinates, torch.Generator().manual_seed(0))

    def result(self, checked):
        """New rows at full width."""
        return (self.rows[checked] @ self.factors.primitives).numpy()


class Peer:
    """The authors' algorithm, written from their code."""

    def __init__(self, case: Case):
        self.case = case
        self.embedding = case.embedding

    def map(self):
        self.sides = []
        for each in (self.case.old, self.case.new):
            found = {}
            for row, said in enumerate(self.case.words):
                word = said.replace("$", " ")
                capital = word[1].upper() + word[2:] if said[0] == "$" else " " + word[0].upper() + word[1:]
                for variant in (word, " " + word, capital):
                    for subword in set(each.encode(variant, add_special_tokens=False)):
                        found.setdefault(subword, []).append(row)
            self.sides.append(found)

    def factorise(self):
        left, values, right = numpy.linalg.svd(self.embedding, full_matrices=False)
        kept = self.case.size.kept
        self.coordinates, self.primitives = left[:, :kept], values[:kept, None] * right[:kept]

    def combine(self):
        old, new = ({standard(each, row): row for row in range(len(each))} for each in (self.case.old, self.case.new))
        lower = {token.lower(): row for token, row in sorted(old.items())}
        self.rows = numpy.zeros((len(self.case.new), self.case.size.kept), numpy.float32)
        self.copied = {}
        for token, row in new.items():
            same = old.get(token, lower.get(token.lower()))
            if same is not None:
                self.rows[row], self.copied[row] = self.coordinates[same], same
        vectors = [
            {subword: numpy.mean([self.case.vectors[row] for row in rows], axis=0) for subword, rows in side.items()}
            for side in self.sides
        ]
        names = range(len(self.case.old))  # one that is part of no word has zeros, and is like no other
        matrix = numpy.stack([vectors[0].get(name, numpy.zeros(self.case.size.wide, numpy.float32)) for name in names])
        matrix = matrix / numpy.maximum(numpy.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
        wanted = [subword for subword in sorted(vectors[1]) if subword not in self.copied]
        uncovered = numpy.setdiff1d(numpy.arange(len(self.rows)), [*vectors[1], *self.copied])
        mean, deviation = self.coordinates.mean(0), self.coordinates.std(0)
        drawn = numpy.random.RandomState(114514).normal(mean, deviation, self.rows.shape)
        self.rows[uncovered] = drawn[uncovered]
        self.gap = {}
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            queries = numpy.stack([vectors[1][subword] for subword in some])
            queries = queries / numpy.linalg.norm(queries, axis=1, keepdims=True)
            similar = queries @ matrix.T
            best = numpy.argpartition(similar, -NEIGHBOURS - 1, axis=1)[:, -NEIGHBOURS - 1 :]
            for place, subword in enumerate(some):
                order = best[place][numpy.argsort(-similar[place, best[place]])]
                values = similar[place, order]
                self.gap[subword] = float(values[NEIGHBOURS - 1] - values[NEIGHBOURS])
                weights = numpy.exp(values[:NEIGHBOURS] / TEMPERATURE)
                self.rows[subword] = (weights / weights.sum()) @ self.coordinates[order[:NEIGHBOURS]]

    def result(self, checked):
        """New rows at full width."""
        return self.rows[checked] @ self.primitives


def standard(tokenizer, row: int) -> str:
    """A token of WordPiece as the authors compare it: with a space before it unless it stands inside a word."""
    token = tokenizer.decode(row)
    return token[2:] if token.startswith("##") else " " + token


def measured(side: str, size: Size, checked: str) -> dict:
    """The costs of one side, in a process of its own."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ[name] = "1"
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(timed, side, asdict(size), checked).result()


def timed(side: str, size: dict, checked: str) -> dict:
    """Time one side step by step, and write some of its new rows down."""
    import torch

    torch.set_num_threads(1)
    case = Case(Size(**size))
    worker = {"ours": Ours, "peer": Peer}[side](case)
    costs = {}
    for step in STEPS:
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        started = time.process_time()
        getattr(worker, step)()
        costs[step] = {"cpu": time.process_time() - started, "memory": memory("VmHWM") - before}
    draw = numpy.random.default_rng(1)
    rows = draw.choice(len(case.new), min(Size(**size).checked, len(case.new)), replace=False)
    numpy.save(f"{checked}-{side}.npy", worker.result(rows))
    if side == "peer":
        known = [row in worker.copied or worker.gap.get(row, 0) > ALIKE for row in rows.tolist()]
        numpy.save(f"{checked}-known.npy", numpy.array(known))
    return costs


def memory(name: str) -> float:
    """MiB of this process, as Linux counts them."""
    said = Path("/proc/self/status").read_text().partition(f"{name}:")[2].split()[0]
    return int(said) / 1024


def compare(checked: str) -> str:
    """Refuse to report on results that differ; says how many rows were compared."""
    ours, peer = (numpy.load(f"{checked}-{side}.npy") for side in ("ours", "peer"))
    known = numpy.load(f"{checked}-known.npy")
    scale = numpy.abs(peer[known]).max()
    worst = float(numpy.abs(ours[known] - peer[known]).max() / scale)
    assert worst < 1e-3, f"new rows differ by {worst:.2g}"
    return f"{int(known.sum()):,} sampled rows agree within {worst:.0e} of the largest number"


def run(size: Size = Size(), rounds: int = ROUNDS) -> list[Row]:
    """CPU seconds of every step and of all, and memory."""
    if not Path("/proc/self/clear_refs").exists():
        return []
    with tempfile.TemporaryDirectory() as folder:
        checked = f"{folder}/rows"
        found = [(measured("ours", size, checked), measured("peer", size, checked)) for _ in range(rounds)]
        agreement = compare(checked)
    tokens = f"{size.old:,} x {size.width} to {size.new:,} tokens"
    what = f"{size.words:,} words x {size.wide}, {tokens}, {size.kept} coordinates"
    said = f"{what}, one thread; peer: the authors' algorithm as published; {agreement}, ties aside"
    rows = []
    for step in (*STEPS, "all"):
        parts = STEPS if step == "all" else (step,)
        cpu = [[sum(side[part]["cpu"] for part in parts) for side in each] for each in found]
        name = "OFA" if step == "all" else f"OFA, {step}"
        rows.append(Row(f"{name}, CPU", *summary(*zip(*cpu)), "s", said, 4 if step == "all" else None))
    for step in (*STEPS, "all"):
        parts = STEPS if step == "all" else (step,)
        peak = [[max(side[part]["memory"] for part in parts) for side in each] for each in found]
        name = "OFA" if step == "all" else f"OFA, {step}"
        goal = 8 if step == "all" else None
        rows.append(Row(f"{name}, memory", *summary(*zip(*peak)), "MiB", f"beyond what there was before; {said}", goal))
    return [*rows, *vocabulary_packages.run()]
