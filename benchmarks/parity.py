"""Agreement with programs that nobody here wrote: `python -m benchmarks.parity`, or `make parity`.

Each peer is installed into an environment of its own that is thrown away; what this environment has in the right
version (torch, transformers) is taken from here, so that both sides compute with the same library. Models are trained
for a few hundred steps on the generated corpus. lm-evaluation-harness may run the code of the Backpack that is exported
here (`trust_remote_code`). The program exits with 1 when a number disagrees or a peer cannot be installed.
"""

import dataclasses
import importlib.metadata
import json
import math
import os
import random
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from benchmarks.paired import RESULTS, environment

PEERS = {
    "lm-eval": "lm-eval[hf]==0.4.13",
    "mergekit": "mergekit==0.1.5",
    "udtools": "udtools==0.2.9",
    "gensim": "gensim==4.4.0",
}
PROGRAMS = Path(__file__).parent / "peers"
PAGE = Path(__file__).parents[1] / "docs/results/parity.md"
STEPS, TIME, TRAINED_ON = 300, 64, 1500
TOKENIZER = "cli tokenizer bpe --vocab_size 800"
SIZES = f"--layers 2 --heads 2 --embedding_size 48 --block_size {TIME}"


@dataclass(frozen=True)
class Agreement:
    """One comparison.

    Args:
        peer: What ours is compared with.
        version: Of the peer.
        what: What both compute.
        n: Of how many numbers, or what they are computed from.
        ours: The number of ours, where there is one.
        theirs: That of the peer.
        difference: The largest difference.
        tolerance: The largest that is allowed.
        relative: Whether the difference is one relative to the peer's number.
        agree: Whether the two agree.
        note: Why not, or what the reader must know.
    """

    peer: str
    version: str
    what: str
    n: int = 0
    ours: float | None = None
    theirs: float | None = None
    difference: float = math.nan
    tolerance: float = math.nan
    relative: bool = False
    agree: bool = False
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A peer that is installed.

    Args:
        name: Its name.
        python: The interpreter of its environment.
        folder: Where its cases and results lie.
    """

    name: str
    python: Path
    folder: Path

    def run(self, program: str, case: dict[str, Any]) -> dict[str, Any]:
        """Let a program of `peers` do a case; returns what it has found."""
        number = len(list(self.folder.glob("*.case")))
        given, found = (self.folder / f"{number}.{ending}" for ending in ("case", "result"))
        given.write_text(json.dumps(case))
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(self.folder / "hub")}
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | offline
        command = [self.python, PROGRAMS / f"{program}.py", given, found]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {done.stderr.strip()[-1000:]}")
        result = dict(json.loads(found.read_text()))
        if result["version"] != self.version:
            raise RuntimeError(f"{self.name} {result['version']} was installed, not {self.version}")
        return result

    @property
    def version(self) -> str:
        """Its version, as it was asked for."""
        return PEERS[self.name].partition("==")[2]


def installed(name: str, folder: Path) -> Peer:
    """Install a peer into a new environment, which has what is installed here behind what it brings.

    Args:
        name: The peer.
        folder: Where the environment goes.

    Returns:
        The peer.

    Raises:
        RuntimeError: When pip cannot install it.
    """
    place = folder / "environments" / name
    venv.create(place, with_pip=True)
    python = place / "bin/python"
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    (packages / "here.pth").write_text(sysconfig.get_path("purelib") + "\n")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip cannot install {PEERS[name]}: {done.stderr.strip()[-300:]}")
    (folder / name).mkdir()
    return Peer(name, python, folder / name)


def say(folder: Path, sentence: str) -> None:
    """Run a sentence in a folder."""
    variables = os.environ | {"SEMEQV_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    variables["PYTHONPATH"] = str(Path(__file__).parents[1])
    command = [sys.executable, "-m", "semeqv", *shlex.split(sentence)]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{sentence}: {done.stderr.strip()[-1000:]}")


def measured(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics."""
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write JSON lines."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


# -- likelihood: lm-evaluation-harness -------------------------------------------------------------------------------


def models(folder: Path) -> dict[str, Path]:
    """Train a GPT-2 and a Backpack; returns the folders that other programs open."""
    sizes = {"gpt2": SIZES, "backpack": f"{SIZES} --senses 4"}
    for name, said in sizes.items():
        say(
            folder,
            f"--seed 1 --steps {STEPS} --output runs/{name} {TOKENIZER} cli dataset babel --documents {TRAINED_ON} "
            f"--block_size {TIME} --batch_size 16 cli model {name} {said} cli optimizers adamw --learning_rate 2e-3 "
            "cli train",
        )
    say(folder, "cli model load --from runs/backpack cli backpack export --output exported")
    return {"gpt2": next((folder / "runs/gpt2/checkpoints").glob("step-*")), "backpack": folder / "exported"}


def documents(seed: int, count: int) -> list[str]:
    """Texts of the generated corpus, other ones than those of training, each a line."""
    from semeqv.babel.dataset import Babel

    rows = Babel(documents=count, split="test", languages=("lume", "drask")).corpus()
    texts = [" ".join(document.text.split()) + "\n" for document in rows]
    random.Random(seed).shuffle(texts)
    return texts


def long_text(texts: list[str], tokenizer: Any, windows: int) -> str:
    """A line of so many tokens that they fill windows to the last one.

    The harness gives the last window of a text as much context as there is room for; `cli perplexity` lets each window
    begin where the last but one token of the one before was. With full windows the two are the same.
    """
    from semeqv.text.tokenizers.encoding import encode

    wanted, words = windows * (TIME - 1), [word for text in texts for word in text.split()]
    for start in range(len(words)):
        for count in range(wanted // 3, wanted):
            line = " ".join(words[start : start + count]) + "\n"
            if (length := len(encode(tokenizer, [line])[0])) == wanted:
                return line
            if length > wanted:
                break
    raise RuntimeError(f"no text has {wanted} tokens")


def pairs(texts: list[str]) -> list[dict[str, str]]:
    """Sentences, and the same with two neighbouring words exchanged."""
    draw, found = random.Random(2), []
    for text in texts:
        words = text.split()[:14]
        place = draw.randrange(len(words) - 1)
        changed = [*words[:place], words[place + 1], words[place], *words[place + 2 :]]
        if changed != words:
            found.append({"sentence_good": " ".join(words), "sentence_bad": " ".join(changed)})
    labels = {"UID": "exchanged", "linguistics_term": "order", "field": "syntax"}
    return [{**each, **labels} for each in found]


def likelihoods(peer: Peer, folder: Path) -> Iterator[Agreement]:
    """Perplexities of texts, and log-likelihoods of minimal pairs, of both models."""
    from transformers import AutoTokenizer

    from semeqv.text.tokenizers.encoding import encode

    opened = models(folder)
    tokenizer = AutoTokenizer.from_pretrained(opened["gpt2"])
    held = documents(1, 200)
    texts = [text for text in held if len(encode(tokenizer, [text])[0]) < TIME][:60]
    texts += [long_text(held[start:], tokenizer, windows) for start, windows in ((0, 2), (30, 3), (60, 5))]
    files = {
        "texts": write_lines(folder / "texts.jsonl", [{"text": text} for text in texts]),
        "pairs": write_lines(folder / "pairs.jsonl", pairs(documents(2, 300))),
    }
    for name, path in opened.items():
        say(
            folder,
            f"--precision fp32 --output measured/{name} cli model load --from runs/{name} "
            f"cli dataset jsonl --path texts.jsonl --block_size {TIME} --packing False --split test "
            "cli perplexity --words --separators False --overlap False "
            f"cli blimp --path pairs.jsonl --scores measured-{name}.jsonl --overlap False",
        )
        case = {"pretrained": str(path), "max_length": TIME - 1, "trust_remote_code": name == "backpack"}
        theirs = peer.run("harness", case | {key: str(file) for key, file in files.items()})
        lines = measured(folder / "measured" / name)
        ours = next(line for line in lines if line["measure"] == "perplexity")
        metrics = theirs["texts"]["metrics"]
        total = sum(flat(theirs["texts"]["log_likelihoods"]))
        tokens = sum(len(encode(tokenizer, [text])[0]) for text in texts)
        numbers = {
            "word perplexity": (ours["word_perplexity"], metrics["word_perplexity"], ours["words"]),
            "byte perplexity": (2 ** ours["bits_per_byte"], metrics["byte_perplexity"], ours["bytes"]),
            "bits per byte": (ours["bits_per_byte"], metrics["bits_per_byte"], ours["bytes"]),
            "token perplexity": (ours["perplexity"], math.exp(-total / tokens), ours["tokens"]),
        }
        for what, (*sides, n) in numbers.items():
            yield compared(peer, f"{name}: {what}, {len(texts)} texts", tuple(sides), n, 1e-4)
        scores = [json.loads(line) for line in (folder / f"measured-{name}.jsonl").read_text().splitlines()]
        mine = [score[side] for score in scores for side in ("good", "bad")]
        other = flat(theirs["pairs"]["log_likelihoods"])
        yield compared(peer, f"{name}: log-likelihoods of sentences of minimal pairs", (mine, other), len(mine), 1e-4)
        ours = next(line for line in lines if line["measure"] == "blimp" and line["level"] == "all")
        sides = ours["accuracy"], theirs["pairs"]["metrics"]["acc"]
        yield compared(peer, f"{name}: accuracy on minimal pairs", sides, len(scores), 1e-9)


def flat(values: Any) -> list[float]:
    """The numbers of nested lists; of a log-likelihood and whether it is the greatest one, the former."""
    if isinstance(values, (int, float)):
        return [float(values)]
    if len(values) == 2 and isinstance(values[1], bool):
        return [float(values[0])]
    return [number for each in values for number in flat(each)]


def compared(
    peer: Peer, what: str, sides: tuple[Any, Any], n: int, tolerance: float, *, relative: bool = True, note: str = ""
) -> Agreement:
    """Compare numbers.

    Args:
        peer: The peer.
        what: What both compute.
        sides: A number of ours and one of theirs, or several of each.
        n: What to say they are made of.
        tolerance: The largest difference that is allowed.
        relative: Whether that is relative to the peer's number.
        note: What the reader must know.

    Returns:
        The row.
    """
    mine, other = (numpy.atleast_1d(numpy.asarray(side, float)) for side in sides)
    assert mine.shape == other.shape, (mine.shape, other.shape)
    away = numpy.abs(mine - other) / (numpy.maximum(numpy.abs(other), 1e-30) if relative else 1)
    difference, single = float(away.max()), mine.size == 1
    found = Agreement(
        peer=peer.name,
        version=peer.version,
        what=what,
        n=n,
        ours=float(mine[0]) if single else None,
        theirs=float(other[0]) if single else None,
        difference=difference,
        tolerance=tolerance,
        relative=relative,
        agree=difference <= tolerance,
        note=note,
    )
    print(f"  {peer.name} {what}: {difference:.2g} (at most {tolerance:g})", file=sys.stderr, flush=True)
    return found


# -- parsing: udtools ------------------------------------------------------------------------------------------------


def attachment(peer: Peer, folder: Path) -> Iterator[Agreement]:
    """LAS and UAS of the file that a parser writes."""
    say(folder, "cli babel write --path trees --sentences 4000")
    say(
        folder,
        "--seed 1 --epochs 3 --output runs/parser cli dataset treebank --path trees/train.lume.conllu --sentences 400 "
        "cli tokenizer bpe --vocab_size 500 cli model bilstm-parser --layers 1 --embedding_size 32 "
        "cli optimizers adamw --learning_rate 5e-3 cli train",
    )
    gold = folder / "trees/test.lume.conllu"
    say(
        folder,
        f"--output parsed cli model parser --from runs/parser cli dataset treebank --path {gold} --split test "
        "--name lume cli parse --overlap False --replicates 0",  # with intervals, the scores are those of udtools
    )
    ours = next(line for line in measured(folder / "parsed") if "las" in line)
    theirs = peer.run("attachment", {"gold": str(gold), "predicted": str(folder / "parsed/lume.conllu")})
    for name in ("las", "uas"):
        sides = ours[name], theirs[name.upper()]
        yield compared(peer, f"{name.upper()} of what `cli parse` wrote", sides, theirs["words"], 1e-9)


# -- merging: mergekit -----------------------------------------------------------------------------------------------

METHODS = {
    "linear": ("linear", "--method linear --add .3 one --add .7 other", {"normalize": True}, (0.3, 0.7), {}),
    "task arithmetic": ("task_arithmetic", "--method linear --add 1 one --add .5 other", {}, (1.0, 0.5), {}),
    "slerp": ("slerp", "--method slerp --add .6 one --add .4 other", {"t": 0.4}, None, {}),
    "ties, each tensor": (
        "ties",
        "--method ties --scope tensor --density .3 --add 1 one --add 1 other",
        {"normalize": True, "int8_mask": False},
        (1.0, 1.0),
        {"density": 0.3},
    ),
    "ties, each tensor, times .7": (
        "ties",
        "--method ties --scope tensor --density .5 --scale .7 --add 1 one --add 1 other",
        {"normalize": True, "int8_mask": False, "lambda": 0.7},
        (1.0, 1.0),
        {"density": 0.5},
    ),
}
STRAIGHT = 0.9995  # the cosine of two tensors above which mergekit interpolates along a line


def merges(peer: Peer, folder: Path) -> Iterator[Agreement]:
    """Every tensor of two models merged onto a third."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = {"vocab_size": 500, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2}
    config = LlamaConfig(num_attention_heads=4, tie_word_embeddings=True, **sizes)
    torch.manual_seed(0)
    base = LlamaForCausalLM(config)
    base.save_pretrained(folder / "base")
    for seed, name in enumerate(("one", "other"), 1):  # what a little training leaves
        torch.manual_seed(seed)
        tuned = LlamaForCausalLM(config)
        with torch.no_grad():
            for new, old in zip(tuned.parameters(), base.parameters()):
                new.copy_(old + torch.randn_like(old) * 0.02)
        tuned.save_pretrained(folder / name)
    configurations = {}
    for what, (method, _, parameters, weights, each) in METHODS.items():
        named = [{"model": str(folder / name)} for name in ("one", "other")]
        if weights:
            named = [{**model, "parameters": {"weight": weight, **each}} for model, weight in zip(named, weights)]
        base_model = str(folder / ("one" if method == "slerp" else "base"))
        said = {"merge_method": method, "models": named, "parameters": parameters, "dtype": "float32"}
        configurations[str(folder / f"theirs {what}")] = said | (
            {} if method == "linear" else {"base_model": base_model}
        )
    peer.run("merging", configurations)
    one, other = (tensors(folder / name) for name in ("one", "other"))
    straight = {name for name in one if cosine(one[name], other[name]) > STRAIGHT}
    for what, (_, options, *_) in METHODS.items():
        say(folder, f"cli crosslingual merge --base base {options} --output '{what}'")
        ours, theirs = (tensors(folder / name) for name in (what, f"theirs {what}"))
        assert set(ours) == set(theirs) - {"lm_head.weight"}, set(ours) ^ set(theirs)
        apart = straight if what == "slerp" else set[str]()
        for names, tolerance, note in (
            (set(ours) - apart, 1e-6, ""),
            (apart, 1e-3, f"mergekit leaves the arc for a line above a cosine of {STRAIGHT}"),
        ):
            if names:
                sides = tuple(
                    numpy.concatenate([each[name].ravel() for name in sorted(names)]) for each in (ours, theirs)
                )
                said = f"{what}: every number of {len(names)} tensors"
                yield compared(peer, said, sides, len(sides[0]), tolerance, relative=False, note=note)


def cosine(one: Any, other: Any) -> float:
    """The cosine of the angle between two tensors."""
    first, second = one.ravel().astype(float), other.ravel().astype(float)
    return float(first @ second / numpy.sqrt((first @ first) * (second @ second)))


def tensors(folder: Path) -> dict[str, Any]:
    """The tensors of a folder."""
    from safetensors.numpy import load_file

    return {name: each for file in folder.glob("*.safetensors") for name, each in load_file(file).items()}


# -- word vectors: gensim --------------------------------------------------------------------------------------------


def vectors(peer: Peer, folder: Path) -> Iterator[Agreement]:
    """Vectors that gensim has written, read here, and the other way round."""
    from ofa.vectors.gensim import read_pickle
    from ofa.vectors.word_vectors import read_vectors

    (folder / "sentences.txt").write_text("".join(documents(3, 400)))
    peer.run("word_vectors", {"folder": str(folder), "sentences": str(folder / "sentences.txt")})
    written = ("word2vec.model", "word2vec.kv", "fasttext.model", "fasttext.kv", "word2vec.txt", "word2vec.bin")
    for name in written:
        found = read_vectors(folder / name) if name.endswith((".txt", ".bin")) else read_pickle(folder / name)
        what = f"{name} that gensim has written, read here"
        yield same_vectors(peer, what, found, folder / name.partition(".")[0], 1e-6)
    for name in written[:3]:
        say(folder, f"cli ofa convert-vectors --from {name} --allow_pickle --path {name}.vec")
    peer.run("word_vectors", {"folder": str(folder), "read": [f"{name}.vec" for name in written[:3]]})
    for name in written[:3]:
        what = f"{name} of gensim, written here as text of six digits, read by gensim"
        yield same_vectors(peer, what, read_pickle(folder / name), folder / f"{name}.vec", 1e-5)


def same_vectors(peer: Peer, what: str, ours: Any, theirs: Path, tolerance: float) -> Agreement:
    """Compare vectors with those that gensim has in memory: the same words in the same order, and their numbers."""
    words = json.loads(theirs.with_name(f"{theirs.name}.as-gensim.json").read_text())
    matrix = numpy.load(theirs.with_name(f"{theirs.name}.as-gensim.npy"))
    largest = float(numpy.abs(matrix).max())
    sides = ours.matrix / largest, matrix / largest
    found = compared(peer, what, sides, matrix.size, tolerance, relative=False)
    return found if list(ours.words) == words else dataclasses.replace(found, agree=False, note="the words differ")


WORK: dict[str, Callable[[Peer, Path], Iterator[Agreement]]] = {
    "lm-eval": likelihoods,
    "udtools": attachment,
    "mergekit": merges,
    "gensim": vectors,
}


def run(names: list[str]) -> list[Agreement]:
    """All comparisons with some peers."""
    rows: list[Agreement] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for peer in names:
            print(f"{peer} ...", file=sys.stderr, flush=True)
            (place := folder / f"work-{peer}").mkdir()
            try:
                for row in WORK[peer](installed(peer, folder), place):
                    rows.append(row)
            except RuntimeError as error:
                rows.append(Agreement(peer, PEERS[peer].partition("==")[2], "not compared", note=str(error)))
    return rows


def number(value: float | None) -> str:
    """A number of the table."""
    return "" if value is None or math.isnan(value) else f"{value:.7g}"


def page(rows: list[dict[str, Any]], where: dict[str, Any]) -> str:
    """The table."""
    lines = [
        "# Parity",
        "",
        "Made by `make parity`: numbers of this project beside those of programs that nobody here wrote, on the same "
        "files. Differences of single numbers are relative ones, those of tensors absolute ones, those of word vectors "
        "relative to the largest number. Texts longer than a window fill their last window, to which the harness would "
        "else give more context than `cli perplexity` does. Factors of TIES are equal: mergekit weighs means by them.",
        "",
        "| peer | what | n | ours | theirs | largest difference | tolerance | agree |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            f"{row['peer']} {row['version']}",
            row["what"],
            f"{row['n']:,}",
            number(row["ours"]),
            number(row["theirs"]),
        ]
        cells += [f"{row[key]:.1e}" if row[key] is not None else "" for key in ("difference", "tolerance")]
        note = f" ({' '.join(row['note'].replace('|', ' ').split())[:200]})" if row["note"] else ""
        lines.append(f"| {' | '.join(cells)} | {'yes' if row['agree'] else '**no**'}{note} |")
    measured_on = ", ".join(f"{name} {value}" for name, value in where.items())
    return "\n".join([*lines, "", f"Compared on: {measured_on}.", ""])


def main() -> None:
    """Compare, write the table, and exit with 1 when something disagrees."""
    names = sys.argv[1:] or list(WORK)
    if strange := set(names) - set(WORK):
        sys.exit(f"There is no peer {min(strange)}; there is {', '.join(WORK)}.")
    rows = [dataclasses.asdict(row) for row in run(names)]
    for row in rows:
        row |= {key: None for key in ("difference", "tolerance") if math.isnan(row[key])}
    where = environment() | {"transformers": importlib.metadata.version("transformers")}
    if names == list(WORK):
        (RESULTS / "parity.json").write_text(json.dumps({"environment": where, "comparisons": rows}, indent=2) + "\n")
        PAGE.write_text(page(rows, where))
    print(page(rows, where))
    sys.exit(not all(row["agree"] for row in rows))


if __name__ == "__main__":
    main()
