"""The text that a model was trained on, where it is at hand, and how much of a test is in it."""

import itertools
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.runs.errors import UserError
from semeqv.runs.reading import RUN, read_run
from semeqv.tasks.overlap import Overlap, Seeker
from semeqv.train.bars import Progress


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
    """The corpus that a model was trained on: that of the sentence, else that of the run which it was opened from.

    Args:
        model: A model; its `source` says what it was opened from, if from anything.
        dataset_options: The data sets of the sentence, by split and name.

    Returns:
        The corpus; None when it is not known, or not here.
    """
    here = (dataset_options or {}).get(("train", None))
    if hasattr(here, "corpus"):
        return TrainingText(here)
    folder = run_of(getattr(model, "source", None))
    if folder is None:
        return None
    try:
        record = read_run(folder)
        options = saved_corpus(record)
        if options is None:
            return None
        said = record.get("facts", {}).get("dataset", {}).get("train", {}).get("source", {})
        return TrainingText(options, changed=options.source_facts().get("files") != said.get("files"))
    except (click.ClickException, UserError, AttributeError) as error:
        click.echo(f"The training text of {folder} cannot be compared: {error_line(error)}", err=True)
        return None


def error_line(error: Exception) -> str:
    """The first line of what an error says."""
    said = error.format_message() if isinstance(error, click.ClickException) else str(error)
    return (said.splitlines() or [type(error).__name__])[0]


def run_of(source: str | None) -> Path | None:
    """The folder of the run that a model was opened from; None when it is no run of ours."""
    if not source:
        return None
    path = Path(source).expanduser()
    return next((folder for folder in (path, *path.parents[:2]) if (folder / RUN).is_file()), None)


def saved_corpus(record: Mapping[str, Any]) -> Any:
    """The corpus of the training set in a saved sentence.

    Args:
        record: A run.json.

    Returns:
        The component; None when the training set is no corpus.
    """
    from semeqv.grammar.plugins import command

    parts = [shlex.split(part) for part in (record.get("sentence") or {}).get("parts", [])]
    chain = command()
    with click.Context(chain, info_name="semeqv") as context:
        steps = [chain.parse_segment(context, words) for words in parts if "dataset" in words[:2]]
    found = (step.options for step in steps if step.key == ("train", None))
    return next((options for options in found if hasattr(options, "corpus")), None)


def compared(sentences: Iterable[str], text: TrainingText) -> Overlap:
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
        found = compared(itertools.chain.from_iterable(groups.values()), text)
    except UserError as error:
        click.echo(f"The training text cannot be compared: {error_line(error)}", err=True)
        return {name: {} for name in groups}
    click.echo(f"{found.share:.2%} of the {int(found.said.sum()):,} {what} occur in the training text ({text.name}).")
    ends = itertools.accumulate(map(len, groups.values()))
    parts = {name: found.part(end - len(said), end) for (name, said), end in zip(groups.items(), ends)}
    return {name: {"overlap": part.share, "overlap_with": text.name} for name, part in parts.items()}


def report_overlap(
    sentences: Iterable[str], model: Any, dataset_options: Mapping[tuple[str, str | None], Any] | None, what: str
) -> dict[str, Any]:
    """Say how much of a test of one part was in the training text; see `report_overlaps`."""
    return report_overlaps({"": list(sentences)}, model, dataset_options, what)[""]
