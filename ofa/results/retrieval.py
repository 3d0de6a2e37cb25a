"""What retrieval says of the methods, language by language."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from ofa.results.parts import CONTROLS, LANGUAGES, Part, compared, given, mean, runs
from semeqv.lazy import numpy
from semeqv.results import statistics as intervals
from semeqv.results.tables import Table
from semeqv.runs.reading import Line, read_metrics

SIZES = (1, 5, 10)
OUTCOMES = "outcomes-{}.jsonl"
REPLICATES = 10_000
CORPORA = {"flores": "FLORES", "tatoeba": "Tatoeba", "bible": "Bible"}
RIVALS = ("original", "subword-mean", *CONTROLS)

Measured = dict[tuple[str, str], list[Line]]  # by corpus and method: a line for each seed


def retrieval(folder: Path) -> Part:
    """Read the retrieval of all methods of one language.

    Args:
        folder: Of the language.

    Returns:
        A table for each corpus, what they show, and the numbers.
    """
    lines_of: Measured = defaultdict(list)
    language = folder.name
    for method, _, lines in runs(folder, "measured"):
        last = {line.record["corpus"]: line for line in lines if is_retrieval(line.record)}
        for corpus, line in last.items():
            lines_of[corpus, method].append(line)
            language = LANGUAGES.get(str(line.record.get("of")), folder.name)
    tables, sentences = [], []
    for corpus in sorted({corpus for corpus, _ in lines_of}, key=list(CORPORA).index):
        by_method = {method: lines for (each, method), lines in lines_of.items() if each == corpus}
        tables.append(table(by_method, f"{language}, {CORPORA[corpus]}"))
        sentences += [f"{language}, {CORPORA[corpus]} at 1: {sentence}." for sentence in verdicts(by_method)]
        if overlap := overlap_of(by_method):
            sentences.append(f"{language}, {CORPORA[corpus]}: {overlap}")
    if left := left_out(folder / "text.json"):
        sentences.append(f"{language}: {left}")
    return Part("retrieval", folder.name, tables, sentences, numbers(lines_of))


def is_retrieval(record: dict[str, Any]) -> bool:
    """Return whether a line is of the mean of both directions."""
    return (
        record.get("measure") == "retrieval" and record.get("direction") == "both" and record.get("corpus") in CORPORA
    )


def table(by_method: dict[str, list[Line]], title: str) -> Table:
    """Tabulate a corpus: accuracies, the mean over seeds and half their range, and the interval over sentences."""
    rows = []
    for method, lines in by_method.items():
        values = [[line.number_at(f"accuracy@{k}") for line in lines] for k in SIZES]
        low, high = (fmean(line.number_at(f"accuracy@1_{end}") for line in lines) for end in ("low", "high"))
        tokens = fmean(line.number_at("tokens") for line in lines)
        rows.append(
            [method, given(method), str(len(lines)), *map(mean, values), f"{low:.3f}-{high:.3f}", f"{tokens:.1f}"]
        )
    columns = ("method", "is given", "seeds", "@1", "@5", "@10", "@1, sentences", "tokens")
    return Table(title, columns, rows, words=2)


def interval(lines: list[Line]) -> tuple[float, float, float]:
    """Return the mean accuracy at 1 of some seeds, and its interval over sentences, as wide as the seeds need it."""
    values = [line.number_at("accuracy@1") for line in lines]
    low, high = (fmean(line.number_at(f"accuracy@1_{end}") for line in lines) for end in ("low", "high"))
    return fmean(values), min(low, *values), max(high, *values)


def verdicts(by_method: dict[str, list[Line]]) -> list[str]:
    """Say whether OFA beats the others: pair by pair where outcomes were kept, else where intervals part."""
    if "ofa" not in by_method:
        return []
    own, outcomes, sentences = interval(by_method["ofa"]), outcomes_of(by_method["ofa"]), list[str]()
    for rival in (each for each in RIVALS if each in by_method):
        theirs = outcomes_of(by_method[rival])
        if outcomes is None or theirs is None or len(outcomes) != len(theirs):
            sentences.append(compared("OFA", own, rival, interval(by_method[rival])))
            continue
        difference = outcomes - theirs
        low, high = intervals.interval([difference], REPLICATES, numpy.random.default_rng(0))
        how = "above" if low > 0 else "below" if high < 0 else "not to be told from"
        sentences.append(f"OFA is {how} {rival}: {difference.mean():+.3f} [{low:+.3f}, {high:+.3f}], pair by pair")
    return sentences


def outcomes_of(lines: list[Line]) -> Any:
    """Return whether each pair is found at 1, on average over directions and the seeds that kept it; else None."""
    outcomes = []
    for line in lines:
        path = line.path.parent / OUTCOMES.format(line.record["corpus"])
        records = [each.record for each in read_metrics(path)] if path.is_file() else []
        outcomes += [each["hits"] for each in records if each["k"] == 1 and each["layer"] == line.record["layer"]]
    return numpy.mean(outcomes, axis=0) if outcomes else None


def overlap_of(by_method: dict[str, list[Line]]) -> str:
    """Return what of the test occurs in the text that vectors, tokens and maps are made of, if measured."""
    for lines in by_method.values():
        for line in lines:
            if "overlap" in line.record:
                return f"{line.number_at('overlap'):.2%} of the sentences of the test occur in the aligned text."
    return ""


def left_out(path: Path) -> str:
    """Return how many pairs were left out of the aligned text."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"of the aligned text, {facts['left out']:,} pairs were left out, which held {facts['found']:,} of the "
            f"{facts['test sentences']:,} sentences of the tests; {facts['pairs']:,} are left."
        )
    except (OSError, ValueError, KeyError):
        return ""


def numbers(lines_of: Measured) -> list[dict[str, Any]]:
    """Return the accuracies in full, of every seed."""
    return [
        {"corpus": corpus, "method": method}
        | {key: line.record[key] for key in line.record if key.startswith(("accuracy", "random", "tokens", "pivot_t"))}
        for (corpus, method), lines in lines_of.items()
        for line in lines
    ]


SIZE = 10


def layers(folder: Path) -> Part:
    """Read the retrieval of all methods among the states of every layer.

    Args:
        folder: Of the run.

    Returns:
        A table for each corpus, and the numbers. Layer 0 are the embeddings.
    """
    accuracies: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(dict)
    numbers = list[dict[str, Any]]()
    language = folder.name
    for method, seed, lines in runs(folder, "layers"):
        last = {(line.record["corpus"], line.record["layer"]): line for line in lines if is_retrieval(line.record)}
        for (corpus, layer), line in last.items():
            value = line.number_at(f"accuracy@{SIZE}")
            accuracies[corpus].setdefault(method, defaultdict(list))[layer].append(value)
            numbers.append({"corpus": corpus, "method": method, "seed": int(seed), "layer": layer, "accuracy": value})
            language = LANGUAGES.get(str(line.record.get("of")), folder.name)
    tables = []
    for corpus in sorted(accuracies, key=list(CORPORA).index):
        every = sorted({layer for values in accuracies[corpus].values() for layer in values})
        rows = [
            [method, given(method), *(mean(values[layer]) if layer in values else "" for layer in every)]
            for method, values in accuracies[corpus].items()
        ]
        columns = ("method", "is given", *(f"layer {layer}" for layer in every))
        tables.append(Table(f"{language}, {CORPORA[corpus]}: accuracy at {SIZE}, layer by layer", columns, rows, 2))
    return Part("layers", folder.name, tables, [], numbers)
