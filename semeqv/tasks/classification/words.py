"""Data sets of words with labels, from files: CoNLL-U and IOB2."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.notices import notice_once
from semeqv.tasks.classification.dataset import InFiles, Item
from semeqv.tasks.classification.finding import find_files
from semeqv.tasks.prompting.options import PromptedWords
from semeqv.text.files import lines
from semeqv.text.readers import conllu, iob2
from semeqv.text.readers.columns import read_sentences
from semeqv.text.records import UNSAID

# How files with a word a line end, an empty ending standing for none.
COLUMNS = (".iob2", ".iob", ".bio", ".conll", ".conll02", ".conll03", ".txt", ".tsv", ".annotated", "")


@dataclass(frozen=True, kw_only=True)
class Treebank(InFiles):
    """Options of a treebank.

    Args:
        treebank: A word of the files' names that distinguishes treebanks of one language: ewt, pud.
    """

    treebank: str | None = None

    endings: ClassVar[tuple[str, ...]] = (".conllu", "")
    stored: ClassVar[tuple[str, ...]] = (".parquet",)  # as on the hub, where it is named

    def sources(self) -> Mapping[str, Path]:
        """Return the file of each language."""
        split = None if self.holdout else self.split
        endings = self.endings if self.path is None else (*self.endings, *self.stored)
        return find_files(self.path, self.languages, split, endings, (self.treebank,) if self.treebank else ())


@component("dataset conllu")
@dataclass(frozen=True, kw_only=True)
class ConllU(Treebank, PromptedWords):
    """Words of a treebank (CoNLL-U, Universal Dependencies) with what one of its columns says: `--column upos`.

    Files are found by their names, `en_ewt-ud-train.conllu`, in --path or anywhere in $SEMEQV_DATA; in --path they may
    also be Parquet, as on the hub, with columns `tokens`, `upos`, ... Words whose column is empty have no label. Scores
    are accuracy and macro F1.

    Args:
        column: The column: the universal part of speech, the treebank's own one, the features, or the relation.
    """

    column: Literal["upos", "xpos", "feats", "deprel"] = "upos"

    def items(self) -> Iterator[Item]:
        """Yield the sentences."""
        for file in self.sources().values():
            for sentence in conllu.read_sentences(file):
                labels = [getattr(word, self.column) for word in sentence.words]
                forms = tuple(word.form for word in sentence.words)
                yield Item(forms, tuple(None if label == UNSAID else label for label in labels))

    def line_of(self, label: str) -> str:
        """Return the first line that has it in the column."""
        place = conllu.COLUMNS.index(self.column.upper())
        for file in self.sources().values():
            for number, line in () if file.name.endswith(".parquet") else lines(file):
                columns = line.split("\t")
                if len(columns) == len(conllu.COLUMNS) and columns[place] == label:
                    return f"{file}, line {number}"
        return ", ".join(map(str, self.sources().values()))


@component("dataset ner")
@dataclass(frozen=True, kw_only=True)
class Ner(Treebank, PromptedWords):
    """Words with the tags of named entities, a word a line (IOB2): UNER, WikiNEuRal, MultiCoNER, WNUT, ...

    Files are found by their names, `en_ewt-ud-train.iob2`, `en-val.iob`, in --path or anywhere in $SEMEQV_DATA; in
    --path they may also be Parquet, as on the hub, with columns `tokens` and `ner_tags`. Scores are F1, precision and
    recall of whole entities (seqeval's, strict).

    Args:
        outside: Types of entities to read as no entity.
        rename: Types to read as others, `PERSON=PER`.
        prefix: What stands before the words and a colon, and is not read: `en` of WikiANN's `en:Rome`. Found by itself
            where every word of a file begins with the same code of a language; empty to read words as they are.
        convert: Let an I- that follows no entity of its type begin one; else it is refused.
        word_column: The column of the words, counted from 1, if it cannot be told from the file.
        tag_column: The column of the tags.
    """

    endings: ClassVar[tuple[str, ...]] = COLUMNS

    outside: tuple[str, ...] = ()
    rename: tuple[str, ...] = ()
    prefix: str | None = None
    convert: bool = False
    word_column: int | None = None
    tag_column: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.word_column is None) != (self.tag_column is None):
            raise ValueError("--word_column and --tag_column go together; say both.")
        if wrong := [said for said in self.rename if not all(said.partition("="))]:
            raise ValueError(f"--rename says an old and a new type, PERSON=PER, not {wrong[0]!r}.")

    @property
    def entities(self) -> bool:
        """They are judged by the entities that they mark."""
        return True

    def items(self) -> Iterator[Item]:
        """Yield the sentences."""
        columns = (self.word_column, self.tag_column) if self.word_column and self.tag_column else None
        for file in self.sources().values():
            prefix = f"{self.prefix}:" if self.prefix else ""
            if self.prefix is None and (prefix := iob2.prefix_of(file, columns)):
                notice_once(f'{file}: every word begins with {prefix!r}, which is left out (--prefix "" keeps it).')
            for sentence in iob2.read_sentences(file, columns, self.convert, prefix):
                yield Item(
                    tuple(word.form for word in sentence.words), tuple(self.read(word.tag) for word in sentence.words)
                )

    def read(self, tag: str) -> str:
        """Return a tag as it is read: `B-PERSON` perhaps as `B-PER`, or as `O`."""
        kind = tag[2:]
        return "O" if kind in self.outside or tag == "O" else tag[:2] + self.renamed.get(kind, kind)

    @functools.cached_property
    def renamed(self) -> dict[str, str]:
        """By the types of the files, those to read."""
        return {old: new for old, _, new in (said.partition("=") for said in self.rename)}

    def line_of(self, label: str) -> str:
        """Return the first line that says it."""
        for file in self.sources().values():
            for _, rows in iob2.blocks(file):
                for number, fields in rows:
                    if label in fields:
                        return f"{file}, line {number}"
        return ", ".join(map(str, self.sources().values()))


@component("dataset tagged")
@dataclass(frozen=True, kw_only=True)
class Tagged(Treebank, PromptedWords):
    """Words with a label each, a word a line and an empty line after each sentence: parts of speech as `dog TAB NOUN`.

    Files are found by their names, `en/train`, `pos-test.de.tsv`, in --path or anywhere in $SEMEQV_DATA. Words whose
    label is `_` have none. Scores are accuracy and macro F1; for named entities take `cli dataset ner`.

    Args:
        prefix: What stands before every word and a colon, and is not read: `en` of `en:Rome`.
        word_column: The column of the words, counted from 1.
        label_column: The column of the labels; the last if left out.
    """

    endings: ClassVar[tuple[str, ...]] = COLUMNS
    stored: ClassVar[tuple[str, ...]] = ()

    prefix: str = ""
    word_column: int = 1
    label_column: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, word_column=1, label_column=1)

    def items(self) -> Iterator[Item]:
        """Yield the sentences."""
        prefix = f"{self.prefix}:" if self.prefix else ""
        for file in self.sources().values():
            for sentence in read_sentences(file, (self.word_column, self.label_column or -1), prefix):
                labels = (None if word.tag == UNSAID else word.tag for word in sentence.words)
                yield Item(tuple(word.form for word in sentence.words), tuple(labels))

    def line_of(self, label: str) -> str:
        """Return the first line that says it."""
        place = (self.label_column or 0) - 1
        for file in self.sources().values():
            for number, line in lines(file):
                fields = line.split("\t") if "\t" in line else line.split()
                if len(fields) > max(place, 0) and fields[place].strip() == label:
                    return f"{file}, line {number}"
        return ", ".join(map(str, self.sources().values()))
