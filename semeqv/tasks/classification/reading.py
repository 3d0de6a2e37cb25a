"""Labelled data as it is read: which sentences, which labels, and the batches that they become."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.reading import read_run
from semeqv.tasks.classification.batches import LabelledBatches
from semeqv.tasks.classification.batching import batch_options, longest_row
from semeqv.tasks.classification.rows import UNLABELLED, text_rows, word_rows
from semeqv.tasks.overlap import run_of
from semeqv.text.cache import key_of
from semeqv.text.files import fingerprint
from semeqv.text.records import Document

if TYPE_CHECKING:
    from semeqv.tasks.classification.options import Item, Labelled

UNREAD = {"name", "path", "revision", "labels", "batch_size", "max_length", "shuffle", "grouping", "replicates"}
UNREAD |= {"template", "generate", "repeat"}  # which say what becomes of the text
Each = TypeVar("Each")


def items(options: Labelled) -> tuple[Item, ...]:
    """The sentences or texts of a data set that belong to its split; read once, while their files are the same.

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
    """Whether a sentence is of the data set's split, by the hash of its text."""
    if not options.holdout:
        return True
    text = "\n".join(texts).encode("utf-8", "surrogatepass")
    place = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64
    split = "validation" if place < options.holdout else "test" if place < 2 * options.holdout else "train"
    return options.split == split


def of_split(options: Labelled, every: Iterable[Each], texts: Callable[[Each], tuple[str, ...]]) -> tuple[Each, ...]:
    """What belongs to the split of a data set, of all that its files hold.

    Args:
        options: The data set.
        every: All of it.
        texts: By the hash of which texts each belongs to a split.

    Returns:
        At least one, and no more than are asked for.

    Raises:
        UserError: When there is none.
    """
    ours = (each for each in every if belongs(options, texts(each)))
    found = tuple(itertools.islice(ours, options.sentences or None))
    if not found:
        raise UserError(f"There is nothing for the {options.split} split. Raise --holdout, or leave it out.")
    return found


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
    from semeqv.tasks.classification.options import Labelled

    for other in dataset_options.values():
        if not isinstance(other, Labelled) or (options.split == "train") == (other.split == "train"):
            continue
        ours, theirs = (set(getattr(each, "languages", ())) for each in (options, other))
        if ours and theirs and not ours & theirs and options.tells_languages_apart:
            continue  # other rows of a file with several languages
        shared = set(options.source_facts()["files"].values()) & set(other.source_facts()["files"].values())
        if shared and not (options.holdout == other.holdout > 0):
            held = max(options, other, key=lambda each: each.split != "train")
            raise UserError(
                f"The {held.split} set reads {called(held)}, as the training set does. "
                "So that they share no sentence, say the same --holdout in both, .1 perhaps."
            )
    if options.split != "train":
        check_not_trained_on(options, getattr(model_options, "source", None))


def called(options: Labelled) -> str:
    """What to call the files of a data set in a message; of the hub its name."""
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
    said = trained.get("options", {})
    if "dataset" not in trained or (options.tells_languages_apart and overlaps_no_language(options, said)):
        return
    shared = set(options.source_facts()["files"].values()) & set(trained.get("files", {}).values())
    if shared and not (options.holdout == said.get("holdout", 0) > 0):
        raise UserError(
            f"The {options.split} set reads {called(options)}, which {folder} was "
            "trained on. Name another file, or hold out the same share as there by --holdout."
        )


def overlaps_no_language(options: Labelled, said: Mapping[str, Any]) -> bool:
    """Whether a data set has no language in common with the options of another."""
    ours, theirs = set(getattr(options, "languages", ())), set(said.get("languages", ()))
    return bool(ours and theirs) and not ours & theirs


def source_facts(options: Labelled) -> dict[str, Any]:
    """What the text and its labels depend on, as JSON: the options, and the SHA-256 of each file."""
    values = {each.name: getattr(options, each.name) for each in fields(options) if each.name not in UNREAD}
    plain = (bool, int, float, tuple, type(None))
    said = {name: value if isinstance(value, plain) else str(value) for name, value in values.items()}
    files = {name: fingerprint(path) for name, path in options.sources().items()}
    return {"dataset": getattr(type(options), "__command__", ""), "options": said, "files": files}


def documents(options: Labelled) -> Iterator[Document]:
    """The sentences, as running text with a blank between words, or the texts; yields each as a document."""
    for item in items(options):
        for text in [" ".join(item.texts)] if options.of_words else item.texts:
            yield Document(text)


def label_names(options: Labelled) -> tuple[str, ...]:
    """The labels of a data set: all that there can be, or those in it, sorted; of tags of IOB2 the beginning and the
    inside of every type, `O` first.
    """
    if known := options.every_label():
        return known
    found = {label for item in items(options) for label in item.labels if label is not None}
    if options.entities:
        return tags_of({label[2:] for label in found if label != "O"})
    return tuple(sorted(found))


def tags_of(types: set[str]) -> tuple[str, ...]:
    """The tags of IOB2 for some types of entities."""
    return ("O", *(f"{prefix}-{kind}" for kind in sorted(types) for prefix in "BI"))


def decided_labels(
    options: Labelled, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
) -> tuple[str, ...]:
    """The labels that all data sets of a run and its model share, in their order.

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
    said = (sets[0].labels or label_names(sets[0])) if sets else ()
    known = tuple(getattr(model_options, "known_labels", tuple)())
    if known and set(said) <= set(known):
        return known
    if not said:
        raise UserError(
            "The labels are not known. Add the training set, name a trained classifier by --from, or say --labels."
        )
    return said


def numbered(options: Labelled, read: Sequence[Item], names: Sequence[str]) -> NDArray[numpy.int64]:
    """The numbers of all labels.

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
    """The batches of a data set; arguments as of `Labelled.build`.

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
    made = word_rows if options.of_words else text_rows
    rows = made(tokenizer, [item.texts for item in read], labels, longest)
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
