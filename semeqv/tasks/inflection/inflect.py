"""Inflection as an action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.tasks.answering import Answering, Asked, shown
from semeqv.tasks.inference import check_trained, inference, name_of
from semeqv.tasks.inflection.dataset import FormBatches, forms
from semeqv.tasks.inflection.edits import EditBatches
from semeqv.tasks.inflection.metrics import edit_distance, judged
from semeqv.tasks.inflection.spelling import lemmas_of
from semeqv.text.files import writing
from semeqv.text.generation import check_causal, greedy
from semeqv.train.bars import Progress


@component("inflect")
@dataclass(frozen=True, kw_only=True)
class Inflect(Answering):
    """Let the model write the forms of the data sets of the sentence, and score and write them.

    It always takes the likeliest token, or edit. A file is a table of lemma, features, form, and what was written.
    Scores are the share of the forms that are right, and how many characters a form is off on average (Levenshtein
    distance); their intervals are those of a bootstrap of the lemmas, each with all its forms. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        max_new_tokens: The most tokens of a form that a causal model writes.
    """

    max_new_tokens: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, max_new_tokens=1)

    def answered(self, asked: Asked) -> list[dict[str, Any]]:
        """Write, score and print."""

        return inflect_sets(self, asked)


def inflect_sets(options: Inflect, asked: Asked) -> list[dict[str, Any]]:
    """Write the forms of data sets, and print their scores.

    Args:
        options: What the command was told.
        asked: A model that predicts the next token, or tags characters with edits, and the data sets.

    Returns:
        A line for each set.
    """
    check_trained(asked.model)
    train, lines = asked.dataset_options.get(("train", None)), list[dict[str, Any]]()
    for sheet in options.sheets(
        asked, (FormBatches, EditBatches), "There is nothing to inflect. Add: cli dataset unimorph"
    ):
        data: FormBatches | EditBatches = sheet.data
        if isinstance(data, FormBatches):
            check_causal(asked.model)
            found = inflected(asked.model, data, options.max_new_tokens, asked.regime)
        else:
            found = tagged(asked.model, data, asked.regime)
        with writing(sheet.path) as file:
            file.writelines(
                f"{form.lemma}\t{form.features}\t{form.form}\t{each}\n" for form, each in zip(data.items, found)
            )
        click.echo(f"wrote {sheet.path}")
        values = {
            "accuracy": numpy.array([form.form == each for form, each in zip(data.items, found)]),
            "edit_distance": numpy.array([edit_distance(form.form, each) for form, each in zip(data.items, found)]),
        }
        line = {"split": sheet.split, "name": sheet.name, **judged(lemmas_of(data.items), values, options.replicates)}
        if sheet.split != "train" and hasattr(train, "columns"):
            line |= {"seen_lemmas": seen(train, data)}
        lines.append(line | {"forms": len(data.items)})
    print_lines(lines, asked.model)
    return lines


def inflected(model: Any, data: FormBatches, most: int, regime: tuple[Any, ...]) -> list[str]:
    """The forms that a model writes; rows that begin about as long are written together.

    Args:
        model: Predicts the next token.
        data: The forms; only lemmas and features are looked at.
        most: The most tokens of a form.
        regime: Device, precision, threads.

    Returns:
        A word for each form.
    """
    spelling, found = data.spelling, [""] * len(data.items)
    prompts = [spelling.prompt(form.lemma, form.features) for form in data.items]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    limit = getattr(model.config, "max_position_embeddings", None) or most + len(prompts[order[-1]])
    with (
        inference(model, *regime),
        Progress(total=len(order), desc="inflect", unit="form", leave=False, disable=None, mininterval=0.5) as bar,
    ):
        for start in range(0, len(order), data.size):
            rows = order[start : start + data.size]
            chosen = [prompts[number] for number in rows]
            room = [max(1, min(most, limit - len(prompt))) for prompt in chosen]
            for number, tokens in zip(rows, greedy(model, chosen, room, end=spelling.end, pad=data.pad)):
                found[number] = spelling.read(tokens)
            bar.update(len(rows))
    return found


def tagged(model: Any, data: EditBatches, regime: tuple[Any, ...]) -> list[str]:
    """The forms that the edits of a model make.

    Args:
        model: A classifier of words.
        data: The forms; only lemmas and features are looked at.
        regime: Device, precision, threads.

    Returns:
        A word for each form.
    """
    scorer = data.scorer()
    with inference(model, *regime) as running:
        for batch in Progress(data.batches(), desc="inflect", unit="batch", leave=False, disable=None, mininterval=0.5):
            placed = running.place(batch)
            scorer.take(model(**placed), placed)
    found: list[str] = scorer.written()
    return found


def seen(train: Any, data: FormBatches | EditBatches) -> float:
    """The share of the lemmas of a data set that are in the training set, too."""
    lemmas = {form.lemma for form in data.items}
    return len(lemmas & {form.lemma for form in forms(train)}) / len(lemmas)


def print_lines(lines: list[dict[str, Any]], model: Any) -> None:
    """Print the table."""
    columns = [
        "set",
        "accuracy",
        "edit distance",
        "forms",
        *["lemmas seen"] * any("seen_lemmas" in each for each in lines),
    ]
    rows = []
    for line in lines:
        cells = [line["name"] or line["split"], shown(line, "accuracy", ".2%"), shown(line, "edit_distance", ".3f")]
        rows.append([*cells, f"{line['forms']:,}", *([f"{line['seen_lemmas']:.2%}"] if "seen_lemmas" in line else [])])
    print_table(f"Forms by {name_of(model)}", columns, rows)
