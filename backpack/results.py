"""The measures of runs, on average."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from semeqv.grammar.component import component, positional
from semeqv.results.statistics import mean_and_half
from semeqv.results.tables import Table, write_between
from semeqv.runs.files import write_text
from semeqv.runs.reading import Line, metrics_files, read_metrics


@component("backpack report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print what was measured of Backpacks and of their controls, on average over runs.

    Folders of runs are called like `42-senses8`, `42-gpt2` and `42-senses8-suppressed`; `cli perplexity` and the
    measures of `cli backpack` have added lines to their metrics.jsonl. Runs that differ by their seed alone are
    averaged; intervals over runs are Student's, at 95%.

    Args:
        paths: Folders of measured runs, or of folders of runs.
        output: Write all averages to this file too, as JSON, with the value of each run.
        markdown: Write the tables into this Markdown page too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: Of these lines.
    """

    paths: tuple[Path, ...] = positional()
    output: Path | None = None
    markdown: Path | None = None
    part: str = "measures"

    def build(self) -> None:
        """Read the runs, print, and write."""
        if not self.paths:
            raise click.UsageError(
                "cli backpack report: give folders of measured runs, such as runs/backpack-babel/measured"
            )
        rows = averages(read_measured(self.paths))
        all_tables = list(tables(rows))
        for table in all_tables:
            table.print()
        if self.output is not None:
            write_text(self.output, json.dumps([vars(row) for row in rows], indent=1) + "\n")
            click.echo(f"wrote {self.output}")
        if self.markdown is not None:
            write_between(
                self.markdown, self.part, "\n".join(f"**{table.title}**\n\n{table.markdown()}" for table in all_tables)
            )


@dataclass(frozen=True)
class Measure:
    """How the lines of a measure are read and shown.

    Args:
        title: What stands above its table.
        of: The fields that say what a line is about.
        headings: What stands above them.
        numbers: The fields that are numbers, and their headings.
        labels: What to call the values of `of`; others are shown as they are.
        across: Whether the values of the last field of `of` are columns, not rows.
        digits: Digits behind the point.
    """

    title: str
    of: tuple[str, ...]
    headings: tuple[str, ...]
    numbers: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    across: bool = False
    digits: int = 3


MEASURES: Mapping[str, Measure] = {
    "perplexity": Measure(
        "Perplexity",
        ("language",),
        ("language",),
        {"perplexity": "perplexity", "bound_perplexity": "least possible", "bits_per_byte": "bits per byte"},
        digits=2,
    ),
    "coverage": Measure(
        "Words both of whose topics are among their senses",
        ("of",),
        ("words",),
        {"both": "both", "distinct": "different indices"},
        {
            "homonyms": "homonyms, their own senses",
            "others": "control: senses of another homonym",
            "unambiguous": "control: words of one sense",
        },
    ),
    "disambiguation": Measure(
        "Occurrences of homonyms parted by sense",
        ("by",),
        ("parted by",),
        {"v_corrected": "corrected", "v": "V-measure", "v_chance": "of chance"},
        {
            "weights": "weights of senses, mean to the end of the sentence",
            "states": "last states of the Transformer, likewise",
            "word": "its last state at the word",
            "reader": "best possible: the reader who knows the grammar",
        },
    ),
    "invariance": Measure(
        "Cosine of the senses of translations",
        ("of",),
        ("senses",),
        {
            "same_index": "same index",
            "other_index": "other index",
            "strangers": "no translation",
            "p_index": "p (indices)",
            "p_partner": "p (partners)",
        },
        {"raw": "as they are", "centred": "less the mean of each index in each language"},
    ),
    "cloze": Measure(
        "Last words guessed",
        ("language",),
        ("language",),
        {"top1": "top 1", "top3": "top 3", "word_perplexity": "perplexity of the word"},
    ),
    "similarity": Measure(
        "Spearman correlation of cosines with ratings",
        ("by", "set"),
        ("cosine of",),
        {"spearman": "Spearman"},
        {"embedding": "input embeddings", "min": "the least of all senses", "max": "the largest of all senses"}
        | {str(index): f"sense {index}" for index in range(64)},
        across=True,
    ),
    "lexical": Measure(
        "Translations found by the nearest vector",
        ("by",),
        ("vectors",),
        {"precision@1": "P@1", "precision@5": "P@5", "random@1": "P@1 by chance"},
        {"embedding": "input embeddings", "all": "all senses"} | {str(index): f"sense {index}" for index in range(64)},
    ),
    "bias": Measure(
        "Bias: the mean of max(p(he) / p(she), p(she) / p(he))",
        ("set",),
        ("sentences",),
        {"bias": "bias", "median": "median", "first_likelier": "he likelier"},
    ),
    "debias": Measure(
        "The same, as fitted",
        ("set",),
        ("sentences",),
        {"before": "before", "suppressed": "suppressed", "after": "after"},
    ),
    "crows-pairs": Measure("Stereotypical sentences preferred", ("kind",), ("kind",), {"stereotypical": "share"}),
    "effects": Measure(
        "What an edit does to the next token",
        ("kind",),
        ("texts",),
        {
            "wanted_before": "wanted before",
            "wanted_after": "wanted after",
            "log_odds_gained": "log odds gained",
            "same_first": "same likeliest token",
            "divergence": "divergence",
        },
    ),
    "topics": Measure(
        "Topic control",
        ("by", "strength"),
        ("by", "strength"),
        {
            "on_topic": "texts on topic",
            "given": "words given",
            "other": "other words of it",
            "distinct": "different pairs",
            "perplexity": "perplexity",
        },
    ),
}


Key = tuple[str, str, tuple[str, ...], str]  # the model, the measure, of what, which number


@dataclass(frozen=True)
class Average:
    """A number, over runs.

    Args:
        model: The kind of model: what follows the seed in the name of the folder.
        measure: What was measured, one of `MEASURES`.
        of: Of what: a language, a kind of words, a way to part.
        number: Which number.
        runs: The value of each run.
        mean: Their mean.
        half: Half the width of its interval; None where there is one run.
    """

    model: str
    measure: str
    of: tuple[str, ...]
    number: str
    runs: list[float]
    mean: float
    half: float | None


def read_measured(paths: Sequence[Path]) -> Mapping[Key, list[float]]:
    """Read what was measured of runs.

    Args:
        paths: Folders of runs, or of folders of runs.

    Returns:
        The values of the runs, in their order; of what was measured several times in a run, the last.

    Raises:
        click.UsageError: When a folder has no run, or nothing was measured.
    """
    runs: dict[Key, list[float]] = defaultdict(list)
    for file in metrics_files(paths):
        values = dict[Key, float]()
        for line in read_metrics(file):
            values |= numbers_of(line, file.parent.name.partition("-")[2] or file.parent.name)
        for key, value in values.items():
            runs[key].append(value)
    if not runs:
        raise click.UsageError(f"{', '.join(map(str, paths))}: nothing of {', '.join(MEASURES)} was measured")
    return runs


def numbers_of(line: Line, model: str) -> dict[Key, float]:
    """Return the numbers of a line of metrics; none when it is of something else."""
    measure = str(line.record.get("measure"))
    if measure not in MEASURES:
        return {}
    known = MEASURES[measure]
    of = tuple(str(line.record.get(field)) for field in known.of)
    return {(model, measure, of, name): line.number_at(name) for name in known.numbers if name in line.record}


def averages(measured: Mapping[Key, Sequence[float]]) -> list[Average]:
    """Average runs, in the order in which they were read; intervals are Student's, at 95%."""
    rows = []
    for key, values in measured.items():
        mean, half = mean_and_half(values)
        rows.append(Average(*key, list(values), mean, None if math.isnan(half) else half))
    return rows


def tables(rows: Sequence[Average]) -> Iterator[Table]:
    """Make a table for each measure that there is.

    Args:
        rows: The averages.

    Yields:
        The tables.
    """
    for name, measure in MEASURES.items():
        if own := [row for row in rows if row.measure == name]:
            yield table(measure, own)


def table(measure: Measure, rows: Sequence[Average]) -> Table:
    """Make the table of one measure: a row for each model and thing that was measured.

    Args:
        measure: What was measured.
        rows: Its averages.

    Returns:
        The table; numbers that no row has are left out.
    """
    by_place = {(row.model, row.of, row.number): row for row in rows}
    heads = list(dict.fromkeys((row.model, row.of[:-1] if measure.across else row.of) for row in rows))
    heads.sort(key=lambda head: place_of(head[0]))
    columns: dict[tuple[str, tuple[str, ...]], str]
    if measure.across:
        (number,) = measure.numbers
        columns = {(number, (value,)): value for value in dict.fromkeys(row.of[-1] for row in rows)}
    else:
        present = {row.number for row in rows}
        columns = {(number, ()): heading for number, heading in measure.numbers.items() if number in present}
    body = []
    for model, of in heads:
        cells = [model_name(model), *(measure.labels.get(value, value) for value in of)]
        for number, value in columns:
            row = by_place.get((model, of + value, number))
            cells.append("" if row is None else written(row, measure.digits))
        body.append(cells)
    words = 1 + len(heads[0][1])
    return Table(measure.title, ("model", *measure.headings[: words - 1], *columns.values()), body, words)


def place_of(model: str) -> tuple[int, int]:
    """Return the place of a model: Backpacks come first, those of few senses before those of many."""
    count = model.partition("-")[0].removeprefix("senses")
    return (0, int(count)) if count.isdecimal() else (1, 0)


def model_name(model: str) -> str:
    """Return `Backpack, k = 8, fitted` for senses8-fitted."""
    kind, _, change = model.partition("-")
    if kind.removeprefix("senses").isdecimal():
        kind = f"Backpack, k = {kind.removeprefix('senses')}"
    return {"gpt2": "GPT-2"}.get(kind, kind) + (f", {change}" if change else "")


def written(row: Average, digits: int) -> str:
    """Write a number, `0.75 ± 0.04`; of probabilities each run, since their mean has no meaning."""
    if row.number.startswith("p_"):
        return ", ".join(f"{each:.3f}" for each in row.runs)
    return f"{row.mean:.{digits}f}" + ("" if row.half is None else f" ± {row.half:.{digits}f}")
