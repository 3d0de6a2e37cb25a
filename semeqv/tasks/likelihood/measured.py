"""The perplexity of a model on a data set, language by language."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy

from semeqv.runs.errors import UserError
from semeqv.tasks.likelihood.scoring import Scorer
from semeqv.tasks.likelihood.windows import TextStreams
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import TokenFile
from semeqv.train.bars import Progress


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

    def __add__(self, other: "Likelihood") -> "Likelihood":
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
    """`exp`, infinite where it overflows."""
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def files_of(dataset: Any, name: str) -> Iterator[tuple[str, TokenFile, Layout]]:
    """The languages of a data set.

    Args:
        dataset: Batches of token files.
        name: What to call it, for the message.

    Yields:
        The name of the language, its tokens, and how they become rows.

    Raises:
        UserError: When it is of another kind.
    """
    if not isinstance(dataset, TokenBatches):
        raise UserError(f"Perplexity is that of a corpus, such as `cli dataset europarl`; {name} is none.")
    for part in dataset.parts:
        yield part.file.language, part.file, part.layout


def likelihood(
    scorer: Scorer,
    file: TokenFile,
    layout: Layout,
    *,
    stride: int | None,
    special: list[int],
    separators: bool,
    size: int,
    words: int = 0,
) -> Likelihood:
    """Measure a model on the text of one language.

    Args:
        scorer: Asks the model.
        file: The tokens.
        layout: How they become rows.
        stride: From one window to the next; as long as can be if None.
        special: Special tokens, which a masked model is not asked for.
        separators: Whether a causal model is asked for the token that ends a document.
        size: Bytes of the text.
        words: Words of the text.

    Returns:
        The likelihood.
    """
    masked = scorer.mask is not None
    streams = TextStreams(file, layout, masked=masked)
    found = streams.windows(stride)
    nats, tokens, ends = 0.0, 0, 0
    with Progress(total=len(found), desc=file.language, unit="row", leave=False, disable=None, mininterval=0.5) as bar:
        for ids, real, new in streams.batches(found, layout.rows):
            if masked:
                asked = new & ~numpy.isin(ids, special)
            else:
                asked = new if separators else new & (ids != layout.last)
                if layout.begin is not None:
                    asked = asked & (ids != layout.begin)
                asked[:, 0] = False  # nothing is before it
            nats += float(scorer(ids, real, asked).sum())
            tokens += int(asked.sum())
            ends += int((asked & (ids == layout.last)).sum())
            bar.update(len(ids))
    return Likelihood(nats, tokens, ends, size, words)
