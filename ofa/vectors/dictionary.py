"""A bilingual dictionary from cross-lingual word vectors, as an action."""

from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.component import check_bounds, component


@component("ofa dictionary")
@dataclass(frozen=True, kw_only=True)
class Dictionary:
    """Write down which words of two languages are each other's nearest, in one space of word vectors.

    Mutual nearest neighbours by cosine, as dictionaries are induced from aligned spaces (Conneau et al., 2018, arXiv
    1710.04087). It gives `cli ofa init wechsel` what the same vectors give to `cli ofa init ofa`.

    Args:
        vectors: Word vectors whose words say their language, `fr:chien`; see `cli ofa vectors`.
        languages: The old language, and the new one.
        path: The file: lines of two words, with a tab between.
        most_words: The first so many words of each language; 0 for all.
    """

    vectors: Path
    languages: tuple[str, ...] = ("en", "fr")
    path: Path = Path("dictionary.tsv")
    most_words: int = 20_000

    def __post_init__(self) -> None:
        check_bounds(self, most_words=0)
        if len(set(self.languages)) != 2:
            raise ValueError(f"--languages takes two languages, not {' '.join(self.languages)!r}.")

    def build(self) -> None:
        """Write the file."""
        import click

        from ofa.vectors.pairing import mutual
        from ofa.vectors.reading import read_vectors
        from semeqv.text.files import writing

        pairs = mutual(read_vectors(self.vectors), self.languages, self.most_words)
        with writing(self.path) as file:
            file.writelines(f"{old}\t{new}\n" for old, new in pairs)
        click.echo(f"wrote {self.path} ({len(pairs):,} pairs)")
