"""Lexicon induction: how often the nearest words hold a translation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from backpack.evaluation.word_pairs import FIRST, SECOND, read_pairs
from backpack.inspection.words import Speller, embedded, is_backpack, without_shared, word_vectors
from backpack.measuring import IntervalEstimate, Measurement, estimate, facts_of, fitting_tokenizer
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.text.location import locate
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class Precisions:
    """How often the nearest words hold a right one.

    Args:
        by: What is compared: a sense index, `all` of them, or the `embedding`.
        precision: By the size of the list.
    """

    by: str
    precision: dict[int, IntervalEstimate]


@dataclass(frozen=True, kw_only=True)
class LexiconInduction(Measurement):
    """Lexicon induction by the vectors of a model.

    Args:
        dictionary: The list of words.
        ways: The precision of each way to compare words.
        chance: The precision of random words, by the size of the list.
        words: How many words of the list.
        candidates: How many words may be found.
        pieces: How words of several tokens are put together.
    """

    dictionary: str
    ways: list[Precisions]
    chance: dict[int, float]
    words: int
    candidates: int
    pieces: str

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each way."""
        tail = {"words": self.words, "candidates": self.candidates, "pieces": self.pieces, "model": self.model}
        lines = []
        for way in self.ways:
            line: dict[str, Any] = {"measure": "lexical", "dictionary": self.dictionary, "by": way.by}
            for k, precision in way.precision.items():
                line |= precision.named(f"precision@{k}")
            lines.append(line | tail | {f"random@{k}": share for k, share in self.chance.items()})
        return lines

    def show(self) -> None:
        """Print the table."""
        columns = ["by"] + [part for k in self.chance for part in (f"P@{k}", "95% interval")]
        rows = [
            [f"sense {way.by}" if way.by.isdecimal() else way.by]
            + [cell for precision in way.precision.values() for cell in precision.cells()]
            for way in self.ways
        ]
        rows.append(["by chance"] + [cell for share in self.chance.values() for cell in (f"{share:.4f}", "")])
        title = f"Words of {self.dictionary} found, {self.model}"
        print_table(f"{title}: {self.words:,} among {self.candidates:,}", columns, rows)


def check_sizes(options: Any) -> None:
    """Refuse sizes of lists below 1: `ValueError`."""
    if min(options.k, default=0) < 1:
        raise ValueError("--k takes one or more sizes, each at least 1.")


@action("backpack lexical", check=check_sizes)
def lexical(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path = Path("dict_freedict/eng-fra.tsv"),
    k: tuple[int, ...] = (1, 5, 10),
    words: Annotated[int, AtLeast(0)] = 2000,
    single: bool = False,
    shared_tokens: bool = False,
    pieces: Literal["averaged", "composed"] = "averaged",
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> LexiconInduction:
    """Measure how often the nearest words hold a translation, by each sense index of a Backpack.

    For each word of a dictionary, the words of the other side are sorted by their cosine: of one sense index, of all
    indices (the mean of their cosines), of the input embedding, which is all that other models have. Precision at k is
    the share of words with a right one among the k nearest; beside it is what k random words reach. Any list of
    related words will do in place of a dictionary, for relations within a language. The index that does best is chosen
    by this very test: judge it on another list. Intervals are those of a bootstrap of the words. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        model: A model with input embeddings.
        tokenizer: Its tokenizer; that of the model's folder if None.
        seed: Of the bootstrap.
        compute: Where to compute, and with which numbers.
        path: A word and a related word on each line, a tab between them; here, or under $SEMEQV_DATA. Entries of
            several words are left out.
        k: The sizes of the lists.
        words: The first so many words of the list that are left; 0 for all. All second words of the list remain.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words of the same spelling have: their vectors are
            similar before any training. Else a word of such a pair is no candidate for the other one.
        pieces: For words of several tokens: the mean of their vectors, or what they compose in a Backpack.
        replicates: Samples of the bootstrap.

    Returns:
        The precision of each way to compare words.

    Raises:
        UserError: When no pair is left.
    """
    speller = Speller(fitting_tokenizer(model, tokenizer))
    every = without_shared(list(entries(path)), speller, single, shared=True)
    pairs = without_shared(every, speller, single, shared_tokens)
    if not pairs:
        raise UserError(f"{path} has no pair of single words that is left with these options.")
    sources, targets, gold = gold_of(pairs)
    sources, gold = sources[: words or None], gold[: words or None]
    excluded = places_among(sources, targets, set(every) - set(pairs))  # they are right, too
    spelled = speller(sources), speller(targets)
    with inference(model, compute):
        vectors = {"embedding": [embedded(model, each) for each in spelled]}
        if is_backpack(model):
            senses = [word_vectors(model, each, pieces) for each in spelled]
            for index in range(senses[0].shape[1]):
                vectors[str(index)] = [each[:, index : index + 1] for each in senses]
            vectors["all"] = senses
    generator, ways = numpy.random.default_rng(seed), []
    for by, (left, right) in vectors.items():
        places = ranks(left, right, gold, excluded)
        ways.append(Precisions(by, {size: estimate(places <= size, replicates, generator) for size in k}))
    return LexiconInduction(
        dictionary=str(path),
        ways=ways,
        chance={size: chance(gold, excluded, len(targets), size) for size in k},
        words=len(sources),
        candidates=len(targets),
        pieces=pieces,
        **facts_of(model),
    )


AT_ONCE = 512  # sources


def gold_of(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str], list[list[int]]]:
    """Sort the pairs of a dictionary by their first words.

    Args:
        pairs: A word and one of the words that are right for it.

    Returns:
        The different first words, the different second words, and for each first word the places of those that are
        right.
    """
    sources, targets = dict[str, list[int]](), dict[str, int]()
    for one, other in pairs:
        sources.setdefault(one, []).append(targets.setdefault(other, len(targets)))
    return list(sources), list(targets), list(sources.values())


def places_among(sources: Sequence[str], targets: Sequence[str], pairs: Iterable[tuple[str, str]]) -> list[list[int]]:
    """Find the places of the second words of some pairs among all targets, by source.

    Args:
        sources: Different first words.
        targets: Different second words.
        pairs: Words.

    Returns:
        Places among the targets, for each source; words that are no targets are left out.
    """
    place_of, places = {word: at for at, word in enumerate(targets)}, dict[str, list[int]]()
    for one, other in pairs:
        if other in place_of:
            places.setdefault(one, []).append(place_of[other])
    return [places.get(source, []) for source in sources]


def ranks(
    sources: torch.Tensor, targets: torch.Tensor, gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]]
) -> NDArray[numpy.int64]:
    """Rank the nearest right word among all, by the cosine; summed over vectors where a word has several.

    Args:
        sources: `(sources, vectors, d)`.
        targets: `(targets, vectors, d)`.
        gold: The right targets of each source, one at least.
        excluded: Other targets that are no candidates for each source.

    Returns:
        `(sources,)`, from 1. A wrong word that is as near as the nearest right one stands before it, so that vectors
        that are all the same find nothing.
    """
    left, right = (torch.nn.functional.normalize(each.float(), dim=-1).flatten(1) for each in (sources, targets))
    places = []
    for start in range(0, len(left), AT_ONCE):
        near = left[start : start + AT_ONCE] @ right.T
        correct, out = (marked(near, each[start : start + AT_ONCE]) for each in (gold, excluded))
        best = near.masked_fill(~correct, -torch.inf).amax(1, keepdim=True)
        places.append(1 + ((near >= best - 1e-6) & ~correct & ~out).sum(1))
    return torch.cat(places).numpy()


def marked(near: torch.Tensor, places: Sequence[Sequence[int]]) -> torch.Tensor:
    """Return a mask of the shape of `near`, `(sources, targets)`, that is true at some places of each source."""
    mask = torch.zeros_like(near, dtype=torch.bool)
    for row, own in enumerate(places):
        mask[row, list(own)] = True
    return mask


def chance(gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]], targets: int, k: int) -> float:
    """Return the precision at k of candidates drawn at random, without replacement.

    Args:
        gold: The right targets of each source.
        excluded: Other targets that are no candidates for each source.
        targets: How many targets there are.
        k: The size of the list.

    Returns:
        The probability that a right one is drawn, on average over sources.
    """
    missed = []
    for right, out in zip(map(set, gold), map(set, excluded)):
        left = targets - len(out)
        drawn = min(k, left)
        missed.append(math.comb(left - len(right), drawn) / math.comb(left, drawn))
    return 1 - math.fsum(missed) / len(missed)


def entries(path: Path, single_words: bool = True) -> Iterator[tuple[str, str]]:
    """Read a dictionary; what `read_pairs` and `locate` raise is raised.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not.
        single_words: Whether to leave out entries of several words.

    Yields:
        A word and a translation; each pair once.
    """
    seen = set[tuple[str, str]]()
    for pair in read_pairs(locate(str(path), path), (FIRST, SECOND), "a word and a related word"):
        if pair not in seen and not (single_words and any(" " in word for word in pair)):
            seen.add(pair)
            yield pair
