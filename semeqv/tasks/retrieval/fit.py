"""A linear map between the sentence vectors of two languages, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component


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
        from semeqv.tasks.retrieval.maps import fit_map
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        fit_map(self, model, tokenizer, dataset_options.get(("train", None)), (device, precision, threads))
