"""The parts of a logit."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Parts:
    """What the senses at all positions add to the logits of the token that follows a text.

    Args:
        weights: `(time, senses)`: alpha, as the last position asks for senses, times the model's `sense_scale`.
        logits: `(tokens, time, senses)`: E_v C(x_j)_l, what a sense would add with a weight of 1.
        whole: `(vocabulary,)`: the logits of the model.
    """

    weights: Tensor
    logits: Tensor
    whole: Tensor

    @property
    def added(self) -> Tensor:
        """What each sense adds, `(tokens, time, senses)`; the sum over positions and senses is the logit."""
        return self.weights * self.logits


@torch.no_grad()
def parts_of(model: Any, ids: Tensor, tokens: Tensor | None = None, likeliest: int = 1) -> tuple[Tensor, Parts]:
    """Take logits apart.

    Args:
        model: A Backpack, in evaluation mode.
        ids: `(1, time)`, a text without padding.
        tokens: `(tokens,)`, whose logits; the likeliest next ones if None.
        likeliest: How many of those.

    Returns:
        The tokens, `(tokens,)`, and the parts of their logits, in fp32.
    """
    found = model(input_ids=ids, output_contextualization=True)
    whole = found.logits[0, -1].float()
    tokens = whole.topk(min(likeliest, len(whole))).indices if tokens is None else tokens.to(whole.device)
    weights = found.contextualization[0, :, -1].T.float() * model.config.sense_scale
    senses = model.senses(ids[0]).float()
    logits = torch.einsum("vd,jld->vjl", model.get_output_embeddings().weight[tokens].float(), senses)
    return tokens, Parts(weights, logits, whole)
