"""Negative log-likelihoods of tokens: in one pass for a causal model, in one for each token for a masked one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from semeqv.lazy import Floats, NDArray, functional, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import most_tokens
from semeqv.train.compute import ComputeConfig
from semeqv.train.probing import check_vocabulary

Rows: TypeAlias = "NDArray[numpy.int64]"
Truth: TypeAlias = "NDArray[numpy.bool_]"

LOGITS = 2**26  # computed at once, over all tokens and words of the vocabulary


class LikelihoodScorer:
    """Computes how unexpected tokens are to a model.

    Args:
        model: Predicts tokens; it is in evaluation mode, within `inference`.
        regime: Where it is.
        mask: The mask token of a masked model, which hides one token at a time (Salazar et al., 2020, arXiv
            1910.14659); None for a model that predicts the next token.
    """

    def __init__(self, model: Any, regime: ComputeConfig, mask: int | None = None):
        self.model, self.regime, self.mask = model, regime, mask
        self.vocabulary = int(model.get_input_embeddings().weight.shape[0])

    def __call__(self, ids: Rows, real: Truth, targets: Truth) -> Floats:
        """Score rows of tokens; `check` raises `UserError` when they do not fit the model.

        Args:
            ids: `(rows, time)`, tokens.
            real: `(rows, time)`, where they are no padding.
            targets: `(rows, time)`, which to score. A causal model scores no first token.

        Returns:
            `(rows, time)`, in nats; 0 where nothing was asked.
        """
        self.check(ids)
        return self.causal(ids, real, targets) if self.mask is None else self.masked(ids, real, targets, self.mask)

    def check(self, ids: Rows) -> None:
        """Refuse rows that do not fit the model.

        Args:
            ids: `(rows, time)`.

        Raises:
            UserError: When they are too long, or hold tokens that it does not know.
        """
        limit = most_tokens(self.model)
        if limit is not None and ids.shape[1] > limit:
            raise UserError(
                f"The model reads at most {limit} tokens at once; there is a row or sentence of {ids.shape[1]}."
            )
        check_vocabulary(self.model, {"input_ids": torch.from_numpy(ids)})

    def causal(self, ids: Rows, real: Truth, targets: Truth) -> Floats:
        """Return scores of tokens, each after those before it."""
        scores = numpy.zeros(ids.shape)
        for rows in self.some(len(ids), ids.shape[1]):
            logits = self.logits(ids[rows], real[rows])[:, :-1]
            labels = torch.from_numpy(numpy.where(targets[rows], ids[rows], -100)[:, 1:]).to(logits.device)
            nats = functional.cross_entropy(logits.transpose(1, 2).float(), labels, reduction="none")
            scores[rows, 1:] = nats.cpu().double().numpy()
        return scores

    def masked(self, ids: Rows, real: Truth, targets: Truth, mask: int) -> Floats:
        """Return scores of tokens, each as the only one that is hidden of its row."""
        scores, (row, place) = numpy.zeros(ids.shape), targets.nonzero()
        for chunk in self.some(len(row), ids.shape[1]):
            hidden, at = ids[row[chunk]].copy(), (numpy.arange(len(row[chunk])), place[chunk])
            hidden[at] = mask
            logits = self.logits(hidden, real[row[chunk]])[at]
            labels = torch.from_numpy(ids[row[chunk], place[chunk]]).to(logits.device)
            nats = functional.cross_entropy(logits.float(), labels, reduction="none")
            scores[row[chunk], place[chunk]] = nats.cpu().double().numpy()
        return scores

    def some(self, rows: int, time: int) -> Iterator[slice]:
        """Return rows a few at a time, so that their logits fit into memory."""
        few = max(LOGITS // (time * self.vocabulary), 1)
        return (slice(start, start + few) for start in range(0, rows, few))

    def logits(self, ids: Rows, real: Truth) -> torch.Tensor:
        """Return the logits of rows.

        Args:
            ids: `(rows, time)`.
            real: `(rows, time)`.

        Returns:
            `(rows, time, vocabulary)`.

        Raises:
            UserError: When the model gives no logits for tokens.
        """
        batch = {"input_ids": torch.from_numpy(ids)}
        if not real.all():
            batch["attention_mask"] = torch.from_numpy(real.astype(numpy.int64))
        logits = self.model(**self.regime.place(batch)).get("logits")
        if logits is None or logits.shape[:2] != ids.shape:
            raise UserError(
                f"{type(self.model).__name__} predicts no tokens; take cli model causal-lm or masked-lm --from ..."
            )
        checked: torch.Tensor = logits
        return checked


def mask_for(model: Any, tokenizer: Any, pseudo: bool) -> int | None:
    """Return the mask token to score a model with.

    Args:
        model: Its `predicts_next` tells a causal one.
        tokenizer: Has the mask token of a masked one.
        pseudo: Whether the model may be scored with one token hidden at a time.

    Returns:
        The mask token; None for a model that predicts the next token.

    Raises:
        UserError: When the model is a masked one and that was not asked for, or the tokenizer has no mask.
    """
    name = type(model).__name__
    if getattr(model, "predicts_next", False):
        if pseudo:
            raise UserError(f"{name} predicts the next token, and has a true perplexity; leave out --pseudo.")
        return None
    if not pseudo:
        raise UserError(f"{name} does not predict the next token: say --pseudo to hide one token at a time.")
    mask = getattr(tokenizer, "mask_token_id", None)
    if mask is None:
        raise UserError("The tokenizer has no mask token, which a model that predicts masked tokens needs.")
    return int(mask)


@dataclass(frozen=True)
class Likelihood:
    """How unexpected a text is to a model.

    Args:
        nats: The negative log-likelihood of the tokens that were predicted.
        tokens: How many were.
        separators: How many of these end a document.
        bytes: Bytes of the text in UTF-8, without what separates documents.
        words: Words of the text, each end of a line being one; 0 when they were not counted.
    """

    nats: float = 0.0
    tokens: int = 0
    separators: int = 0
    bytes: int = 0
    words: int = 0

    def __add__(self, other: Likelihood) -> Likelihood:
        return Likelihood(*(mine + yours for mine, yours in zip(vars(self).values(), vars(other).values())))

    @property
    def nats_per_token(self) -> float:
        """Cross-entropy; NaN when nothing was predicted."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def perplexity(self) -> float:
        """The exponential of the cross-entropy, infinite beyond what a number can say."""
        return exponential(self.nats_per_token)

    @property
    def bits_per_byte(self) -> float:
        """The nats of all predicted tokens, in bits, over the bytes of the text; NaN without any."""
        return self.nats / math.log(2) / self.bytes if self.bytes else math.nan

    @property
    def word_perplexity(self) -> float:
        """Perplexity by the words of the text, which does not depend on the tokenizer; NaN when they were not counted.

        The end of every line is a word, as in the counts of WikiText and the Penn Treebank (`<eos>`).
        """
        return exponential(self.nats / self.words) if self.words else math.nan


def exponential(nats: float) -> float:
    """Return `exp`, infinite where it overflows."""
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf
