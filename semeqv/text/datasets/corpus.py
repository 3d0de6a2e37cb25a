"""What all corpora have in common as data sets."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import alias, check_bounds

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
        from semeqv.text.datasets.reading import source_facts

        return source_facts(self)

    def corpus(self) -> "Iterator[Any]":
        """The documents of this split, one language at a time; yields `Document`s."""
        from semeqv.text.datasets.reading import documents

        yield from documents(self)

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
        from semeqv.text.datasets.tokenised import batches

        self.check_held_out(dataset_options)
        return batches(self, tokenizer, self.objective or str(getattr(model_options, "objective", "causal")))

    def check_held_out(self, dataset_options: Mapping[tuple[str, str | None], Any] | None) -> None:
        """Refuse a set that is held out and shares text with the training set; raises as `check_apart` does."""
        from semeqv.text.datasets.reading import check_apart

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
        from semeqv.text.location import locate

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
