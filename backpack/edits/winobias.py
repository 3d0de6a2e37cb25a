"""Reads WinoBias (Zhao et al., 2018, arXiv 1804.06876)."""

import re
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate

SOURCE = "https://github.com/uclanlp/corefBias"
FOLDER = "bias_winobias"
SENTENCES = re.compile(r"(pro|anti)_stereotyped_type[12]\.txt\.(dev|test)")
GENDERED = re.compile(r"\b(he|she|him|his|her|hers)\b", re.IGNORECASE)
PRONOUN = re.compile(r"^\d+ (.*?) ?\[(?:he|she)\]", re.IGNORECASE)


def winobias(path: Path | None) -> dict[str, list[str]]:
    """Texts that `he` or `she` goes on from.

    Args:
        path: The folder; its usual place if None.

    Returns:
        For dev and test, the sentences up to the pronoun, brackets removed, each once, in the order of the files; none
        in which a pronoun before has told the gender. Those of test are none of dev, with which the files share some.

    Raises:
        UserError: When there are none.
    """
    folder = locate(FOLDER, path, SOURCE)
    texts: dict[str, list[str]] = {}
    for part in ("dev", "test"):
        files = sorted(file for file in folder.glob(f"*.{part}") if SENTENCES.fullmatch(file.name))
        found = dict.fromkeys(text for file in files for _, line in lines(file) if (text := before_pronoun(line)))
        texts[part] = [text for text in found if text not in texts.get("dev", [])]
        if not texts[part]:
            name = f"pro_stereotyped_type1.txt.{part}"
            raise UserError(f"{folder} has no sentences of WinoBias with he or she, such as {name} has.")
    return texts


def before_pronoun(line: str) -> str:
    """What stands before `he` or `she` in a line of WinoBias; nothing when there is none, or gender was told before."""
    match = PRONOUN.match(line)
    text = re.sub(r"[\[\]]", "", match[1]).strip() if match else ""
    return "" if GENDERED.search(text) else text


def occupations(path: Path | None) -> list[str]:
    """The words for occupations that are one word, as lists of female and male ones have them."""
    folder = locate(FOLDER, path, SOURCE)
    files = [folder / f"{kind}_occupations.txt" for kind in ("female", "male")]
    words = (line.strip() for file in files for _, line in lines(file))
    return list(dict.fromkeys(word for word in words if word and " " not in word))
