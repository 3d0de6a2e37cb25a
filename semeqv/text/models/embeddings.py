"""Ties and unties the two embeddings of a model, so that what is saved is opened as it was."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from semeqv.lazy import nn, no_grad
from semeqv.runs.errors import UserError


def embedding_weights(model: Any) -> tuple[nn.Parameter, nn.Parameter | None]:
    """The two embedding matrices of a model.

    Args:
        model: A `PreTrainedModel`.

    Returns:
        The matrix that reads tokens and the one that predicts them, each `(vocabulary, width)`; None for a model that
        predicts none, the same object twice when they are tied.
    """
    return model.get_input_embeddings().weight, getattr(head_of(model), "weight", None)


def head_of(model: Any) -> Any:
    """What predicts tokens; None where nothing does."""
    with suppress(NotImplementedError):  # what transformers raises where there is none
        return model.get_output_embeddings()
    return None


def is_tied(model: Any) -> bool:
    """Whether the output embedding is the input embedding: one matrix in memory."""
    reads, predicts = embedding_weights(model)
    return predicts is not None and predicts.data_ptr() == reads.data_ptr()


def set_tying(model: Any, tie: bool) -> None:
    """Tie or untie a model; nothing changes when it is so already.

    A model that is tied predicts with its input embedding from then on; the two of an untied one start from the same
    values.

    Args:
        model: A `PreTrainedModel`; its configuration is told too.
        tie: Whether the output embedding shall be the input embedding.

    Raises:
        UserError: When it has no output embedding, the two do not fit each other, or more than they share a matrix.
    """
    reads, predicts = embedding_weights(model)
    if predicts is None:
        raise UserError(
            f"{type(model).__name__} has no output embedding to tie or untie; leave out --tie and --no-tie."
        )
    if tie and not is_tied(model):
        bind(model, reads, predicts)
    elif not tie and is_tied(model):
        unbind(model, reads)
    record_tying(model)


@no_grad
def bind(model: Any, reads: nn.Parameter, predicts: nn.Parameter) -> None:
    """Tie an untied model.

    Args:
        model: A `PreTrainedModel`.
        reads: Its input embedding.
        predicts: Its output embedding.

    Raises:
        UserError: When the two differ in shape, or the model cannot be tied.
    """
    name = type(model).__name__
    if reads.shape != predicts.shape:
        shapes = f"{tuple(reads.shape)} and {tuple(predicts.shape)}"
        raise UserError(f"The embeddings of {name} have the shapes {shapes} and cannot be tied.")
    say_tied(model, True)
    for target, source in model.get_expanded_tied_weights_keys(all_submodels=True).items():
        tied = model.get_parameter(target)
        if tied is not predicts:  # a bias that goes along: the one in use is kept
            model.get_parameter(source).copy_(tied)
    model.tie_weights()
    if not is_tied(model):
        raise UserError(f"{name} does not say how its embeddings are tied; leave out --tie.")


@no_grad
def unbind(model: Any, reads: nn.Parameter) -> None:
    """Untie a tied model.

    Args:
        model: A `PreTrainedModel`.
        reads: The matrix that is both its embeddings.

    Raises:
        UserError: When the matrix, or another, is shared with more than the output embedding.
    """
    named: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        named.setdefault(id(parameter), []).append(name)
    shared = [(names, model.get_parameter(names[0])) for names in named.values() if len(names) > 1]
    for names, parameter in shared:
        if len(names) > 2 or (parameter is not reads and parameter.ndim > 1):
            raise UserError(f"{type(model).__name__} shares {', '.join(names)}: --no-tie cannot take these apart.")
    output = model.get_output_embeddings()
    output.weight = nn.Parameter(reads.detach().clone(), requires_grad=reads.requires_grad)
    for names, parameter in shared:
        if parameter is not reads:  # a bias that goes along; saved only once, it would be missing when it is opened
            owner, _, last = max(names, key=len).rpartition(".")
            setattr(model.get_submodule(owner), last, nn.Parameter(parameter.detach().clone()))
    say_tied(model, False)


def record_tying(model: Any) -> None:
    """Let the configuration of a model tell how its embeddings are, whatever it said before."""
    if head_of(model) is not None:
        say_tied(model, is_tied(model))


def say_tied(model: Any, tied: bool) -> None:
    """Write into a configuration whether the embeddings are tied."""
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = tied
    model.all_tied_weights_keys = model.get_expanded_tied_weights_keys(all_submodels=True)
