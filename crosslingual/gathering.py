"""Text of many corpora as one: nothing twice, and nothing of what will be tested."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.tasks.overlap import normalised
from semeqv.text.datasets.corpus import Corpus
from semeqv.train.bars import Progress


def said_by(options: Any) -> Iterator[Mapping[str, str]]:
    """What a data set says, by language.

    Args:
        options: A corpus, or a labelled data set, whose words then have blanks between them.

    Yields:
        A document in each of its languages.
    """
    if isinstance(options, Corpus):
        from semeqv.text.datasets.reading import chosen

        yield from chosen(options)
        return
    from semeqv.tasks.classification.reading import documents

    language = next(iter(languages_of(options)), "")
    for document in documents(options):
        yield {language: document.text}


def languages_of(options: Any) -> tuple[str, ...]:
    """The languages that a data set names."""
    return tuple(getattr(options, "languages", ()))


def check_one_language(options: Any) -> None:
    """Refuse a labelled data set of which nobody knows what language a text is in.

    Args:
        options: The data set.

    Raises:
        UserError: When it is no corpus, and names no language or several.
    """
    if not isinstance(options, Corpus) and len(languages_of(options)) != 1:
        command = getattr(type(options), "__command__", "dataset")
        said = " and ".join(languages_of(options)) or "a language that it does not name"
        raise UserError(
            f"`cli {command}` has text in {said}: give each language a segment, with --languages and --name."
        )


class Gathered:
    """Lines of text, of which each is new.

    Args:
        tests: Texts that no line may say in any language.

    Attributes:
        counts: By the languages of the lines, such as `en+de`: how many there are, and how many characters they have.
        repeated: Lines that were left out because they were there.
        tested: Lines that were left out because a test says one of their texts.
    """

    def __init__(self, tests: Iterable[str]):
        self.tests = {normalised(text) for text in tests} - {""}
        self.seen = set[int]()
        self.counts = dict[str, tuple[int, int]]()
        self.repeated = self.tested = 0

    def new(self, lines: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
        """The lines that are new, with line feeds in them made blanks; yields them in their order."""
        for said in Progress(lines, desc="gather", unit="line", leave=False, disable=None, mininterval=0.5):
            texts = {name: " ".join(text.split()) for name, text in said.items()}
            texts = {name: text for name, text in texts.items() if normalised(text)}
            bare = {name: normalised(text) for name, text in texts.items()}
            if not bare:
                continue
            key = hash(tuple(sorted(bare.items())))
            if key in self.seen:
                self.repeated += 1
            elif not self.tests.isdisjoint(bare.values()):
                self.tested += 1
            else:
                self.seen.add(key)
                name = "+".join(texts)
                count, size = self.counts.get(name, (0, 0))
                self.counts[name] = count + 1, size + sum(map(len, texts.values()))
                yield texts
