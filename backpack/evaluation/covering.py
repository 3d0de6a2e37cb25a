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


@dataclass(frozen=True)
class Spoken:
    """What the senses of words say of the two topics of each.

    Args:
        speaks: `(words, senses, 2)`, whether the topic has its share of the nouns with the highest scores.
        strength: `(words, senses, 2)`: how far the nouns of the topic are above the mean noun, in standard deviations
            over the nouns, so that long vectors do not count for more.
    """

    speaks: NDArray[numpy.bool_]
    strength: NDArray[numpy.float64]

    def __add__(self, other: "Spoken") -> "Spoken":
        return Spoken(*(numpy.concatenate(each) for each in zip(vars(self).values(), vars(other).values())))

    def covered(self) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
        """Whether both topics are there.

        Returns:
            `(words,)` each: whether some sense speaks of the first topic and some of the second; and whether, besides,
            the index that is strongest for the first is another one than that for the second.
        """
        there: NDArray[numpy.bool_] = numpy.asarray(self.speaks.any(1))
        both = there[:, 0] & there[:, 1]
        strongest = self.strength.argmax(1)
        return both, both & (strongest[:, 0] != strongest[:, 1])


def spoken(scores: Tensor, words: Sequence[AmbiguousWord], nouns: Nouns, top: int, share: float) -> Spoken:
    """Ask the senses of words for the topics of each.

    Args:
        scores: `(words, senses, nouns)`.
        words: Whose topics are asked for.
        nouns: What was predicted. A word says nothing of itself.
        top: The size of the list of nouns with the highest scores.
        share: The share of the list that must be of the topic.

    Returns:
        The answers.
    """
    own = torch.tensor([[form == word.form for form in nouns.forms] for word in words])
    standard = (scores - scores.mean(-1, keepdim=True)) / scores.std(-1, keepdim=True).clamp(min=1e-12)
    highest = scores.masked_fill(own[:, None], -torch.inf).topk(top).indices
    speaks, strength = [], []
    for side in (0, 1):
        of_topic = nouns.topics.T[torch.tensor([word.topics[side] for word in words])] & ~own  # (words, nouns)
        listed = of_topic[:, None].expand(scores.shape).gather(2, highest)
        speaks.append(listed.double().mean(-1) >= share)
        weights = of_topic.double() / of_topic.sum(1, keepdim=True).clamp(min=1)
        strength.append((standard.double() @ weights[:, :, None])[..., 0])
    return Spoken(torch.stack(speaks, -1).numpy(), torch.stack(strength, -1).numpy())
