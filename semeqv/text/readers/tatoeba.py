"""Sentences and their English, a pair of files for each language, as test sets of retrieval come.

`tatoeba.fra-eng.fra` of LASER (Artetxe & Schwenk, 2019, arXiv 1812.10464: 1,000 sentences a language), and
`tatoeba.fra_Latn-eng_Latn.fra_Latn` and `bible.fra_Latn-eng_Latn.fra_Latn` of Glot500 (ImaniGooghari et al., 2023,
arXiv 2305.12182) and OFA.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.archives import find, names
from semeqv.text.languages import matching
from semeqv.text.readers import moses
from semeqv.text.records import Aligned

ENGLISH = "eng"
NAME = r"(?:^|/){}\.([a-z]+(?:_[A-Za-z]+)?)-(eng(?:_Latn)?)\.\1(?:$|\.)"


def pairs(path: Path, corpus: str = "tatoeba") -> dict[str, str]:
    """Return the languages in a folder or an archive, sorted, and how their English is called.

    Args:
        path: The folder or archive.
        corpus: What the names of the files begin with: tatoeba or bible.

    Returns:
        `eng` or `eng_Latn`, by language as the files spell it.
    """
    found = (re.search(NAME.format(corpus), name) for name in names(path))
    return dict(sorted((match[1], match[2]) for match in found if match))


def languages(path: Path, corpus: str = "tatoeba") -> tuple[str, ...]:
    """Return the languages in a folder or an archive of `tatoeba.xxx-eng.xxx` files, sorted."""
    return tuple(pairs(path, corpus))


def read_aligned(path: Path, language: str, corpus: str = "tatoeba") -> Iterator[Aligned]:
    """Read the sentences of a language and their English.

    Args:
        path: A folder or an archive that holds `tatoeba.fra-eng.fra` and `tatoeba.fra-eng.eng`.
        language: The language, by its code of three letters or two, with a script or without.
        corpus: What the names of the files begin with.

    Yields:
        Sentences, under the code that was said and under `eng`.

    Raises:
        UserError: When the folder has no such language, or several files of it.
    """
    there = pairs(path, corpus)
    fit = matching(language, there)
    if len(fit) > 1:
        raise UserError(f"{path} has {' and '.join(fit)}, which may both be {language!r}; name one of them.")
    if not fit:
        raise UserError(
            f"{path} has no {corpus}.{language}-{ENGLISH}.{language}; it has {', '.join(there) or 'none':.400}."
        )
    own, english = fit[0], there[fit[0]]
    sides = {language: own, ENGLISH: english}
    files = {side: find(path, [f"{corpus}.{own}-{english}.{spelled}"]) for side, spelled in sides.items()}
    if missing := [sides[side] for side, file in files.items() if file is None]:
        raise UserError(f"{path} has no {corpus}.{own}-{english}.{missing[0]}.")
    yield from moses.read_files({side: file for side, file in files.items() if file}, empty="keep")
