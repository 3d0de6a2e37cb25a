"""Minimal pairs of sentences, and how probable a model finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import NDArray, numpy
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.answering import Datasets
from semeqv.tasks.inference import check_tokenizer, inference, name_of, with_new_weights
from semeqv.tasks.likelihood.scoring import LikelihoodScorer, mask_for
from semeqv.tasks.overlap import report_overlap
from semeqv.text.archives import COMPRESSED, is_archive, names
from semeqv.text.generation import tokenizer_of
from semeqv.text.location import locate
from semeqv.text.readers.jsonl import read_rows
from semeqv.text.tokenizers.encoding import encode, first_token, separator
from semeqv.train.compute import Compute, ComputeConfig

SOURCE = "https://github.com/alexwarstadt/blimp"
FIELDS = ("sentence_good", "sentence_bad", "UID", "linguistics_term", "field")
ENDINGS = tuple(f".jsonl{suffix}" for suffix in COMPRESSED)


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences that differ in grammaticality alone.

    Args:
        good: The grammatical one.
        bad: The other.
        paradigm: How they differ.
        phenomenon: Of what the paradigm is a case.
        field: Of linguistics.
    """

    good: str
    bad: str
    paradigm: str
    phenomenon: str
    field: str


def read_pairs(path: Path | None, paradigms: Sequence[str] = (), most: int = 0) -> list[MinimalPair]:
    """Read minimal pairs.

    Args:
        path: A folder or an archive of JSON lines, or a file of them; their usual place if None.
        paradigms: Only these; all if empty.
        most: The first so many of each paradigm; 0 for all.

    Returns:
        The pairs, in the order of the files.

    Raises:
        UserError: When there is none, or one is malformed.
    """
    place = locate("blimp/blimp", path, SOURCE) if path is not None else usual_place()
    files = [place]
    if place.is_dir() or is_archive(place):
        files = [place / name for name in names(place) if name.endswith(ENDINGS)]
    pairs, counts = list[MinimalPair](), dict[str, int]()
    for file in files:
        for row in read_rows(file, FIELDS):
            good, bad, paradigm, phenomenon, field = row.values
            field = field.replace("/", "_")  # one of BLiMP's paradigms spells its field otherwise
            pair = MinimalPair(good, bad, paradigm, phenomenon, field)
            counts[pair.paradigm] = counts.get(pair.paradigm, 0) + 1
            if (not paradigms or pair.paradigm in paradigms) and not 0 < most < counts[pair.paradigm]:
                pairs.append(pair)
    if strange := [paradigm for paradigm in paradigms if paradigm not in counts]:
        raise UserError(f"{place} has no paradigm {strange[0]!r}; it has {', '.join(sorted(counts)) or 'none':.300}.")
    if not pairs:
        raise UserError(f"{place} has no minimal pairs (*.jsonl).")
    return pairs


def usual_place() -> Path:
    """Return the usual places: an archive in the folder `blimp`, or that folder."""
    try:
        return locate("blimp/blimp", source=SOURCE)
    except UserError:
        return locate("blimp", source=SOURCE)


def scored(
    pairs: Sequence[MinimalPair], model: Any, tokenizer: Any, regime: ComputeConfig, rows: int
) -> NDArray[numpy.float64]:
    """Return how unexpected the sentences of pairs are to a model.

    Args:
        pairs: The pairs.
        model: Predicts tokens, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        rows: Sentences at a time; those of like length go together.

    Returns:
        `(pairs, 2)`, negative log-likelihoods in nats, or pseudo-log-likelihoods: good, bad.
    """
    sentences = [text for pair in pairs for text in (pair.good, pair.bad)]
    return unexpected(sentences, model, tokenizer, regime, rows)[0].reshape(-1, 2)


def unexpected(
    texts: Sequence[str], model: Any, tokenizer: Any, regime: ComputeConfig, rows: int
) -> tuple[NDArray[numpy.float64], NDArray[numpy.int64]]:
    """Return how unexpected texts are to a model, each by itself behind the token that starts a text.

    Args:
        texts: The texts.
        model: Predicts tokens, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        rows: Texts at a time; those of like length go together.

    Returns:
        `(texts,)` each: negative log-likelihoods in nats, or pseudo-log-likelihoods, and tokens.
    """
    check_tokenizer(model, tokenizer)
    mask = mask_for(model, tokenizer, not getattr(model, "predicts_next", False))
    scorer, (before, after) = LikelihoodScorer(model, regime, mask), around(tokenizer, mask is not None)
    sequences = [[*before, *ids, *after] for ids in encode(tokenizer, texts)]
    lengths = numpy.array([len(ids) for ids in sequences], numpy.int64)
    order, nats = numpy.argsort(-lengths, kind="stable"), numpy.zeros(len(sequences))
    with Progress(total=len(sequences), desc="score", unit="text", leave=False, disable=None, mininterval=0.5) as bar:
        for start in range(0, len(order), rows):
            which = order[start : start + rows]
            real = numpy.arange(lengths[which].max()) < lengths[which][:, None]
            ids = numpy.zeros(real.shape, numpy.int64)
            ids[real] = numpy.concatenate([sequences[i] for i in which])
            targets = real.copy()
            targets[:, : len(before)] = False
            targets[numpy.arange(real.shape[1]) >= lengths[which][:, None] - len(after)] = False
            nats[which] = scorer(ids, real, targets).sum(1)
            bar.update(len(which))
    return nats, lengths - len(before) - len(after)


def around(tokenizer: Any, masked: bool) -> tuple[list[int], list[int]]:
    """Return the tokens before and after a text, as models are trained on; a masked model sees both, a causal one the
    first.

    Raises `UserError` when the tokenizer has no token for the purpose.

    Args:
        tokenizer: Has special tokens.
        masked: Whether it is for a masked model.

    Returns:
        Those before, and those after.
    """
    return [first_token(tokenizer, masked)], [separator(tokenizer)] if masked else []


@dataclass(frozen=True)
class MinimalPairScores(Result):
    """How often a model finds the grammatical sentence the more probable one.

    Args:
        lines: A JSON object for each paradigm, phenomenon and field, and for all.
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected the good and the bad sentence are.
        path: The file of the scores of all pairs, where they were written.
    """

    lines: list[dict[str, Any]]
    pairs: Sequence[MinimalPair]
    nats: NDArray[numpy.float64]
    path: Path | None = None

    @property
    def accuracy(self) -> float:
        """The mean accuracy of all paradigms."""
        return float(self.lines[-1]["accuracy"])

    def show(self) -> None:
        """Print the table."""
        print_lines(self.lines)
        if self.path is not None:
            click.echo(f"wrote {self.path}")

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each paradigm, phenomenon and field, and for all."""
        return self.lines


@action("blimp")
def minimal_pairs(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path | None = None,
    paradigms: tuple[str, ...] = (),
    pairs: Annotated[int, AtLeast(0)] = 0,
    batch_size: Annotated[int, AtLeast(1)] = 128,
    replicates: Annotated[int, AtLeast(1)] = 1000,
    overlap: bool = True,
    scores: Path | None = None,
) -> MinimalPairScores:
    """Measure how often the model finds the grammatical sentence of a minimal pair the more probable one.

    The pairs are those of BLiMP (Warstadt et al., 2020, arXiv 1912.00582), 67 paradigms of 1,000 in 12 phenomena, or
    any in its format, JSON lines of `sentence_good`, `sentence_bad`, `UID`, `linguistics_term` and `field`: read from
    `blimp/blimp.tar.xz` or the folder `blimp` under $SEMEQV_DATA. What counts is the log-likelihood of the whole
    sentence after the token that starts a text; for a model that predicts masked tokens, its pseudo-log-likelihood,
    each token hidden by itself (Salazar et al., 2020, arXiv 1910.14659). The accuracy of a phenomenon, of a field and
    of all is the mean of those of its paradigms; intervals are those of a bootstrap of the pairs of each paradigm.
    Lines go to metrics.jsonl of the run's folder.

    Args:
        model: Predicts tokens.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets of the sentence; the training set is compared with the sentences.
        seed: Of the bootstrap.
        compute: Where to compute.
        path: A folder or an archive of such files, or one of them.
        paradigms: Only these, by their UID.
        pairs: The first so many pairs of each paradigm; 0 for all.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
        overlap: Say how many grammatical sentences occur in the training text, where that is at hand.
        scores: Write a JSON line for each pair to this file, with the log-likelihood of both sentences.

    Returns:
        The accuracies, and the scores of all pairs.
    """
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    read = read_pairs(path, paradigms, pairs)
    with inference(model, compute) as regime:
        nats = scored(read, model, tokenizer, regime, batch_size)
    lines = accuracy_lines(read, nats, replicates, seed)
    if overlap:
        sentences = (pair.good for pair in read)
        lines[-1] |= report_overlap(sentences, model, dataset_options, "grammatical sentences")
    lines = [{"measure": "blimp", **line, "model": name_of(model)} for line in lines]
    if scores is not None:
        write_scores(scores, read, nats)
    return MinimalPairScores(with_new_weights(lines, model), read, nats, scores)


LEVELS = ("paradigm", "phenomenon", "field")


def accuracy_lines(
    pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64], replicates: int, seed: int
) -> list[dict[str, Any]]:
    """Return accuracies: of paradigms, of phenomena, of fields, of all.

    Args:
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected good and bad are.
        replicates: Samples of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        A line for each, in this order; `low` and `high` are the ends of a 95% interval.
    """
    right, generator = nats[:, 0] < nats[:, 1], numpy.random.default_rng(seed)
    paradigms = numpy.array([pair.paradigm for pair in pairs])
    outcomes = {paradigm: right[paradigms == paradigm] for paradigm in dict.fromkeys(paradigms.tolist())}
    lines = []
    for level in LEVELS:
        members = dict[str, dict[str, None]]()
        for pair in pairs:
            members.setdefault(getattr(pair, level), {})[pair.paradigm] = None
        for name, within in sorted(members.items()):
            lines.append(accuracy_line(level, name, [outcomes[paradigm] for paradigm in within], replicates, generator))
    return [*lines, accuracy_line("all", "all", list(outcomes.values()), replicates, generator)]


def accuracy_line(
    level: str, name: str, groups: list[NDArray[numpy.bool_]], replicates: int, generator: numpy.random.Generator
) -> dict[str, Any]:
    """Return the mean accuracy of some paradigms, as JSON."""
    low, high = interval(groups, replicates, generator)
    return {
        "level": level,
        "of": name,
        "accuracy": float(numpy.mean([group.mean() for group in groups])),
        "low": low,
        "high": high,
        "paradigms": len(groups),
        "pairs": sum(map(len, groups)),
    }


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = []
    for line in lines:
        scores = [f"{line['accuracy']:.3f}", f"{line['low']:.3f}-{line['high']:.3f}"]
        rows.append([line["level"], line["of"], *scores, f"{line['pairs']:,}"])
    title = f"Grammatical sentences that are the more probable ones, {lines[0]['model']}"
    print_table(title, ("of a", "", "accuracy", "95% interval", "pairs"), rows, words=2)


def write_scores(path: Path, pairs: Sequence[MinimalPair], nats: NDArray[numpy.float64]) -> None:
    """Write the log-likelihoods of every pair.

    Args:
        path: The file; `UserError` is raised when it cannot be written.
        pairs: The pairs.
        nats: `(pairs, 2)`, how unexpected good and bad are.
    """
    lines = [
        {"UID": pair.paradigm, "sentence_good": pair.good, "sentence_bad": pair.bad, "good": -good, "bad": -bad}
        for pair, (good, bad) in zip(pairs, nats.tolist())
    ]
    write_lines(path, lines)
