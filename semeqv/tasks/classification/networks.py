"""Classifiers of words and of texts: the heads of transformers, on word vectors where words have labels.

Importing this registers the heads of the encoder of this project with the Auto classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForSequenceClassification, AutoModelForTokenClassification
from transformers.modeling_layers import GenericForTokenClassification
from transformers.modeling_outputs import SequenceClassifierOutput

from semeqv.runs.errors import UserError
from semeqv.text.models.opening import classes
from semeqv.text.networks.encoder import EncoderConfig

POOLINGS = ("mean", "first", "last")
HEADS = {
    "ForTokenClassification": AutoModelForTokenClassification,
    "ForSequenceClassification": AutoModelForSequenceClassification,
}


def pooled(hidden: Tensor, words: Tensor, count: int, pooling: str) -> Tensor:
    """Make word vectors of token vectors.

    One product of matrices, which is the same in every run, whatever the device; scattered sums are not.

    Args:
        hidden: `(batch, time, hidden)`.
        words: Which word each token is of, `(batch, time)`; -1 for none. The tokens of a word stand together.
        count: How many words the longest sentence has.
        pooling: mean, first or last: which tokens of a word count.

    Returns:
        `(batch, count, hidden)`, zeros where a word has no token.
    """
    member = words[:, None, :] == torch.arange(count, device=words.device)[None, :, None]  # (batch, count, time)
    if pooling != "mean":
        neighbour = words.roll(1 if pooling == "first" else -1, dims=1)
        neighbour[:, 0 if pooling == "first" else -1] = -1
        member = member & (words != neighbour)[:, None, :]
    weights = member / member.sum(-1, keepdim=True).clamp(min=1)
    return weights.to(hidden.dtype) @ hidden


def pool_words(module: nn.Module, args: Any, output: Any) -> Any:
    """Return a forward hook of a base model: give the head above it words to see, while `asked_words` says which."""
    asked = module.__dict__.get("asked_words")
    if asked is not None:
        output.last_hidden_state = pooled(output.last_hidden_state, *asked)
    return output


class OfWords:
    """What makes a `*ForTokenClassification` see words: their vectors are pooled before its head.

    `forward` takes `words` besides, `(batch, time)`: which word each token is of, -1 for none; `labels` and `logits`
    are then of words, `(batch, words)` and `(batch, words, labels)`. Without `words` they are of tokens, as in
    transformers.
    """

    def __init__(self, config: Any, *args: Any, **options: Any):
        super().__init__(config, *args, **options)  # type: ignore[call-arg]
        self.base_model.register_forward_hook(pool_words)  # type: ignore[attr-defined]

    def forward(self, *, words: Tensor | None = None, labels: Tensor | None = None, **batch: Any) -> Any:
        """Classify; see the class for the shapes."""
        base: Any = self.base_model  # type: ignore[attr-defined]
        if words is not None:
            count = labels.shape[1] if labels is not None else int(words.max()) + 1
            base.asked_words = (words, count, self.config.word_pooling)  # type: ignore[attr-defined]
        try:
            return super().forward(labels=labels, **batch)  # type: ignore[misc]
        finally:
            base.asked_words = None


class GenericOfTexts:
    """A head for texts: the mean of the token vectors, then a linear map; for kinds of models that have none."""

    def __init__(self, config: Any):
        super().__init__(config)  # type: ignore[call-arg]
        self.num_labels = config.num_labels
        setattr(self, self.base_model_prefix, AutoModel.from_config(config))  # type: ignore[attr-defined]
        self.dropout = nn.Dropout(0.1)
        self.score = nn.Linear(config.hidden_size, config.num_labels)
        self.post_init()  # type: ignore[attr-defined]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None, **rest: Any
    ) -> SequenceClassifierOutput:
        """Classify `(batch, time)` tokens; `labels` are `(batch,)`, `logits` `(batch, labels)`."""
        hidden = self.base_model(input_ids, attention_mask=attention_mask, **rest).last_hidden_state  # type: ignore[attr-defined]
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        weights = (mask / mask.sum(1, keepdim=True).clamp(min=1)).to(hidden.dtype)
        logits = self.score(self.dropout((weights[:, None] @ hidden)[:, 0]))
        loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


GENERIC = {"ForTokenClassification": GenericForTokenClassification, "ForSequenceClassification": GenericOfTexts}


def head_class(config: Any, head: str) -> type[Any]:
    """Return the class of a classifier.

    Args:
        config: Of which kind of model.
        head: `ForTokenClassification` or `ForSequenceClassification`.

    Returns:
        That of transformers; for a kind of which transformers has none, a generic one, registered with its Auto class.

    Raises:
        UserError: When there is no plain model of the kind to put a head on.
    """
    if known_classes := classes(HEADS[head], config):
        return known_classes[0]
    base = next(iter(classes(AutoModel, config)), None)
    if base is None:
        raise UserError(f"Models of the kind {config.model_type} cannot be classifiers: they have no plain model.")
    namespace = {"__module__": __name__, "base_model_prefix": base.base_model_prefix}
    headed = type(base.__name__.removesuffix("Model") + head, (GENERIC[head], base.__bases__[0]), namespace)
    HEADS[head].register(type(config), headed, exist_ok=True)  # else kinds that transformers has stay as they are
    return headed


def of_words(kind: type[Any]) -> type[Any]:
    """Return a `*ForTokenClassification` that sees words; it keeps its name, under which transformers opens its
    weights.
    """
    return type(kind.__name__, (OfWords, kind), {"__module__": kind.__module__})


for each in HEADS:
    head_class(EncoderConfig(), each)
