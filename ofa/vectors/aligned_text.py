"""An aligned corpus without the sentences of tests, as an action."""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.datasets.corpus import chosen
from semeqv.text.readers.moses import write_aligned
from semeqv.text.records import Aligned


@component("ofa text")
@dataclass(frozen=True, kw_only=True)
class Text:
    """Write an aligned corpus down, without the sentences of tests.

    A pair is left out when a side holds a line of a test, whatever its case, punctuation and blanks; a short line
    (below ten letters) only when the side says nothing else. What is written has no overlap with the test, as `cli
    retrieval` reports it, and is what vectors, tokenizers and maps may be made of: `cli dataset moses --path PATH`. The
    corpus is the training set of the sentence. How many pairs were left out is written beside it, as JSON.

    Args:
        path: What the names of the files have in common: PATH.en, PATH.fr, ...
        disjoint_from: Files, folders and archives of test text, here or under `$SEMEQV_DATA`.
        endings: Of folders and archives, only the files whose names end so, such as `.fr`; all if left out.
        shuffle: Write the pairs in an order drawn by --seed, so that the first ones are a sample of all: some corpora
            are sorted, by length perhaps.
    """

    path: Path = Path("text")
    disjoint_from: tuple[Path, ...] = ()
    endings: tuple[str, ...] = ()
    shuffle: bool = False

    def build(self, *, dataset_options: Mapping[tuple[str, str | None], Any], seed: int) -> None:
        """Write the files.

        Args:
            dataset_options: The data sets of the sentence, not built; the training set is read.
            seed: Of the order.

        Raises:
            UserError: When there is no aligned corpus, or (from the readers) a file is missing.
        """

        from ofa.vectors.decontaminate import Apart

        corpus = dataset_options.get(("train", None))
        languages = getattr(corpus, "languages", ())
        if corpus is None or len(languages) < 2:
            raise UserError("Say an aligned corpus of two languages: cli dataset europarl --languages en fr")
        apart = Apart(self.disjoint_from, self.endings)
        whole = (row for row in chosen(corpus) if len(row) == len(languages))
        kept: Iterable[Mapping[str, str]] = apart.rows(whole)
        if self.shuffle:
            kept = list(kept)
            random.Random(seed).shuffle(kept)
        try:
            files = write_aligned(self.path, (Aligned(dict(row)) for row in kept), languages)
        except ValueError as error:
            raise UserError(f"{self.path}: a sentence is no line of text ({error}).") from error
        write_text(self.path.with_name(f"{self.path.name}.json"), json.dumps(apart.facts(), indent=2) + "\n")
        click.echo(f"{apart.kept:,} pairs{apart.said()}.")
        click.echo(f"wrote {', '.join(map(str, files.values()))}")
