"""What sense indices mean in two languages, as an action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backpack.evaluation.babel import babel_of, grammar_of, translations
from backpack.evaluation.lexicon_induction import entries
from backpack.inspection.words import Speller, check_backpack, without_shared, word_vectors
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of


@component("backpack invariance")
@dataclass(frozen=True, kw_only=True)
class Invariance(Measuring):
    """Measure whether a sense index of a Backpack means the same in two languages, by words and their translations.

    The mean cosine of equal sense indices of translations stands beside that of different indices, and beside that of
    equal indices of words that are no translations, which tells what an index has in common in all words. Two
    permutation tests, each of one side: indices are dealt out anew within every translation, or translations among the
    words. `centred` is the same after the mean of each index in each language is taken off. As they are, senses of any
    two words are alike where an index has something in common in all words, and the first test then says nothing of
    translations; the second does. Pairs are those of a dictionary, or of `cli dataset babel`: words with one sense, and
    their one translation. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A dictionary with tabs, a word and a translation on each line, or its place under $SEMEQV_DATA, such as
            dict_freedict/eng-fra.tsv; the generated corpus if left out. Entries of several words are left out.
        pairs: The first so many pairs; 0 for all.
        pieces: For words of several tokens: the mean of their senses, or what they compose.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words that are written alike have: their senses are
            alike before any training.
        permutations: Of each test.
    """

    path: Path | None = None
    pairs: int = 2000
    pieces: Literal["averaged", "composed"] = "averaged"
    single: bool = False
    shared_tokens: bool = False
    permutations: int = 999

    def __post_init__(self) -> None:
        check_bounds(self, pairs=0, permutations=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines)
        return lines


@dataclass(frozen=True)
class Alikeness:
    """How alike the senses of translations are.

    Args:
        same: The mean cosine of equal indices of a word and its translation.
        other: That of different indices.
        strangers: That of equal indices of words that do not translate each other.
        by_index: `(senses,)`: `same`, index by index.
        p_index: The probability of `same` or more when the indices of every translation are dealt out anew.
        p_partner: The probability of `same` or more when the translations are.
    """

    same: float
    other: float
    strangers: float
    by_index: NDArray[numpy.float64]
    p_index: float
    p_partner: float


def alikeness(
    left: torch.Tensor, right: torch.Tensor, permutations: int, generator: numpy.random.Generator
) -> Alikeness:
    """Compare the senses of words with those of their translations.

    Args:
        left: `(pairs, senses, d)`, two pairs and two senses at least.
        right: `(pairs, senses, d)`, of the translations.
        permutations: How often to deal anew; 1 / (permutations + 1) is the least p.
        generator: Deals.

    Returns:
        The cosines and the p of both tests, of one side.
    """
    left, right = (torch.nn.functional.normalize(each.double(), dim=-1) for each in (left, right))
    cosines = (left @ right.transpose(1, 2)).numpy()  # (pairs, senses, senses)
    pairs, senses, _ = cosines.shape
    by_index = cosines.diagonal(axis1=1, axis2=2).mean(0)
    same = float(by_index.mean())
    between = (left.flatten(1) @ right.flatten(1).T / senses).numpy()  # (pairs, pairs): mean of equal indices
    row, columns = numpy.arange(pairs), numpy.arange(senses)
    beyond = numpy.zeros(2)
    for _ in range(permutations):
        dealt = generator.random((pairs, senses)).argsort(1)
        beyond[0] += cosines[row[:, None], columns, dealt].mean() >= same - 1e-12
        beyond[1] += between[row, generator.permutation(pairs)].mean() >= same - 1e-12
    other = (cosines.sum() - same * pairs * senses) / (pairs * senses * (senses - 1))
    strangers = (between.sum() - numpy.trace(between)) / (pairs * (pairs - 1))
    p_index, p_partner = (1 + beyond) / (1 + permutations)
    return Alikeness(same, float(other), float(strangers), by_index, float(p_index), float(p_partner))


def measure(options: Invariance, subject: Subject) -> list[dict[str, Any]]:
    """Measure a Backpack.

    Args:
        options: What the command was told.
        subject: Its model is a Backpack.

    Returns:
        A line for the senses as they are, and one for centred ones.

    Raises:
        UserError: When the model has no senses, or one alone, or there are fewer than two pairs.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_backpack(model)
    check_tokenizer(model, tokenizer)
    if model.config.num_senses < 2:
        raise UserError("cli backpack invariance compares sense indices, and this Backpack has one.")
    if options.path is None:
        pairs = translations(grammar_of(babel_of(subject.dataset_options, ("validation", "test", "train"), "This")))
    else:
        pairs = list(entries(options.path))
    speller = Speller(tokenizer)
    pairs = without_shared(pairs, speller, options.single, options.shared_tokens)[: options.pairs or None]
    if len(pairs) < 2:
        raise UserError(f"There are {len(pairs)} pairs of translations; two are the least.")
    with inference(model, *subject.regime):
        sides = ([pair[side] for pair in pairs] for side in (0, 1))
        left, right = (word_vectors(model, speller(words), options.pieces) for words in sides)
    lines, generator = [], numpy.random.default_rng(subject.seed)
    for of, (one, two) in {"raw": (left, right), "centred": (left - left.mean(0), right - right.mean(0))}.items():
        found = alikeness(one, two, options.permutations, generator)
        lines.append(
            {
                "measure": "invariance",
                "of": of,
                "pairs": len(pairs),
                "dictionary": "babel" if options.path is None else str(options.path),
                "same_index": found.same,
                "other_index": found.other,
                "strangers": found.strangers,
                "p_index": found.p_index,
                "p_partner": found.p_partner,
                "by_index": [round(float(each), 6) for each in found.by_index],
                "permutations": options.permutations,
                "pieces": options.pieces,
                "model": name_of(model),
            }
        )
    return lines


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the tables: all indices together, and each by itself."""
    columns = ("senses", "same index", "other index", "no translations", "p (indices)", "p (partners)", "pairs")
    keys = ("same_index", "other_index", "strangers", "p_index", "p_partner")
    rows = [[each["of"], *(f"{each[key]:.3f}" for key in keys), f"{each['pairs']:,}"] for each in lines]
    print_table(f"Cosine of the senses of translations, {lines[0]['model']}", columns, rows)
    indices = range(len(lines[0]["by_index"]))
    rows = [[each["of"], *(f"{each['by_index'][index]:.2f}" for index in indices)] for each in lines]
    print_table("The same index, one by one", ("senses", *map(str, indices)), rows)
