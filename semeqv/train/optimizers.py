"""How parameters move."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from semeqv.grammar.component import component
from semeqv.lazy import nn, torch
from semeqv.runs.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """What the optimizers with running moments have in common.

    Args:
        learning_rate: Step size.
        betas: Decay of the running mean and of the running variance.
        eps: Added to the root of the variance.
        weight_decay: Strength of the pull towards zero.
        decayed: What it pulls: `all` parameters, `matrices` (neither biases nor the weights of norms), or `hidden`
            (matrices but for input and output embeddings). If left out, matrices in language models and their
            like, as GPT-2, BERT and nanoGPT do, and all in the small networks of the XOR study.
    """

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    decayed: Literal["all", "matrices", "hidden"] | None = None

    def __post_init__(self) -> None:
        refuse_negative(self, "learning_rate", "eps", "weight_decay")
        refuse_beyond_one(self, "betas")

    def make(self, kind: Any, model: Any) -> Any:
        """The optimizer of a kind; fused, which on a CPU takes a third of the time."""
        groups = decay_groups(model, self.weight_decay, self.decayed)
        return kind(groups, lr=self.learning_rate, betas=self.betas, eps=self.eps, fused=True)


@component("optimizers adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Adaptive):
    """Adam (Kingma & Ba, 2015, arXiv 1412.6980); weight decay is added to the gradient."""

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        return self.make(torch.optim.Adam, model)


@component("optimizers adamw")
@dataclass(frozen=True, kw_only=True)
class AdamW(Adaptive):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv 1711.05101)."""

    weight_decay: float = 0.01

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        return self.make(torch.optim.AdamW, model)


@component("optimizers sgd")
@dataclass(frozen=True, kw_only=True)
class SGD:
    """Stochastic gradient descent, with momentum if wanted (Sutskever et al., 2013).

    Weight decay is added to the gradient.

    Args:
        learning_rate: Step size.
        momentum: Decay of the running sum of gradients that is followed in place of the gradient; 0 for none.
        nesterov: Look one step of momentum ahead (Nesterov, 1983).
        weight_decay: Strength of the pull towards zero.
        decayed: What it pulls: `all`, `matrices` or `hidden`, as for AdamW.
    """

    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    decayed: Literal["all", "matrices", "hidden"] | None = None

    def __post_init__(self) -> None:
        refuse_negative(self, "learning_rate", "weight_decay")
        refuse_beyond_one(self, "momentum")
        if self.nesterov and not self.momentum:
            raise ValueError("--nesterov needs a --momentum above 0.")

    def build(self, model: Any) -> Any:
        """The optimizer of a model."""
        groups = decay_groups(model, self.weight_decay, self.decayed)
        return torch.optim.SGD(
            groups, lr=self.learning_rate, momentum=self.momentum, nesterov=self.nesterov, fused=True
        )


@component("optimizers muon")
@dataclass(frozen=True, kw_only=True)
class Muon:
    """Muon for hidden matrices, AdamW for all other parameters.

    Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon; Liu et al., 2025, arXiv 2502.16982) moves a
    matrix by its momentum, made nearly orthogonal by a Newton-Schulz iteration. AdamW moves embeddings, output heads,
    and whatever has not two dimensions: biases, norms, convolutions.

    A weight is an embedding or a head when it belongs to an `nn.Embedding`, or to what `get_input_embeddings` or
    `get_output_embeddings` gives, or when a part of its name is `head`, `classifier` or `score`, or ends in `_head`,
    `embedding` or `embeddings`; so is a weight that is shared with one.

    Args:
        learning_rate: Step size of Muon.
        momentum: Decay of the running mean of gradients.
        nesterov: Look one step of momentum ahead.
        newton_schulz_steps: Iterations towards an orthogonal matrix.
        adjust: What the step of a matrix of A rows and B columns is multiplied by. `match_rms_adamw`:
            0.2 sqrt(max(A, B)), which makes it as large as one of AdamW, whose learning rate then fits (Liu et al.).
            `original`: sqrt(max(1, A / B)), for which a learning rate of 0.02 is usual (Jordan et al.).
        weight_decay: Strength of the decoupled pull towards zero.
        adamw_learning_rate: Step size of AdamW; --learning_rate if left out, which `original` does not allow.
        adamw_betas: Decay of AdamW's running mean and variance.
        adamw_eps: Added to the root of AdamW's variance.
        adamw_weight_decay: Weight decay of AdamW; --weight_decay if left out.
    """

    learning_rate: float = 1e-3
    momentum: float = 0.95
    nesterov: bool = True
    newton_schulz_steps: int = 5
    adjust: Literal["match_rms_adamw", "original"] = "match_rms_adamw"
    weight_decay: float = 0.1
    adamw_learning_rate: float | None = None
    adamw_betas: tuple[float, float] = (0.9, 0.95)
    adamw_eps: float = 1e-8
    adamw_weight_decay: float | None = None

    def __post_init__(self) -> None:
        refuse_negative(self, "learning_rate", "weight_decay", "adamw_learning_rate", "adamw_eps", "adamw_weight_decay")
        refuse_beyond_one(self, "momentum", "adamw_betas")
        if not 1 <= self.newton_schulz_steps < 100:
            raise ValueError(f"--newton_schulz_steps must be from 1 to 99, not {self.newton_schulz_steps}.")
        if self.adjust == "original" and self.adamw_learning_rate is None:
            raise ValueError("--adjust original needs --adamw_learning_rate: AdamW's steps are on another scale.")

    def build(self, model: Any) -> Any:
        """The optimizer of a model; `UserError` is raised when it has no hidden matrix."""
        from semeqv.train.combined import Combined

        hidden, others = hidden_matrices(model)
        muon = torch.optim.Muon(
            hidden,
            lr=self.learning_rate,
            momentum=self.momentum,
            nesterov=self.nesterov,
            ns_steps=self.newton_schulz_steps,
            adjust_lr_fn=self.adjust,
            weight_decay=self.weight_decay,
        )
        if not others:
            return muon
        adamw = torch.optim.AdamW(
            others,
            lr=self.learning_rate if self.adamw_learning_rate is None else self.adamw_learning_rate,
            betas=self.adamw_betas,
            eps=self.adamw_eps,
            weight_decay=self.weight_decay if self.adamw_weight_decay is None else self.adamw_weight_decay,
            fused=True,
        )
        return Combined(muon, adamw)


def refuse_negative(options: Any, *names: str) -> None:
    """Refuse an option that is given and negative, or no number.

    Args:
        options: A component.
        *names: Its options, each a number or None.

    Raises:
        ValueError: When one is refused.
    """
    for name in names:
        value = getattr(options, name)
        if value is not None and not value >= 0:
            raise ValueError(f"--{name} must be 0 or more, not {value}.")


def refuse_beyond_one(options: Any, *names: str) -> None:
    """Refuse an option that decays nothing, or is negative.

    Args:
        options: A component.
        *names: Its options, each a number or a pair of numbers.

    Raises:
        ValueError: When one is not from 0 to below 1.
    """
    for name in names:
        value = getattr(options, name)
        several = value if isinstance(value, tuple) else (value,)
        if not all(0 <= each < 1 for each in several):
            raise ValueError(f"--{name} must be from 0 to below 1, not {' '.join(map(str, several))}.")


HEADS = {"head", "classifier", "score"}
ENDINGS = ("_head", "embedding", "embeddings")


def hidden_matrices(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The parameters of a model: hidden matrices, and all others.

    Args:
        model: Any module. A matrix that it reads or predicts with, by type, by `get_input_embeddings` and
            `get_output_embeddings`, or by name, is not hidden.

    Returns:
        The weights of two dimensions that are neither embeddings nor heads; the other parameters.

    Raises:
        UserError: When there is no hidden matrix.
    """
    outer = {id(parameter) for parameter in outer_parameters(model)}
    hidden = [p for p in model.parameters() if p.ndim == 2 and id(p) not in outer]
    if not hidden:
        raise UserError(f"{type(model).__name__} has no hidden matrix for Muon. Write: cli optimizers adamw")
    inner = {id(parameter) for parameter in hidden}
    return hidden, [p for p in model.parameters() if id(p) not in inner]


def outer_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of embeddings and heads; what is shared appears under each of its names."""
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if any(part in HEADS or part.endswith(ENDINGS) for part in name.split(".")):
            yield parameter
    yield from embedding_parameters(model)


def embedding_parameters(model: nn.Module) -> Iterator[nn.Parameter]:
    """The parameters of input and output embeddings."""
    for module in model.modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag):
            yield from module.parameters()
    for side in ("input", "output"):
        with contextlib.suppress(NotImplementedError):  # what transformers raises where there is none
            if (end := getattr(model, f"get_{side}_embeddings", lambda: None)()) is not None:
                yield from end.parameters()


def decay_groups(model: nn.Module, weight_decay: float, decayed: str | None) -> list[dict[str, Any]]:
    """The parameters of a model in groups for an optimizer, by whether weight decay pulls them.

    Args:
        model: Any module.
        weight_decay: The strength of the pull on those that it pulls.
        decayed: `all`, `matrices` (neither biases nor the weights of norms), or `hidden` (matrices but for input and
            output embeddings); None for `matrices` in a model of transformers and `all` in any other.

    Returns:
        One group, or, when some are left out, two, each with its `weight_decay`.
    """
    if decayed is None:
        decayed = "matrices" if hasattr(model, "config") and hasattr(model, "get_input_embeddings") else "all"
    left_out = {id(p) for p in embedding_parameters(model)} if decayed == "hidden" else set()
    if decayed != "all":
        left_out |= {id(p) for p in model.parameters() if p.ndim < 2}
    pulled = [p for p in model.parameters() if id(p) not in left_out]
    free = [p for p in model.parameters() if id(p) in left_out]
    groups = [{"params": pulled, "weight_decay": weight_decay}, {"params": free, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
