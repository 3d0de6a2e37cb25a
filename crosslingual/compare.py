"""How long vectors are, and the angles between them: `cli crosslingual compare`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from crosslingual.algebra import TaskVector, open_checkpoint, products_of, vector_of
from crosslingual.similarity import Products
from semeqv.grammar.action import Positional, Result, action
from semeqv.results.tables import print_table

if TYPE_CHECKING:  # from Python, an open vector will do
    Vector = Path | TaskVector
else:
    Vector = Path

WHOLE = "all"  # the layer of results about all layers


@dataclass(frozen=True)
class Cosines(Result):
    """Cosines between vectors, and their lengths.

    Args:
        labels: What the vectors are called.
        products: Their scalar products, by layer.
        layers: Whether `show` prints each layer, too.
    """

    labels: list[str]
    products: Products
    layers: bool = False

    def matrix(self, layer: str | None = None) -> list[list[float]]:
        """Return the cosines, `(vectors, vectors)`, of a layer; of the whole if None. NaN where a vector is zero."""
        places = range(len(self.labels))
        return [[self.products.cosine(first, second, layer) for second in places] for first in places]

    def show(self) -> None:
        """Print the matrix of the whole, and of each layer if that is wanted."""
        for layer in (None, *(self.products.products if self.layers else ())):
            cosines = self.matrix(layer)
            rows = [
                [label, *(f"{cosine:.3f}" for cosine in cosines[place]), f"{self.products.norm(place, layer):.4g}"]
                for place, label in enumerate(self.labels)
            ]
            title = "Cosines of vectors" + ("" if layer is None else f", {layer}")
            print_table(title, ("", *self.labels, "length"), rows)

    def records(self) -> list[dict[str, Any]]:
        """Return an object for each pair, in the whole and in each layer; a vector and itself are a pair, too."""
        return [record for layer in (None, *self.products.products) for record in self.of_layer(layer)]

    def of_layer(self, layer: str | None) -> Iterator[dict[str, Any]]:
        """Yield `layer`, `first`, `second`, `cosine`, `first_norm` and `second_norm` of each pair."""
        for i, first in enumerate(self.labels):
            for j in range(i, len(self.labels)):
                yield {
                    "measure": "cosine of vectors",
                    "layer": layer or WHOLE,
                    "first": first,
                    "second": self.labels[j],
                    "cosine": self.products.cosine(i, j, layer),
                    "first_norm": self.products.norm(i, layer),
                    "second_norm": self.products.norm(j, layer),
                }


def refuse_labels(options: Any) -> None:
    """Refuse more labels than vectors; raises `ValueError`."""
    if len(options.label) > len(options.paths) > 0:
        raise ValueError(f"--label: {len(options.label)} labels for {len(options.paths)} vectors.")


@action("crosslingual compare", check=refuse_labels)
def compare(
    paths: Annotated[tuple[Vector, ...], Positional()] = (),
    *,
    base: str | None = None,
    label: Sequence[str] = (),
    layers: bool = False,
    mixed: bool = False,
) -> Cosines:
    """Measure the cosines between vectors and their lengths, of the whole and of each layer.

    All are read once, a chunk at a time, and products are summed up in fp64. Lines go to metrics.jsonl of the run's
    folder; `cli vectors-view` draws them as a heatmap.

    Args:
        paths: Folders of vectors; or of models, which stand for themselves less the one of --base.
        base: What models among them were trained from: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        label: What to call the vectors, in their order; may be repeated. The folder's name if left out.
        layers: Print the cosines of each layer, too.
        mixed: Let models and their base be stored in different precisions.

    Returns:
        The cosines.

    Raises:
        click.UsageError: When there are fewer than two vectors, or two of one name.
    """
    if len(paths) < 2:
        raise click.UsageError("cli crosslingual compare: give the folders of two or more vectors")
    labels = [*label, *map(name_of, paths[len(label) :])]
    if len(set(labels)) < len(labels):
        raise click.UsageError("cli crosslingual compare: two vectors have one name; say --label for each")
    start = None if base is None else open_checkpoint(base)
    vectors = [vector_of(source, start, mixed=mixed) for source in paths]
    return Cosines(labels, products_of(vectors), layers)


def name_of(source: Vector) -> str:
    """Return what to call a vector: the name of its folder, or its formula."""
    return source.formula if isinstance(source, TaskVector) else Path(source).resolve().name
