"""XNLI (Conneau et al., 2018, arXiv 1809.05053): premise, hypothesis and label as TSV.

In the Parquet files of the hub labels are numbers, in the order of `LABELS`. Three layouts of TSV are about: the files
of the corpus itself, all languages in one (`gold_label`, `sentence1`, `sentence2`, `language`), its translated training
sets (`label` written `contradictory`), and one file a language.
"""

from collections.abc import Iterator
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.files import lines, some
from semeqv.text.readers import hub, parquet, table
from semeqv.text.records import Labelled

LABELS = ("entailment", "neutral", "contradiction")
SYNONYMS = {"contradictory": "contradiction", **{str(number): label for number, label in enumerate(LABELS)}}
PARQUET = ".parquet"
LAYOUTS = (("label", "premise", "hypothesis"), ("label", "premise", "hypo"), ("gold_label", "sentence1", "sentence2"))


def read_labelled(path: Path, language: str = "") -> Iterator[Labelled]:
    """Read pairs of sentences with their labels.

    Raises `UserError` when a column is missing, a label is unknown, or there is no row of the language.

    Args:
        path: The file.
        language: The language of the texts; where the file has a column `language`, only its rows are read.

    Yields:
        Premise and hypothesis, and one of `LABELS`.
    """
    yield from some(pairs(path, language), path, f"pair in the language {language!r}" if language else "pair")


def header_of(path: Path) -> list[str]:
    """Return the names of a file's columns."""
    if path.name.endswith(PARQUET):
        return parquet.columns_of(path)
    return next((text.split("\t") for _, text in lines(path) if text), [])


def has_languages(path: Path) -> bool:
    """Return whether a file has a column `language`, and so may hold several."""
    return "language" in header_of(path)


def pairs(path: Path, language: str) -> Iterator[Labelled]:
    """The pairs of a language, of which there may be none."""
    header = header_of(path)
    columns = next((columns for columns in LAYOUTS if set(columns) <= set(header)), LAYOUTS[0])
    mixed = "language" in header
    if mixed and not language:
        raise UserError(f"{path} holds several languages; say which one to read.")
    asked = (*columns, "language") if mixed else columns
    for row in parquet.read_rows(path, asked) if path.name.endswith(PARQUET) else table.read_rows(path, asked):
        label, premise, hypothesis, *said = row.values
        label = checked(label, f"{path}, line {row.line}")
        if said in ([], [language]):
            yield Labelled((premise, hypothesis), label, language)


def read_stream(name: str, language: str, split: str, commit: str) -> Iterator[Labelled]:
    """Read the pairs of a data set of the hub; raises `UserError` as `hub.read_rows` does, or for another label.

    Args:
        name: The data set: `facebook/xnli`.
        language: The language, which is its configuration.
        split: The part of it.
        commit: That is read.

    Yields:
        Premise and hypothesis, and one of `LABELS`.
    """
    for row in hub.read_rows(name, LAYOUTS[0], split, language, commit):
        label, premise, hypothesis = row.values
        yield Labelled((premise, hypothesis), checked(label, f"{name}, row {row.line}"), language)


def checked(label: str, where: str) -> str:
    """One of `LABELS`, however it is written.

    Args:
        label: As it is written.
        where: Where it stands, for the message.

    Returns:
        The label.

    Raises:
        UserError: When it is none of them.
    """
    found = SYNONYMS.get(label, label)
    if found not in LABELS:
        raise UserError(f"{where}: the label {found!r:.40} is none of {', '.join(LABELS)}.")
    return found
