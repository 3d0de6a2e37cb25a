"""`cli crosslingual corpus`."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import component
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.overlap import normalised
from semeqv.text.datasets.corpus import Corpus, chosen
from semeqv.text.files import writing


@component("crosslingual corpus")
@dataclass(frozen=True, kw_only=True)
class GatheredCorpus:
    """Gather the training sets of the sentence, each with a --name, into one file for `cli dataset multilingual`.

    Any data sets will do, corpora as well as labelled ones: of aligned corpora a line says a sentence in all its
    languages, of others in one. What is there already is left out, and so is what any validation or test set of the
    sentence says, whatever its spelling: two texts are the same when their letters and digits are.

    Args:
        output: The file; compressed names are not understood.
        call: A language as a data set spells it, and how it is to be called, `--call eng_Latn en`; may be repeated.
    """

    output: Path
    call: list[tuple[str, str]] = field(default_factory=list)

    def build(self, *, dataset_options: Mapping[tuple[str, str | None], Any]) -> None:
        """Read, compare, write, and say how much there is.

        Args:
            dataset_options: The data sets, by split and name; none is tokenised.

        Raises:
            click.UsageError: When there is no training set.
        """

        sources = [options for (split, _), options in dataset_options.items() if split == "train"]
        tests = [options for (split, _), options in dataset_options.items() if split != "train"]
        if not sources:
            raise click.UsageError("cli crosslingual corpus: add what to gather: cli dataset ... --name pairs")
        for options in sources:
            check_one_language(options)
        gathered = Gathered(text for options in tests for said in said_by(options) for text in said.values())
        names = dict(self.call)
        with writing(self.output) as file:
            for options in sources:
                lines = ({names.get(name, name): text for name, text in said.items()} for said in said_by(options))
                for line in gathered.new(lines):
                    file.write(to_lines([line]))
        rows = [[name, f"{count:,}", f"{size / 1e6:.2f}"] for name, (count, size) in gathered.counts.items()]
        print_table("Gathered", ("languages", "lines", "million characters"), rows)
        click.echo(
            f"wrote {self.output}; left out: {gathered.repeated:,} lines that were there, {gathered.tested:,} that are "
            "in a validation or test set"
        )


def said_by(options: Any) -> Iterator[Mapping[str, str]]:
    """What a data set says, by language.

    Args:
        options: A corpus, or a labelled data set, whose words then have blanks between them.

    Yields:
        A document in each of its languages.
    """
    if isinstance(options, Corpus):
        yield from chosen(options)
        return
    from semeqv.tasks.classification.dataset import documents

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
