"""The factorised models that OFA's authors have published, which are RoBERTa and XLM-R with other embeddings.

Their code (github.com/cisnlp/ofa) reads a token as `P C[token]`, P being `embeddings.primitive_embeddings.weight`,
(width, kept), and C `embeddings.target_coordinates.weight`, (tokens, kept); the head, after its dense layer, gelu and
norm, is `C P^T h + b`, under the names `lm_head.down_project`, which is P, and `lm_head.vocab_project`, which is C and
b. HyperOFA's models are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ofa.conversion.matrices import read_weights
from ofa.factorised import FactorisedConfig, FactorisedForMaskedLM, FactorisedModel
from semeqv.lazy import torch, transformers
from semeqv.runs.errors import UserError
from semeqv.text.models.opening import one_line, quiet

KINDS = ("roberta", "xlm-roberta")
BODY = "roberta."
PRIMITIVES, COORDINATES = f"{BODY}embeddings.primitive_embeddings.weight", f"{BODY}embeddings.target_coordinates.weight"
DOWN, VOCABULARY, BIAS = "lm_head.down_project.weight", "lm_head.vocab_project.weight", "lm_head.vocab_project.bias"
READS, PREDICTS = "inner.roberta.embeddings.word_embeddings", "inner.lm_head.decoder"
BUFFERS = ("position_ids", "token_type_ids")


def is_published(names: Mapping[str, Any] | set[str]) -> bool:
    """Return whether tensors have the names of OFA's factorised models."""
    return any(name.endswith(("embeddings.target_coordinates.weight", VOCABULARY)) for name in names)


def published_model(
    path: Path, config: transformers.PreTrainedConfig, allow_pickle: bool, dtype: torch.dtype | None = None
) -> Any:
    """Open a published model as a factorised one of ours.

    Args:
        path: Its folder, or its file of weights.
        config: Of the body.
        allow_pickle: Whether its weights may be a pickle.
        dtype: Numbers that the weights are kept in; those of the file if None.

    Returns:
        A `FactorisedForMaskedLM`, or a `FactorisedModel` where there is no head.

    Raises:
        UserError: When it is no such model, or a tensor is missing, left over or of another shape.
    """
    weights = read_weights(path, allow_pickle)
    if config.model_type not in KINDS:
        raise UserError(f"{path} is of the kind {config.model_type}; OFA's models are of {' or '.join(KINDS)}.")
    if not is_published(weights):
        raise UserError(f"{path} is no factorised model of OFA: it has no embeddings.target_coordinates.weight.")
    headless = not any(name.startswith("lm_head.") for name in weights)
    tensors, tied = rename(weights, path)
    tokens, kept = tensors[f"{READS}.weight"].shape
    configured = getattr(config, "num_primitive", kept), config.vocab_size
    if configured != (kept, tokens):
        raise UserError(
            f"{path} has coordinates of {kept:,} numbers for {tokens:,} tokens; its configuration says num_primitive "
            f"{configured[0]} and vocab_size {configured[1]}."
        )
    base = {name: value for name, value in config.to_dict().items() if name not in ("num_primitive", "architectures")}
    roles: dict[str, Any] = {name: base.get(name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    ours = FactorisedConfig(base=base, kept=kept, tie_word_embeddings=tied, **roles)
    kind = FactorisedModel if headless else FactorisedForMaskedLM
    with one_line(path), quiet():
        model, loading = kind.from_pretrained(
            None,
            config=ours,
            state_dict=tensors,
            dtype=dtype or "auto",
            ignore_mismatched_sizes=True,  # they are named below
            output_loading_info=True,
        )
    refuse_misfits(path, loading)
    return model


def rename(weights: dict[str, torch.Tensor], path: Path) -> tuple[dict[str, torch.Tensor], bool]:
    """Rename the tensors of a published model to our names.

    A matrix that is two is stored under either of its names, or both.

    Args:
        weights: By their names.
        path: Where they are from, for the message.

    Returns:
        The tensors, and whether the head is that of the embeddings; `UserError` is raised when there are no primitives
        or no coordinates.
    """
    bare = ("embeddings.", "encoder.", "pooler.")
    left = {f"{BODY}{name}" if name.startswith(bare) else name: tensor for name, tensor in weights.items()}
    left = {name: tensor for name, tensor in left.items() if not name.endswith(BUFFERS)}
    primitives, down = twins(left, PRIMITIVES, DOWN, path)
    coordinates, vocabulary = twins(left, COORDINATES, VOCABULARY, path)
    tied = torch.equal(down, primitives) and torch.equal(vocabulary, coordinates)
    tensors = {f"{READS}.weight": coordinates, f"{READS}.primitives": primitives.T.contiguous()}
    if not tied:
        tensors |= {f"{PREDICTS}.weight": vocabulary, f"{PREDICTS}.primitives": down.T.contiguous()}
    if BIAS in left:
        tensors["inner.lm_head.bias"] = tensors[f"{PREDICTS}.bias"] = left.pop(BIAS)
    return tensors | {f"inner.{name}": tensor for name, tensor in left.items()}, tied


def twins(weights: dict[str, torch.Tensor], name: str, other: str, path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Take a matrix that is stored under two names, or under one of them where the two are one.

    Args:
        weights: Tensors by name; the two are removed.
        name: The one name.
        other: The other.
        path: Where they are from, for the message.

    Returns:
        The matrices of the two names.

    Raises:
        UserError: When neither is there.
    """
    matrices = [each for each in (weights.pop(name, None), weights.pop(other, None)) if each is not None]
    if not matrices:
        raise UserError(f"{path} has no {name}.")
    return matrices[0], matrices[-1]


def refuse_misfits(path: Path, loading: Mapping[str, Any]) -> None:
    """Refuse a model some tensors of which are missing, left over or of another shape; the pooler is not needed."""
    lacks = sorted(name.removeprefix("inner.") for name in loading["missing_keys"] if ".pooler." not in name)
    left = sorted(name.removeprefix("inner.") for name in loading["unexpected_keys"] if ".pooler." not in name)
    shapes = sorted(str(each[0]).removeprefix("inner.") for each in loading.get("mismatched_keys", ()))
    for names, what in (
        (lacks, "has no"),
        (left, "has tensors that OFA's masked LM has not:"),
        (shapes, "has another shape for"),
    ):
        if names:
            raise UserError(f"{path} {what} {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}.")


class PublishedModel:
    """Opens a folder of OFA's authors as `from_pretrained` of transformers opens others."""

    @classmethod
    def from_pretrained(
        cls, folder: Path, *, config: transformers.PreTrainedConfig, dtype: str, **rest: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Open a folder as a factorised model of ours.

        Args:
            folder: The folder.
            config: Of the body.
            dtype: The name of a type, or auto.
            **rest: What else transformers is told; it concerns code and downloads, of which there are none.

        Returns:
            The model, and which weights were missing, left over or of another shape: none.
        """
        number_type = None if dtype == "auto" else getattr(torch, dtype)
        nothing = dict.fromkeys(("missing_keys", "unexpected_keys", "mismatched_keys"), frozenset[str]())
        return published_model(folder, config, allow_pickle=False, dtype=number_type), nothing


def field_class(config: transformers.PreTrainedConfig) -> type[PublishedModel]:
    """Return what opens folders whose configuration has `num_primitive`; see `semeqv.text.models.families`."""
    return PublishedModel
