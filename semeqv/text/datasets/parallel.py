"""Line-aligned corpora: Europarl, MultiUN, and any other that Moses or OPUS would write."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from semeqv.grammar.component import component
from semeqv.text.datasets.corpus import FileCorpus, checked_languages, deciding
from semeqv.text.location import locate_sides, plain_sides
from semeqv.text.readers.moses import fitting, read_aligned, side_parts


@dataclass(frozen=True, kw_only=True)
class LineAligned(FileCorpus):
    """Options of a line-aligned corpus.

    Args:
        languages: Codes of the languages, the endings of the files' names.
    """

    languages: tuple[str, ...] = ("en", "fr")

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_languages(self.languages)

    def prefixes(self) -> Mapping[Path, tuple[str, tuple[str, ...]]]:
        """What the names of the files begin with; the language that decides there, and those that are read."""
        raise NotImplementedError

    def sources(self) -> Mapping[str, Path]:
        """The file of each language."""
        asked = [(prefix, {decides, *read}) for prefix, (decides, read) in self.prefixes().items()]
        parts = [files for prefix, languages in asked for files in side_parts(prefix, sorted(languages))]
        return {file.name: file for files in parts for file in files.values()}

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Sentences, with their translations."""
        for prefix, (decides, read) in self.prefixes().items():
            for pair in read_aligned(prefix, sorted({decides, *read})):
                yield pair.sentences[decides], {language: pair.sentences[language] for language in read}


@component("dataset moses")
@dataclass(frozen=True, kw_only=True)
class Moses(LineAligned):
    """Sentences in several languages, a file each, line by line (`corpus.en`, `corpus.fr`), as Moses and OPUS have it.

    Args:
        path: What the names have in common (`corpus`), or a folder or an archive with one file for each language.
    """

    path: Path = field()

    def pivot(self) -> str:
        """The language that decides: English, where there is a file of it."""
        ((decides, _),) = self.prefixes().values()
        return decides

    def prefixes(self) -> Mapping[Path, tuple[str, tuple[str, ...]]]:
        """The one that --path says."""
        prefix = locate_sides([str(self.path)], self.languages, self.path)
        english = ["en"] if self.holdout and len(fitting(prefix, "en")) == 1 else []
        return {prefix: (deciding([*self.languages, *english]), self.languages)}


@dataclass(frozen=True, kw_only=True)
class Pairs(LineAligned):
    """A corpus in files for pairs of languages; what several share is read from the first, unless joined.

    Args:
        download: Fetch what is missing; its hash is recorded, and compared ever after.
    """

    download: bool = False

    folder: ClassVar[str] = ""
    parts: ClassVar[Mapping[str, str]] = {"train": "train", "validation": "dev", "test": "test"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.path is not None and len(self.languages) > 2:
            raise ValueError("--path is one pair of languages; say two, or put the files under $SEMEQV_DATA.")

    def stem(self, pair: str) -> str:
        """The name of the files of a pair, without split and language."""
        raise NotImplementedError

    def source(self, pair: str) -> str:
        """Where to fetch a pair."""
        raise NotImplementedError

    def pairs(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The pairs of languages to read, and what of each: all, where sentences stand beside their translations."""
        if len(self.languages) == 1:
            (language,) = self.languages
            return {(language, "fr" if language == "en" else "en"): self.languages}
        first, *others = sorted(self.languages, key=lambda language: language != "en")
        whole = self.joined or self.objective == "translation"
        read = {(first, other): (first, other) if whole or i == 0 else (other,) for i, other in enumerate(others)}
        return {pair: tuple(language for language in self.languages if language in each) for pair, each in read.items()}

    def prefixes(self) -> Mapping[Path, tuple[str, tuple[str, ...]]]:
        """The files of every pair: those of the split, else those of the whole corpus."""
        found = dict[Path, tuple[str, tuple[str, ...]]]()
        for pair, read in self.pairs().items():
            stems = [f"{self.folder}/{self.stem('-'.join(order))}" for order in itertools.permutations(sorted(pair))]
            names = [f"{stem}.{self.parts[self.split]}" for stem in stems] if not self.holdout else []
            source = self.source("-".join(sorted(pair)))
            decides = deciding(pair if self.holdout else read)
            folder = plain_sides(self.folder, [decides, *read]) if self.path is None else None
            prefix = folder or locate_sides([*names, *stems], [decides, *read], self.path, source, self.download)
            found[prefix] = decides, read
        return found


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
