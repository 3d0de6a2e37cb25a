"""Lexicon induction as an action."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backpack.evaluation.word_pairs import FIRST, SECOND, read_pairs
from backpack.inspection.words import Speller, embedded, is_backpack, without_shared, word_vectors
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of
from semeqv.text.location import locate


@component("backpack lexical")
@dataclass(frozen=True, kw_only=True)
class Lexical(Measuring):
    """Measure how often the nearest words hold a translation, by each sense index of a Backpack.

    For each word of a dictionary, the words of the other side are sorted by their cosine: of one sense index, of all
    indices (the mean of their cosines), of the input embedding, which is all that other models have. Precision at k is
    the share of words with a right one among the k nearest; what k random words reach stands beside it. Any list of
    related words will do in place of a dictionary, for relations within a language. The index that does best is chosen
    by this very test: judge it on another list. Intervals are those of a bootstrap of the words. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        path: A word and a related word on each line, a tab between them; here, or under $SEMEQV_DATA. Entries of
            several words are left out.
        k: The sizes of the lists.
        words: The first so many words of the list that are left; 0 for all. All second words of the list remain.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words that are written alike have: their vectors are
            alike before any training. Else a word of such a pair is no candidate for the other one.
        pieces: For words of several tokens: the mean of their vectors, or what they compose in a Backpack.
        replicates: Samples of the bootstrap.
    """

    path: Path = Path("dict_freedict/eng-fra.tsv")
    k: tuple[int, ...] = (1, 5, 10)
    words: int = 2000
    single: bool = False
    shared_tokens: bool = False
    pieces: Literal["averaged", "composed"] = "averaged"
    replicates: int = 1000

    def __post_init__(self) -> None:
        if min(self.k, default=0) < 1:
            raise ValueError("--k takes one or more sizes, each at least 1.")
        check_bounds(self, words=0, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines, self.k)
        return lines


AT_ONCE = 512  # sources


def gold_of(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str], list[list[int]]]:
    """Sort the pairs of a dictionary.

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
    """The places of the second words of some pairs among all targets, by source; of those that are there.

    Args:
        sources: Different first words.
        targets: Different second words.
        pairs: Words.

    Returns:
        Places among the targets, for each source.
    """
    place, found = {word: at for at, word in enumerate(targets)}, dict[str, list[int]]()
    for one, other in pairs:
        if other in place:
            found.setdefault(one, []).append(place[other])
    return [found.get(source, []) for source in sources]


def ranks(
    sources: torch.Tensor, targets: torch.Tensor, gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]]
) -> NDArray[numpy.int64]:
    """The place of the nearest right word among all, by the cosine; summed over vectors where a word has several.

    Args:
        sources: `(sources, vectors, d)`.
        targets: `(targets, vectors, d)`.
        gold: The right targets of each source, one at least.
        excluded: Other targets that are no candidates for each source.

    Returns:
        `(sources,)`, from 1. A wrong word that is as near as the nearest right one stands before it, so that vectors
        that are all alike find nothing.
    """
    left, right = (torch.nn.functional.normalize(each.float(), dim=-1).flatten(1) for each in (sources, targets))
    found = []
    for start in range(0, len(left), AT_ONCE):
        near = left[start : start + AT_ONCE] @ right.T
        correct, out = (marked(near, each[start : start + AT_ONCE]) for each in (gold, excluded))
        best = near.masked_fill(~correct, -torch.inf).amax(1, keepdim=True)
        found.append(1 + ((near >= best - 1e-6) & ~correct & ~out).sum(1))
    return torch.cat(found).numpy()


def marked(near: torch.Tensor, places: Sequence[Sequence[int]]) -> torch.Tensor:
    """Where some targets of each source are: true at their places, of the shape of `near`, `(sources, targets)`."""
    found = torch.zeros_like(near, dtype=torch.bool)
    for row, each in enumerate(places):
        found[row, list(each)] = True
    return found


def chance(gold: Sequence[Sequence[int]], excluded: Sequence[Sequence[int]], targets: int, k: int) -> float:
    """The precision at k of candidates drawn at random, without replacement.

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


def measure(options: Lexical, subject: Subject) -> list[dict[str, Any]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model has input embeddings.

    Returns:
        A line for each way to compare words.

    Raises:
        UserError: When no pair is left.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_tokenizer(model, tokenizer)
    speller = Speller(tokenizer)
    every = without_shared(list(entries(options.path)), speller, options.single, shared=True)
    pairs = without_shared(every, speller, options.single, options.shared_tokens)
    if not pairs:
        raise UserError(f"{options.path} has no pair of single words that is left with these options.")
    sources, targets, gold = gold_of(pairs)
    sources, gold = sources[: options.words or None], gold[: options.words or None]
    excluded = places_among(sources, targets, set(every) - set(pairs))  # they are right, too
    spelled = speller(sources), speller(targets)
    with inference(model, *subject.regime):
        ways = {"embedding": tuple(embedded(model, each) for each in spelled)}
        if is_backpack(model):
            senses = [word_vectors(model, each, options.pieces) for each in spelled]
            for index in range(senses[0].shape[1]):
                ways[str(index)] = tuple(each[:, index : index + 1] for each in senses)
            ways["all"] = tuple(senses)
    generator, head = numpy.random.default_rng(subject.seed), {"measure": "lexical", "dictionary": str(options.path)}
    tail: dict[str, Any] = {
        "words": len(sources),
        "candidates": len(targets),
        "pieces": options.pieces,
        "model": name_of(model),
    }
    tail |= {f"random@{k}": chance(gold, excluded, len(targets), k) for k in options.k}
    return [
        head | {"by": by} | precisions(options, two, (gold, excluded), generator) | tail for by, two in ways.items()
    ]


def precisions(
    options: Lexical,
    vectors: tuple[torch.Tensor, ...],
    targets: tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]],
    generator: numpy.random.Generator,
) -> dict[str, float]:
    """The precision at each k, and its interval; `targets` are those right for each source, and those left out."""
    places, found = ranks(vectors[0], vectors[1], *targets), dict[str, float]()
    for k in options.k:
        low, high = interval([places <= k], options.replicates, generator)
        found |= {f"precision@{k}": float((places <= k).mean()), f"precision@{k}_low": low, f"precision@{k}_high": high}
    return found


def print_lines(lines: list[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Print the table."""
    columns = ["by"] + [part for k in sizes for part in (f"P@{k}", "95% interval")]
    rows = []
    for each in lines:
        cells = [f"sense {each['by']}" if each["by"].isdecimal() else each["by"]]
        for k in sizes:
            low, high = each[f"precision@{k}_low"], each[f"precision@{k}_high"]
            cells += [f"{each[f'precision@{k}']:.3f}", f"{low:.3f}-{high:.3f}"]
        rows.append(cells)
    rows.append(["by chance"] + [part for k in sizes for part in (f"{lines[0][f'random@{k}']:.4f}", "")])
    title = f"Words of {lines[0]['dictionary']} found, {lines[0]['model']}"
    print_table(f"{title}: {lines[0]['words']:,} among {lines[0]['candidates']:,}", columns, rows)
