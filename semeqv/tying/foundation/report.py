"""The table and the files of the study."""

import csv
import io
import json
from dataclasses import asdict, fields
from pathlib import Path

import click

from semeqv.runs.files import write_text
from semeqv.tying.foundation.study import MEASURES, TYINGS, Row, Study

FILES = ("foundation.json", "foundation.csv", "foundation_pairs.csv")


def print_study(study: Study) -> None:
    """Print how the embeddings are tied, and the table."""
    from rich.table import Table

    from semeqv.results.report import console

    screen = console()
    facts = study.facts
    screen.print(f"{facts['model']} ({facts['architecture']}): {TYINGS[facts['tying']]}.")
    title = "Probability that an equivalent pair is closer than a random one, and its 95% interval"
    table = Table(title=title, title_justify="left")
    table.add_column("embedding", no_wrap=True)
    table.add_column("equivalents", overflow="fold")
    table.add_column("pairs", justify="right", no_wrap=True)
    for measure in MEASURES:
        table.add_column(measure.replace("-", " "), justify="right")
    groups: dict[tuple[str, str], dict[str, Row]] = {}
    for row in study.rows:
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
        *(list(asdict(row).values()) for row in study.rows),
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
