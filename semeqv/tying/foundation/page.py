"""Several models side by side, in a page of results."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from semeqv.grammar.component import component, positional
from semeqv.results.tables import Table, write_between
from semeqv.runs.files import write_text


@component("foundation-report")
@dataclass(frozen=True, kw_only=True)
class FoundationReport:
    """Print how likely equivalent pairs are to be closer than random ones, for several models side by side.

    Args:
        paths: Folders that `cli foundation-embeddings` has written.
        label: What to call them, in their order; may be repeated. Their names if left out.
        measure: The distance; may be repeated. All if left out.
        output: Write what was read to this JSON file too, under these names.
        markdown: Write the table into this Markdown page too, between the lines `<!-- PART -->` and `<!-- end -->`.
        part: Of these lines.
    """

    paths: tuple[Path, ...] = positional()
    label: list[str] = field(default_factory=list)
    measure: list[Literal["euclidean", "cosine", "centred-cosine"]] = field(default_factory=list)
    output: Path | None = None
    markdown: Path | None = None
    part: str = "foundation"

    def __post_init__(self) -> None:
        if self.label and len(self.label) != len(self.paths):
            raise ValueError(f"--label: {len(self.label)} labels for {len(self.paths)} folders.")

    def build(self) -> None:
        """Read, print, and write.

        Raises:
            click.UsageError: When a folder holds no such measurement.
        """
        if not self.paths:
            raise click.UsageError("cli foundation-report: give folders that cli foundation-embeddings has written")
        labels = self.label or [path.name for path in self.paths]
        studies = [read_study(path) | {"model": label} for path, label in zip(self.paths, labels)]
        columns, rows = table(studies, self.measure)
        shown = Table("Probability that an equivalent pair is closer than a random one", columns, rows)
        shown.print()
        if self.output is not None:
            write_text(self.output, json.dumps(studies, indent=1, ensure_ascii=False) + "\n")
            click.echo(f"wrote {self.output}")
        if self.markdown is not None:
            write_between(self.markdown, self.part, shown.markdown())


def read_study(folder: Path) -> dict[str, Any]:
    """Read a measurement.

    Args:
        folder: Has foundation.json.

    Returns:
        What it says.

    Raises:
        click.UsageError: When it has none.
    """
    try:
        found: dict[str, Any] = json.loads((folder / "foundation.json").read_text(encoding="utf-8"))
        found["rows"][0]["closer"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise click.UsageError(
            f"{folder} has no foundation.json; run cli foundation-embeddings --path {folder}"
        ) from None
    return found


def table(studies: list[dict[str, Any]], measures: list[Any]) -> tuple[list[str], list[list[str]]]:
    """A row for each kind of equivalents, a column for each model, embedding and distance.

    Args:
        studies: What was measured.
        measures: Which distances; all if empty.

    Returns:
        The headings, and the cells; a kind that a model lacks is left empty.
    """
    cells, counts = dict[tuple[str, str], str](), dict[str, int]()
    columns: dict[str, None] = {}
    single = len(measures) == 1
    for study in studies:
        embeddings = {row["embedding"] for row in study["rows"]}
        for row in study["rows"]:
            if measures and row["measure"] not in measures:
                continue
            parts = [study["model"]] * (len(studies) > 1) + [row["embedding"]] * (len(embeddings) > 1)
            parts += [] if single and parts else [row["measure"].replace("-", " ")]
            column = ", ".join(parts)
            columns[column] = None
            cells[row["kind"], column] = f"{row['closer']:.3f} [{row['low']:.3f}-{row['high']:.3f}]"
            counts[row["kind"]] = max(counts.get(row["kind"], 0), row["pairs"])
    rows = [
        [kind, f"{count:,}", *(cells.get((kind, column), "") for column in columns)] for kind, count in counts.items()
    ]
    return ["equivalents", "pairs", *columns], rows
