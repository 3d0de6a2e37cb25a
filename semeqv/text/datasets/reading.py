"""The documents of a corpus, as raw text."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from semeqv.runs.errors import UserError
from semeqv.text.files import fingerprint
from semeqv.text.records import Document

if TYPE_CHECKING:
    from semeqv.text.datasets.corpus import Corpus

LAYOUT = ("batch_size", "block_size", "packing", "shuffle", "weights", "temperature")
TASK = ("objective", "joined", "mask_probability", "whole_word")
CHOOSING = {"split", "documents", "languages", "columns"}  # options by which sets of a held-out corpus may differ
BATCHING = {"name", "path", "download", *LAYOUT, *TASK}  # options that do not change which text is read


def chosen(corpus: "Corpus") -> Iterator[Mapping[str, str]]:
    """The documents of a corpus that belong to its split, without texts that are blank.

    Args:
        corpus: The corpus.

    Yields:
        What each says in each language.

    Raises:
        UserError: When there is none.
    """
    own = (row for text, row in corpus.rows() if belongs(corpus, text))
    rows = (said for row in own if (said := {name: text for name, text in row.items() if text.strip()}))
    first = next(rows, None)
    if first is None:
        raise UserError(f"The corpus has no document for the {corpus.split} split. Raise --holdout, or --documents.")
    yield from itertools.islice(itertools.chain([first], rows), corpus.documents or None)


def belongs(corpus: "Corpus", text: str) -> bool:
    """Whether a document is of the corpus's split, by the hash of a text."""
    if not corpus.holdout:
        return True
    drawn = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    place = int.from_bytes(drawn, "big") / 2**64
    split = "validation" if place < corpus.holdout else "test" if place < 2 * corpus.holdout else "train"
    return corpus.split == split


def check_apart(held: "Corpus", train: "Corpus") -> None:
    """Refuse a held-out set that may have text of the training set.

    Args:
        held: The set.
        train: The training set.

    Raises:
        UserError: When both read the same text, and not by the same share that is held out.
    """
    if not held.texts() & train.texts():
        return
    one, other = ({"holdout": each.holdout, **each.source_facts()["options"]} for each in (held, train))
    differ = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)} - CHOOSING
    if differ or not held.holdout:
        differ |= set() if held.holdout else {"holdout"}
        said = " and ".join(f"--{'languages' if name == 'pivot' else name}" for name in sorted(differ))
        raise UserError(
            f"The {held.split} set reads text of the training set. So that they share none, say the same {said} in both"
            f"{', --holdout .01 perhaps' if 'holdout' in differ else ''}."
        )


def documents(corpus: "Corpus") -> Iterator[Document]:
    """The documents of a corpus that belong to its split, one for each language; yields them in the corpus's order."""
    for row in chosen(corpus):
        for language, text in row.items():
            yield Document(text, language)


def source_facts(corpus: "Corpus") -> dict[str, Any]:
    """What the text of a corpus depends on, as JSON: its options, and the SHA-256 of each file."""
    options = {
        field.name: str(value) if not isinstance(value, bool | int | float | list | tuple | None) else value
        for field in fields(corpus)
        if field.name not in BATCHING
        for value in [getattr(corpus, field.name)]
    }
    if corpus.holdout:
        options["pivot"] = corpus.pivot()
    elif corpus.sources():
        options.pop("split")  # the files say it
    files = {name: fingerprint(path) for name, path in corpus.sources().items()}
    return {"corpus": getattr(type(corpus), "__command__", ""), "options": options, "files": files}
