"""How much of a test was seen in training: sentences that occur in the training text, whatever their spelling.

Two texts are the same when their letters and digits are: case, punctuation, blanks and symbols do not count. A sentence
of ten such characters or more occurs in a text when it stands anywhere in it; a shorter one, which chance alone may
spell, only when it is a line of its own.
"""

from __future__ import annotations

import itertools
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.plugins import command
from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.runs.reading import RUN, read_run

ANCHOR = 10  # characters by which sentences are looked for
PIECE = 2**21  # characters looked through at once
BASE = 0x9E3779B97F4A7C15
BITS = 22  # of the table that tells most places apart at once


class Letters(dict[int, int | None]):
    """What `str.translate` does with each character: letters, marks and numbers stay."""

    def __missing__(self, code: int) -> int | None:
        replacement = self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else None
        return replacement


LETTERS = Letters()


def normalised(text: str) -> str:
    """Return the letters, marks and digits of a text, whatever their case and compatibility forms."""
    return unicodedata.normalize("NFKC", text).casefold().translate(LETTERS)


@dataclass(frozen=True)
class Overlap:
    """How many sentences occur in a text.

    Args:
        found: `(sentences,)`, whether each does.
        said: `(sentences,)`, whether each has a letter or digit at all; the others do not count.
    """

    found: NDArray[numpy.bool_]
    said: NDArray[numpy.bool_]

    @property
    def share(self) -> float:
        """The share of the sentences that occur; 0 when there is none."""
        return float(self.found.sum() / max(int(self.said.sum()), 1))

    def part(self, start: int, end: int) -> Overlap:
        """Return the overlap of the sentences from one place to another."""
        return Overlap(self.found[start:end], self.said[start:end])


class Seeker:
    """Looks for sentences in a text that streams by.

    Args:
        sentences: What to look for.
    """

    def __init__(self, sentences: Iterable[str]):
        self.sentences = [normalised(sentence) for sentence in sentences]
        wanted = set(self.sentences) - {""}
        self.short = {sentence for sentence in wanted if len(sentence) < ANCHOR}
        self.seen = set[str]()
        self.by_anchor = dict[int, list[str]]()
        longer = sorted(wanted - self.short)
        for sentence, anchor in zip(longer, hashes_of_starts(longer).tolist()):
            self.by_anchor.setdefault(anchor, []).append(sentence)
        self.table = numpy.zeros(2**BITS, bool)
        self.table[numpy.array(list(self.by_anchor), numpy.uint64) >> numpy.uint64(64 - BITS)] = True

    def add(self, texts: Iterable[str]) -> Seeker:
        """Look through texts, each by itself; their lines are joined."""
        pieces, size = list[str](), 0
        for text in texts:
            lines = [normalised(line) for line in text.split("\n")]
            self.seen |= self.short.intersection(lines)
            pieces.append("".join(lines))
            size += len(pieces[-1]) + 1
            if size >= PIECE:
                self.look("\0".join(pieces))
                pieces, size = [], 0
        self.look("\0".join(pieces))
        return self

    def look(self, text: str) -> None:
        """Look through normalised text."""
        if len(text) < ANCHOR or not self.by_anchor:
            return
        codes = numpy.frombuffer(text.encode("utf-32-le", "surrogatepass"), numpy.uint32)
        anchors = hashes(codes)
        for place in numpy.flatnonzero(self.table[anchors >> numpy.uint64(64 - BITS)]).tolist():
            waiting = self.by_anchor.get(int(anchors[place]))
            if waiting:
                matched = [sentence for sentence in waiting if text.startswith(sentence, place)]
                self.seen.update(matched)
                for sentence in matched:  # once is enough
                    waiting.remove(sentence)

    def overlap(self) -> Overlap:
        """Return the overlap with the texts so far."""
        occur = numpy.array([sentence in self.seen for sentence in self.sentences], bool)
        return Overlap(occur, numpy.array([bool(sentence) for sentence in self.sentences], bool))


def hashes(codes: NDArray[numpy.uint32]) -> NDArray[numpy.uint64]:
    """Return a hash of the ANCHOR characters from each place on, `(characters - ANCHOR + 1,)`."""
    wide, count = codes.astype(numpy.uint64), len(codes) - ANCHOR + 1
    values = numpy.zeros(count, numpy.uint64)
    with numpy.errstate(over="ignore"):
        for i in range(ANCHOR):
            values = (values + wide[i : i + count]) * numpy.uint64(BASE)
            values ^= values >> numpy.uint64(29)
    return values


def hashes_of_starts(sentences: Sequence[str]) -> NDArray[numpy.uint64]:
    """Return the hash of the first ANCHOR characters of each sentence, `(sentences,)`."""
    starts = "".join(sentence[:ANCHOR] for sentence in sentences)
    codes = numpy.frombuffer(starts.encode("utf-32-le", "surrogatepass"), numpy.uint32)
    return hashes(codes)[::ANCHOR] if len(codes) else numpy.zeros(0, numpy.uint64)


def overlap(sentences: Iterable[str], texts: Iterable[str]) -> Overlap:
    """Return which sentences occur in some texts.

    Args:
        sentences: The sentences of a test.
        texts: The documents of a training set.

    Returns:
        The overlap.
    """
    return Seeker(sentences).add(texts).overlap()


def lines_of(texts: Iterable[str]) -> Iterator[str]:
    """Return the lines of texts that are not blank."""
    return (line for text in texts for line in text.split("\n") if line.strip())


@dataclass(frozen=True)
class TrainingText:
    """A corpus that a model was trained on.

    Args:
        corpus: The component, such as `Europarl`; its `corpus` yields the documents.
        changed: Whether its files are other ones than those of the training.
    """

    corpus: Any
    changed: bool = False

    @property
    def name(self) -> str:
        """What to call it."""
        return str(type(self.corpus).__command__).split()[-1] + (" (changed since)" if self.changed else "")


def training_text(model: Any, dataset_options: Mapping[tuple[str, str | None], Any] | None) -> TrainingText | None:
    """Return the corpus that a model was trained on: that of the sentence, else that of the run which it was opened
    from.

    Args:
        model: A model; its `source` says what it was opened from, if from anything.
        dataset_options: The data sets of the sentence, by split and name.

    Returns:
        The corpus; None when it is not known, or not here.
    """
    train = (dataset_options or {}).get(("train", None))
    if hasattr(train, "corpus"):
        return TrainingText(train)
    folder = run_of(getattr(model, "source", None))
    if folder is None:
        return None
    try:
        record = read_run(folder)
        options = saved_corpus(record)
        if options is None:
            return None
        source = record.get("facts", {}).get("dataset", {}).get("train", {}).get("source", {})
        return TrainingText(options, changed=options.source_facts().get("files") != source.get("files"))
    except (click.ClickException, UserError, AttributeError) as error:
        click.echo(f"The training text of {folder} cannot be compared: {first_line(error)}", err=True)
        return None


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    return (message.splitlines() or [type(error).__name__])[0]


def run_of(source: str | None) -> Path | None:
    """Return the folder of the run that a model was opened from; None when it is no run of ours."""
    if not source:
        return None
    path = Path(source).expanduser()
    return next((folder for folder in (path, *path.parents[:2]) if (folder / RUN).is_file()), None)


def saved_corpus(record: Mapping[str, Any]) -> Any:
    """Return the corpus of the training set in a saved sentence.

    Args:
        record: A run.json.

    Returns:
        The component; None when the training set is no corpus.
    """
    parts = [shlex.split(part) for part in (record.get("sentence") or {}).get("parts", [])]
    chain = command()
    with click.Context(chain, info_name="semeqv") as context:
        steps = [chain.parse_segment(context, words) for words in parts if "dataset" in words[:2]]
    options_of = (step.options for step in steps if step.key == ("train", None))
    return next((options for options in options_of if hasattr(options, "corpus")), None)


def find_overlap(sentences: Iterable[str], text: TrainingText) -> Overlap:
    """Look for sentences in a training text, with a bar."""
    seeker = Seeker(sentences)
    documents = Progress(text.corpus.corpus(), desc="overlap", unit="document", leave=False, mininterval=0.5)
    return seeker.add(document.text for document in documents).overlap()


def report_overlaps(
    groups: Mapping[str, Sequence[str]],
    model: Any,
    dataset_options: Mapping[tuple[str, str | None], Any] | None,
    what: str,
) -> dict[str, dict[str, Any]]:
    """Say how much of a test was in the training text, when that is at hand.

    Args:
        groups: The sentences of the parts of a test.
        model: What was tested.
        dataset_options: The data sets of the sentence, by split and name.
        what: What to call the sentences.

    Returns:
        For each part `overlap`, the share of its sentences that occur in it, and `overlap_with`, its name; nothing when
        it is not at hand.
    """
    text = training_text(model, dataset_options)
    if text is None:
        return {name: {} for name in groups}
    try:
        result = find_overlap(itertools.chain.from_iterable(groups.values()), text)
    except UserError as error:
        click.echo(f"The training text cannot be compared: {first_line(error)}", err=True)
        return {name: {} for name in groups}
    click.echo(f"{result.share:.2%} of the {int(result.said.sum()):,} {what} occur in the training text ({text.name}).")
    ends = itertools.accumulate(map(len, groups.values()))
    parts = {name: result.part(end - len(said), end) for (name, said), end in zip(groups.items(), ends)}
    return {name: {"overlap": part.share, "overlap_with": text.name} for name, part in parts.items()}


def report_overlap(
    sentences: Iterable[str], model: Any, dataset_options: Mapping[tuple[str, str | None], Any] | None, what: str
) -> dict[str, Any]:
    """Say how much of a test of one part was in the training text; see `report_overlaps`."""
    return report_overlaps({"": list(sentences)}, model, dataset_options, what)[""]
