"""What the options of all labelled data sets have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from semeqv.grammar.component import alias, check_bounds
from semeqv.text.datasets.corpus import Split


class Item(NamedTuple):
    """A sentence of words that have labels, or one or two texts that have one.

    Args:
        texts: The words, or the texts.
        labels: A label of each word, or one of the texts; None where nobody said.
    """

    texts: tuple[str, ...]
    labels: tuple[str | None, ...]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Options of every labelled data set.

    Args:
        split: Which part of the run reads it.
        name: Tells several sets of one split apart.
        holdout: Share of the sentences, chosen by a hash of their text, that are kept for validation, and as many for
            test; the rest is for training. 0 when each split has a file of its own, or to read all of it.
        sentences: Read so many sentences (or texts) at most; 0 for all.
        labels: All labels, where the training set lacks some. They are those of the training set if left out, or of the
            model, when it is a trained classifier that knows all of them.
        batch_size: Rows of a batch.
        max_length: The most tokens of a row, fewer where the model reads fewer at once; longer sentences are cut
            between words, longer texts at their end.
        shuffle: Draw the rows of training in a new order in every epoch.
        grouping: So many batches of training are drawn together, and rows of like length put into one; 1 for none.
        replicates: Bootstrap samples of the 95% intervals of a test set's scores; 0 for no intervals.
    """

    of_words: ClassVar[bool] = True

    split: Split = "train"
    name: str | None = None
    holdout: float = 0.0
    sentences: int = 0
    labels: tuple[str, ...] = ()
    batch_size: int = 32
    max_length: int = alias("block_size", 128)
    shuffle: bool = True
    grouping: int = 16
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, holdout=(0, 0.5), sentences=0, batch_size=1, max_length=8, grouping=1, replicates=0)
        if len(set(self.labels)) < len(self.labels):
            raise ValueError("--labels names one twice.")

    @property
    def tells_languages_apart(self) -> bool:
        """Whether its files may hold several languages, of which it reads those asked for."""
        return False

    @property
    def entities(self) -> bool:
        """Whether the labels are tags of IOB2, judged by the entities that they mark."""
        return False

    def items(self) -> Iterator[Item]:
        """All sentences or texts of the files; yields them in their order."""
        raise NotImplementedError

    def sources(self) -> Mapping[str, Path]:
        """The files, by how they are called in run.json; empty when the data is in no file."""
        raise NotImplementedError

    def every_label(self) -> tuple[str, ...]:
        """All labels that there can be, where that is known without reading; else none."""
        return ()

    def line_of(self, label: str) -> str:
        """Where a label stands first, for a message: `FILE, line 12`."""
        raise NotImplementedError

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on: options and the hash of every file."""
        from semeqv.tasks.classification.reading import source_facts

        return source_facts(self)

    def corpus(self) -> "Iterator[Any]":
        """The sentences or texts of this split, to train a tokenizer on; yields `Document`s."""
        from semeqv.tasks.classification.reading import documents

        yield from documents(self)

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides the labels.
            model_options: The model, which decides them when it is a trained classifier.

        Returns:
            Batches of `input_ids`, `labels` and what else a classifier needs.
        """
        from semeqv.tasks.classification.reading import batches

        return batches(self, tokenizer, dataset_options, model_options)


@dataclass(frozen=True, kw_only=True)
class InFiles(Labelled):
    """Options of labelled data in files.

    Args:
        path: A file, or a folder (or an archive) with a file for each language and split; all of $SEMEQV_DATA is
            searched if left out.
        languages: Codes of the languages, with which the names of the files begin.
    """

    path: Path | None = None
    languages: tuple[str, ...] = ("en",)

    def __post_init__(self) -> None:
        from semeqv.text.datasets.corpus import checked_languages

        super().__post_init__()
        checked_languages(self.languages)
