"""What is measured of a model's embeddings."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import no_grad, numpy, rich, torch
from semeqv.results.tables import console
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.generation import tokenizer_of
from semeqv.text.models.embeddings import embedding_weights
from semeqv.tying.closeness import interval, probability_closer
from semeqv.tying.foundation.pairs import Form, Pair, equivalents, forms_of, with_random

MEASURES = ("euclidean", "cosine", "centred-cosine")
TYINGS = {
    "one matrix": "tied: the input and the output embedding are one matrix",
    "equal values": "two matrices of equal values",
    "different": "untied: two matrices of different values",
    "no output": "no output embedding: this model predicts no tokens, so only its input embedding is measured",
}


@dataclass(frozen=True)
class Row:
    """How equivalent pairs of one kind compare with random ones, in one matrix, by one distance.

    Args:
        embedding: `input`, `output`, or `tied`.
        kind: The kind of equivalence.
        measure: The distance.
        pairs: How many pairs there are of each.
        equivalent: Median distance of the equivalent pairs.
        random: Median distance of the random pairs.
        closer: Probability that an equivalent pair is closer than a random one.
        low: Lower end of its 95% interval.
        high: Upper end of it.
    """

    embedding: str
    kind: str
    measure: str
    pairs: int
    equivalent: float
    random: float
    closer: float
    low: float
    high: float


@dataclass(frozen=True)
class Study(Result):
    """What was measured.

    Args:
        facts: Of the model and the measurement, as JSON.
        table: Its rows.
        pairs: The pairs.
        ids: Token ids of first, second and random tokens, (pairs, 3).
        distances: By (embedding, measure): of the equivalent and of the random pairs, (pairs, 2).
    """

    facts: dict[str, Any]
    table: list[Row]
    pairs: list[Pair]
    ids: numpy.ndarray
    distances: dict[tuple[str, str], numpy.ndarray]

    def show(self) -> None:
        """Print how the embeddings are tied, and the table."""
        print_study(self)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each row of the table."""
        return [asdict(row) for row in self.table]

    def to_json(self) -> dict[str, Any]:
        """Facts and table."""
        return self.facts | {"rows": [asdict(row) for row in self.table]}


def study(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    *,
    shortest: int = 3,
    neighbours: int = 100,
    replicates: int = 1000,
) -> Study:
    """Measure how close equivalent tokens are in the embeddings of a model, beside random pairs.

    Args:
        model: Has `get_input_embeddings`, and perhaps `get_output_embeddings`.
        tokenizer: Its tokenizer; the one in its folder if None.
        seed: Of the random pairs and the bootstrap.
        shortest: The fewest letters of a token.
        neighbours: The random second token is drawn from so many that are nearest in id.
        replicates: Bootstrap replicates of each confidence interval.

    Returns:
        The measurements.

    Raises:
        UserError: When the vocabulary has no equivalents, or (from `matrices`) the model does not know its tokens.
    """
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    tying, found = matrices(model)
    size = min(len(matrix) for matrix in found.values())
    forms, convention = forms_of(tokenizer, size, shortest)
    generator = numpy.random.default_rng(seed)
    pairs = with_random(forms, equivalents(forms, convention.variant), neighbours, generator)
    if not pairs:
        raise UserError("The vocabulary has no case variants, no inflections and no variants at word boundaries.")
    ids = numpy.array([[forms[pair.first], forms[pair.second], forms[pair.random]] for pair in pairs])
    known = torch.tensor(sorted(number for number in tokenizer.get_vocab().values() if number < size))
    distances = {
        (name, measure): numpy.stack([each[measure] for each in both], axis=1)
        for name, matrix in found.items()
        for both in [[pair_distances(matrix, known, ids[:, [0, other]]) for other in (1, 2)]]
        for measure in MEASURES
    }
    facts = {
        "model": getattr(model, "source", type(model).__name__),
        "architecture": type(model).__name__,
        "tying": tying,
        "vocabulary": len(tokenizer),
        "width": {name: int(matrix.shape[1]) for name, matrix in found.items()},
        "mark": convention.mark,
        "shortest": shortest,
        "neighbours": neighbours,
        "replicates": replicates,
        "seed": seed,
        "median id difference of second and random": float(numpy.median(numpy.abs(ids[:, 1] - ids[:, 2]))),
    }
    return Study(facts, table(pairs, distances, replicates, generator), pairs, ids, distances)


@no_grad
def matrices(model: Any) -> tuple[str, dict[str, torch.Tensor]]:
    """The embedding matrices of a model, and how they are tied.

    Args:
        model: Has `get_input_embeddings`.

    Returns:
        A key of `TYINGS`; and `input` and `output`, `tied` alone, or `input` alone, each (tokens, width) on the CPU.

    Raises:
        UserError: When the model does not say which its embeddings are.
    """
    reads: torch.Tensor
    predicts: torch.Tensor | None
    try:
        reads, predicts = embedding_weights(model)
    except AttributeError as error:
        raise UserError(f"{type(model).__name__} does not say which its input and output embeddings are.") from error
    reads = reads.detach().cpu()
    if predicts is None:
        return "no output", {"input": reads}
    if predicts.data_ptr() == model.get_input_embeddings().weight.data_ptr():
        return "one matrix", {"tied": reads}
    predicts = predicts.detach().cpu()
    equal = predicts.shape == reads.shape and bool((predicts == reads).all())
    return "equal values" if equal else "different", {"input": reads, "output": predicts}


def pair_distances(
    matrix: torch.Tensor, known: torch.Tensor, ids: numpy.ndarray, chunk: int = 8192
) -> dict[str, numpy.ndarray]:
    """Distances between tokens.

    Args:
        matrix: Embeddings, (tokens, width), of any floating-point type.
        known: Ids of the tokens whose mean is taken off for the centred cosine, (known,).
        ids: Token ids, (pairs, 2).
        chunk: Pairs at a time.

    Returns:
        Measure to distances, (pairs,): Euclidean; one minus the cosine; and that after the mean of all known tokens is
        taken off, so that a direction which they all share does not count (Mu & Viswanath, 2018, arXiv 1702.01417).
    """
    mean = torch.stack([matrix[part].double().sum(0) for part in known.split(chunk)]).sum(0) / len(known)
    found: dict[str, list[torch.Tensor]] = {measure: [] for measure in MEASURES}
    for part in torch.from_numpy(ids).split(chunk):
        one, other = matrix[part[:, 0]].double(), matrix[part[:, 1]].double()  # (pairs, width)
        found["euclidean"].append((one - other).norm(dim=1))
        found["cosine"].append(1 - torch.cosine_similarity(one, other))
        found["centred-cosine"].append(1 - torch.cosine_similarity(one - mean, other - mean))
    return {measure: torch.cat(parts).numpy() for measure, parts in found.items()}


def table(
    pairs: list[Pair],
    distances: dict[tuple[str, str], numpy.ndarray],
    replicates: int,
    generator: numpy.random.Generator,
) -> list[Row]:
    """Compare equivalent and random pairs, kind by kind.

    Args:
        pairs: The pairs.
        distances: By (embedding, measure): of the equivalent and of the random pairs, (pairs, 2).
        replicates: Of the bootstrap.
        generator: What draws its samples.

    Returns:
        A row for each embedding, kind and measure.
    """
    kinds = sorted({pair.kind for pair in pairs}, key=lambda kind: (kind.startswith("-"), kind))
    where = {kind: numpy.array([pair.kind == kind for pair in pairs]) for kind in kinds}
    words = numpy.array([word_of(pair.first) for pair in pairs])
    rows = []
    for (embedding, measure), both in distances.items():
        for kind in kinds:
            near, far = both[where[kind]].T
            low, high = interval(near, far, words[where[kind]], replicates, generator)
            medians = float(numpy.median(near)), float(numpy.median(far))
            closer = probability_closer(near, far)
            rows.append(Row(embedding, kind, measure, len(near), *medians, closer, low, high))
    return rows


def word_of(form: Form) -> str:
    """The word that a token is a form of, as far as its letters tell."""
    return form.text.casefold()


@action("foundation-embeddings", record=False)
def foundation_embeddings(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    output: Path | None = None,
    *,
    path: Path | None = None,
    shortest: Annotated[int, AtLeast(1)] = 3,
    neighbours: Annotated[int, AtLeast(2)] = 100,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> Study:
    """Measure how close equivalent tokens are in the input and in the output embedding of a model, and write it.

    Equivalents are found by spelling in the vocabulary of the tokenizer: case variants (dog, Dog, DOG), the same
    letters with and without a space before them (or ## inside a word), and English inflections in -s, -ed and -ing,
    among which a few are none (new, news). Each is compared with a random pair: the same first token, and a second one
    that is written the same way and about as frequent, as far as ids follow frequency. Also says whether the two
    embeddings are tied. Writes foundation.json, foundation.csv and foundation_pairs.csv; `cli foundation-view` draws
    them.

    Args:
        model: Says which its embeddings are.
        tokenizer: Its tokenizer; the one in the model's folder if None.
        seed: Of the random pairs and the bootstrap.
        output: The run's folder.
        path: Folder of the files; `foundation` in the run's folder if left out.
        shortest: The fewest letters of a token.
        neighbours: The random second token is drawn from so many that are nearest in id.
        replicates: Bootstrap replicates of each confidence interval.

    Returns:
        The measurements; `study` measures without writing.
    """
    found = study(model, tokenizer, seed, shortest=shortest, neighbours=neighbours, replicates=replicates)
    write_study(found, path or (output or Path()) / "foundation")
    return found


FILES = ("foundation.json", "foundation.csv", "foundation_pairs.csv")


def print_study(study: Study) -> None:
    """Print how the embeddings are tied, and the table."""
    screen = console()
    facts = study.facts
    screen.print(f"{facts['model']} ({facts['architecture']}): {TYINGS[facts['tying']]}.")
    title = "Probability that an equivalent pair is closer than a random one, and its 95% interval"
    table = rich.table.Table(title=title, title_justify="left")
    table.add_column("embedding", no_wrap=True)
    table.add_column("equivalents", overflow="fold")
    table.add_column("pairs", justify="right", no_wrap=True)
    for measure in MEASURES:
        table.add_column(measure.replace("-", " "), justify="right")
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in study.table:
        groups.setdefault((row.embedding, row.kind), {})[row.measure] = row
    for (embedding, kind), found in groups.items():
        cells = [f"{found[m].closer:.3f} [{found[m].low:.3f}-{found[m].high:.3f}]" for m in MEASURES]
        table.add_row(embedding, kind, str(found[MEASURES[0]].pairs), *cells)
    screen.print(table)


def write_study(study: Study, folder: Path) -> None:
    """Write the files of a study.

    Args:
        study: What was measured.
        folder: Where; made if need be.
    """
    rows: list[list[object]] = [
        [field.name for field in fields(Row)],
        *(list(asdict(row).values()) for row in study.table),
    ]
    columns = [f"{embedding} {measure}" for embedding, measure in study.distances]
    heading = ["kind", "first", "second", "random", "first id", "second id", "random id"]
    heading += [f"{column} {which}" for column in columns for which in ("equivalent", "random")]
    lines: list[list[object]] = [list(heading)]
    for i, pair in enumerate(study.pairs):
        numbers = [f"{value:.6g}" for both in study.distances.values() for value in both[i]]
        lines.append([pair.kind, pair.first.text, pair.second.text, pair.random.text, *study.ids[i].tolist(), *numbers])
    write_text(folder / FILES[0], json.dumps(study.to_json(), indent=2, ensure_ascii=False) + "\n")
    write_text(folder / FILES[1], as_csv(rows))
    write_text(folder / FILES[2], as_csv(lines))
    click.echo(f"wrote {folder / FILES[0]}, {FILES[1]} and {FILES[2]}")


def as_csv(rows: list[list[object]]) -> str:
    """The text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
