"""The observers of embeddings with the study's defaults: a record every hundred steps."""

from dataclasses import dataclass

from semeqv.grammar.component import component
from semeqv.tying.callbacks import embeddings


@dataclass(frozen=True, kw_only=True)
class Often:
    """The study's defaults; they stand before those of the callback among the bases."""

    etc: int = 0
    stc: int = 100


@component("mlm callbacks cdists")
@dataclass(frozen=True, kw_only=True)
class Cdists(Often, embeddings.Cdists):
    """Record the distances between the embeddings of the words that have doubles, and of the doubles.

    It is `cli callbacks cdists`, with a record every hundred steps.
    """


@component("mlm callbacks embedding")
@dataclass(frozen=True, kw_only=True)
class Embedding(Often, embeddings.Embedding):
    """Record the embeddings of the words that have doubles, and of the doubles.

    It is `cli callbacks embedding`, with a record every hundred steps.
    """


@component("mlm callbacks cdists-decouple")
@dataclass(frozen=True, kw_only=True)
class CdistsDecouple(Often, embeddings.CdistsDecouple):
    """Record distances as `cdists` does, and untie tied embeddings after an epoch, or more.

    It is `cli callbacks cdists-decouple`, with a record every hundred steps.
    """

    etd: int = 1
