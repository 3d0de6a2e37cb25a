"""Keeps the sentences of tests out of the text that vectors, tokenizers and models are made of.

Text is the same when its letters and digits are, as in `semeqv.tasks.overlap`: a line holds a sentence of ten
such characters or more when the sentence stands anywhere in it, and a shorter one when it says nothing else. By that
measure, what is kept has no overlap with the test.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.overlap import ANCHOR, BITS, Seeker, hashes, normalised
from semeqv.tasks.retrieval.parallel import sentence_pairs
from semeqv.text.archives import is_archive, names
from semeqv.text.files import lines
from semeqv.text.location import locate

ROWS = 4096  # looked through at once

Row = Mapping[str, str]


class Sentences(Seeker):
    """The sentences of tests.

    Args:
        sentences: The sentences.
    """

    def held_by(self, texts: Sequence[str]) -> list[bool]:
        """Find which texts hold one of them; those that are found are remembered in `seen`."""
        plain = [normalised(text) for text in texts]
        holding = [text in self.short for text in plain]
        self.seen.update(itertools.compress(plain, holding))
        whole = "\0".join(plain)
        if len(whole) < ANCHOR or not self.by_anchor:
            return holding
        starts = numpy.cumsum([0, *(len(text) + 1 for text in plain[:-1])])
        at = hashes(numpy.frombuffer(whole.encode("utf-32-le", "surrogatepass"), numpy.uint32))
        for place in numpy.flatnonzero(self.table[at >> numpy.uint64(64 - BITS)]).tolist():
            sentences = [each for each in self.by_anchor.get(int(at[place]), ()) if whole.startswith(each, place)]
            if sentences:
                self.seen.update(sentences)
                holding[int(numpy.searchsorted(starts, place, side="right")) - 1] = True
        return holding


@dataclass
class Decontaminator:
    """Passes on the rows of a corpus that hold no sentence of a test, and counts.

    Args:
        paths: Files, folders and archives of tests, here or under `$SEMEQV_DATA`; every line of them is a sentence, of
            tables every cell too.
        endings: Of folders and archives, only the files whose names end so; all if there are none.
        kept: Rows that were passed on.
        left_out: Rows that were not.
    """

    paths: Sequence[Path]
    endings: tuple[str, ...] = ()
    kept: int = 0
    left_out: int = 0
    sentences: Sentences | None = field(default=None, init=False)

    def rows(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass rows on, line by line where a document and its translations have as many lines.

        Args:
            rows: What each says in each language.

        Yields:
            The rows of which no side holds a sentence of the tests.
        """
        self.sentences = Sentences(self.test_sentences()) if self.paths else None
        stream = sentence_pairs(rows)
        with Progress(desc="read text", unit="pair", leave=False, disable=None, mininterval=0.5) as bar:
            while some := list(itertools.islice(stream, ROWS)):
                bar.update(len(some))
                holding = self.held(some)
                self.left_out += sum(holding)
                self.kept += len(some) - sum(holding)
                yield from (row for row, each in zip(some, holding) if not each)

    def test_sentences(self) -> Iterator[str]:
        """Yield the lines of the tests, and the cells of those with tabs.

        Raises `UserError` when a file is missing, or no file has such an ending.
        """
        files = [file for path in self.paths for file in files_under(locate(str(path), path), self.endings)]
        if not files:
            raise UserError(f"No file of {', '.join(map(str, self.paths))} ends in {' or '.join(self.endings)}.")
        for file in files:
            for _, line in lines(file):
                yield from {line, *line.split("\t")}

    def held(self, rows: Sequence[Row]) -> list[bool]:
        """Find which rows hold a sentence of the tests."""
        if self.sentences is None:
            return [False] * len(rows)
        owners = [(place, text) for place, row in enumerate(rows) for text in row.values()]
        holding = [False] * len(rows)
        for (place, _), holds in zip(owners, self.sentences.held_by([text for _, text in owners])):
            holding[place] = holding[place] or holds
        return holding

    def facts(self) -> dict[str, int]:
        """Return what was counted, as JSON: `found` are the test sentences that the rows left out held."""
        facts = {"pairs": self.kept, "left out": self.left_out}
        if self.sentences is not None:
            facts |= {"test sentences": len(set(self.sentences.sentences) - {""}), "found": len(self.sentences.seen)}
        return facts

    def in_words(self) -> str:
        """Return the same in words; nothing where there are no tests."""
        if self.sentences is None:
            return ""
        return f"; {self.left_out:,} pairs left out, for they hold {len(self.sentences.seen):,} sentences of the tests"


def files_under(path: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a folder or an archive whose names have one of the endings; a file itself."""
    if is_archive(path):
        yield from (path / name for name in names(path) if name.endswith(endings or ""))
    elif path.is_dir():
        for file in sorted(each for each in path.rglob("*") if each.is_file()):
            if is_archive(file) or file.name.endswith(endings or ""):
                yield from files_under(file, endings)
    else:
        yield path
