"""The page of what sweeps have shown, from numbers alone."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from crosslingual.hypotheses import Test
from crosslingual.joined import Cell, cells_of, plain, rows_of
from crosslingual.languages import Language
from semeqv.results.tables import END, Table, write_between
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

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


def kept(path: Path, cells: Sequence[Cell], languages: Sequence[Language]) -> tuple[list[Cell], list[Language]]:
    """What a page says of other tasks and models, and then what was measured now.

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
    """All numbers as JSON: `cells`, `tests` and `languages`."""
    said = [
        {name: plain(value) if isinstance(value, float) else value for name, value in vars(each).items()}
        for each in tests
    ]
    found = {"cells": rows_of(cells), "tests": said, "languages": [vars(each) for each in languages]}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
