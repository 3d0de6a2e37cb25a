"""The methods by their names, and `transplant`, which gives a model a new vocabulary by one of them."""

from __future__ import annotations

from typing import Any

from ofa.initialise import EmbeddingOptions, Method, Transplant, initialise
from ofa.methods.baselines import Mean, Random, SubwordMean
from ofa.methods.focus import Focus
from ofa.methods.hyperofa import HyperOfa
from ofa.methods.matrix import Matrix
from ofa.methods.ofa import Ofa
from ofa.methods.omp import Omp
from ofa.methods.wechsel import Wechsel
from semeqv.train.compute import Compute

METHODS: dict[str, type[Method]] = {
    method.name: method for method in (Ofa, HyperOfa, Matrix, Wechsel, Focus, Omp, SubwordMean, Mean, Random)
}


def transplant(
    model: Any,
    tokenizer: Any,
    target_tokenizer: Any,
    method: str = "ofa",
    *,
    embedding: EmbeddingOptions = EmbeddingOptions(),
    seed: int = 42,
    compute: Compute = Compute(),
    **options: Any,
) -> Transplant:
    """Give a model a new vocabulary.

        new = transplant(model, tokenizer, "camembert-base", "ofa", vectors="vectors.vec")
        new.counts, new.model.save_pretrained("new")

    Args:
        model: A `PreTrainedModel` in memory, which stays as it is; or what `--from` names: a run folder, a checkpoint,
            a Hugging Face folder or a hub name.
        tokenizer: Its tokenizer; that of the model's folder if None.
        target_tokenizer: The new vocabulary: a fast tokenizer, a folder, a hub name or a tokenizer.json.
        method: Its name, one of `METHODS`.
        embedding: What the new embedding is like: factorised or not, padded or not.
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        **options: Those of the method, such as `vectors` of ofa; word vectors may be a file, or be open already.

    Returns:
        The new model, its tokenizer, and where each row comes from. `UserError` is raised when something cannot be
        opened or does not fit.

    Raises:
        ValueError: When there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}; there is {', '.join(METHODS)}.")
    made = METHODS[method](**options)
    return initialise(made, model, tokenizer, target_tokenizer, embedding=embedding, seed=seed, compute=compute)
