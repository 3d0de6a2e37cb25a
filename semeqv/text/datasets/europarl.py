"""The European Parliament corpus."""

from dataclasses import dataclass
from typing import ClassVar

from semeqv.grammar.component import component
from semeqv.text.datasets.parallel import Pairs


@component("dataset europarl")
@dataclass(frozen=True, kw_only=True)
class Europarl(Pairs):
    """Proceedings of the European Parliament, sentence by sentence (Koehn, 2005, version 7), in 21 languages.

    Read from `europarl/europarl-v7.fr-en.{en,fr}` under $SEMEQV_DATA, or from `europarl-v7.fr-en.{train,dev,test}.*`
    for each split where there are such files and no --holdout; or from `europarl/{en,fr}.txt`; compressed or not.
    """

    folder: ClassVar[str] = "europarl"

    def stem(self, pair: str) -> str:
        """`europarl-v7.fr-en`."""
        return f"europarl-v7.{pair}"

    def source(self, pair: str) -> str:
        """The corpus's own site."""
        other = next((language for language in pair.split("-") if language != "en"), "")
        return f"https://www.statmt.org/europarl/v7/{other}-en.tgz" if "en" in pair.split("-") else ""
