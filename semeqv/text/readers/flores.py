"""FLORES (Goyal et al., 2022, arXiv 2106.03193; NLLB Team, 2022): the same sentences in up to 200 languages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from semeqv.engine.errors import UserError
from semeqv.text.archives import find
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
        languages: The languages, as the files are named.
        split: `dev` (997 sentences) or `devtest` (1,012).

    Yields:
        Each sentence in every language.

    Raises:
        UserError: When a language is missing.
    """
    files = {}
    for language in languages:
        spellings = [spelling.format(language) for spelling in SPELLINGS[split]]
        file = find(path, spellings)
        if file is None:
            raise UserError(f"{path} has no language {language!r} of split {split!r}: {' or '.join(spellings)}.")
        files[language] = file
    yield from moses.read_files(files, empty="keep")
