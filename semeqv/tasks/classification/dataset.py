"""Labelled data: the options that all such data sets share, their items, splits, labels and checks for overlap."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

from semeqv.grammar.component import alias, check_bounds
from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.reading import read_run
from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.rows import UNLABELLED, Template, text_rows, word_rows
from semeqv.tasks.overlap import run_of
from semeqv.text.cache import key_of
from semeqv.text.datasets.corpus import Split, checked_languages
from semeqv.text.files import fingerprint
from semeqv.text.records import Document
from semeqv.text.tokenizers.files import add_ends, fit_to_model, pad_with_end
from semeqv.text.tokenizers.trained import tokenizer_fingerprint


class Item(NamedTuple):
    """A sentence of words that have labels, or one or two texts that have one.

    Args:
        texts: The words, or the texts.
        labels: A label of each word, or one of the texts; None where there is none.
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
        """Yield all sentences or texts of the files, in their order."""
        raise NotImplementedError

    def sources(self) -> Mapping[str, Path]:
        """Return the files, by how they are called in run.json; empty when the data is in no file."""
        raise NotImplementedError

    def every_label(self) -> tuple[str, ...]:
        """Return all labels that there can be, where that is known without reading; else none."""
        return ()

    def line_of(self, label: str) -> str:
        """Return where a label stands first, for a message: `FILE, line 12`."""
        raise NotImplementedError

    def source_facts(self) -> dict[str, Any]:
        """Return what the text depends on: options and the hash of every file."""
        return source_facts(self)

    def corpus(self) -> Iterator[Any]:
        """Yield the sentences or texts of this split, to train a tokenizer on, as `Document`s."""
        yield from documents(self)

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """Build the data set.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides the labels.
            model_options: The model, which decides them when it is a trained classifier.

        Returns:
            Batches of `input_ids`, `labels` and what else a classifier needs.
        """
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

        super().__post_init__()
        checked_languages(self.languages)


def longest_row(options: Labelled, tokenizer: Any, model_options: Any) -> int:
    """Return the most tokens of a row: as many as are asked for, fewer where the model reads fewer at once.

    The tokenizer, which is saved beside the model, is told what the rows are: what stands around their texts, what they
    are padded with, and how many tokens the model reads.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        How many. Raises `UserError` as `fitted_row` does.
    """
    most = fitted_row(options, tokenizer, model_options, "Words and answers are found by their places")
    template = Template.of(tokenizer)
    add_ends(tokenizer, template.begin, template.end, template.between)
    return most


def fitted_row(options: Labelled, tokenizer: Any, model_options: Any, purpose: str) -> int:
    """Return the most tokens of a row; the tokenizer is told what rows are padded with, and how many tokens the model
    reads.

    Args:
        options: The data set.
        tokenizer: Of the sentence.
        model_options: The model of the sentence.
        purpose: What the places of tokens are needed for, for the message.

    Returns:
        How many.

    Raises:
        UserError: When the tokenizer is no fast one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(f"{purpose}, which only a fast tokenizer tells; take another.")
    most = getattr(model_options, "most_tokens", None)
    most = most() if callable(most) else most
    pad_with_end(tokenizer)
    fit_to_model(tokenizer, most)
    return min(options.max_length, most or options.max_length)


def batch_options(options: Labelled, tokenizer: Any, longest: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of `LabelledBatches`, whatever the rows are.

    Args:
        options: The data set.
        tokenizer: The tokenizer.
        longest: The most tokens of a row.
        facts: What is known of the data, beside its source and the tokenizer.

    Returns:
        By the names of its parameters.
    """
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return {
        "pad": pad or 0,
        "batch_size": options.batch_size,
        "longest": longest,
        "shuffle": options.shuffle and options.split == "train",
        "grouping": options.grouping,
        "replicates": options.replicates if options.split == "test" else 0,
        "facts": {"source": options.source_facts(), "tokenizer": tokenizer_fingerprint(tokenizer), **facts},
    }


UNREAD = {"name", "path", "revision", "labels", "batch_size", "max_length", "shuffle", "grouping", "replicates"}
UNREAD |= {"template", "generate", "repeat"}  # which say what becomes of the text
Each = TypeVar("Each")


def items(options: Labelled) -> tuple[Item, ...]:
    """Return the sentences or texts of a data set that belong to its split; read once, while their files are the same.

    Args:
        options: The data set.

    Returns:
        The items, at least one.
    """
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: Labelled, key: str) -> tuple[Item, ...]:
    """Read a data set.

    Args:
        options: The data set.
        key: Says in what state its files are.

    Returns:
        The items, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, options.items(), lambda item: item.texts)


def belongs(options: Labelled, texts: tuple[str, ...]) -> bool:
    """Return whether a sentence is of the data set's split, by the hash of its text."""
    if not options.holdout:
        return True
    text = "\n".join(texts).encode("utf-8", "surrogatepass")
    place = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64
    split = "validation" if place < options.holdout else "test" if place < 2 * options.holdout else "train"
    return options.split == split


def of_split(
    options: Labelled, everything: Iterable[Each], texts: Callable[[Each], tuple[str, ...]]
) -> tuple[Each, ...]:
    """Return what belongs to the split of a data set, of all that its files hold.

    Args:
        options: The data set.
        everything: All of it.
        texts: By the hash of which texts each belongs to a split.

    Returns:
        At least one, and no more than are asked for.

    Raises:
        UserError: When there is none.
    """
    in_split = (each for each in everything if belongs(options, texts(each)))
    chosen = tuple(itertools.islice(in_split, options.sentences or None))
    if not chosen:
        raise UserError(f"There is nothing for the {options.split} split. Raise --holdout, or leave it out.")
    return chosen


def check_no_overlap(
    options: Labelled, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any = None
) -> None:
    """Refuse a held-out set that has sentences of the training set: of this sentence, or of the model's own run.

    Args:
        options: The data set that is read.
        dataset_options: All data sets of the sentence.
        model_options: The model of the sentence; its `source` may be a run.

    Raises:
        UserError: When both read the same file, and not by the same share that is held out.
    """
    for other in dataset_options.values():
        if not isinstance(other, Labelled) or (options.split == "train") == (other.split == "train"):
            continue
        ours, theirs = (set(getattr(each, "languages", ())) for each in (options, other))
        if ours and theirs and not ours & theirs and options.tells_languages_apart:
            continue  # other rows of a file with several languages
        shared = set(options.source_facts()["files"].values()) & set(other.source_facts()["files"].values())
        if shared and not (options.holdout == other.holdout > 0):
            held_out = max(options, other, key=lambda each: each.split != "train")
            raise UserError(
                f"The {held_out.split} set reads {called(held_out)}, as the training set does. "
                "So that they share no sentence, say the same --holdout in both, .1 perhaps."
            )
    if options.split != "train":
        check_not_trained_on(options, getattr(model_options, "source", None))


def called(options: Labelled) -> str:
    """Return what to call the files of a data set in a message; of the hub its name."""
    return ", ".join(map(str, options.sources().values())) or ", ".join(options.source_facts()["files"])


def check_not_trained_on(options: Labelled, source: str | None) -> None:
    """Refuse a held-out set in a file that a model was trained on.

    Args:
        options: The data set.
        source: What the model was opened from; only runs say what they were trained on.

    Raises:
        UserError: When the model's run trained on the file, and not by the same share that is held out.
    """
    folder = run_of(source)
    if folder is None:
        return
    trained = read_run(folder).get("facts", {}).get("dataset", {}).get("train", {}).get("source", {})
    trained_options = trained.get("options", {})
    if "dataset" not in trained or (options.tells_languages_apart and overlaps_no_language(options, trained_options)):
        return
    shared = set(options.source_facts()["files"].values()) & set(trained.get("files", {}).values())
    if shared and not (options.holdout == trained_options.get("holdout", 0) > 0):
        raise UserError(
            f"The {options.split} set reads {called(options)}, which {folder} was "
            "trained on. Name another file, or hold out the same share as there by --holdout."
        )


def overlaps_no_language(options: Labelled, trained: Mapping[str, Any]) -> bool:
    """Return whether a data set has no language in common with the options of another."""
    ours, theirs = set(getattr(options, "languages", ())), set(trained.get("languages", ()))
    return bool(ours and theirs) and not ours & theirs


def source_facts(options: Labelled) -> dict[str, Any]:
    """Return what the text and its labels depend on, as JSON: the options, and the SHA-256 of each file."""
    values = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in UNREAD}
    plain = (bool, int, float, tuple, type(None))
    saved = {name: value if isinstance(value, plain) else str(value) for name, value in values.items()}
    files = {name: fingerprint(path) for name, path in options.sources().items()}
    return {"dataset": getattr(type(options), "__command__", ""), "options": saved, "files": files}


def documents(options: Labelled) -> Iterator[Document]:
    """Yield the sentences, as running text with a blank between words, or the texts, each as a document."""
    for item in items(options):
        for text in [" ".join(item.texts)] if options.of_words else item.texts:
            yield Document(text)


def label_names(options: Labelled) -> tuple[str, ...]:
    """Return the labels of a data set: all that there can be, or those in it, sorted; of tags of IOB2 the beginning and
    the inside of every type, `O` first.
    """
    if known := options.every_label():
        return known
    labels = {label for item in items(options) for label in item.labels if label is not None}
    if options.entities:
        return tags_of({label[2:] for label in labels if label != "O"})
    return tuple(sorted(labels))


def tags_of(types: set[str]) -> tuple[str, ...]:
    """Return the tags of IOB2 for some types of entities."""
    return ("O", *(f"{prefix}-{kind}" for kind in sorted(types) for prefix in "BI"))


def decided_labels(
    options: Labelled, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
) -> tuple[str, ...]:
    """Return the labels that all data sets of a run and its model share, in their order.

    Args:
        options: The data set that asks.
        dataset_options: All data sets.
        model_options: The model; its `known_labels` are those of a trained classifier.

    Returns:
        What --labels says; those of the model, if it knows all of the training set; else those of the training set.

    Raises:
        UserError: When there is neither a training set nor a trained classifier.
    """
    if options.labels:
        return options.labels
    sets = [each for (split, _), each in dataset_options.items() if split == "train" and hasattr(each, "labels")]
    names = (sets[0].labels or label_names(sets[0])) if sets else ()
    known = tuple(getattr(model_options, "known_labels", tuple)())
    if known and set(names) <= set(known):
        return known
    if not names:
        raise UserError(
            "The labels are not known. Add the training set, name a trained classifier by --from, or say --labels."
        )
    return names


def numbered(options: Labelled, read: Sequence[Item], names: Sequence[str]) -> NDArray[numpy.int64]:
    """Return the numbers of all labels.

    Args:
        options: Where they are from.
        read: The sentences or texts.
        names: The labels, in their order.

    Returns:
        `(labels,)`, -100 where there is none.

    Raises:
        UserError: When a label is none of the names; it says the file and the line.
    """
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    numbers[None] = UNLABELLED
    try:
        return numpy.array([numbers[label] for item in read for label in item.labels], numpy.int64)
    except KeyError as error:
        (label,) = error.args
        some = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise UserError(
            f"{options.line_of(label)}: the label {label!r:.40} of the {options.split} set is none that the model is "
            f"trained on ({some}). Name all labels by --labels, or correct the file."
        ) from None


def batches(
    options: Labelled, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
) -> LabelledBatches:
    """Return the batches of a data set; arguments as of `Labelled.build`.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        dataset_options: All data sets of the sentence.
        model_options: The model of the sentence.

    Returns:
        The data set. `UserError` is raised by `check_no_overlap` when it shares sentences with another, by
        `longest_row`
        when the tokenizer is no fast one, and by `numbered` when a label is unknown.
    """
    check_no_overlap(options, dataset_options, model_options)
    longest = longest_row(options, tokenizer, model_options)
    names, read = decided_labels(options, dataset_options, model_options), items(options)
    labels = numbered(options, read, names)
    make_rows = word_rows if options.of_words else text_rows
    rows = make_rows(tokenizer, [item.texts for item in read], labels, longest)
    facts = {
        "labels": list(names),
        "sentences": len(read),
        "rows": len(rows),
        "tokens": len(rows.tokens),
        "max_length": longest,
    }
    return LabelledBatches(
        rows, read, names, entities=options.entities, **batch_options(options, tokenizer, longest, facts)
    )
