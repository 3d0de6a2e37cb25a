"""Senses that speak for a topic are given more weight."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from backpack.edits.steps import Step
from backpack.networks.editing import WeightEdit


@dataclass(frozen=True, kw_only=True)
class Topic(Step):
    """Weights of senses are multiplied by 1 + strength * max(0, z) * annealing^n.

    z says how much a sense speaks for the topic: the mean of its logits for the words of the topic, in standard
    deviations of its logits over the vocabulary, from their mean. n is how many words of the topic have been read so
    far, so that a topic that was taken up is pressed less. The idea is that of Hewitt et al. (2023, arXiv 2305.16765);
    these formulas are this project's.

    Args:
        tokens: The words of the topic.
        strength: How much; 0 changes nothing.
        annealing: From 0 to 1; 1 for no annealing.
    """

    kind: ClassVar[str] = "topic"
    tokens: tuple[int, ...]
    strength: float
    annealing: float

    def of_weights(self, model: Any) -> WeightEdit:
        """The function; what senses say for the topic is remembered, token by token, and knows no later edit."""
        before = list(model.backpack.sense_edits)
        head = model.get_output_embeddings().weight.detach().float()
        wanted, mean = torch.tensor(self.tokens, device=head.device), head.mean(0)
        toward = head[wanted].mean(0) - mean
        with torch.autocast(head.device.type, enabled=False):
            spread = (head - mean).T @ (head - mean) / len(head)  # (d, d): a sense's logits vary by C^T spread C
        known = head.new_full((len(head), model.config.num_senses), torch.nan)

        def relevance(token_ids: Tensor) -> Tensor:
            """z of tokens, 0 where it is below, `(batch, time, senses)`."""
            different = torch.unique(token_ids)
            new = different[known[different, 0].isnan()]
            if len(new):
                senses = model.backpack.senses(new, before).detach().float()
                with torch.autocast(head.device.type, enabled=False):
                    deviation = torch.einsum("nkd,de,nke->nk", senses, spread, senses).clamp(min=0).sqrt()
                    z = (senses @ toward) / deviation.clamp(min=torch.finfo(torch.float32).tiny)
                known[new] = z.clamp(min=0)
            found: Tensor = known[token_ids]
            return found

        def edit(weights: Tensor, token_ids: Tensor) -> Tensor:
            nonlocal known, toward, spread
            known, toward, spread = (each.to(weights.device) for each in (known, toward, spread))
            z = relevance(token_ids).permute(0, 2, 1)[:, :, None]  # (batch, senses, 1, time)
            read = torch.isin(token_ids, wanted.to(token_ids.device)).cumsum(1)[:, -weights.shape[2] :]
            left = self.strength * self.annealing ** read.float()  # (batch, queries)
            return (weights * (1 + left[:, None, :, None] * z)).to(weights.dtype)

        return edit
