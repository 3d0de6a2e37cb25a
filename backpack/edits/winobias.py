"""Reads WinoBias (Zhao et al., 2018, arXiv 1804.06876)."""

import re
from pathlib import Path

from semeqv.engine.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate

SOURCE = "https://github.com/uclanlp/corefBias"
FOLDER = "bias_winobias"
SENTENCES = re.compile(r"(pro|anti)_stereotyped_type[12]\.txt\.(dev|test)")
PRONOUN = re.compile(r"^\d+ (.*?) ?\[(?:he|she)\]", re.IGNORECASE)


def winobias(path: Path | None, part: str) -> list[str]:
    """Texts that `he` or `she` goes on from.

    Args:
        path: The folder; its usual place if None.
        part: dev or test.

    Returns:
        The sentences up to the pronoun, brackets removed, each once, in the order of the files.

    Raises:
        UserError: When there are none.
    """
    folder = locate(FOLDER, path, SOURCE)
    files = sorted(file for file in folder.glob(f"*.{part}") if SENTENCES.fullmatch(file.name))
    found = dict.fromkeys(
        re.sub(r"[\[\]]", "", match[1]).strip()
        for file in files for _, line in lines(file) if (match := PRONOUN.match(line))
    )  # fmt: skip
    found.pop("", None)
    if not found:
        raise UserError(
            f"{folder} has no sentences of WinoBias with he or she (pro_stereotyped_type1.txt.{part}, ...)."
        )
    return list(found)


def occupations(path: Path | None) -> list[str]:
    """The words for occupations that are one word, as lists of female and male ones have them."""
    folder = locate(FOLDER, path, SOURCE)
    files = [folder / f"{kind}_occupations.txt" for kind in ("female", "male")]
    words = (line.strip() for file in files for _, line in lines(file))
    return list(dict.fromkeys(word for word in words if word and " " not in word))
