"""Occurrences of homonyms, the features that a model has of each, and how well these separate their senses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backpack.inspection.words import is_backpack
from semeqv.babel.document import Document
from semeqv.babel.reader import BayesReader
from semeqv.lazy import Floats, Integers, NDArray, numpy, torch
from semeqv.runs.progress import Progress
from semeqv.tasks.retrieval.vectors import body_of
from semeqv.text.tokenizers.encoding import first_token, literal
from semeqv.train.compute import ComputeConfig

STARTS, ROUNDS = 8, 50


def two_means(points: NDArray[Any], generator: numpy.random.Generator) -> Integers:
    """Cluster points in two by k-means (Lloyd, 1982), the best of several starts at two of the points.

    Args:
        points: `(points, width)`, two at least.
        generator: Chooses the starts.

    Returns:
        `(points,)`: 0 or 1; all 0 where all points are the same.
    """
    points = numpy.asarray(points, numpy.float64)
    points = points - points.mean(0)
    squares, best, least = (points**2).sum(1), numpy.zeros(len(points), numpy.int64), numpy.inf
    for _ in range(STARTS):
        centres = points[generator.choice(len(points), 2, replace=False)]
        for _ in range(ROUNDS):
            distances = squares[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
            clusters = distances.argmin(1)
            if clusters.min() == clusters.max():
                break
            moved = numpy.stack([points[clusters == cluster].mean(0) for cluster in (0, 1)])
            if numpy.array_equal(moved, centres):
                break
            centres = moved
        cost = float(distances.min(1).sum())
        if cost < least and clusters.min() < clusters.max():
            best, least = clusters, cost
    return best


def v_measure(truth: Integers, clusters: Integers) -> float:
    """Return the harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg, 2007).

    Args:
        truth: `(points,)`, the classes.
        clusters: `(points,)`.

    Returns:
        From 0 to 1. One class is homogeneous and one cluster complete, as there.
    """
    counts = numpy.zeros((int(truth.max()) + 1, int(clusters.max()) + 1))
    numpy.add.at(counts, (truth, clusters), 1)
    of_truth, of_clusters, joint = entropy(counts.sum(1)), entropy(counts.sum(0)), entropy(counts.ravel())
    shared = of_truth + of_clusters - joint
    homogeneity = shared / of_truth if of_truth else 1.0
    completeness = shared / of_clusters if of_clusters else 1.0
    total = homogeneity + completeness
    return float(max(2 * homogeneity * completeness / total, 0.0)) if total > 0 else 0.0


def entropy(counts: Floats) -> float:
    """Return the entropy in nats of the distribution that counts are in proportion to."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * numpy.log(shares)).sum())


def against_chance(
    truth: Integers, clusters: Integers, shuffles: int, generator: numpy.random.Generator
) -> tuple[float, float]:
    """Return the V-measure of clusters, and its mean when the classes are permuted.

    Args:
        truth: `(points,)`, the classes.
        clusters: `(points,)`.
        shuffles: How often to permute.
        generator: Permutes.

    Returns:
        V, and that of chance: `(V - chance) / (1 - chance)` is V corrected for chance, 0 for random clusters
        (as in Vinh, Epps & Bailey, 2010).
    """
    by_chance = [v_measure(generator.permutation(truth), clusters) for _ in range(shuffles)]
    return v_measure(truth, clusters), float(numpy.mean(by_chance))


@dataclass(frozen=True)
class Occurrences:
    """Homonyms in sentences of one language.

    Args:
        texts: The sentences that have some.
        word: `(homonyms,)`, as it is written there.
        sentence: `(homonyms,)`, which of the sentences.
        end: `(homonyms,)`, where in its text the word ends, in characters.
        truth: `(homonyms,)`, which of its two senses it has.
        guess: `(homonyms,)`, the more probable sense, given the sentence and the grammar.
    """

    texts: list[str]
    word: list[str]
    sentence: Integers
    end: Integers
    truth: Integers
    guess: Integers


def find_homonyms(reader: BayesReader, documents: Sequence[Document]) -> Occurrences:
    """Find the homonyms of documents.

    Args:
        reader: Knows the language and the grammar.
        documents: The documents; those in another language alone have none.

    Returns:
        The homonyms.
    """
    readings = reader.disambiguate(documents)
    texts, words, places = list[str](), list[str](), dict[tuple[int, int], int]()
    ends, sentence = list[int](), list[int]()
    for document, line, position in zip(
        *(each.tolist() for each in (readings.document, readings.sentence, readings.position))
    ):
        written = documents[document].sentences[reader.language][line]
        if (document, line) not in places:
            places[document, line] = len(texts)
            texts.append(written.text)
        words.append(written.forms[position])
        sentence.append(places[document, line])
        ends.append(len(" ".join(written.forms[: position + 1])))
    guess = readings.posterior["sentence"].argmax(1)
    return Occurrences(texts, words, numpy.array(sentence), numpy.array(ends), readings.truth, guess)


def features(
    model: Any, tokenizer: Any, regime: ComputeConfig, homonyms: Occurrences, rows: int
) -> tuple[dict[str, NDArray[numpy.float32]], Integers]:
    """Compute the features of homonyms, each sentence read by itself behind the token that starts a text.

    `weights` and `states` are means over the positions from the last token of the word to the end of the sentence: of
    the weights that a Backpack gives there to the senses of that token, and of the last states of the model; of a
    Backpack, of its trunk. `word` is the last state at that token, which depends on what is before alone.

    Args:
        model: Predicts the next token, within `inference`.
        tokenizer: Its tokenizer, a fast one.
        regime: Where the model is.
        homonyms: The homonyms.
        rows: Sentences at a time.

    Returns:
        By name `(homonyms, features)`, and `(homonyms,)`: the last token of each.
    """
    encodings = literal(tokenizer).encode_batch(homonyms.texts, add_special_tokens=False)
    starts, of_sentence = first_token(tokenizer, masked=False), defaultdict[int, list[int]](list)
    for place, sentence in enumerate(homonyms.sentence.tolist()):
        of_sentence[sentence].append(place)
    values: dict[str, list[Any]] = defaultdict(lambda: [None] * len(homonyms.truth))
    last = numpy.zeros(len(homonyms.truth), numpy.int64)
    order = sorted(range(len(homonyms.texts)), key=lambda text: len(encodings[text].ids))
    with Progress(total=len(order), desc="read", unit="sentence", leave=False, disable=None, mininterval=0.5) as bar:
        for which in (order[start : start + rows] for start in range(0, len(order), rows)):
            lines = [[starts, *encodings[text].ids] for text in which]
            longest = max(map(len, lines))
            ids = torch.tensor([line + [starts] * (longest - len(line)) for line in lines])
            real = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in lines])
            outputs = read(model, regime.place({"input_ids": ids, "attention_mask": real}))
            for row, text in enumerate(which):
                ends = [end for _, end in encodings[text].offsets]
                for place in of_sentence[text]:
                    at = 1 + ends.index(int(homonyms.end[place]))
                    last[place] = lines[row][at]
                    values["states"][place] = outputs["states"][row, at : len(lines[row])].mean(0).numpy()
                    values["word"][place] = outputs["states"][row, at].numpy()
                    if "weights" in outputs:
                        values["weights"][place] = outputs["weights"][row, :, at : len(lines[row]), at].mean(1).numpy()
            bar.update(len(which))
    return {name: numpy.stack(rows) for name, rows in values.items()}, last


def read(model: Any, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return, on the CPU, weights of senses, `(rows, senses, time, time)`, and last states, `(rows, time, d)`."""
    if not is_backpack(model):
        states = body_of(model)(**batch, output_hidden_states=True).hidden_states[-1]
        return {"states": states.float().cpu()}
    outputs = body_of(model)(**batch, output_contextualization=True, output_hidden_states=True)
    trunk = outputs.hidden_states[-2]  # the last state is o, which follows from the weights
    return {"weights": outputs.contextualization.float().cpu(), "states": trunk.float().cpu()}


@dataclass(frozen=True)
class ClusteredWord:
    """How well the clusters of the occurrences of one word agree with its two senses.

    Args:
        by: What they were clustered by: `weights`, `states`, `word`, or `reader`, which knows the grammar.
        count: How many occurrences.
        v: Their V-measure.
        chance: Its mean when the senses are permuted.
    """

    by: str
    count: int
    v: float
    chance: float

    @property
    def corrected(self) -> float:
        """Return V corrected for chance; 0 where chance leaves no room."""
        return (self.v - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


def clustered_words(
    homonyms: Occurrences,
    tokens: Integers,
    values: dict[str, NDArray[numpy.float32]],
    *,
    least: int,
    each_sense: int,
    shuffles: int,
    seed: int,
) -> Iterator[ClusteredWord]:
    """Cluster the occurrences of each word; those that are written with another last token by themselves.

    Args:
        homonyms: The homonyms.
        tokens: `(homonyms,)`: the last token of each, which may be that of several words.
        values: By name `(homonyms, features)`.
        least: Occurrences that a word must have.
        each_sense: Occurrences that each of its senses must have.
        shuffles: How often senses are permuted.
        seed: Of starts and permutations.

    Yields:
        A result for each word and way of clustering.
    """
    words = numpy.array(homonyms.word)
    for token, word in sorted(set(zip(tokens.tolist(), homonyms.word))):
        where = numpy.flatnonzero((tokens == token) & (words == word))
        truth = homonyms.truth[where]
        if len(where) < least or numpy.bincount(truth, minlength=2).min() < each_sense:
            continue
        generator = numpy.random.default_rng([seed, token])
        clusters = {name: two_means(points[where], generator) for name, points in values.items()}
        for name, own in (clusters | {"reader": homonyms.guess[where]}).items():
            yield ClusteredWord(name, len(where), *against_chance(truth, own, shuffles, generator))
