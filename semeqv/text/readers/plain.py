"""Plain text: a document a line, a block between blank lines, or a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from semeqv.runs.errors import UserError
from semeqv.text.files import lines, some
from semeqv.text.records import Document

LARGEST = 2**26  # characters of a document


def read_documents(
    path: Path, unit: Literal["line", "block", "file"] = "line", language: str = ""
) -> Iterator[Document]:
    """Read a file of plain text.

    Raises `UserError` when it says nothing, or a document has more than 64 Mi characters.

    Args:
        path: The file.
        unit: What a document is: a line, the lines between blank ones, or the whole file.
        language: The language of the text.

    Yields:
        Its documents, blank ones left out.
    """
    yield from some((Document(text, language) for text in units(path, unit)), path, "text")


def units(path: Path, unit: Literal["line", "block", "file"]) -> Iterator[str]:
    """The texts of a file, of which there may be none."""
    held, length = list[str](), 0
    for number, line in lines(path):
        blank = not line.strip()
        if not blank or unit == "file":
            held.append(line)
            length += len(line) + 1
        if length > LARGEST:
            raise UserError(
                f"{path}, line {number}: the document that ends here has over {LARGEST:,} characters; cut it, or read "
                "a document a line."
            )
        if held and (unit == "line" or (unit == "block" and blank)):
            yield "\n".join(held)
            held, length = [], 0
    if (text := "\n".join(held).strip("\n")).strip():
        yield text
