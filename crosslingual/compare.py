"""`cli crosslingual compare`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from crosslingual.open import open_checkpoint, opened
from crosslingual.similarity import Products, measured
from semeqv.grammar.component import component, positional
from semeqv.results.tables import print_table
from semeqv.runs.files import write_csv


@component("crosslingual compare")
@dataclass(frozen=True, kw_only=True)
class Compare:
    """Measure the cosines between vectors and their lengths, of the whole and of each layer.

    All are read once, a chunk at a time, and products are summed up in fp64. Lines go to metrics.jsonl of the run's
    folder; `cli vectors-view` draws them as a heatmap.

    Args:
        paths: Folders of vectors; or of models, which stand for themselves less the one of --base.
        base: What models among them were trained from: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        label: What to call the vectors, in their order; may be repeated. The folder's name if left out.
        layers: Print the cosines of each layer, too.
        mixed: Let models and their base be stored in different precisions.
        csv: Write all results to this file, too.
    """

    paths: tuple[Path, ...] = positional()
    base: str | None = None
    label: list[str] = field(default_factory=list)
    layers: bool = False
    mixed: bool = False
    csv: Path | None = None

    def __post_init__(self) -> None:
        if len(self.label) > len(self.paths) > 0:
            raise ValueError(f"--label: {len(self.label)} labels for {len(self.paths)} vectors.")

    def build(self, *, record: Callable[..., None]) -> None:
        """Measure, print the table, and write it.

        Args:
            record: Adds lines to metrics.jsonl.

        Raises:
            click.UsageError: When there are fewer than two vectors, or two of one name.
        """

        if len(self.paths) < 2:
            raise click.UsageError("cli crosslingual compare: give the folders of two or more vectors")
        labels = [*self.label, *(path.resolve().name for path in self.paths[len(self.label) :])]
        if len(set(labels)) < len(labels):
            raise click.UsageError("cli crosslingual compare: two vectors have one name; say --label for each")
        base = None if self.base is None else open_checkpoint(self.base)
        vectors = [opened(str(path), base, mixed=self.mixed) for path in self.paths]
        lines: list[dict[str, Any]] = lines_of(measured(vectors), labels)
        print_cosines(lines, labels, self.layers)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)


WHOLE = "all"


def lines_of(products: Products, labels: Sequence[str]) -> list[dict[str, Any]]:
    """What was measured, a line for each pair in the whole and in each layer; a vector and itself are a pair, too.

    Args:
        products: Of the vectors.
        labels: What they are called.

    Returns:
        Objects with `layer`, `first`, `second`, `cosine`, `first_norm` and `second_norm`.
    """
    found = []
    for layer in (None, *products.products):
        for i, first in enumerate(labels):
            for j in range(i, len(labels)):
                found.append(
                    {
                        "measure": "cosine of vectors",
                        "layer": layer or WHOLE,
                        "first": first,
                        "second": labels[j],
                        "cosine": products.cosine(i, j, layer),
                        "first_norm": products.norm(i, layer),
                        "second_norm": products.norm(j, layer),
                    }
                )
    return found


def print_cosines(lines: Sequence[dict[str, Any]], labels: Sequence[str], layers: bool) -> None:
    """Print the matrix of the whole, and of each layer if asked.

    Args:
        lines: From `lines_of`.
        labels: What the vectors are called.
        layers: Whether layers are printed.
    """
    for layer in dict.fromkeys(line["layer"] for line in lines) if layers else (WHOLE,):
        pairs = {(line["first"], line["second"]): line for line in lines if line["layer"] == layer}
        rows = []
        for first in labels:
            row = [pairs[(first, other) if (first, other) in pairs else (other, first)] for other in labels]
            rows.append([first, *(f"{each['cosine']:.3f}" for each in row), f"{pairs[first, first]['first_norm']:.4g}"])
        title = "Cosines of vectors" + ("" if layer == WHOLE else f", {layer}")
        print_table(title, ("", *labels, "length"), rows)
