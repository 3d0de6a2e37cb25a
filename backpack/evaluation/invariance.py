"""Invariance: whether sense indices mean the same in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from backpack.evaluation.babel import babel_of, grammar_of, translations
from backpack.evaluation.lexicon_induction import entries
from backpack.inspection.words import Speller, check_backpack, without_shared, word_vectors
from backpack.measuring import Datasets, Measurement, facts_of, fitting_tokenizer
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class IndexAlignment:
    """How similar the senses of translations are, index by index.

    Args:
        same: The mean cosine of equal indices of a word and its translation.
        other: That of different indices.
        non_translations: That of equal indices of words that do not translate each other.
        by_index: `(senses,)`: `same`, index by index.
        p_index: The probability of `same` or more when the indices of every translation are permuted.
        p_partner: The probability of `same` or more when the translations are.
    """

    same: float
    other: float
    non_translations: float
    by_index: NDArray[numpy.float64]
    p_index: float
    p_partner: float


def index_alignment(
    left: torch.Tensor, right: torch.Tensor, permutations: int, generator: numpy.random.Generator
) -> IndexAlignment:
    """Compare the senses of words with those of their translations.

    Args:
        left: `(pairs, senses, d)`, two pairs and two senses at least.
        right: `(pairs, senses, d)`, of the translations.
        permutations: Of each test; 1 / (permutations + 1) is the least p.
        generator: Permutes.

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
        order = generator.random((pairs, senses)).argsort(1)
        beyond[0] += cosines[row[:, None], columns, order].mean() >= same - 1e-12
        beyond[1] += between[row, generator.permutation(pairs)].mean() >= same - 1e-12
    other = (cosines.sum() - same * pairs * senses) / (pairs * senses * (senses - 1))
    non_translations = (between.sum() - numpy.trace(between)) / (pairs * (pairs - 1))
    p_index, p_partner = (1 + beyond) / (1 + permutations)
    return IndexAlignment(same, float(other), float(non_translations), by_index, float(p_index), float(p_partner))


@dataclass(frozen=True, kw_only=True)
class Invariance(Measurement):
    """How similar equal sense indices are across languages.

    Args:
        raw: The senses as they are.
        centred: Less the mean of each index in each language.
        pairs: How many pairs of words.
        dictionary: Where they are from.
        permutations: Of each test.
        pieces: How words of several tokens are put together.
    """

    raw: IndexAlignment
    centred: IndexAlignment
    pairs: int
    dictionary: str
    permutations: int
    pieces: str

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for raw and one for centred senses."""
        return [
            {
                "measure": "invariance",
                "of": of,
                "pairs": self.pairs,
                "dictionary": self.dictionary,
                "same_index": row.same,
                "other_index": row.other,
                "strangers": row.non_translations,
                "p_index": row.p_index,
                "p_partner": row.p_partner,
                "by_index": [round(float(cosine), 6) for cosine in row.by_index],
                "permutations": self.permutations,
                "pieces": self.pieces,
                "model": self.model,
            }
            for of, row in {"raw": self.raw, "centred": self.centred}.items()
        ]

    def show(self) -> None:
        """Print the tables: all indices together, and each by itself."""
        columns = ("senses", "same index", "other index", "no translations", "p (indices)", "p (partners)", "pairs")
        keys = ("same_index", "other_index", "strangers", "p_index", "p_partner")
        rows = [[line["of"], *(f"{line[key]:.3f}" for key in keys), f"{self.pairs:,}"] for line in self.lines()]
        print_table(f"Cosine of the senses of translations, {self.model}", columns, rows)
        rows = [[line["of"], *(f"{cosine:.2f}" for cosine in line["by_index"])] for line in self.lines()]
        print_table("The same index, one by one", ("senses", *map(str, range(len(self.raw.by_index)))), rows)


@action("backpack invariance")
def invariance(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path | None = None,
    pairs: Annotated[int, AtLeast(0)] = 2000,
    pieces: Literal["averaged", "composed"] = "averaged",
    single: bool = False,
    shared_tokens: bool = False,
    permutations: Annotated[int, AtLeast(1)] = 999,
) -> Invariance:
    """Measure whether a sense index of a Backpack means the same in two languages, by words and their translations.

    The mean cosine of equal sense indices of translations is compared with that of different indices, and with that of
    equal indices of words that are no translations, which shows what an index has in common in all words. Two
    permutation tests, each of one side: indices are permuted within every translation, or translations among the
    words. `centred` is the same after the mean of each index in each language is subtracted. As they are, senses of any
    two words are similar where an index has something in common in all words, and the first test then shows nothing
    about translations; the second does. Pairs are those of a dictionary, or of `cli dataset babel`: words with one
    sense, and their one translation. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built; for the generated corpus.
        seed: Of the permutations.
        compute: Where to compute, and with which numbers.
        path: A dictionary with tabs, a word and a translation on each line, or its place under $SEMEQV_DATA, such as
            dict_freedict/eng-fra.tsv; the generated corpus if left out. Entries of several words are left out.
        pairs: The first so many pairs; 0 for all.
        pieces: For words of several tokens: the mean of their senses, or what they compose.
        single: Leave words of several tokens out.
        shared_tokens: Keep pairs that have a token in common, as words of the same spelling have: their senses are
            similar before any training.
        permutations: Of each test.

    Returns:
        The cosines of raw and of centred senses.

    Raises:
        UserError: When the model has no senses, or one alone, or there are fewer than two pairs.
    """
    check_backpack(model)
    speller = Speller(fitting_tokenizer(model, tokenizer))
    if model.config.num_senses < 2:
        raise UserError("cli backpack invariance compares sense indices, and this Backpack has one.")
    if path is None:
        words = translations(grammar_of(babel_of(dataset_options or {}, ("validation", "test", "train"), "This")))
    else:
        words = list(entries(path))
    words = without_shared(words, speller, single, shared_tokens)[: pairs or None]
    if len(words) < 2:
        raise UserError(f"There are {len(words)} pairs of translations; two are the least.")
    with inference(model, compute):
        left, right = (word_vectors(model, speller([pair[side] for pair in words]), pieces) for side in (0, 1))
    generator = numpy.random.default_rng(seed)
    return Invariance(
        raw=index_alignment(left, right, permutations, generator),
        centred=index_alignment(left - left.mean(0), right - right.mean(0), permutations, generator),
        pairs=len(words),
        dictionary="babel" if path is None else str(path),
        permutations=permutations,
        pieces=pieces,
        **facts_of(model),
    )
