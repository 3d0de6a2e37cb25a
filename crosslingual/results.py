"""`cli crosslingual report`."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import click

from crosslingual.directions import CHOICE, FIXED, NONE, ORACLE, OTHER, POINT
from crosslingual.distances import read_distances
from crosslingual.hypotheses import Test, hypothesis_tests
from crosslingual.languages import Language, read_languages
from crosslingual.sweep_cells import ALL, Cell, Number
from crosslingual.sweep_tables import every_table, print_tables
from semeqv.grammar.component import component, positional
from semeqv.results.statistics import mean_and_half
from semeqv.results.tables import END, Table, write_between
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_csv, write_text
from semeqv.runs.reading import Line, metrics_files, read_metrics

MEANING, FORM = ("ner", "nli", "qa"), ("pos", "parsing")


@component("crosslingual report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Join what sweeps of several runs have measured: tables of gains, the matrix, and tests of two hypotheses.

    Runs of one task and model that differ by their seed are joined. Intervals over runs are Student's, at 95%; where
    there is one run, that of the paired bootstrap over sentences stands instead, and the JSON file has both.

    Where `cli perplexity` has measured sets called `base-de` of the base and `adapted-de` of models adapted to
    languages, and `cli crosslingual compare` their vectors, there is a table of that, too.

    The hypotheses: tasks of meaning gain more than tasks of form, where both kinds were swept; and the gain goes with
    the distance of the language, where distances are given.

    Args:
        paths: Folders of sweeps (and of what was measured of languages), folders with such folders, or metrics.jsonl.
        semantic: A task of meaning, as the sweeps call it; may be repeated. ner, nli and qa if left out.
        syntactic: A task of form; may be repeated. pos and parsing if left out.
        kind: The vector whose gains the hypotheses are tested on.
        distances: A table with tabs: a column `language`, and one for each measure of distance from the source.
        output: Write a page to this Markdown file too, and its numbers beside it as JSON. It shows the figures that
            are in the folder called like the file. Of a page that is there, what stands between the lines
            `<!-- measured -->` and `<!-- end -->` is replaced.
        keep: Keep what the page that is there says of other tasks and models: its numbers come from the JSON file.
        csv: Write the table of all cells to this file, too.
    """

    paths: tuple[Path, ...] = positional()
    semantic: list[str] = field(default_factory=list)
    syntactic: list[str] = field(default_factory=list)
    kind: Literal["language", "analogy"] = "language"
    distances: Path | None = None
    output: Path | None = None
    keep: bool = False
    csv: Path | None = None

    def __post_init__(self) -> None:
        if self.keep and self.output is None:
            raise ValueError("--keep is about a page: say which, --output docs/results/crosslingual.md")
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the page is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the runs, print, and write the page."""
        if not self.paths:
            raise click.UsageError("cli crosslingual report: give folders that cli crosslingual sweep has measured")
        cells = joined(read_runs(self.paths))
        languages = read_languages(self.paths, cells[0].source)
        if self.keep and self.output is not None:
            cells, languages = with_other_tasks(self.output, cells, languages)
        semantic, syntactic = self.semantic or MEANING, self.syntactic or FORM
        swept = {cell.task: None for cell in cells}
        if missing := sorted({*self.semantic, *self.syntactic} - swept.keys()):
            raise click.UsageError(f"No task {missing[0]!r} was swept; there is {', '.join(swept)}")
        if not (swept.keys() & set(semantic) and swept.keys() & set(syntactic)):
            click.echo("Tasks of meaning and tasks of form are not both here: the first hypothesis is not tested.")
        tests = hypothesis_tests(
            cells,
            kind=self.kind,
            choices=(FIXED, ORACLE),
            semantic=semantic,
            syntactic=syntactic,
            distances=read_distances(self.distances),
        )
        print_tables(every_table(cells, tests, languages))
        if self.csv is not None:
            write_csv(self.csv, rows_of(cells))
        if self.output is not None:
            write_page(every_table(cells, tests, languages), self.output)
            write_text(self.output.with_suffix(".json"), numbers(cells, tests, languages))


KEY = ("task", "model", "source", "language", "kind", "vector", "choice")


def read_runs(paths: Sequence[Path]) -> list[Line]:
    """Read the choices that sweeps have made, and what the models without vectors have reached.

    Args:
        paths: Folders of runs, folders with such folders, or files metrics.jsonl.

    Returns:
        The lines; of what a run has measured several times, the last.

    Raises:
        click.UsageError: When a folder has no run, none has been swept, or two are the same run.
    """
    lines = dict[tuple[str, ...], Line]()
    for file in metrics_files(paths):
        for line in read_metrics(file):
            if is_reported(line.record):
                key = (*key_of(line.record), str(line.record.get("seed")))
                if (there := lines.get(key)) and there.path != file:
                    raise click.UsageError(
                        f"{there.path} and {file} are both of seed {key[-1]}, {key[0]}, the model from {key[1]}: give "
                        "one of them, or sweep another model under another --label"
                    )
                lines[key] = line
    if not lines:
        raise click.UsageError(f"{', '.join(map(str, paths))}: nothing was swept; run cli crosslingual sweep")
    return list(lines.values())


def lines_of(records: Iterable[dict[str, Any]]) -> list[Line]:
    """Read what a run has just measured, as `read_runs` would read it."""
    lines = (Line(Path(), number, record) for number, record in enumerate(records, 1))
    return [line for line in lines if is_reported(line.record)]


def is_reported(record: Mapping[str, Any]) -> bool:
    """Return whether a line is a choice, or the test of a model without vectors."""
    plain = record.get("measure") == POINT and record.get("kind") == NONE and record.get("part") == "test"
    return plain or record.get("measure") == CHOICE


def key_of(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the place of a line in the table."""
    return tuple(str(record.get(name) or "") for name in KEY)


def joined(lines: Iterable[Line]) -> list[Cell]:
    """Join what runs have measured: a cell for each place, and one for the mean over the target languages of each kind.

    Beside the mean of a kind stands that of the same languages without a vector, of which `vector` names the kind.

    Args:
        lines: Choices, and tests of models without vectors.

    Returns:
        The cells, in the order in which they were met; means over languages last.
    """
    places, means, plain = (dict[tuple[str, ...], list[Line]]() for _ in range(3))
    for line in lines:
        task, model, source, language, kind, _, choice = key = key_of(line.record)
        places.setdefault(key, []).append(line)
        if kind == NONE and language != source:
            plain.setdefault((task, model, source), []).append(line)
        elif kind != OTHER and language != source:
            means.setdefault((task, model, source, ALL, kind, "", choice), []).append(line)
    for (task, model, source, _, kind, *_), each in list(means.items()):
        languages = {line.record.get("language") for line in each}
        beside = [line for line in plain.get((task, model, source), ()) if line.record.get("language") in languages]
        means[task, model, source, ALL, NONE, kind, ""] = beside
    cells = [cell(key, {i: [line] for i, line in enumerate(each)}) for key, each in places.items()]
    return cells + [cell(key, whole_runs(each)) for key, each in means.items() if each]


def whole_runs(lines: Iterable[Line]) -> dict[int, list[Line]]:
    """Return the lines of each run; runs that lack a language that another has are left out."""
    runs = dict[tuple[Path, str], list[Line]]()
    for line in lines:
        runs.setdefault((line.path, str(line.record.get("seed"))), []).append(line)
    most = max(map(len, runs.values()))
    return dict(enumerate(run for run in runs.values() if len(run) == most))


def cell(key: tuple[str, ...], runs: Mapping[int, Sequence[Line]]) -> Cell:
    """Average the lines of each run to a cell; a run counts with their mean."""
    every = [line for run in runs.values() for line in run]
    metric = str(every[0].record.get("metric"))
    seeds = sorted({int(line.number_at("seed")) for line in every})
    strength = fmean(line.number_at("lambda") for line in every)
    score, gain = (number(runs, name) for name in (metric, f"{metric}_gain"))
    task, model, source, language, kind, vector, choice = key
    place = (task, model, source, language, kind, vector, choice)
    return Cell(*place, metric, len(runs), seeds, strength, score, gain)


def number(runs: Mapping[int, Sequence[Line]], name: str) -> Number:
    """Average a number over runs, of the lines that each has."""
    values = [fmean(line.number_at(name) for line in run) for run in runs.values()]
    mean, half = mean_and_half(values)
    low, high = math.nan, math.nan
    every = [line for run in runs.values() for line in run]
    if all(len(run) == 1 and f"{name}_low" in run[0].record for run in runs.values()):
        low, high = (fmean(line.number_at(f"{name}_{end}") for line in every) for end in ("low", "high"))
    return Number(mean, mean - half, mean + half, low, high)


def rows_of(cells: Iterable[Cell]) -> list[dict[str, Any]]:
    """Return the cells as flat objects: `score`, `score_low`, `score_sentences_low`, ... and the same of `gain`."""
    rows = []
    for cell in cells:
        row = {name: value for name, value in vars(cell).items() if not isinstance(value, Number)}
        for name in ("score", "gain"):
            values = vars(getattr(cell, name))
            row |= {f"{name}_{end}".removesuffix("_mean"): plain(value) for end, value in values.items()}
        rows.append(row)
    return rows


def cells_of(rows: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """Return the cells of flat objects, as `rows_of` has made them."""
    names = [each.name for each in fields(Number)]
    cells = []
    for row in rows:
        numbers = {
            name: Number(*(known(row[f"{name}_{end}".removesuffix("_mean")]) for end in names))
            for name in ("score", "gain")
        }
        cells.append(Cell(**{each.name: row[each.name] for each in fields(Cell) if each.name in row} | numbers))
    return cells


def known(value: float | None) -> float:
    """Return the number that JSON has; NaN where it has none."""
    return math.nan if value is None else value


def plain(value: float) -> float | None:
    """Return a number that JSON knows."""
    return None if math.isnan(value) else value


MARK = "measured"
PREAMBLE = """\
# Task and language vectors across languages

A language vector is what masked-LM training on a language changes in a model; it is added, at some strength, to a
model that learnt a task in English (Ilharco et al., 2023, arXiv 2212.04089), whose head stays as it is. *Gain* is the
score with a vector less the score of the same model without it, on the same sentences. *analogy* is the vector of the
language less that of English, *negation* the opposite of the language's vector, *unrelated* one of text in an invented
language.

Intervals are 95%: over runs (Student's; the seed decides the vectors and the models of tasks), or, where there is one
run, over sentences (paired bootstrap). The numbers beside this page have both. The strength of a vector
is fixed beforehand, or chosen on validation data of English, or, as an upper bound that no zero-shot transfer reaches,
on labelled validation data of the target language itself. 0 is always among the strengths that can be chosen.

"""


def write_page(shown: Iterable[Table], path: Path) -> None:
    """Write a page in Markdown: tables, and the figures that are in the folder called like it.

    Args:
        shown: Its tables.
        path: Where to. What a page that is there says outside its marks stays; `write_between` raises `UserError` when
            it has none.
    """
    if not path.exists():
        write_text(path, f"{PREAMBLE}<!-- {MARK} -->\n{END}\n")
    figures = sorted(path.with_suffix("").glob("*.png"))
    parts = [f"![{figure.stem.replace('-', ' ')}]({path.stem}/{figure.name})\n\n" for figure in figures]
    write_between(path, MARK, "".join([*parts, *(f"## {table.title}\n\n{table.markdown()}\n" for table in shown)]))


def with_other_tasks(
    path: Path, cells: Sequence[Cell], languages: Sequence[Language]
) -> tuple[list[Cell], list[Language]]:
    """Join what a page says of other tasks and models, and what was measured now.

    Args:
        path: The page; its numbers are in the JSON file beside it. Where there is none, nothing is kept.
        cells: What was measured now.
        languages: Of languages and their vectors.

    Returns:
        The cells and the languages, those of the page first.

    Raises:
        UserError: When the file does not hold the numbers of a report.
    """
    file, now = path.with_suffix(".json"), {(each.task, each.model) for each in cells}
    if not file.exists():
        return list(cells), list(languages)
    try:
        there = json.loads(file.read_text(encoding="utf-8"))
        before, spoken = cells_of(there["cells"]), [Language(**each) for each in there["languages"]]
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"--keep: {file} does not hold the numbers of a report: {error!r}") from error
    where = {each.where for each in languages}
    return (
        [*(each for each in before if (each.task, each.model) not in now), *cells],
        [*(each for each in spoken if each.where not in where), *languages],
    )


def numbers(cells: Sequence[Cell], tests: Sequence[Test], languages: Sequence[Language]) -> str:
    """Write all numbers as JSON: `cells`, `tests` and `languages`."""
    tests_as_json = [
        {name: plain(value) if isinstance(value, float) else value for name, value in vars(each).items()}
        for each in tests
    ]
    content = {"cells": rows_of(cells), "tests": tests_as_json, "languages": [vars(each) for each in languages]}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
