"""FLORES (Goyal et al., 2022, arXiv 2106.03193; NLLB Team, 2022): the same sentences in up to 200 languages."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from semeqv.runs.errors import UserError
from semeqv.text.archives import COMPRESSED, find, names
from semeqv.text.languages import matching
from semeqv.text.readers import moses
from semeqv.text.records import Aligned

SPELLINGS = {
    "dev": ("flores-dev.{}", "dev/{}.dev", "{}.dev"),
    "devtest": ("flores-devtest.{}", "flores-test.{}", "devtest/{}.devtest", "{}.devtest"),
}


def read_aligned(path: Path, languages: Sequence[str], split: Literal["dev", "devtest"] = "dev") -> Iterator[Aligned]:
    """Read the sentences of a split.

    Args:
        path: A folder or an archive that holds `flores-dev.en`, or `dev/eng_Latn.dev` as the published ones do.
        languages: The languages, by codes of two letters or three, with a script or without.
        split: `dev` (997 sentences) or `devtest` (1,012).

    Yields:
        Each sentence in every language, under the code that was said.

    Raises:
        UserError: When a language is missing, or a code stands for several files.
    """
    files = {}
    for language in languages:
        fit = matching(language, codes(path, split))
        if len(fit) > 1:
            raise UserError(f"{path} has {' and '.join(fit)}, which may all be {language!r}; name one of them.")
        spellings = [spelling.format(fit[0] if fit else language) for spelling in SPELLINGS[split]]
        file = find(path, spellings)
        if file is None:
            raise UserError(f"{path} has no language {language!r} of split {split!r}: {' or '.join(spellings)}.")
        files[language] = file
    yield from moses.read_files(files, empty="keep")


def codes(path: Path, split: str) -> list[str]:
    """Return how the files of a split call their languages, sorted.

    Args:
        path: The folder or archive.
        split: Of whose files.

    Returns:
        Such as `fra_Latn` or `fr`.
    """
    folders = [path, path / split] if path.is_dir() else [path]
    there = {name.rpartition("/")[2] for folder in folders if folder.exists() for name in names(folder)}
    ends = "|".join(map(re.escape, COMPRESSED))
    found = set[str]()
    for spelling in SPELLINGS[split]:
        before, after = map(re.escape, spelling.rpartition("/")[2].split("{}"))
        pattern = re.compile(f"{before}([A-Za-z]+(?:[-_][A-Za-z]+)?){after}({ends})")
        found |= {match[1] for name in there if (match := pattern.fullmatch(name))}
    return sorted(found)
