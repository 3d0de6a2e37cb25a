"""An aligned corpus without the sentences of tests."""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ofa.vectors.decontaminate import Decontaminator
from semeqv.grammar.action import Written, action
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.text.datasets.corpus import chosen
from semeqv.text.readers.moses import write_aligned
from semeqv.text.records import Aligned


@dataclass(frozen=True)
class AlignedText(Written):
    """An aligned corpus that was written without the sentences of tests.

    Args:
        files: The file of each language.
        pairs: How many pairs were written.
        left_out: What was left out, in words.
    """

    files: Mapping[str, Path]
    pairs: int
    left_out: str

    def show(self) -> None:
        """Print how many pairs there are, and where."""
        click.echo(f"{self.pairs:,} pairs{self.left_out}.")
        click.echo(f"wrote {', '.join(map(str, self.files.values()))}")


@action("ofa text")
def write_text_for_training(
    dataset_options: Mapping[tuple[str, str | None], Any],
    seed: int = 42,
    *,
    path: Path = Path("text"),
    disjoint_from: tuple[Path, ...] = (),
    endings: tuple[str, ...] = (),
    shuffle: bool = False,
) -> AlignedText:
    """Write an aligned corpus down, without the sentences of tests.

    A pair is left out when a side holds a line of a test, whatever its case, punctuation and blanks; a short line
    (below ten letters) only when the side says nothing else. What is written has no overlap with the test, as `cli
    retrieval` reports it, and is what vectors, tokenizers and maps may be made of: `cli dataset moses --path PATH`. The
    corpus is the training set of the sentence. How many pairs were left out is written beside it, as JSON.

    Args:
        dataset_options: The data sets of the sentence, not built; the training set is read.
        seed: Of the order.
        path: What the names of the files have in common: PATH.en, PATH.fr, ...
        disjoint_from: Files, folders and archives of test text, here or under `$SEMEQV_DATA`.
        endings: Of folders and archives, only the files whose names end so, such as `.fr`; all if left out.
        shuffle: Write the pairs in an order drawn by --seed, so that the first ones are a sample of all: some corpora
            are sorted, by length perhaps.

    Returns:
        The files, and how many pairs are in them.

    Raises:
        UserError: When there is no aligned corpus, or (from the readers) a file is missing.
    """
    corpus = dataset_options.get(("train", None))
    languages = getattr(corpus, "languages", ())
    if corpus is None or len(languages) < 2:
        raise UserError("Say an aligned corpus of two languages: cli dataset europarl --languages en fr")
    decontaminator = Decontaminator(disjoint_from, endings)
    complete = (row for row in chosen(corpus) if len(row) == len(languages))
    rows: Iterable[Mapping[str, str]] = decontaminator.rows(complete)
    if shuffle:
        rows = list(rows)
        random.Random(seed).shuffle(rows)
    try:
        files = write_aligned(Path(path), (Aligned(dict(row)) for row in rows), languages)
    except ValueError as error:
        raise UserError(f"{path}: a sentence is no line of text ({error}).") from error
    facts = json.dumps(decontaminator.facts(), indent=2) + "\n"
    write_text(Path(path).with_name(f"{Path(path).name}.json"), facts)
    return AlignedText(files, decontaminator.kept, decontaminator.in_words())
