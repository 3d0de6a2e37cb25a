"""Data sets of texts with a label, from files: XNLI, and any table."""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.dataset import InFiles, Item
from semeqv.tasks.classification.finding import find_files, uncompressed_name
from semeqv.tasks.prompting.options import PromptedTexts
from semeqv.text.location import data_folder, locate, stored
from semeqv.text.readers import hub, jsonl, parquet, table
from semeqv.text.readers.xnli import LABELS, has_languages, read_labelled, read_stream

MISSING = ("nan", "NaN", "NAN", "<NA>", "NaT", "null", "NULL")  # how programs write it in a table
PAIRS = "Text: {text} Other: {text2} Label:"
HUB_NAME = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
WHOLE = re.compile(r"^(-?\d+)\.0+$")


@component("dataset xnli")
@dataclass(frozen=True, kw_only=True)
class Xnli(InFiles, PromptedTexts):
    """Pairs of sentences, of which the first entails the second, contradicts it, or neither (Conneau et al., 2018).

    arXiv 1809.05053. Files are found by their names, `xnli.dev.en.tsv` or, as on the hub,
    `en/test-00000-of-00001.parquet`, in --path or anywhere in $SEMEQV_DATA; a file with a column `language` holds
    several. Scores are accuracy and macro F1.

    Args:
        path: A file, or a folder (or an archive) with a file for each language and split; or a data set of the Hugging
            Face hub whose configurations are languages, `facebook/xnli` (needs the `data` extra). All of $SEMEQV_DATA
            is searched if left out.
        revision: Of a data set of the hub: a commit, for results that can be repeated; what it is now if left out.
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer,
            `entailment`, `neutral` or `contradiction`: text with the fields {text} and {text2}. If left out, that
            of the training set, else "Premise: {text} Hypothesis: {text2} Label:". Not for models with a head.
    """

    of_words: ClassVar[bool] = False
    usual: ClassVar[str] = "Premise: {text} Hypothesis: {text2} Label:"

    revision: str | None = None

    @functools.cached_property
    def hub_name(self) -> str | None:
        """The name of the data set of the hub; None when a file or a folder is read."""
        if self.path is None or not re.fullmatch(HUB_NAME, str(self.path)):
            return None
        places = (self.path, *([data_folder() / self.path] if data_folder() else []))  # type: ignore[operator]
        return None if any(map(stored, places)) else str(self.path)

    def source_facts(self) -> dict[str, Any]:
        """Return what the pairs and their labels depend on; of the hub, the commit that is read and the part of it."""
        facts = super().source_facts()
        if self.hub_name is None:
            return facts
        commit = self.commit()
        parts = {each: f"{self.hub_name} {commit} {each} {self.hub_part}" for each in self.languages}
        files = {f"{self.hub_name} {each}": text for each, text in parts.items()}
        return facts | {"options": facts["options"] | {"revision": commit}, "files": files}

    def commit(self) -> str:
        """Return the commit of the data set of the hub."""
        return hub.commit(str(self.hub_name), self.revision)

    @property
    def hub_part(self) -> str:
        """The part of the data set of the hub; all splits are of the training part where they are held out."""
        return "train" if self.holdout else self.split

    @property
    def tells_languages_apart(self) -> bool:
        """Whether every file has a column `language`."""
        return all(map(has_languages, self.sources().values()))

    def sources(self) -> Mapping[str, Path]:
        """Return the file of each language."""
        if self.hub_name is not None:
            return {}
        words = ("xnli",) if self.path is None else ()
        return find_files(
            self.path, self.languages, None if self.holdout else self.split, (".tsv", ".txt", ".parquet"), words
        )

    def items(self) -> Iterator[Item]:
        """Yield the pairs, language by language.

        Yields:
            Each with its label.

        Raises:
            UserError: When several languages are asked of a file that does not tell them apart.
        """
        if self.hub_name is not None:
            for language in self.languages:
                for pair in read_stream(self.hub_name, language, self.hub_part, self.commit()):
                    yield Item(pair.texts, (pair.label,))
            return
        files = list(self.sources().values())
        if len(files) < len(self.languages):
            for file in files:
                if not has_languages(file):
                    raise UserError(f"{file} has no column `language`: say one of --languages, or a file for each.")
        for language, file in zip(self.languages, files * len(self.languages) if len(files) == 1 else files):
            for pair in read_labelled(file, language):
                yield Item(pair.texts, (pair.label,))

    def every_label(self) -> tuple[str, ...]:
        """Return the three labels of XNLI."""
        return LABELS

    def line_of(self, label: str) -> str:
        """Return the files: their reader refuses labels that are none of XNLI."""
        return ", ".join(map(str, self.sources().values())) or str(self.hub_name)


@component("dataset labelled")
@dataclass(frozen=True, kw_only=True)
class Table(PromptedTexts):
    """Texts with a label, from a table, JSON lines, Parquet or the hub: topics, sentiment, pairs of sentences.

    A file named `.jsonl` or `.json` has an object a line, `.parquet` is what the hub stores; any other is a table, with
    tabs between its columns. Scores are accuracy and macro F1.

    Args:
        path: The file.
        of: Instead of --path: a data set of the Hugging Face hub, `facebook/xnli`, or its folder (needs the `data`
            extra).
        configuration: Which of its configurations, if it has several: `de`.
        part: The part of it to read; that of the split, as the hub calls it, if left out.
        revision: A commit, for results that can be repeated; what the data set is now if left out.
        columns: The column of the text, or those of the two texts, by their names in the header or their numbers; of
            JSON lines the fields, `translation.en` for one in another.
        label: The column of the label.
        header: Whether the first line names the columns; if left out, it does when --columns are names, or when it says
            what tables call their columns.
        quoted: Whether fields may stand in double quotes, as in CSV.
        separator: What stands between columns, if not a tab.
    """

    of_words: ClassVar[bool] = False

    path: Path | None = None
    of: str | None = None
    configuration: str | None = None
    part: str | None = None
    revision: str | None = None
    columns: tuple[str, ...] = ("text",)
    label: str = "label"
    header: bool | None = None
    quoted: bool = False
    separator: str = "\t"

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.path is None) == (self.of is None):
            raise ValueError("Say where the texts are: by --path a file, or by --of a data set of the hub.")
        if len(self.columns) not in (1, 2):
            raise ValueError(f"--columns takes one column or two, not {len(self.columns)}.")
        if len(self.separator) != 1:
            raise ValueError(f"--separator is one character, not {self.separator!r}.")

    def usual_template(self) -> str:
        """Return the template of one text, or of two."""
        return self.usual if len(self.columns) == 1 else PAIRS

    def sources(self) -> Mapping[str, Path]:
        """Return the file; the folder of a data set of the hub on the disk, none of one that is streamed."""
        if self.of is not None:
            folder = Path(self.of).expanduser()
            return {folder.name: folder} if folder.is_dir() else {}
        file = locate(str(self.path), self.path)
        return {file.name: file}

    def source_facts(self) -> dict[str, Any]:
        """Return what the text and its labels depend on; of the hub, the commit that is read and the part of it."""
        facts = super().source_facts()
        if self.of is None:
            return facts
        commit = None if self.sources() else self.commit()
        files = {key: f"{value} {self.configuration} {self.hub_part}" for key, value in facts["files"].items()}
        files = files or {self.of: f"{self.of} {commit} {self.configuration} {self.hub_part}"}
        return facts | {"options": facts["options"] | {"revision": commit}, "files": files}

    def commit(self) -> str:
        """Return the commit of the data set of the hub."""
        return hub.commit(str(self.of), self.revision)

    @property
    def hub_part(self) -> str:
        """The part of a data set of the hub."""
        return self.part or self.split

    def rows(self) -> Iterator[tuple[int, tuple[str, ...], str]]:
        """Yield the rows of the file: the line of each, its texts and its label."""
        names = [*self.columns, self.label]
        if self.of is not None:
            revision = None if self.sources() else self.commit()
            for row in hub.read_rows(self.of, names, self.hub_part, self.configuration, revision):
                yield row.line, row.values[:-1], row.values[-1]
            return
        (file,) = self.sources().values()
        if uncompressed_name(file).endswith((".jsonl", ".json", ".parquet")):
            reader = parquet if file.name.endswith(".parquet") else jsonl
            for row in reader.read_rows(file, names):
                yield row.line, row.values[:-1], row.values[-1]
            return
        numbers = all(column.isdigit() for column in names)
        columns = [int(column) if numbers else column for column in names]
        header = (None if numbers else True) if self.header is None else self.header
        read = list(table.read_rows(file, columns, header=header, quoted=self.quoted, separator=self.separator))
        if header is None:
            refuse_strange_first(file, [row.values[-1] for row in read])
        for row in read:
            texts = row.values[:-1] if self.separator == "\t" else tuple(text.strip(" ") for text in row.values[:-1])
            yield row.line, texts, self.plain(row.values[-1], f"{file}, line {row.line}")

    def plain(self, label: str, where: str) -> str:
        """Return a label of a table as it is read: without blanks around it, and 1.0, which programs write for 1, as 1.

        Args:
            label: The field.
            where: Where it stands, for the message.

        Returns:
            The label.

        Raises:
            UserError: When it is how programs write a missing value, and --labels does not name it.
        """
        plain = label.strip()
        if plain in self.labels:
            return plain
        if plain in MISSING:
            raise UserError(
                f"{where}: the label {plain!r} is how programs write that a value is missing. Leave the field empty; "
                "if it is a label, name all by --labels."
            )
        return WHOLE.sub(r"\1", plain)

    def items(self) -> Iterator[Item]:
        """Yield the texts; an empty label is none."""
        for _, texts, label in self.rows():
            yield Item(texts, (label or None,))

    def line_of(self, label: str) -> str:
        """Return the first line that has it in the column."""
        file = next(iter(self.sources().values()), self.of)
        line = next(line for line, _, said in self.rows() if said == label)
        return f"{file}, line {line}"


def refuse_strange_first(file: Path, labels: Sequence[str]) -> None:
    """Refuse a table whose first line may name its columns: its label is no other line's, and all others come again.

    Args:
        file: The table, for the message.
        labels: Of each line.

    Raises:
        UserError: When it is so.
    """
    counts = Counter(labels)
    if len(counts) > 1 and counts.pop(labels[0]) == 1 and min(counts.values()) > 1:
        raise UserError(
            f"{file}: the label {labels[0]!r:.40} of the first line is that of no other. Say --header if that line "
            "names the columns, else --no-header."
        )
