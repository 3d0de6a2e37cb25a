"""Inflection: write the forms of lemmas, and score them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.progress import Progress
from semeqv.tasks.answering import Datasets, answer_sheets, check_splits, with_interval
from semeqv.tasks.inference import check_trained, inference, name_of, with_new_weights
from semeqv.tasks.inflection.metrics import edit_distance, score_forms
from semeqv.tasks.inflection.spelling import lemmas_of
from semeqv.text.files import writing
from semeqv.text.generation import check_causal, greedy
from semeqv.train.compute import Compute

if TYPE_CHECKING:
    from semeqv.tasks.inflection.dataset import FormBatches
    from semeqv.tasks.inflection.edits import EditBatches


@dataclass(frozen=True)
class InflectionScores(Result):
    """The forms that a model wrote, and their scores.

    Args:
        model: What the model is called.
        lines: The scores of each data set, as JSON.
        written: The forms, by the file that they were written to.
    """

    model: str
    lines: list[dict[str, Any]]
    written: Mapping[Path, Sequence[str]]

    @property
    def accuracy(self) -> float:
        """The share of the forms of the first data set that are right."""
        return float(self.lines[0]["accuracy"])

    def show(self) -> None:
        """Print the files, and the table of scores."""
        for path in self.written:
            click.echo(f"wrote {path}")
        print_lines(self.lines, self.model)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each data set."""
        return self.lines


@action("inflect", check=check_splits)
def inflect(
    model: Any,
    dataset: Datasets,
    dataset_options: Datasets | None = None,
    compute: Compute = Compute(),
    output: Path = Path(),
    *,
    splits: tuple[str, ...] = ("validation", "test"),
    path: str = "{run}/{name}.tsv",
    max_new_tokens: Annotated[int, AtLeast(1)] = 64,
    replicates: Annotated[int, AtLeast(0)] = 1000,
) -> InflectionScores:
    """Let the model write the forms of the data sets of the sentence, and score and write them.

    It always takes the likeliest token, or edit. A file is a table of lemma, features, form, and what was written.
    Scores are the share of the forms that are right, and how many characters a form is off on average (Levenshtein
    distance); their intervals are those of a bootstrap of the lemmas, each with all its forms. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        model: Predicts the next token, or tags characters with edits.
        dataset: The data sets by split and name.
        dataset_options: Their options; the training set tells which lemmas were seen.
        compute: Where to compute.
        output: The folder that {run} stands for.
        splits: Which of the data sets.
        path: The file of each; {run} in it stands for the run's folder, {name} for the name of the set.
        max_new_tokens: The most tokens of a form that a causal model writes.
        replicates: Samples of the bootstrap; 0 for no intervals.

    Returns:
        The forms and their scores. `answer_sheets` raises `UserError` when there is nothing to inflect, and
        `check_trained` when the model was never trained.
    """
    from semeqv.tasks.inflection.dataset import FormBatches, forms
    from semeqv.tasks.inflection.edits import EditBatches

    check_trained(model)
    train: Any = (dataset_options or {}).get(("train", None))
    lines, written = list[dict[str, Any]](), dict[Path, list[str]]()
    missing = "There is nothing to inflect. Add: cli dataset unimorph"
    kinds = (FormBatches, EditBatches)
    for sheet in answer_sheets(dataset, kinds, splits=splits, path=path, folder=output, missing=missing):
        data: FormBatches | EditBatches = sheet.data
        if isinstance(data, FormBatches):
            check_causal(model)
            guesses = write_forms(model, data, max_new_tokens, compute)
        else:
            guesses = tag_forms(model, data, compute)
        written[sheet.path] = guesses
        pairs = list(zip(data.items, guesses))
        with writing(sheet.path) as file:
            file.writelines(f"{form.lemma}\t{form.features}\t{form.form}\t{guess}\n" for form, guess in pairs)
        values = {
            "accuracy": numpy.array([form.form == guess for form, guess in pairs]),
            "edit_distance": numpy.array([edit_distance(form.form, guess) for form, guess in pairs]),
        }
        line = {"split": sheet.split, "name": sheet.name, **score_forms(lemmas_of(data.items), values, replicates)}
        if sheet.split != "train" and hasattr(train, "columns"):
            line |= {"seen_lemmas": seen_share(lemmas_of(forms(train)), lemmas_of(data.items))}
        lines.append(line | {"forms": len(data.items)})
    return InflectionScores(name_of(model), with_new_weights(lines, model), written)


def write_forms(model: Any, data: FormBatches, most: int, compute: Compute) -> list[str]:
    """Return the forms that a model writes; rows that begin about as long are written together.

    Args:
        model: Predicts the next token.
        data: The forms; only lemmas and features are looked at.
        most: The most tokens of a form.
        compute: Where to compute.

    Returns:
        A word for each form.
    """
    spelling, words = data.spelling, [""] * len(data.items)
    prompts = [spelling.prompt(form.lemma, form.features) for form in data.items]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    limit = getattr(model.config, "max_position_embeddings", None) or most + len(prompts[order[-1]])
    with (
        inference(model, compute),
        Progress(total=len(order), desc="inflect", unit="form", leave=False, disable=None, mininterval=0.5) as bar,
    ):
        for start in range(0, len(order), data.size):
            rows = order[start : start + data.size]
            chosen = [prompts[number] for number in rows]
            room = [max(1, min(most, limit - len(prompt))) for prompt in chosen]
            for number, tokens in zip(rows, greedy(model, chosen, room, end=spelling.end, pad=data.pad)):
                words[number] = spelling.read(tokens)
            bar.update(len(rows))
    return words


def tag_forms(model: Any, data: EditBatches, compute: Compute) -> list[str]:
    """Return the forms that the edits of a model make.

    Args:
        model: A classifier of words.
        data: The forms; only lemmas and features are looked at.
        compute: Where to compute.

    Returns:
        A word for each form.
    """
    scorer = data.scorer()
    with inference(model, compute) as regime:
        for batch in Progress(data.batches(), desc="inflect", unit="batch", leave=False, disable=None, mininterval=0.5):
            placed = regime.place(batch)
            scorer.take(model(**placed), placed)
    words: list[str] = scorer.written()
    return words


def seen_share(train: Sequence[str], test: Sequence[str]) -> float:
    """Return the share of the lemmas of a test set that are in the training set, too."""
    lemmas = set(test)
    return len(lemmas.intersection(train)) / len(lemmas)


def print_lines(lines: Sequence[Mapping[str, Any]], model: str) -> None:
    """Print the table."""
    columns = ["set", "accuracy", "edit distance", "forms"]
    columns += ["lemmas seen"] * any("seen_lemmas" in line for line in lines)
    rows = []
    for line in lines:
        scores = [with_interval(line, "accuracy", ".2%"), with_interval(line, "edit_distance", ".3f")]
        seen = [f"{line['seen_lemmas']:.2%}"] if "seen_lemmas" in line else []
        rows.append([line["name"] or line["split"], *scores, f"{line['forms']:,}", *seen])
    print_table(f"Forms by {model}", columns, rows)
