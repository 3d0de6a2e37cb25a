"""Cross-entropy of a large vocabulary without all of its logits at once.

The logits of a batch are (positions, vocabulary): for 16 x 1,024 tokens and 50,257 words, 3.3 GB, and as much again for
their gradient. Here they are made for some positions at a time, and what they say to the gradients is added up at once,
so that none has to be kept for the backward pass (as in Wijmans et al., 2024, arXiv 2411.09009, section 4).
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from semeqv.runs.errors import UserError

UNASKED = -100


class ChunkedCrossEntropy(torch.autograd.Function):
    """The sum over positions of -log softmax(hidden @ weight.T)[label], and its gradients."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> Tensor:
        """Compute both.

        Args:
            ctx: Where the gradients are kept.
            hidden: `(positions, width)`.
            weight: `(vocabulary, width)`.
            labels: `(positions,)`.
            chunk: Positions at a time.

        Returns:
            A scalar, in fp32.
        """
        total = torch.zeros((), device=hidden.device)
        wanted = any(ctx.needs_input_grad[:2])
        to_hidden = torch.empty_like(hidden) if wanted else None
        to_weight = torch.zeros_like(weight) if wanted else None
        for part in torch.split(torch.arange(len(labels), device=hidden.device), chunk):
            some, here = hidden[part], labels[part]
            logits = functional.linear(some, weight)
            total = total + functional.cross_entropy(logits.float(), here, reduction="sum")
            if to_hidden is not None and to_weight is not None:
                slope = logits.float().softmax(-1)
                slope[torch.arange(len(here), device=here.device), here] -= 1
                slope = slope.to(logits.dtype)
                to_hidden[part] = (slope @ weight.to(slope.dtype)).to(hidden.dtype)
                to_weight += (slope.T @ some.to(slope.dtype)).to(weight.dtype)
        if to_hidden is not None and to_weight is not None:
            ctx.save_for_backward(to_hidden, to_weight)
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """The gradients of hidden and weight, times that of the sum."""
        to_hidden, to_weight = ctx.saved_tensors
        return to_hidden * slopes[0].to(to_hidden.dtype), to_weight * slopes[0].to(to_weight.dtype), None, None


def chunked(model: PreTrainedModel, chunk: int | None) -> PreTrainedModel:
    """Let a model that predicts the next token compute its own loss for some positions at a time.

    Args:
        model: Its output embedding is a matrix without a bias, applied to the last hidden state and nothing else.
        chunk: Positions at a time; None to leave the model as it is.

    Returns:
        The same; given labels it returns its loss, and no logits.

    Raises:
        UserError: When its head is more than a matrix.
    """
    if chunk is None:
        return model
    head, kind = model.get_output_embeddings(), type(model)
    ids = torch.zeros((1, 2), dtype=torch.long, device=model.device)
    if isinstance(head, torch.nn.Linear) and head.bias is None and getattr(model, "predicts_next", False):
        training = model.training
        with torch.no_grad():
            model.eval()
            same = torch.equal(head(model.base_model(input_ids=ids)[0]), model(input_ids=ids).logits)
            model.train(training)
    else:
        same = False
    if not same:
        raise UserError(f"--loss_chunk knows heads that are one matrix, which that of {kind.__name__} is not.")

    def forward(self: Any, input_ids: Tensor | None = None, labels: Tensor | None = None, **rest: Any) -> Any:
        if labels is None:
            return kind.forward(self, input_ids=input_ids, **rest)
        outputs = self.base_model(input_ids=input_ids, **rest | {"return_dict": True})
        hidden, asked = outputs.last_hidden_state[:, :-1], labels[:, 1:] != UNASKED
        weight = self.get_output_embeddings().weight
        total = ChunkedCrossEntropy.apply(hidden[asked], weight, labels[:, 1:][asked], chunk)  # type: ignore[no-untyped-call]
        return CausalLMOutput(loss=total / asked.sum().clamp(min=1), hidden_states=outputs.get("hidden_states"))

    model.__class__ = type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})
    return model
