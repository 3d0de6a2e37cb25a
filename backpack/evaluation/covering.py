"""Whether both senses of a homonym are among the senses of a Backpack."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from backpack.evaluation.babel import AmbiguousWord


@dataclass(frozen=True)
class Nouns:
    """The nouns of a language as what may be predicted.

    Args:
        forms: The words.
        tokens: Their first tokens behind a space, `(nouns,)`.
        topics: `(nouns, topics)`, whether a noun is of a topic.
    """

    forms: list[str]
    tokens: Tensor
    topics: Tensor


def predictions(senses: Tensor, output: Tensor, nouns: Nouns, mean: Tensor) -> Tensor:
    """How much the senses of words speak for nouns: their logits, less those of the mean word.

    A sense adds its logits to whatever else is there, so that only differences count. What all words share in a sense
    index (that a verb follows, say) is taken off.

    Args:
        senses: `(words, senses, d)`.
        output: The output embedding, `(vocabulary, d)`.
        nouns: What may be predicted.
        mean: `(senses, d)`, the mean over the words of the language.

    Returns:
        `(words, senses, nouns)`.
    """
    return (senses - mean) @ output[nouns.tokens].T


def speaks_of(
    scores: Tensor, words: Sequence[AmbiguousWord], nouns: Nouns, top: int, share: float
) -> NDArray[numpy.bool_]:
    """Which senses of words speak of the two topics of each.

    Args:
        scores: `(words, senses, nouns)`.
        words: Whose topics are asked for.
        nouns: What was predicted. A word says nothing of itself.
        top: The size of the list of nouns with the highest scores.
        share: The share of the list that must be of the topic.

    Returns:
        `(words, senses, 2)`.
    """
    own = torch.tensor([[form == word.form for form in nouns.forms] for word in words])
    highest = scores.masked_fill(own[:, None], -torch.inf).topk(top).indices
    asked = torch.tensor([word.topics for word in words])
    of_topic = nouns.topics.T[asked].float()  # (words, 2, nouns)
    counts = torch.stack(
        [of_topic[:, side].gather(1, highest.flatten(1)).view(highest.shape).mean(-1) for side in (0, 1)]
    )
    found: NDArray[numpy.bool_] = (counts >= share).permute(1, 2, 0).numpy()
    return found


def covered(speaks: NDArray[numpy.bool_]) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
    """Whether both topics are spoken of, and whether by different senses.

    Args:
        speaks: `(words, senses, 2)`.

    Returns:
        `(words,)` each: some sense speaks of the first topic and some of the second; these can be two senses.
    """
    both = speaks.any(1).all(1)
    counts = speaks.sum(1)
    same = (speaks.all(2).sum(1) == 1) & (counts == 1).all(1)  # one sense does it all
    return both, both & ~same
