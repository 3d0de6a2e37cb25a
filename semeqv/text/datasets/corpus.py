"""What all corpora have in common as data sets."""

import hashlib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import alias, check_bounds
from semeqv.runs.errors import UserError
from semeqv.text.datasets.tokenised import RowOptions, Text, batches, size_of
from semeqv.text.files import fingerprint
from semeqv.text.location import locate
from semeqv.text.records import Document

Split = Literal["train", "validation", "test"]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Options of every corpus.

    Args:
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        holdout: Share of the documents, chosen by a hash of their text (of translations, the English one, where there
            is one), that are kept for validation, and as many for test; the rest is for training. 0 when each split has
            a file of its own, or to read all of it.
        documents: Read so many documents at most; 0 for all.
        objective: What is predicted: the next token (causal), hidden tokens (masked), or hidden tokens of a sentence
            and its translation (translation; Conneau & Lample, 2019, arXiv 1901.07291). What the model is for, if left
            out.
        joined: Make one document of a sentence and its translations, whatever is predicted, so that each is read in the
            light of the others; so it is for translation.
        batch_size: Rows of a batch.
        block_size: The most tokens of a row.
        packing: Cut rows from the running text, documents separated; else each row is a document or a piece of one.
            Packed for causal models if left out.
        weights: The share of each language in every batch, in the order of --languages, or of the alphabet where they
            are not said; else all rows come once an epoch.
        temperature: Instead of --weights: a language with n rows counts as n to the power of 1/T.
        shuffle: Draw the rows of training in a new order in every epoch.
        mask_probability: Share of tokens that are hidden.
        whole_word: Hide whole words.
    """

    knows_text: ClassVar[bool] = True

    split: Split = "train"
    name: str | None = None
    holdout: float = 0.0
    documents: int = 0
    objective: Literal["causal", "masked", "translation"] | None = None
    joined: bool = False
    batch_size: int = 32
    block_size: int = alias("max_length", 128)
    packing: bool | None = None
    weights: tuple[float, ...] = ()
    temperature: float | None = None
    shuffle: bool = True
    mask_probability: float = 0.15
    whole_word: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, holdout=(0, 0.5), documents=0, batch_size=1, block_size=4)
        check_bounds(self, mask_probability=(0, 1), temperature=1)
        if self.weights and self.temperature is not None:
            raise ValueError("--weights and --temperature both say how languages are mixed; leave one out.")
        if self.objective == "translation" and len(getattr(self, "languages", ("",))) == 1:
            raise ValueError("--objective translation needs a corpus in two --languages at least.")
        if not all(0 < weight < math.inf for weight in self.weights):
            raise ValueError("--weights must be numbers above 0.")

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """All documents of the files, in their order.

        Yields the text that decides whether a document is held out, the same whichever languages are read, and what is
        read of it in each language.
        """
        raise NotImplementedError

    def pivot(self) -> str | None:
        """What holds the text that decides, where it depends on the options."""
        return None

    def sources(self) -> Mapping[str, Path]:
        """The files, by how they are called in run.json; empty when the corpus is in no file."""
        raise NotImplementedError

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on: options and the hash of every file."""
        return source_facts(self)

    def corpus(self) -> "Iterator[Any]":
        """The documents of this split, one language at a time; yields `Document`s."""
        yield from documents(self)

    def chosen(self) -> Iterator[Mapping[str, str]]:
        """Yield the documents of this split as `chosen` does, each in its languages."""
        return chosen(self)

    def texts(self) -> set[str]:
        """What tells the text that it is taken from: the hash of every file; nothing when each split has its own."""
        return set(self.source_facts()["files"].values())

    def build(
        self,
        tokenizer: Any,
        model_options: Any = None,
        dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    ) -> Any:
        """The data: tokenised once, then read from the disk.

        Args:
            tokenizer: The tokenizer.
            model_options: Its `objective` is what the model is for.
            dataset_options: The data sets of the sentence; one that is held out shares no text with the training set.

        Returns:
            Batches of `input_ids`, `labels` and, where rows are padded, `attention_mask`.
        """
        self.check_held_out(dataset_options)
        rows = self.row_options(self.objective or str(getattr(model_options, "objective", "causal")))
        return batches(self.text(), rows, tokenizer, together=self.joined or rows.objective == "translation")

    def text(self) -> Text:
        """Return what is tokenised."""
        size = sum(size_of(path) for path in self.sources().values())
        return Text(self.source_facts(), partial(chosen, self), size, getattr(self, "languages", ()))

    def row_options(self, objective: str) -> RowOptions:
        """Return how rows are made for an objective: causal, masked or translation."""
        names = ("batch_size", "block_size", "weights", "temperature", "mask_probability", "whole_word")
        return RowOptions(
            objective,
            packing=objective == "causal" if self.packing is None else self.packing,
            shuffle=self.shuffle and self.split == "train",
            **{name: getattr(self, name) for name in names},
        )

    def check_held_out(self, dataset_options: Mapping[tuple[str, str | None], Any] | None) -> None:
        """Refuse a set that is held out and shares text with the training set; raises as `check_apart` does."""
        for other in (dataset_options or {}).values():
            if isinstance(other, Corpus) and "train" in (self.split, other.split) and self.split != other.split:
                check_apart(*(self, other) if other.split == "train" else (other, self))


@dataclass(frozen=True, kw_only=True)
class FileCorpus(Corpus):
    """Options of a corpus in files.

    Args:
        path: Where it is, if not in its usual place under `$SEMEQV_DATA`.
    """

    path: Path | None = None


@dataclass(frozen=True, kw_only=True)
class OneFile(FileCorpus):
    """Options of a corpus in a file that --path names.

    Args:
        path: The file: here, or under `$SEMEQV_DATA`; compressed, or in an archive, or not.
    """

    path: Path = field()

    def file(self) -> Path:
        """The file, wherever it is."""
        return locate(str(self.path), self.path)

    def sources(self) -> Mapping[str, Path]:
        """The file."""
        file = self.file()
        return {file.name: file}


def deciding(languages: Iterable[str]) -> str:
    """The language that decides what is held out, in whatever order they were said: English, else the first of all."""
    return min(languages, key=lambda language: (language != "en", language))


def checked_languages(languages: tuple[str, ...], least: int = 1) -> None:
    """Refuse words that cannot be the codes of languages.

    Args:
        languages: The words.
        least: How many there must be.

    Raises:
        ValueError: When one is no code, or said twice, or there are too few.
    """
    for language in languages:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", language):
            raise ValueError(f"--languages takes codes such as en or zh-Hant, not {language!r}.")
    if len(set(languages)) < max(least, len(languages)):
        raise ValueError(f"--languages needs {least} different codes at least, not {' '.join(languages)!r}.")


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
