"""Corpora of one language: plain text, tables, JSON lines, WikiText-2, data sets of the hub."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.text.datasets.corpus import Corpus, FileCorpus, OneFile, checked_languages, deciding
from semeqv.text.datasets.tokenised import batches_of_tokens
from semeqv.text.location import locate
from semeqv.text.readers.hub import commit
from semeqv.text.readers.plain import read_documents
from semeqv.text.readers.table import read_rows


@dataclass(frozen=True, kw_only=True)
class SingleFile(OneFile):
    """Options of a corpus of one language in a file.

    Args:
        language: The code of its language.
    """

    language: str = "en"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_languages((self.language,))


@component("dataset plain")
@dataclass(frozen=True, kw_only=True)
class Plain(SingleFile):
    """A file of plain text, --path; compressed, or in an archive, or not.

    Args:
        unit: What a document is: a line, the lines between blank ones, or the whole file.
    """

    unit: Literal["line", "block", "file"] = "line"

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The documents."""
        for document in read_documents(self.file(), self.unit, self.language):
            yield document.text, {self.language: document.text}


@component("dataset jsonl")
@dataclass(frozen=True, kw_only=True)
class Jsonl(SingleFile):
    """A file with a JSON object on each line, --path; compressed, or in an archive, or not.

    Args:
        field: The field that holds the text; in objects in objects with dots: `meta.text`.
    """

    field: str = "text"

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The documents."""
        from semeqv.text.readers.jsonl import read_rows

        for row in read_rows(self.file(), [self.field]):
            yield row.values[0], {self.language: row.values[0]}


@component("dataset tsv")
@dataclass(frozen=True, kw_only=True)
class Tsv(OneFile):
    """A table with columns set apart by tabs, --path: a column of text for each language.

    Args:
        columns: The columns to read: names, as the first line has them, or numbers from 1.
        languages: The code of the language of each column.
        header: Whether the first line names the columns; if left out, it does when --columns are names, or when it says
            what tables call their columns.
    """

    columns: tuple[str, ...] = ("1",)
    languages: tuple[str, ...] = ("en",)
    header: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_languages(self.languages)
        if not all(self.columns):
            raise ValueError("--columns has a column without a name.")
        if len(self.columns) != len(self.languages):
            raise ValueError(f"--columns says {len(self.columns)} columns and --languages {len(self.languages)}.")

    def pivot(self) -> str:
        """The column that decides."""
        return self.columns[self.languages.index(deciding(self.languages))]

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The rows of the table."""
        numbers = all(column.isascii() and column.isdecimal() for column in self.columns)
        columns = [int(column) for column in self.columns] if numbers else list(self.columns)
        decides = self.columns.index(self.pivot())
        for row in read_rows(
            self.file(), columns, header=(None if numbers else True) if self.header is None else self.header
        ):
            yield row.values[decides], dict(zip(self.languages, row.values))


@component("dataset wikitext2")
@dataclass(frozen=True, kw_only=True)
class WikiText2(FileCorpus):
    """WikiText-2 in its raw form (Merity et al., 2017, arXiv 1609.07843), read as one text, as is customary.

    Its lines, headings and blank ones among them, stand as in the file, with line feeds between. Read from
    `wikitext2_raw/wiki.{train,valid,test}.raw` under $SEMEQV_DATA.

    Args:
        unit: What a document is: the whole file, or a line, blank ones left out.
    """

    unit: Literal["file", "line"] = "file"

    def sources(self) -> Mapping[str, Path]:
        """The file of the split."""
        part = {"train": "train", "validation": "valid", "test": "test"}[self.split]
        file = locate(f"wikitext2_raw/wiki.{part}.raw", self.path)
        return {file.name: file}

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The documents."""
        (file,) = self.sources().values()
        for document in read_documents(file, self.unit, "en"):
            yield document.text, {"en": document.text}


@component("dataset hub")
@dataclass(frozen=True, kw_only=True)
class Hub(Corpus):
    """A data set of the Hugging Face hub, streamed by name (needs the `data` extra): `--of bookcorpus --field text`.

    Args:
        of: The data set: `wikimedia/wikipedia`.
        field: The field that holds the text; in objects in objects with dots: `translation.en`.
        language: The code of its language.
        configuration: Which of its configurations, if it has several: `20231101.sw`.
        part: The part of it to read.
        revision: A commit, for results that can be repeated, and which needs no connection once it is tokenised; what
            the data set is now if left out.
    """

    of: str
    field: str = "text"
    language: str = "en"
    configuration: str | None = None
    part: str = "train"
    revision: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_languages((self.language,))

    def sources(self) -> Mapping[str, Path]:
        """None, as nothing of it is kept but its tokens; the folder, where it is one on the disk."""
        folder = Path(self.of).expanduser()
        return {folder.name: folder} if folder.is_dir() else {}

    def commit(self) -> str | None:
        """The commit that is read; None of a folder."""
        return None if self.sources() else commit(self.of, self.revision)

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on."""
        found = super().source_facts()
        return found | {"options": found["options"] | {"revision": self.commit()}}

    def texts(self) -> set[str]:
        """The name of the part that is read."""
        return {f"{self.of} {self.configuration} {self.part}"}

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The texts."""
        from semeqv.text.readers.hub import read_rows

        for row in read_rows(self.of, [self.field], self.part, self.configuration, self.commit()):
            yield row.values[0], {self.language: row.values[0]}


@component("dataset tokens")
@dataclass(frozen=True, kw_only=True)
class TokenCorpus(SingleFile):
    """Tokens as nanoGPT writes them, numbers one after the other (`train.bin`), for the tokenizer that made them.

    Name that tokenizer: `cli tokenizer load --from gpt2`. Documents end with its token for the end of a text.

    Args:
        bits: Of each number: 16 or 32.
    """

    knows_text: ClassVar[bool] = False

    bits: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bits not in (16, 32):
            raise ValueError(f"--bits are 16 or 32, not {self.bits}.")
        if self.holdout or self.documents or self.joined:
            raise ValueError("--holdout, --documents and --joined are for text; these are tokens already.")

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Refuse: there is no text. Raises `UserError`."""
        raise UserError(f"{self.path} holds tokens, not text; name the text itself for what reads text.")

    def build(
        self,
        tokenizer: Any,
        model_options: Any = None,
        dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    ) -> Any:
        """The data, read from the file as it is.

        Args:
            tokenizer: The tokenizer that made the tokens.
            model_options: Its `objective` is what the model is for.
            dataset_options: The data sets of the sentence; one that is held out is another file than the training set.

        Returns:
            Batches of `input_ids`, `labels` and, where rows are padded, `attention_mask`.
        """
        self.check_held_out(dataset_options)
        rows = self.row_options(self.objective or str(getattr(model_options, "objective", "causal")))
        return batches_of_tokens(
            self.file(), rows, tokenizer, bits=self.bits, language=self.language, source=self.source_facts()
        )
