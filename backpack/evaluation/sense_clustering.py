"""Occurrences of homonyms, what a model makes of each, and how well that parts their senses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backpack.senses.words import is_backpack
from semeqv.babel.document import Document
from semeqv.babel.reader import BayesReader
from semeqv.lazy import Floats, Integers, NDArray, numpy, torch
from semeqv.runs.progress import Progress
from semeqv.tasks.retrieval.vectors import body_of
from semeqv.text.datasets.tokenised import first_token
from semeqv.text.tokenizers.encoding import literal
from semeqv.train.compute import Regime

STARTS, ROUNDS = 8, 50


def two_means(points: NDArray[Any], generator: numpy.random.Generator) -> Integers:
    """Part points into two clusters by k-means (Lloyd, 1982), the best of several starts at two of the points.

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
            found = distances.argmin(1)
            if found.min() == found.max():
                break
            moved = numpy.stack([points[found == cluster].mean(0) for cluster in (0, 1)])
            if numpy.array_equal(moved, centres):
                break
            centres = moved
        cost = float(distances.min(1).sum())
        if cost < least and found.min() < found.max():
            best, least = found, cost
    return best


def v_measure(truth: Integers, clusters: Integers) -> float:
    """The harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg, 2007).

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
    """The entropy in nats of the distribution that counts are in proportion to."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * numpy.log(shares)).sum())


def against_chance(
    truth: Integers, clusters: Integers, shuffles: int, generator: numpy.random.Generator
) -> tuple[float, float]:
    """The V-measure of clusters, and what it is on average when the classes are dealt out anew.

    Args:
        truth: `(points,)`, the classes.
        clusters: `(points,)`.
        shuffles: How often to deal.
        generator: Deals.

    Returns:
        V, and that of chance: `(V - chance) / (1 - chance)` is V corrected for chance, 0 for clusters that know nothing
        (as in Vinh, Epps & Bailey, 2010).
    """
    dealt = [v_measure(generator.permutation(truth), clusters) for _ in range(shuffles)]
    return v_measure(truth, clusters), float(numpy.mean(dealt))


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


def occurrences(reader: BayesReader, documents: Sequence[Document]) -> Occurrences:
    """Find the homonyms of documents.

    Args:
        reader: Knows the language and the grammar.
        documents: The documents; those in another language alone have none.

    Returns:
        The homonyms.
    """
    found = reader.disambiguate(documents)
    texts, words, places = list[str](), list[str](), dict[tuple[int, int], int]()
    ends, sentence = list[int](), list[int]()
    for document, line, position in zip(*(each.tolist() for each in (found.document, found.sentence, found.position))):
        said = documents[document].sentences[reader.language][line]
        if (document, line) not in places:
            places[document, line] = len(texts)
            texts.append(said.text)
        words.append(said.forms[position])
        sentence.append(places[document, line])
        ends.append(len(" ".join(said.forms[: position + 1])))
    guess = found.posterior["sentence"].argmax(1)
    return Occurrences(texts, words, numpy.array(sentence), numpy.array(ends), found.truth, guess)


def features(
    model: Any, tokenizer: Any, regime: Regime, found: Occurrences, rows: int
) -> tuple[dict[str, NDArray[numpy.float32]], Integers]:
    """What a model makes of homonyms, each sentence read by itself behind the token that starts a text.

    `weights` and `states` are means over the positions from the last token of the word to the end of the sentence: of
    the weights that a Backpack gives there to the senses of that token, and of the last states of the model; of a
    Backpack, of its trunk. `word` is the last state at that token, which knows what is before alone.

    Args:
        model: Predicts the next token, within `inference`.
        tokenizer: Its tokenizer, a fast one.
        regime: Where the model is.
        found: The homonyms.
        rows: Sentences at a time.

    Returns:
        By name `(homonyms, features)`, and `(homonyms,)`: the last token of each.
    """
    said = literal(tokenizer).encode_batch(found.texts, add_special_tokens=False)
    starts, of_sentence = first_token(tokenizer, masked=False), defaultdict[int, list[int]](list)
    for place, sentence in enumerate(found.sentence.tolist()):
        of_sentence[sentence].append(place)
    made: dict[str, list[Any]] = defaultdict(lambda: [None] * len(found.truth))
    last = numpy.zeros(len(found.truth), numpy.int64)
    order = sorted(range(len(found.texts)), key=lambda each: len(said[each].ids))
    with Progress(total=len(order), desc="read", unit="sentence", leave=False, disable=None, mininterval=0.5) as bar:
        for which in (order[start : start + rows] for start in range(0, len(order), rows)):
            lines = [[starts, *said[each].ids] for each in which]
            longest = max(map(len, lines))
            ids = torch.tensor([line + [starts] * (longest - len(line)) for line in lines])
            real = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in lines])
            outputs = read(model, regime.place({"input_ids": ids, "attention_mask": real}))
            for row, each in enumerate(which):
                ends = [end for _, end in said[each].offsets]
                for place in of_sentence[each]:
                    at = 1 + ends.index(int(found.end[place]))
                    last[place] = lines[row][at]
                    made["states"][place] = outputs["states"][row, at : len(lines[row])].mean(0).numpy()
                    made["word"][place] = outputs["states"][row, at].numpy()
                    if "weights" in outputs:
                        made["weights"][place] = outputs["weights"][row, :, at : len(lines[row]), at].mean(1).numpy()
            bar.update(len(which))
    return {name: numpy.stack(values) for name, values in made.items()}, last


def read(model: Any, batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights of senses, `(rows, senses, time, time)`, of a Backpack; last states, `(rows, time, d)`; on the CPU."""
    if not is_backpack(model):
        states = body_of(model)(**batch, output_hidden_states=True).hidden_states[-1]
        return {"states": states.float().cpu()}
    outputs = body_of(model)(**batch, output_contextualization=True, output_hidden_states=True)
    trunk = outputs.hidden_states[-2]  # the last state is o, which follows from the weights
    return {"weights": outputs.contextualization.float().cpu(), "states": trunk.float().cpu()}


@dataclass(frozen=True)
class Parted:
    """How well the occurrences of one word part by its two senses.

    Args:
        by: What they were clustered by: `weights`, `states`, `word`, or `reader`, which knows the grammar.
        count: How many occurrences.
        v: Their V-measure.
        chance: Its mean when the senses are dealt out anew.
    """

    by: str
    count: int
    v: float
    chance: float

    @property
    def corrected(self) -> float:
        """V corrected for chance; 0 where chance leaves no room."""
        return (self.v - self.chance) / (1 - self.chance) if self.chance < 1 else 0.0


def parted(
    found: Occurrences,
    tokens: Integers,
    made: dict[str, NDArray[numpy.float32]],
    *,
    least: int,
    each_sense: int,
    shuffles: int,
    seed: int,
) -> Iterator[Parted]:
    """Cluster the occurrences of each word; those that are written with another last token apart.

    Args:
        found: The homonyms.
        tokens: `(homonyms,)`: the last token of each, which may be that of several words.
        made: By name `(homonyms, features)`.
        least: Occurrences that a word must have.
        each_sense: Occurrences that each of its senses must have.
        shuffles: How often senses are dealt out anew.
        seed: Of starts and shuffles.

    Yields:
        A result for each word and way of clustering.
    """
    words = numpy.array(found.word)
    for token, word in sorted(set(zip(tokens.tolist(), found.word))):
        where = numpy.flatnonzero((tokens == token) & (words == word))
        truth = found.truth[where]
        if len(where) < least or numpy.bincount(truth, minlength=2).min() < each_sense:
            continue
        generator = numpy.random.default_rng([seed, token])
        clusters = {name: two_means(values[where], generator) for name, values in made.items()}
        for name, each in (clusters | {"reader": found.guess[where]}).items():
            yield Parted(name, len(where), *against_chance(truth, each, shuffles, generator))
