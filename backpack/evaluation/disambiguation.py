"""Telling the senses of homonyms apart, as an action."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from backpack.evaluation.babel import babel_of, documents_of, grammar_of
from backpack.evaluation.sense_clustering import Parted, features, occurrences, parted
from semeqv.babel.reader import BayesReader
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, most_tokens, name_of
from semeqv.text.generation import check_causal
from semeqv.text.tokenizers.encoding import encode


@component("backpack disambiguation")
@dataclass(frozen=True, kw_only=True)
class Disambiguation(Measuring):
    """Measure how well a model tells the senses of homonyms apart in sentences of the generated corpus.

    The occurrences of each homonym are parted by 2-means and compared with their senses: V-measure (Rosenberg &
    Hirschberg, 2007), corrected for chance: 0 is what clusters of these sizes reach when senses are dealt out anew, 1
    is perfect. Clustered are the weights (alpha) that a Backpack gives to the senses of the word, on average over the
    positions from the word to the end of its sentence; and the last states of any model, of a Backpack those of its
    trunk, likewise averaged, and at the word itself. Beside them stands the best possible reader, who knows the grammar
    and the sentence. The sentence needs `cli dataset babel --split validation`. Intervals are those of a bootstrap of
    the words. Lines go to metrics.jsonl of the run's folder.

    Args:
        occurrences: Those that a word must have.
        each_sense: Those that each of its two senses must have.
        shuffles: How often senses are dealt out anew, for each word.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
    """

    occurrences: int = 20
    each_sense: int = 5
    shuffles: int = 50
    batch_size: int = 64
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, occurrences=2, each_sense=1, shuffles=1, batch_size=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines)
        return lines


KINDS = {
    "weights": "weights of senses (alpha)",
    "states": "last states of the Transformer",
    "word": "its last state at the word",
    "reader": "best possible: the reader who knows the grammar",
}


def measure(options: Disambiguation, subject: Subject) -> list[dict[str, Any]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model predicts the next token.

    Returns:
        A line for each of `KINDS` that there is.

    Raises:
        UserError: When the model is of another kind, or no homonym occurs often enough.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_causal(model)
    check_tokenizer(model, tokenizer)
    data = babel_of(subject.dataset_options, ("validation", "test", "train"), "cli backpack disambiguation")
    grammar, results = grammar_of(data), defaultdict[str, list[Parted]](list)
    documents = list(documents_of(data, grammar))
    with inference(model, *subject.regime) as running:
        for language in data.languages:
            found = occurrences(BayesReader(grammar, language), documents)
            if not found.texts:
                continue
            longest = max(map(len, encode(tokenizer, found.texts))) + 1
            if longest > (most_tokens(model) or longest):
                raise UserError(f"A sentence has {longest} tokens, and the model reads {most_tokens(model)}.")
            made, tokens = features(model, tokenizer, running, found, options.batch_size)
            for each in parted(
                found,
                tokens,
                made,
                least=options.occurrences,
                each_sense=options.each_sense,
                shuffles=options.shuffles,
                seed=subject.seed,
            ):
                results[each.by].append(each)
    if not results:
        raise UserError(
            f"No homonym occurs {options.occurrences} times, {options.each_sense} in each sense; add --documents."
        )
    generator = numpy.random.default_rng(subject.seed)
    return [line(options, kind, results[kind], model, generator) for kind in KINDS if kind in results]


def line(
    options: Disambiguation, kind: str, results: list[Parted], model: Any, generator: numpy.random.Generator
) -> dict[str, Any]:
    """The mean over words, as JSON."""
    corrected = numpy.array([each.corrected for each in results])
    low, high = interval([corrected], options.replicates, generator)
    return {
        "measure": "disambiguation",
        "by": kind,
        "v_corrected": float(corrected.mean()),
        "v_corrected_low": low,
        "v_corrected_high": high,
        "v": float(numpy.mean([each.v for each in results])),
        "v_chance": float(numpy.mean([each.chance for each in results])),
        "words": len(results),
        "occurrences": sum(each.count for each in results),
        "model": name_of(model),
    }


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = []
    for each in lines:
        interval_said = f"{each['v_corrected_low']:.3f}-{each['v_corrected_high']:.3f}"
        cells = [KINDS[each["by"]], f"{each['v_corrected']:.3f}", interval_said, f"{each['v']:.3f}"]
        rows.append([*cells, f"{each['v_chance']:.3f}", f"{each['words']:,}", f"{each['occurrences']:,}"])
    columns = ("parted by", "corrected", "95% interval", "V-measure", "of chance", "words", "occurrences")
    print_table(f"The two senses of homonyms told apart, {lines[0]['model']}", columns, rows)
