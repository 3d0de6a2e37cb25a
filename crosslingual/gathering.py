"""Text of many corpora as one: nothing twice, and nothing of what will be tested."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tqdm import tqdm

from semeqv.tasks.measures.overlap import normalised
from semeqv.text.datasets.corpus import Corpus


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

    language = next(iter(getattr(options, "languages", ())), "")
    for document in documents(options):
        yield {language: document.text}


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
        for said in tqdm(lines, desc="gather", unit="line", leave=False, disable=None, mininterval=0.5):
            texts = {name: " ".join(text.split()) for name, text in said.items()}
            bare = {name: normalised(text) for name, text in texts.items()}
            if not any(bare.values()):
                continue
            key = hash(tuple(bare.items()))
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
