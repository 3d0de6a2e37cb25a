"""Treebanks as data sets: CoNLL-U files, sentences and their trees."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import click

from semeqv.grammar.component import alias, component
from semeqv.lazy import Integers, numpy
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.dataset import (
    Item,
    batch_options,
    check_no_overlap,
    decided_labels,
    longest_row,
    of_split,
)
from semeqv.tasks.classification.models import label_names
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.classification.words import Treebank
from semeqv.tasks.parsing.batches import TreeBatches
from semeqv.tasks.parsing.prompts import tree_prompts
from semeqv.tasks.parsing.rows import Trees, tree_rows
from semeqv.tasks.prompting.batches import PromptBatches
from semeqv.tasks.prompting.options import PromptContext, PromptedWords
from semeqv.text.cache import key_of
from semeqv.text.models.source import config_folder, read_config
from semeqv.text.readers.conllu import read_sentences
from semeqv.text.readers.sentences import is_text
from semeqv.text.readers.sentences import read_sentences as plain_sentences
from semeqv.text.records import UNSAID, Sentence


@component("dataset treebank")
@dataclass(frozen=True, kw_only=True)
class Dependencies(Treebank, PromptedWords):
    """Sentences of a treebank (CoNLL-U, Universal Dependencies) with their trees, for a parser.

    Files are found by their names, `en_ewt-ud-train.conllu`, in --path or anywhere in $SEMEQV_DATA. Words are what has
    a number of its own: tokens of several words and nodes that are not written are none. Plain text, a sentence a line
    in a file named `.txt`, can be parsed too: words and marks of punctuation are told apart. Scores are UAS and LAS,
    and UPOS of a parser that tags, as the CoNLL 2018 shared task counts them: relations without their subtypes.

    A causal language model writes the head and the relation of each word, `2:nsubj`; the tree is the one with most of
    these arcs. It reads no sentence that takes more than --max_length tokens with its tree, and `cli test` scores it.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer: text
            with the field {text}, the words with blanks between them. If left out, that of the training set, else
            "Text: {text} Tree:". Not for parsers.
        labels: All relations, where the training set lacks some. They are those of the training set if left out, or of
            the model, when it is a trained parser that knows all of them.
        max_length: The most tokens of a sentence, fewer where the model reads fewer at once; of a longer one, fewer
            tokens of each word are read, then fewer words.
        subtypes: Tell `acl:relcl` from `acl`; else relations are read without what stands behind the colon.
        annotated: Whether the files say trees; without them, sentences can be parsed, and nothing is scored.
    """

    usual: ClassVar[str] = "Text: {text} Tree:"

    max_length: int = alias("block_size", 256)
    subtypes: bool = False
    annotated: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.annotated and self.split == "train":
            raise ValueError("--no-annotated is not for training.")

    def items(self) -> Iterator[Item]:
        """Yield the sentences, each word with its relation."""
        for sentence in sentences(self):
            yield Item(tuple(word.form for word in sentence.words), tuple(relations_of(self, sentence)))

    def line_of(self, label: str) -> str:
        """Return the files."""
        return ", ".join(map(str, self.sources().values()))

    def head_batches(
        self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
    ) -> Any:
        """Return batches of `input_ids`, `words`, and heads (`labels`), `relations` and `tags`.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides relations and tags.
            model_options: The model, which decides them when it is a trained parser.

        Returns:
            The data set.
        """
        return batches(self, tokenizer, dataset_options, model_options)

    def prompt_batches(self, context: PromptContext) -> PromptBatches:
        """Return sentences as prompts, and their trees as answers."""
        bank, relations = treebank(self), context.labels(self)
        return tree_prompts(
            self,
            context.spelling,
            context.longest,
            relations,
            sentences=bank,
            gold=trees_of(self, bank, relations, ()),
            annotated=has_trees(self),
            repeat=context.repeat(self.repeat),
        )


def sentences(options: Dependencies) -> tuple[Sentence, ...]:
    """Return all sentences of the files of a treebank, read once while their files are the same.

    Args:
        options: The treebank; where it is annotated each sentence must be a tree.

    Returns:
        The sentences, at least one.
    """
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: Dependencies, key: str) -> tuple[Sentence, ...]:
    """Read a treebank.

    Args:
        options: The treebank.
        key: Says in what state its files are.

    Returns:
        All sentences of its files.

    Raises:
        UserError: When plain text, which has no trees, is the training set.
    """
    bank = list[Sentence]()
    for file in options.sources().values():
        if not is_text(file):
            bank += read_sentences(file, tree=options.annotated)
        elif options.split == "train":
            raise UserError(f"{file} is plain text, which has no trees to train on; name a treebank (*.conllu).")
        else:
            bank += plain_sentences(file)
    return tuple(bank)


def has_trees(options: Dependencies) -> bool:
    """Return whether the files of a treebank say trees: those of plain text do not."""
    return options.annotated and not any(map(is_text, options.sources().values()))


def treebank(options: Dependencies) -> tuple[Sentence, ...]:
    """Return the sentences of a treebank that belong to its split.

    Args:
        options: The treebank.

    Returns:
        The sentences, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, sentences(options), lambda sentence: tuple(word.form for word in sentence.words))


def relations_of(options: Dependencies, sentence: Sentence) -> Iterator[str | None]:
    """Yield the relation of each word to its head, None where none is said, in the order of the words."""
    for word in sentence.words:
        relation = word.deprel if options.subtypes else universal(word.deprel)
        yield None if relation == UNSAID else relation


def universal(relation: str) -> str:
    """Return a relation without its subtype: `acl` of `acl:relcl`."""
    return relation.partition(":")[0]


def tag_names(options: Dependencies) -> tuple[str, ...]:
    """Return the parts of speech in a treebank, sorted."""
    return tuple(sorted({word.upos for sentence in treebank(options) for word in sentence.words} - {UNSAID}))


def decided_tags(dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> tuple[str, ...]:
    """Return the parts of speech of a run: those of a trained parser if it knows all of the training set.

    Args:
        dataset_options: All data sets.
        model_options: The model; its `known_tags` are those of a trained parser, and `has_tagger` says whether it tags.

    Returns:
        Their names, else those of the training set; none when neither is there, or the parser does not tag.
    """
    if not getattr(model_options, "has_tagger", lambda: True)():
        return ()
    sets = [each for (split, _), each in dataset_options.items() if split == "train" and hasattr(each, "subtypes")]
    names = tag_names(sets[0]) if sets else ()
    known = tuple(getattr(model_options, "known_tags", tuple)())
    return known if set(names) <= set(known) else names


@dataclass(frozen=True)
class TrainedParser:
    """The relations and tags of a saved parser, for a component that opens any model.

    Args:
        relations: The names of the relations, by their numbers.
        tags: The names of the parts of speech.
    """

    relations: tuple[str, ...]
    tags: tuple[str, ...]

    def known_labels(self) -> tuple[str, ...]:
        """Return the relations."""
        return self.relations

    def known_tags(self) -> tuple[str, ...]:
        """Return the parts of speech."""
        return self.tags

    def has_tagger(self) -> bool:
        """Return whether there are any."""
        return bool(self.tags)


def with_trained_labels(model_options: Any) -> Any:
    """Return the model of a sentence, as one that is asked which labels it knows.

    Args:
        model_options: The component; `cli model load` does not know what it opens.

    Returns:
        The same, or the relations and tags of the parser that it names.
    """
    source = getattr(model_options, "source", None)
    if source is None or hasattr(model_options, "known_labels"):
        return model_options
    config = read_config(config_folder(source))
    return TrainedParser(label_names(config), tuple(config["parser"]["tags"])) if "parser" in config else model_options


def numbered(names: Sequence[str], labels: Iterator[str | None]) -> Integers:
    """Return the numbers of labels, `(labels,)`, -100 of what is none of the names."""
    numbers: dict[str | None, int] = {name: number for number, name in enumerate(names)}
    return numpy.array([numbers.get(label, UNLABELLED) for label in labels], numpy.int64)


def trees_of(
    options: Dependencies, sentences: Sequence[Sentence], relations: Sequence[str], tags: Sequence[str]
) -> Trees:
    """Return the trees of sentences as numbers, those of relations and tags by their names."""
    words = [word for sentence in sentences for word in sentence.words]
    return Trees(
        heads=numpy.array([UNLABELLED if word.head is None else word.head for word in words], numpy.int64),
        relations=numbered(relations, (label for sentence in sentences for label in relations_of(options, sentence))),
        tags=numbered(tags, (word.upos for word in words)),
    )


def batches(
    options: Dependencies, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
) -> TreeBatches:
    """Return the batches of a treebank; arguments as of `Dependencies.build`.

    Args:
        options: The treebank.
        tokenizer: A fast tokenizer of transformers.
        dataset_options: All data sets of the sentence.
        model_options: The model of the sentence.

    Returns:
        The data set. `UserError` is raised by `check_no_overlap` when it shares sentences with another, by
        `longest_row`
        when the tokenizer is no fast one, and by `decided_labels` when the relations are not known.
    """
    check_no_overlap(options, dataset_options, model_options)
    longest = longest_row(options, tokenizer, model_options)
    model, bank = with_trained_labels(model_options), treebank(options)
    relations, tags = decided_labels(options, dataset_options, model), decided_tags(dataset_options, model)
    trees = trees_of(options, bank, relations, tags)
    annotated = has_trees(options)
    if annotated:
        warn_unknown_relations(options, relations, bank)
    rows = tree_rows(tokenizer, [[word.form for word in sentence.words] for sentence in bank], trees, longest)
    facts = {
        "relations": list(relations),
        "tags": list(tags),
        "sentences": len(bank),
        "words": len(trees.heads),
        "unread_words": int((~rows.read).sum()),
        "tokens": len(rows.rows.tokens),
        "max_length": longest,
    }
    return TreeBatches(
        rows,
        bank,
        relations,
        tags,
        annotated=annotated,
        **batch_options(options, tokenizer, longest, facts),
    )


def warn_unknown_relations(options: Dependencies, relations: Sequence[str], bank: Sequence[Sentence]) -> None:
    """Say which relations of a treebank the parser does not know; they count as wrong, as the official scorer does."""
    known = {universal(name) for name in relations}
    relations_there = [universal(word.deprel) for sentence in bank for word in sentence.words]
    unknown = [relation for relation in relations_there if relation not in known]
    if unknown:
        names = sorted(set(unknown), key=unknown.count, reverse=True)
        some = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        click.echo(
            f"The parser does not know the relations of {len(unknown) / len(relations_there):.1%} of the words of the "
            f"{options.split} set{f' {options.name}' if options.name else ''}: {some}. They count as wrong.",
            err=True,
        )
