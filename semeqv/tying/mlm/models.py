"""The network of the study, by the name that it has in the study's original code."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.text.models.architectures import Encoder


@component("mlm model transformer")
@dataclass(frozen=True, kw_only=True)
class Transformer(Encoder):
    """A Transformer encoder (Vaswani et al., 2017, arXiv 1706.03762), post-LN and without positions.

    It is `cli model encoder`, untied unless asked for. The experiments of the study train without dropout, which is
    the default here; the original code drops .1 where nothing is said.
    """

    word: ClassVar[str] = "transformer"

    tie: bool | Literal["both"] = False


@component("mlm model transformerwt")
@dataclass(frozen=True, kw_only=True)
class TransformerWT(Transformer):
    """The Transformer with tied embeddings: `transformer --tie`."""

    tie: bool | Literal["both"] = True
