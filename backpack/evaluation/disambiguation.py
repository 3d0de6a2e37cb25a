"""Disambiguation: telling the senses of homonyms apart in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from backpack.evaluation.babel import babel_of, documents_of, grammar_of
from backpack.evaluation.sense_clustering import ClusteredWord, clustered_words, features, find_homonyms
from backpack.measuring import Datasets, IntervalEstimate, Measurement, estimate, facts_of, fitting_tokenizer
from semeqv.babel.reader import BayesReader
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference, most_tokens
from semeqv.text.generation import check_causal
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.compute import Compute

KINDS = {
    "weights": "weights of senses (alpha)",
    "states": "last states of the Transformer",
    "word": "its last state at the word",
    "reader": "best possible: the reader who knows the grammar",
}


@dataclass(frozen=True)
class Separation:
    """How well the occurrences of homonyms are separated by their senses, on average over words.

    Args:
        by: What they were clustered by, one of `KINDS`.
        v_corrected: The V-measure, corrected for chance.
        v: The V-measure.
        v_chance: Its mean when senses are permuted.
        words: How many words.
        occurrences: How many occurrences they have.
    """

    by: str
    v_corrected: IntervalEstimate
    v: float
    v_chance: float
    words: int
    occurrences: int


@dataclass(frozen=True, kw_only=True)
class SenseDisambiguation(Measurement):
    """Disambiguation of homonyms by a model.

    Args:
        ways: The separation by each of `KINDS` that the model has.
    """

    ways: list[Separation]

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each way."""
        return [
            {"measure": "disambiguation", "by": row.by}
            | row.v_corrected.named("v_corrected")
            | {"v": row.v, "v_chance": row.v_chance, "words": row.words, "occurrences": row.occurrences}
            | {"model": self.model}
            for row in self.ways
        ]

    def show(self) -> None:
        """Print the table."""
        rows = []
        for row in self.ways:
            cells = [KINDS[row.by], *row.v_corrected.cells(), f"{row.v:.3f}", f"{row.v_chance:.3f}"]
            rows.append([*cells, f"{row.words:,}", f"{row.occurrences:,}"])
        columns = ("parted by", "corrected", "95% interval", "V-measure", "of chance", "words", "occurrences")
        print_table(f"The two senses of homonyms told apart, {self.model}", columns, rows)


@action("backpack disambiguation")
def disambiguation(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    occurrences: Annotated[int, AtLeast(2)] = 20,
    each_sense: Annotated[int, AtLeast(1)] = 5,
    shuffles: Annotated[int, AtLeast(1)] = 50,
    batch_size: Annotated[int, AtLeast(1)] = 64,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> SenseDisambiguation:
    """Measure how well a model tells the senses of homonyms apart in sentences of the generated corpus.

    The occurrences of each homonym are clustered by 2-means and compared with their senses: V-measure (Rosenberg &
    Hirschberg, 2007), corrected for chance: 0 is what clusters of these sizes reach when senses are permuted, 1
    is perfect. Clustered are the weights (alpha) that a Backpack gives to the senses of the word, on average over the
    positions from the word to the end of its sentence; and the last states of any model, of a Backpack those of its
    trunk, likewise averaged, and at the word itself. Beside them is the best possible reader, who knows the grammar
    and the sentence. The sentence needs `cli dataset babel --split validation`. Intervals are those of a bootstrap of
    the words. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A model that predicts the next token.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built, with the generated corpus among them.
        seed: Of clustering, of permutations, and of the bootstrap.
        compute: Where to compute, and with which numbers.
        occurrences: Those that a word must have.
        each_sense: Those that each of its two senses must have.
        shuffles: How often senses are permuted, for each word.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.

    Returns:
        The separation by each of `KINDS` that the model has.

    Raises:
        UserError: When the model is of another kind, or no homonym occurs often enough.
    """
    check_causal(model)
    tokenizer = fitting_tokenizer(model, tokenizer)
    data = babel_of(dataset_options or {}, ("validation", "test", "train"), "cli backpack disambiguation")
    grammar, results = grammar_of(data), defaultdict[str, list[ClusteredWord]](list)
    documents = list(documents_of(data, grammar))
    with inference(model, compute) as running:
        for language in data.languages:
            homonyms = find_homonyms(BayesReader(grammar, language), documents)
            if not homonyms.texts:
                continue
            longest = max(map(len, encode(tokenizer, homonyms.texts))) + 1
            if longest > (most_tokens(model) or longest):
                raise UserError(f"A sentence has {longest} tokens, and the model reads {most_tokens(model)}.")
            values, tokens = features(model, tokenizer, running, homonyms, batch_size)
            for word in clustered_words(
                homonyms, tokens, values, least=occurrences, each_sense=each_sense, shuffles=shuffles, seed=seed
            ):
                results[word.by].append(word)
    if not results:
        raise UserError(f"No homonym occurs {occurrences} times, {each_sense} in each sense; add --documents.")
    generator = numpy.random.default_rng(seed)
    ways = [separation(kind, results[kind], replicates, generator) for kind in KINDS if kind in results]
    return SenseDisambiguation(ways=ways, **facts_of(model))


def separation(
    kind: str, words: Sequence[ClusteredWord], replicates: int, generator: numpy.random.Generator
) -> Separation:
    """Return the mean over words, with its interval."""
    return Separation(
        by=kind,
        v_corrected=estimate(numpy.array([word.corrected for word in words]), replicates, generator),
        v=float(numpy.mean([word.v for word in words])),
        v_chance=float(numpy.mean([word.chance for word in words])),
        words=len(words),
        occurrences=sum(word.count for word in words),
    )
