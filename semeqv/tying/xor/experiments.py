"""Read the runs of an experiment: what they were, and where they ended."""

from __future__ import annotations

import contextlib
import math
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from semeqv.runs.reading import METRICS, read_array, read_metrics, read_run, values_under
from semeqv.tying.verdicts import run_folders, seed_and_model
from semeqv.tying.xor.statistics import final_mean, plateau, same_contexts

Pair = tuple[int, int]

BOTH_PAIRS: tuple[Pair, ...] = ((0, 1), (2, 3))
SHAPE = "(records, symbols, symbols)"
SPLITS = ("train", "validation")


@dataclass(frozen=True)
class Run:
    """One run: its seed, whether its embeddings are tied, and where it ended.

    `distances` and `first_distances` hold, for "input", "output" or "shared" embeddings, the distance of each pair
    at the last and at the first record; `controls` the distance, at the last record, of the two symbols of different
    meaning that are nearest to each other; `accuracies` the final accuracy of each split; `falling` says whether two
    symbols that are to become close are on their way, more than 0.5 apart and a twentieth nearer than a tenth of the
    run before; `finished` whether the run took all its steps.
    """

    name: str
    seed: int
    tied: bool
    steps: int
    record: dict[str, Any] = field(repr=False)
    distances: dict[str, dict[Pair, float]]
    first_distances: dict[str, dict[Pair, float]]
    controls: dict[str, float]
    accuracies: dict[str, float]
    falling: bool
    finished: bool


@dataclass(frozen=True)
class Experiment:
    """The runs of one folder, and what they have in common.

    `contexts` says of each pair whether its symbols occur in the same contexts (None: unknown); `strings` which strings
    training saw (None: unknown); `plateau` is the accuracy of a run that has learned nothing of the context (None:
    unknown).
    """

    name: str
    runs: tuple[Run, ...]
    pairs: tuple[Pair, ...]
    contexts: dict[Pair, bool | None]
    bayes: float | None
    strings: str | None
    plateau: float | None

    def where(self, *, tied: bool) -> list[Run]:
        """Return the tied or the untied runs."""
        return [run for run in self.runs if run.tied == tied]

    def settings(self, name: str) -> list[str]:
        """Return the different values that the runs have for an option, as text."""
        return list(dict.fromkeys(" ".join(words) for run in self.runs if (words := option(run.record, name))))


def read_experiment(folder: Path, window: int) -> Experiment:
    """Read the folder of an experiment, whose folders are its runs, such as `42-transformer`, `42-transformerwt`.

    Args:
        folder: The folder of the experiment.
        window: Over how many last records the final accuracy is taken.

    Returns:
        The runs, in the order of their folders' names, and what they share. What it calls raises `click.UsageError`
        when there is no run, a file is missing or wrong, or the runs are of different problems.
    """
    found = run_folders(folder, "runs/xor-lstm-small/42-transformer")
    records = {path: read_run(path) for path in found}
    bayes = agreed(folder, "the Bayes accuracy", (bayes_of(path, record) for path, record in records.items()))
    distributions = {}
    for pair, name in zip(BOTH_PAIRS, ("zero_dst", "one_dst")):
        words = agreed(folder, name, (tuple(option(record, name)) or None for record in records.values()))
        distributions[pair] = numbers_of(folder, name, words) if words else None
    # A symbol that is never drawn has no embedding to speak of.
    drawn = tuple(pair for pair, each in distributions.items() if each is None or (len(each) == 2 and min(each) > 0))
    pairs = agreed(folder, "pairs", (pairs_of(path, record) for path, record in records.items())) or drawn or BOTH_PAIRS
    bits = [symbols_of(pair, distributions.get(pair), pair in pairs) for pair in BOTH_PAIRS]
    controls = [(zero, one) for zero in bits[0] for one in bits[1]]
    contexts = {pair: same_contexts(distributions.get(pair)) for pair in pairs}
    runs = tuple(read_one(path, records[path], contexts, controls, window) for path in found)
    strings = agreed(folder, "their training strings", (strings_of(record) for record in records.values()))
    known = [each for each in distributions.values() if each]
    low = plateau(known) if len(known) == len(BOTH_PAIRS) else None
    return Experiment(folder.resolve().name, runs, pairs, contexts, bayes, strings, low)


def symbols_of(pair: Pair, distribution: list[float] | None, both: bool) -> list[int]:
    """Return the symbols of a bit that are ever drawn.

    Args:
        pair: The two that may stand for it.
        distribution: How often each does; None if unknown.
        both: Whether both are known to be drawn.

    Returns:
        One or two symbols; none where it is not known which.
    """
    if distribution:
        return [symbol for symbol, share in zip(pair, distribution) if share > 0]
    return list(pair) if both else []


def read_one(
    folder: Path, record: dict[str, Any], contexts: dict[Pair, bool | None], controls: list[Pair], window: int
) -> Run:
    """Read one run.

    Args:
        folder: Its folder, such as `42-transformer`.
        record: Its run.json.
        contexts: The pairs of symbols whose distances are taken, and whether they occur in the same contexts.
        controls: The pairs of symbols of different meaning.
        window: Over how many last records the final accuracy is taken.

    Returns:
        The run. When it is tied and its input and output distances end the same, they are one, "shared".

    Raises:
        click.UsageError: A file of distances has another shape, or (from what it calls) a file is missing or wrong.
    """
    seed, model = seed_and_model(folder)
    tied, pairs = model.endswith("wt"), tuple(contexts)
    nearing = [pair for pair in pairs if contexts[pair] or not tied]  # whose input embeddings are to become close
    first, last, nearest, falling = {}, {}, {}, False
    for kind in ("input", "output"):
        path = folder / f"{kind}_cdists.npy"
        if tied and kind == "output" and not path.exists():
            continue
        array = read_array(path, SHAPE)
        needed = max(max(pair) for pair in (*pairs, *controls)) + 1
        if array.shape[1] != array.shape[2] or array.shape[1] < needed:
            raise click.UsageError(f"{path}: has shape {array.shape}; expected {SHAPE}, at least {needed} symbols")
        first[kind] = {pair: float(array[0][pair]) for pair in pairs}
        last[kind] = {pair: float(array[-1][pair]) for pair in pairs}
        nearest[kind] = min((float(array[-1][pair]) for pair in controls), default=math.nan)
        if kind == "input":
            before = array[len(array) * 9 // 10]
            falling = any(0.5 < array[-1][pair] < 0.95 * before[pair] for pair in nearing)
    if tied and all(abs(last["input"][pair] - last.get("output", last["input"])[pair]) < 1e-6 for pair in pairs):
        first, last = {"shared": first["input"]}, {"shared": last["input"]}
        nearest = {"shared": nearest["input"]}
    lines = read_metrics(folder / METRICS)
    accuracies = {}
    for split in SPLITS:
        mine = [line for line in lines if line.record.get("split") == split and "accuracy" in line.record]
        if mine:
            accuracies[split] = final_mean([line.number_at("accuracy") for line in mine], window)
    counts = [line.number_at(key) for line in lines for key in ("step", "epoch") if key in line.record]
    steps = int(max(filter(math.isfinite, counts), default=0))
    said = next(values_under(record.get("sentence"), "steps"), None)
    finished = not isinstance(said, int) or steps >= said or "stopped" in record
    return Run(folder.name, seed, tied, steps, record, last, first, nearest, accuracies, falling, finished)


def strings_of(record: dict[str, Any]) -> str | None:
    """Say which strings a run was trained on.

    Args:
        record: Its run.json.

    Returns:
        A few words; None where it does not say. Runs of before December 2026 do not name their shuffle: it was another.
    """
    split: Any = next((each for each in values_under(record.get("facts"), "split") if isinstance(each, dict)), None)
    if split is not None:
        which = f"{split.get('train')} of {split.get('of')}"
        seed, ones = split.get("split_seed"), "" if split.get("all_ones") else ", the string of only ones left out"
        if "held_out_strings" in split:
            return f"{which}; {len(split['held_out_strings'])} named ones held out{ones}"
        if not split.get("held_out"):
            return f"{which}, none held out{ones}: validation draws the training strings anew"
        return f"{which}, as {split.get('shuffle')}({seed}) shuffles them{ones}"
    every, size = option(record, "every_string"), option(record, "size")
    if not every:
        return None
    count = next((value for value in values_under(record.get("facts"), "strings") if isinstance(value, int)), None)
    seed_words = option(record, "seed") or ["14"]
    total = 2 ** int(size[0]) if size and re.fullmatch("[0-9]{1,2}", size[0]) else None
    ones = "" if every[0] == "True" else ", the string of only ones left out"
    which = f"{count} of {total}" if count and total else "not counted"
    return f"{which}, by the shuffle of November 2026 (Philox, seed {seed_words[0]}){ones}"


def option(record: dict[str, Any], name: str) -> list[str]:
    """Return the words that follow an option in a run's sentence (its first use), or a fact's value; else nothing."""
    for words in segments(record.get("sentence")):
        for place, word in enumerate(words):
            if word == f"--{name}":
                values = []
                for value in words[place + 1 :]:
                    if re.match(r"--?[A-Za-z]", value):
                        break
                    values += [part for part in re.split(r"[\s,]+", value.strip("[]() ")) if part]
                return values
    for source in ("facts", "sentence"):
        for value in values_under(record.get(source), name):
            if value is not None:
                return [str(part) for part in value] if isinstance(value, list) else [str(value)]
    return []


def segments(tree: object) -> Iterator[list[str]]:
    """Yield the words of every segment in a JSON tree, be it written as one text or as a list of words."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from segments(value)
    elif isinstance(tree, list) and any(isinstance(word, str) and word.startswith("--") for word in tree):
        yield [str(word) for word in tree]
    elif isinstance(tree, list):
        for value in tree:
            yield from segments(value)
    elif isinstance(tree, str) and " --" in tree:
        with contextlib.suppress(ValueError):  # a quote that is never closed: text, no segment
            yield shlex.split(tree)


def numbers_of(folder: Path, name: str, words: tuple[str, ...]) -> list[float]:
    """Return the numbers that some words spell.

    Args:
        folder: The folder of the experiment, for the message.
        name: The option that has them, for the message.
        words: The words.

    Returns:
        A number for each.

    Raises:
        click.UsageError: A word spells none.
    """
    try:
        return [float(word) for word in words]
    except ValueError:
        raise click.UsageError(f"{folder}: its runs say {name} {' '.join(words)}, which are no probabilities") from None


def pairs_of(folder: Path, record: dict[str, Any]) -> tuple[Pair, ...] | None:
    """Return the pairs that a run's facts name.

    Args:
        folder: The folder of the run, for the message.
        record: Its run.json.

    Returns:
        The pairs; None when the facts name none.

    Raises:
        click.UsageError: What they name are no pairs of symbols.
    """
    for value in values_under(record.get("facts"), "pairs"):
        try:
            pairs = tuple((int(first), int(second)) for first, second in value)
        except (TypeError, ValueError, OverflowError):
            pairs = ()
        if not pairs or min(map(min, pairs)) < 0:
            raise click.UsageError(
                f"{folder}/run.json: 'pairs' should be pairs of symbols such as [[0, 1]], not {value}"
            )
        return pairs
    return None


def bayes_of(folder: Path, record: dict[str, Any]) -> float | None:
    """Return the Bayes accuracy that a run's facts state.

    Args:
        folder: The folder of the run, for the message.
        record: Its run.json.

    Returns:
        The accuracy, to six digits; None when the facts state none.

    Raises:
        click.UsageError: It is no number.
    """
    for value in values_under(record.get("facts"), "bayes_accuracy"):
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise click.UsageError(
                f"{folder}/run.json: 'bayes_accuracy' should be a number from 0 to 1, not {value!r:.40}"
            )
        return round(value, 6)
    return None


def agreed(folder: Path, what: str, values: Iterator[Any]) -> Any:
    """Return the one value that all runs have, of those that have any.

    Args:
        folder: The folder of the experiment, for the message.
        what: What the values are of, for the message.
        values: A value for each run, hashable; None where a run has none.

    Returns:
        The value; None when no run has any.

    Raises:
        click.UsageError: Runs have different ones.
    """
    different = list(dict.fromkeys(value for value in values if value is not None))
    if len(different) > 1:
        raise click.UsageError(
            f"{folder}: its runs differ in {what} ({different[0]}, {different[1]}); put runs of one problem in a folder"
        )
    return different[0] if different else None
