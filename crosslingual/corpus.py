"""Text gathered from many data sets into one file, nothing twice and nothing that is tested: `gather`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.action import Written, action
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.classification.dataset import documents
from semeqv.tasks.overlap import normalised
from semeqv.text.datasets.corpus import Corpus, chosen
from semeqv.text.files import writing


@dataclass(frozen=True)
class GatheredText(Written):
    """A file of text that was gathered from data sets.

    Args:
        path: The file.
        counts: By the languages of the lines, such as `en+de`: how many there are, and how many characters they have.
        repeated: Lines that were left out because they were there.
        tested: Lines that were left out because a validation or test set says one of their texts.
    """

    path: Path
    counts: Mapping[str, tuple[int, int]]
    repeated: int
    tested: int

    def show(self) -> None:
        """Print how much there is, and how much was left out."""
        rows = [[name, f"{count:,}", f"{size / 1e6:.2f}"] for name, (count, size) in self.counts.items()]
        print_table("Gathered", ("languages", "lines", "million characters"), rows)
        click.echo(
            f"wrote {self.path}; left out: {self.repeated:,} lines that were there, {self.tested:,} that are "
            "in a validation or test set"
        )


@action("crosslingual corpus")
def gather(
    dataset_options: Mapping[tuple[str, str | None], Any], *, output: Path, call: Sequence[tuple[str, str]] = ()
) -> GatheredText:
    """Gather the training sets of the sentence, each with a --name, into one file for `cli dataset multilingual`.

    Any data sets will do, corpora as well as labelled ones: of aligned corpora a line says a sentence in all its
    languages, of others in one. What is there already is left out, and so is what any validation or test set of the
    sentence says, whatever its spelling: two texts are the same when their letters and digits are.

    Args:
        dataset_options: The data sets, by split and name; none is tokenised.
        output: The file; compressed names are not understood.
        call: A language as a data set spells it, and how it is to be called, `--call eng_Latn en`; may be repeated.

    Returns:
        The file, and how much it holds.

    Raises:
        click.UsageError: When there is no training set.
    """
    sources = [options for (split, _), options in dataset_options.items() if split == "train"]
    tests = [options for (split, _), options in dataset_options.items() if split != "train"]
    if not sources:
        raise click.UsageError("cli crosslingual corpus: add what to gather: cli dataset ... --name pairs")
    for options in sources:
        check_one_language(options)
    gathered = Gathered(text for options in tests for texts in texts_of(options) for text in texts.values())
    names = dict(call)
    with writing(Path(output)) as file:
        for options in sources:
            lines = ({names.get(name, name): text for name, text in texts.items()} for texts in texts_of(options))
            for line in gathered.new(lines):
                file.write(to_lines([line]))
    return GatheredText(Path(output), gathered.counts, gathered.repeated, gathered.tested)


def texts_of(options: Any) -> Iterator[Mapping[str, str]]:
    """Read the texts of a data set.

    Args:
        options: A corpus, or a labelled data set, whose words then have blanks between them.

    Yields:
        By language: a document in each of its languages.
    """
    if isinstance(options, Corpus):
        yield from chosen(options)
        return
    language = next(iter(languages_of(options)), "")
    for document in documents(options):
        yield {language: document.text}


def languages_of(options: Any) -> tuple[str, ...]:
    """Return the languages that a data set names."""
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
        languages = " and ".join(languages_of(options)) or "a language that it does not name"
        raise UserError(
            f"`cli {command}` has text in {languages}: give each language a segment, with --languages and --name."
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
        """Yield the lines that are new, in their order, with line feeds in them made blanks."""
        for line in Progress(lines, desc="gather", unit="line", leave=False, disable=None, mininterval=0.5):
            texts = {name: " ".join(text.split()) for name, text in line.items()}
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
