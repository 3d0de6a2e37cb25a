"""The United Nations corpus."""

from dataclasses import dataclass
from typing import ClassVar

from semeqv.grammar.component import component
from semeqv.text.datasets.parallel import Pairs


@component("dataset multiun")
@dataclass(frozen=True, kw_only=True)
class MultiUn(Pairs):
    """Documents of the United Nations, sentence by sentence (Eisele & Chen, 2010), in six languages and German.

    Read from `multiun/MultiUN.en-fr.{en,fr}` under $SEMEQV_DATA, compressed or not, from `multiun/{en,fr}.txt.N`, or
    from the archive of OPUS. It is not cut into sets: say --holdout for them.
    """

    folder: ClassVar[str] = "multiun"

    def stem(self, pair: str) -> str:
        """`MultiUN.en-fr`."""
        return f"MultiUN.{pair}"

    def source(self, pair: str) -> str:
        """The archive of OPUS."""
        return f"https://object.pouta.csc.fi/OPUS-MultiUN/v1/moses/{pair}.txt.zip"
