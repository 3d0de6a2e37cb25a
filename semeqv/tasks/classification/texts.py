"""Data sets of texts with a label, from files: XNLI, and any table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from semeqv.engine.component import component
from semeqv.tasks.classification.options import InFiles, Item, Labelled


@component("dataset xnli")
@dataclass(frozen=True, kw_only=True)
class Xnli(InFiles):
    """Pairs of sentences, of which the first entails the second, contradicts it, or neither (Conneau et al., 2018).

    arXiv 1809.05053. Files are found by their names, `xnli.dev.en.tsv`, in --path or anywhere in $SEMEQV_DATA; a file
    with a column `language` holds several. Scores are accuracy and macro F1.
    """

    of_words: ClassVar[bool] = False

    @property
    def tells_languages_apart(self) -> bool:
        """Whether every file has a column `language`."""
        from semeqv.text.readers.xnli import has_languages

        return all(map(has_languages, self.sources().values()))

    def sources(self) -> Mapping[str, Path]:
        """The file of each language."""
        from semeqv.tasks.classification.finding import find_files

        words = ("xnli",) if self.path is None else ()
        return find_files(self.path, self.languages, None if self.holdout else self.split, (".tsv", ".txt"), words)

    def items(self) -> Iterator[Item]:
        """The pairs, language by language.

        Yields:
            Each with its label.

        Raises:
            UserError: When several languages are asked of a file that does not tell them apart.
        """
        from semeqv.engine.errors import UserError
        from semeqv.text.readers.xnli import has_languages, read_labelled

        files = list(self.sources().values())
        if len(files) < len(self.languages):
            for file in files:
                if not has_languages(file):
                    raise UserError(f"{file} has no column `language`: say one of --languages, or a file for each.")
        for language, file in zip(self.languages, files * len(self.languages) if len(files) == 1 else files):
            for pair in read_labelled(file, language):
                yield Item(pair.texts, (pair.label,))

    def every_label(self) -> tuple[str, ...]:
        """The three."""
        from semeqv.text.readers.xnli import LABELS

        return LABELS

    def line_of(self, label: str) -> str:
        """The files: their reader refuses labels that are none of XNLI."""
        return ", ".join(map(str, self.sources().values()))


@component("dataset labelled")
@dataclass(frozen=True, kw_only=True)
class Table(Labelled):
    """Texts with a label, from a table or from JSON lines: topics, sentiment, pairs of sentences.

    A file named `.jsonl` or `.json` has an object a line; any other is a table, with tabs between its columns. Scores
    are accuracy and macro F1.

    Args:
        path: The file.
        columns: The column of the text, or those of the two texts, by their names in the header or their numbers; of
            JSON lines the fields, `translation.en` for one in another.
        label: The column of the label.
        header: Whether the first line names the columns; so it is if left out, when --columns are names.
        quoted: Whether fields may stand in double quotes, as in CSV.
        separator: What stands between columns, if not a tab.
    """

    of_words: ClassVar[bool] = False

    path: Path = field()
    columns: tuple[str, ...] = ("text",)
    label: str = "label"
    header: bool | None = None
    quoted: bool = False
    separator: str = "\t"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.columns) not in (1, 2):
            raise ValueError(f"--columns takes one column or two, not {len(self.columns)}.")
        if len(self.separator) != 1:
            raise ValueError(f"--separator is one character, not {self.separator!r}.")

    def sources(self) -> Mapping[str, Path]:
        """The file."""
        from semeqv.text.location import locate

        file = locate(str(self.path), self.path)
        return {file.name: file}

    def rows(self) -> Iterator[tuple[int, tuple[str, ...], str]]:
        """The rows of the file; yields the line of each, its texts and its label."""
        from semeqv.tasks.classification.finding import uncompressed_name
        from semeqv.text.readers import jsonl, table

        (file,) = self.sources().values()
        asked = [*self.columns, self.label]
        if uncompressed_name(file).endswith((".jsonl", ".json")):
            for row in jsonl.read_rows(file, asked):
                yield row.line, row.values[:-1], row.values[-1]
            return
        numbers = all(column.isdigit() for column in asked)
        columns = [int(column) if numbers else column for column in asked]
        header = not numbers if self.header is None else self.header
        for row in table.read_rows(file, columns, header=header, quoted=self.quoted, separator=self.separator):
            yield row.line, row.values[:-1], row.values[-1]

    def items(self) -> Iterator[Item]:
        """The texts; an empty label is none."""
        for _, texts, label in self.rows():
            yield Item(texts, (label or None,))

    def line_of(self, label: str) -> str:
        """The first line that has it in the column."""
        (file,) = self.sources().values()
        line = next(line for line, _, said in self.rows() if said == label)
        return f"{file}, line {line}"
