"""The Tatoeba test sets of LASER (Artetxe & Schwenk, 2019, arXiv 1812.10464): 1,000 sentences and their English."""

import re
from collections.abc import Iterator
from pathlib import Path

from semeqv.engine.errors import UserError
from semeqv.text.archives import find, names
from semeqv.text.readers import moses
from semeqv.text.records import Aligned

ENGLISH = "eng"


def languages(path: Path) -> tuple[str, ...]:
    """The languages in a folder or an archive of `tatoeba.xxx-eng.xxx` files, sorted."""
    found = (re.search(r"(?:^|/)tatoeba\.([a-z]+)-eng\.\1(?:$|\.)", name) for name in names(path))
    return tuple(sorted({match[1] for match in found if match}))


def read_aligned(path: Path, language: str) -> Iterator[Aligned]:
    """Read the sentences of a language and their English.

    Args:
        path: A folder or an archive that holds `tatoeba.fra-eng.fra` and `tatoeba.fra-eng.eng`.
        language: The language, by its code of three letters.

    Yields:
        Sentences, under the code and under `eng`.

    Raises:
        UserError: When the folder has no such language.
    """
    files = {side: find(path, [f"tatoeba.{language}-eng.{side}"]) for side in (language, ENGLISH)}
    if missing := [side for side, file in files.items() if file is None]:
        raise UserError(
            f"{path} has no tatoeba.{language}-eng.{missing[0]}; it has {', '.join(languages(path)) or 'none':.400}."
        )
    yield from moses.read_files({side: file for side, file in files.items() if file}, empty="keep")
