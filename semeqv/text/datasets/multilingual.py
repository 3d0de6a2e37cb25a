"""Documents in one language or several, each on a line that says what it is in which."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.text.datasets.corpus import OneFile, checked_languages
from semeqv.text.readers.jsonl import read_texts


@component("dataset multilingual")
@dataclass(frozen=True, kw_only=True)
class Multilingual(OneFile):
    """A file with a JSON object a line, --path, that says a document by language: `{"en": "Hi.", "fr": "Salut."}`.

    Lines may be in one language, or in several that mean the same. With --joined, what a line says in several languages
    is one document, so that masked LM on such a file is that of single sentences and of translations at once (Conneau &
    Lample, 2019, arXiv 1901.07291, without their embeddings of languages).

    Args:
        languages: Read what is said in these alone; in all if left out.
    """

    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_languages(self.languages, least=0)

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The lines in the languages that are asked for; what each says first decides."""
        file = self.file()
        known = set[str]()
        for said in read_texts(file):
            if strange := said.keys() - known:
                refuse_strange(strange, file)
                known |= strange
            asked = {name: text for name, text in said.items() if not self.languages or name in self.languages}
            yield next(iter(said.values())), asked


def refuse_strange(names: Iterable[str], file: Path) -> None:
    """Refuse keys that are no codes of languages: token files are called by them.

    Args:
        names: The keys.
        file: Where they stand, for the message.

    Raises:
        UserError: When one is no code.
    """
    try:
        checked_languages(tuple(names))
    except ValueError:
        raise UserError(
            f'{file}: lines should be like {{"en": "Hi.", "fr": "Salut."}}; {min(names)!r:.40} is no language.'
        ) from None
