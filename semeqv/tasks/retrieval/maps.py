"""Linear maps between the sentence vectors of two languages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import functional, safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.retrieval.nearest import check_finite
from semeqv.tasks.retrieval.parallel import sentence_pairs
from semeqv.tasks.retrieval.vectors import SentenceEncoder
from semeqv.text.datasets.corpus import chosen


@dataclass(frozen=True)
class Made:
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
    made: Made

    def moved(self, sentences: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """The vectors of sentences, `(1, sentences, width)`, where their translations are.

        Raises `UserError` when the map is of vectors of another kind or width.
        """
        return (self.centred(sentences, self.mean, encoder) @ self.matrix)[None]

    def pivots(self, translations: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """The vectors of translations, `(1, sentences, width)`, about their mean; raises as `moved` does."""
        return self.centred(translations, self.pivot_mean, encoder)[None]

    def centred(self, vectors: torch.Tensor, mean: torch.Tensor, encoder: SentenceEncoder) -> torch.Tensor:
        """Vectors at length 1, about a mean, `(sentences, width)`; raises as `moved` does."""
        if encoder.layers != [self.made.layer]:
            raise UserError(f"The map is of layer {self.made.layer}; say --layer {self.made.layer}.")
        if encoder.pooling != self.made.pooling:
            raise UserError(f"The map is of vectors that are pooled otherwise; say --pooling {self.made.pooling}.")
        if encoder.special != self.made.special:
            said = "--special" if self.made.special else "--no-special"
            raise UserError(
                f"The map is of vectors {'with' if self.made.special else 'without'} special tokens; say {said}."
            )
        if vectors.shape[-1] != len(mean):
            raise UserError(f"The map is of vectors of {len(mean)} numbers, the model has {vectors.shape[-1]}.")
        return functional.normalize(vectors[0], dim=1) - mean


def fit_map(
    options: RetrievalMap, model: Any, tokenizer: Any, corpus: Any, regime: tuple[str, str, int | None]
) -> None:
    """Fit a map on a corpus, and write it.

    Args:
        options: What the command was told.
        model: Has hidden states.
        tokenizer: Its tokenizer.
        corpus: The options of an aligned corpus of two languages.
        regime: Device, precision, threads.

    Raises:
        UserError: When there is no such corpus, or less text than a map has numbers.
    """
    languages = getattr(corpus, "languages", ())
    other = [language for language in languages if language != options.pivot]
    if len(languages) != 2 or len(other) != 1:
        raise UserError(
            f"A map is fitted on an aligned corpus of {options.pivot} and another language; "
            "add: cli dataset europarl --languages en fr"
        )
    rows = (row for row in chosen(corpus) if len(row) == 2)
    pairs = list(islice(sentence_pairs(rows), options.sentences or None))
    with inference(model, *regime) as running:
        encoder = SentenceEncoder(
            model,
            tokenizer,
            running,
            layers=(options.layer,),
            pooling=options.pooling,
            special=options.special,
            longest=options.max_length,
        )
        texts = ([row[language] for row in pairs] for language in (other[0], options.pivot))
        one, pivot = (functional.normalize(encoder(each, options.batch_size)[0], dim=1) for each in texts)
    made = Made(encoder.layers[0], options.pooling, options.special, name_of(model))
    found = fitted(one, pivot, options.kind, options.ridge, made)
    try:
        tensors = {"matrix": found.matrix.contiguous(), "mean": found.mean, "pivot_mean": found.pivot_mean}
        with whole_file(options.path) as temporary:
            safetensors.torch.save_file(
                tensors, temporary, metadata={"made": json.dumps(asdict(made)), "kind": options.kind}
            )
    except OSError as error:
        raise UserError(f"{options.path} cannot be written: {error.strerror}.") from error
    click.echo(f"{len(pairs):,} pairs of {other[0]} and {options.pivot}.")
    click.echo(f"wrote {options.path}")


def fitted(sentences: torch.Tensor, translations: torch.Tensor, kind: str, ridge: float, made: Made) -> LinearMap:
    """The map that brings sentences nearest to their translations.

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
    one, other = (sentences - mean).double(), (translations - pivot_mean).double()
    if kind == "orthogonal":
        left, _, right = torch.linalg.svd(one.T @ other)
        matrix = left @ right
    else:
        gram = one.T @ one
        gram += ridge * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        matrix = torch.linalg.solve(gram, one.T @ other)
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
            return LinearMap(matrix, mean, pivot_mean, Made(**json.loads((file.metadata() or {})["made"])))
    except (OSError, safetensors.SafetensorError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"{path} holds no map; write one: cli retrieval-map --path {path}") from error


@component("retrieval-map")
@dataclass(frozen=True, kw_only=True)
class RetrievalMap:
    """Fit a linear map from the sentence vectors of one language to those of their translations.

    It tells what aligned text is worth to a model that is not changed: `cli retrieval --map FILE` moves the sentences
    of a language by it. The map is orthogonal (Procrustes; Schoenemann, 1966) or that of least squares, after the mean
    of each language is taken off. The corpus is the training set of the sentence; the model that of `cli model`.

    Args:
        path: The file of the map.
        pivot: The language to map to, as the corpus calls it.
        kind: orthogonal, or linear: least squares with a ridge.
        ridge: Of least squares: this times the mean variance of a number of the vectors.
        sentences: The first so many pairs; 0 for all.
        layer: A layer by number, 0 being the input embedding, or `last`.
        pooling: As of `cli retrieval`.
        special: As of `cli retrieval`.
        max_length: The most tokens of a sentence.
        batch_size: Sentences at a time.
    """

    path: Path = Path("map.safetensors")
    pivot: str = "en"
    kind: Literal["orthogonal", "linear"] = "orthogonal"
    ridge: float = 0.01
    sentences: int = 10_000
    layer: str = "last"
    pooling: Literal["mean", "max", "cls", "last"] = "mean"
    special: bool = False
    max_length: int = 512
    batch_size: int = 64

    def __post_init__(self) -> None:
        check_bounds(self, ridge=0, sentences=0, max_length=3, batch_size=1)
        if self.layer != "last" and not self.layer.isdecimal():
            raise ValueError(f"--layer is the number of a layer, or last, not {self.layer!r}.")

    def build(
        self,
        *,
        model: Any,
        dataset_options: Any,
        device: str,
        precision: str,
        threads: int | None,
        tokenizer: Any = None,
    ) -> None:
        """Fit the map and write it.

        Args:
            model: Has hidden states.
            dataset_options: The data sets of the sentence, not built; the training set is read.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        fit_map(self, model, tokenizer, dataset_options.get(("train", None)), (device, precision, threads))
