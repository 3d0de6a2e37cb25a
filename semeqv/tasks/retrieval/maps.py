"""Linear maps between the sentence vectors of two languages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from semeqv.grammar.action import AtLeast, Written, action
from semeqv.lazy import functional, safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file
from semeqv.tasks.answering import Datasets
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.retrieval.nearest import check_finite
from semeqv.tasks.retrieval.parallel import sentence_pairs
from semeqv.tasks.retrieval.vectors import VECTORS, SentenceEncoder, VectorOptions
from semeqv.text.generation import tokenizer_of
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class VectorSource:
    """Of which vectors a map is.

    Args:
        layer: Of which layer.
        pooling: How they are pooled.
        special: Whether special tokens are pooled, too.
        model: What the model is called.
    """

    layer: int
    pooling: str
    special: bool
    model: str


@dataclass(frozen=True)
class LinearMap:
    """`(vector - mean) @ matrix` of one language, and `vector - mean` of the other.

    Args:
        matrix: `(width, width)`.
        mean: `(width,)`, of the language that is mapped.
        pivot_mean: `(width,)`, of the other.
        made: Of which vectors it is.
    """

    matrix: torch.Tensor
    mean: torch.Tensor
    pivot_mean: torch.Tensor
    made: VectorSource

    def moved(self, sentences: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """Return the vectors of sentences, `(1, sentences, width)`, where their translations are.

        Raises `UserError` when the map is of vectors of another kind or width.
        """
        return (self.centred(sentences, self.mean, encoder) @ self.matrix)[None]

    def pivots(self, translations: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """Return the vectors of translations, `(1, sentences, width)`, about their mean; raises as `moved` does."""
        return self.centred(translations, self.pivot_mean, encoder)[None]

    def centred(self, vectors: torch.Tensor, mean: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """Return vectors at length 1, about a mean, `(sentences, width)`; raises as `moved` does."""
        if encoder.layers != [self.made.layer]:
            raise UserError(f"The map is of layer {self.made.layer}; say --layer {self.made.layer}.")
        if encoder.pooling != self.made.pooling:
            raise UserError(f"The map is of vectors that are pooled otherwise; say --pooling {self.made.pooling}.")
        if encoder.special != self.made.special:
            option = "--special" if self.made.special else "--no-special"
            raise UserError(
                f"The map is of vectors {'with' if self.made.special else 'without'} special tokens; say {option}."
            )
        if vectors.shape[-1] != len(mean):
            raise UserError(f"The map is of vectors of {len(mean)} numbers, the model has {vectors.shape[-1]}.")
        return functional.normalize(vectors[0], dim=1) - mean


def fit_map(
    sentences: torch.Tensor, translations: torch.Tensor, kind: str, ridge: float, made: VectorSource
) -> LinearMap:
    """Return the map that brings sentences nearest to their translations.

    Args:
        sentences: `(pairs, width)`.
        translations: `(pairs, width)`.
        kind: orthogonal or linear.
        ridge: Of least squares, times the mean variance.
        made: Of which vectors it is.

    Returns:
        The map.

    Raises:
        UserError: When there are fewer pairs than a vector has numbers, or one is not finite.
    """
    for vectors in (sentences, translations):
        check_finite(vectors)
    if len(sentences) <= sentences.shape[1]:
        raise UserError(f"{len(sentences)} pairs are too few for a map of vectors of {sentences.shape[1]} numbers.")
    mean, pivot_mean = sentences.mean(0), translations.mean(0)
    centred, pivots = (sentences - mean).double(), (translations - pivot_mean).double()
    if kind == "orthogonal":
        left, _, right = torch.linalg.svd(centred.T @ pivots)
        matrix = left @ right
    else:
        gram = centred.T @ centred
        gram += ridge * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        matrix = torch.linalg.solve(gram, centred.T @ pivots)
    return LinearMap(matrix.float(), mean, pivot_mean, made)


def read_map(path: Path) -> LinearMap:
    """Read a map.

    Args:
        path: What `cli retrieval-map` has written.

    Returns:
        The map.

    Raises:
        UserError: When it is none.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            matrix, mean, pivot_mean = (file.get_tensor(name) for name in ("matrix", "mean", "pivot_mean"))
            return LinearMap(matrix, mean, pivot_mean, VectorSource(**json.loads((file.metadata() or {})["made"])))
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} holds no map; write one: cli retrieval-map --path {path}") from error


def write_map(path: Path, linear_map: LinearMap, kind: str) -> None:
    """Write a map.

    Args:
        path: The file.
        linear_map: The map.
        kind: orthogonal or linear.

    Raises:
        UserError: When the file cannot be written.
    """
    tensors = {
        "matrix": linear_map.matrix.contiguous(),
        "mean": linear_map.mean,
        "pivot_mean": linear_map.pivot_mean,
    }
    metadata = {"made": json.dumps(asdict(linear_map.made)), "kind": kind}
    try:
        with whole_file(path) as temporary:
            safetensors.torch.save_file(tensors, temporary, metadata=metadata)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error


@dataclass(frozen=True)
class FittedMap(Written):
    """A map, and what it was fitted on.

    Args:
        path: The file that it was written to.
        map: The map.
        language: The language that is mapped.
        pivot: The other one.
        pairs: How many pairs of sentences it was fitted on.
    """

    path: Path
    map: LinearMap
    language: str
    pivot: str
    pairs: int

    def show(self) -> None:
        """Print how many pairs there were, and the file."""
        click.echo(f"{self.pairs:,} pairs of {self.language} and {self.pivot}.")
        click.echo(f"wrote {self.path}")


def check_layer(options: Any) -> None:
    """Refuse a layer that is neither a number nor `last`: `ValueError`."""
    if options.layer != "last" and not options.layer.isdecimal():
        raise ValueError(f"--layer is the number of a layer, or last, not {options.layer!r}.")


@action("retrieval-map", check=check_layer)
def retrieval_map(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    compute: Compute = Compute(),
    *,
    path: Path = Path("map.safetensors"),
    pivot: str = "en",
    kind: Literal["orthogonal", "linear"] = "orthogonal",
    ridge: Annotated[float, AtLeast(0)] = 0.01,
    sentences: Annotated[int, AtLeast(0)] = 10_000,
    layer: str = "last",
    vectors: VectorOptions = VECTORS,
) -> FittedMap:
    """Fit a linear map from the sentence vectors of one language to those of their translations.

    It tells what aligned text is worth to a model that is not changed: `cli retrieval --map FILE` moves the sentences
    of a language by it. The map is orthogonal (Procrustes; Schoenemann, 1966) or that of least squares, after the mean
    of each language is taken off. The corpus is the training set of the sentence; the model that of `cli model`.

    Args:
        model: Has hidden states.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name; the training set is an aligned corpus of two languages.
        compute: Where to compute.
        path: The file of the map.
        pivot: The language to map to, as the corpus calls it.
        kind: orthogonal, or linear: least squares with a ridge.
        ridge: Of least squares: this times the mean variance of a number of the vectors.
        sentences: The first so many pairs; 0 for all.
        layer: A layer by number, 0 being the input embedding, or `last`.
        vectors: How the states become vectors.

    Returns:
        The map, which has been written.

    Raises:
        UserError: When there is no such corpus, or less text than a map has numbers.
    """
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    corpus: Any = (dataset_options or {}).get(("train", None))
    languages = getattr(corpus, "languages", ())
    others = [language for language in languages if language != pivot]
    if len(languages) != 2 or len(others) != 1:
        raise UserError(
            f"A map is fitted on an aligned corpus of {pivot} and another language; "
            "add: cli dataset europarl --languages en fr"
        )
    rows = (row for row in corpus.chosen() if len(row) == 2)
    pairs = list(islice(sentence_pairs(rows), sentences or None))
    with inference(model, compute) as regime:
        encoder = SentenceEncoder.of(model, tokenizer, regime, (layer,), vectors)
        texts = ([row[language] for row in pairs] for language in (others[0], pivot))
        mapped, pivots = (functional.normalize(encoder(side, vectors.batch_size)[0], dim=1) for side in texts)
    made = VectorSource(encoder.layers[0], vectors.pooling, vectors.special, name_of(model))
    linear_map = fit_map(mapped, pivots, kind, ridge, made)
    write_map(path, linear_map, kind)
    return FittedMap(path, linear_map, others[0], pivot, len(pairs))
