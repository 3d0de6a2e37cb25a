"""Word similarity: cosines of words beside human ratings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from backpack.evaluation.word_pairs import FOLDER, STANDARD, read_rated, read_translated
from backpack.inspection.words import Speller, embedded, is_backpack, word_vectors
from backpack.measuring import IntervalEstimate, Measurement, facts_of, fitting_tokenizer
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import Floats, numpy, scipy, torch
from semeqv.results.tables import print_table
from semeqv.tasks.inference import inference
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class Correlation:
    """How well cosines of words agree with ratings.

    Args:
        set: The set of rated pairs.
        by: What is compared: a sense index, the `min` or `max` of all, or the `embedding`.
        spearman: The rank correlation.
        pairs: How many pairs.
        pairs_of_several_tokens: How many of them have a word of several tokens.
    """

    set: str
    by: str
    spearman: IntervalEstimate
    pairs: int
    pairs_of_several_tokens: int


@dataclass(frozen=True, kw_only=True)
class Similarity(Measurement):
    """Word similarity of a model.

    Args:
        correlations: One for each set and way to compare.
        pieces: How words of several tokens are put together.
    """

    correlations: list[Correlation]
    pieces: str

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each correlation."""
        return [
            {"measure": "similarity", "set": row.set, "by": row.by}
            | row.spearman.named("spearman")
            | {"pairs": row.pairs, "pairs_of_several_tokens": row.pairs_of_several_tokens}
            | {"pieces": self.pieces, "model": self.model}
            for row in self.correlations
        ]

    def show(self) -> None:
        """Print the table: a row for each way to compare, a column for each set."""
        sets = {row.set: row for row in self.correlations}
        by_place = {(row.set, row.by): row for row in self.correlations}
        columns = ["by"] + [part for name in sets for part in (name, "95% interval")]
        rows = [
            [f"sense {by}" if by.isdecimal() else by]
            + [cell for name in sets for cell in by_place[name, by].spearman.cells()]
            for by in dict.fromkeys(row.by for row in self.correlations)
        ]
        print_table(f"Rank correlation of cosines with ratings, {self.model}", columns, rows)
        several = ", ".join(f"{row.pairs_of_several_tokens} of {row.pairs:,} ({name})" for name, row in sets.items())
        click.echo(f"Pairs with a word of several tokens: {several}.")


def check_files(options: Any) -> None:
    """Refuse options of files that do not go together: `ValueError`."""
    given = (options.translation is not None, options.scores is not None, bool(options.languages))
    if any(given) and not all(given):
        raise ValueError("--translation, --scores and --languages go together.")
    if options.translation is not None and options.path:
        raise ValueError("--path and --translation both say what to read; leave one out.")
    if options.columns and len(set(options.columns)) != 3:
        raise ValueError("--columns takes three names: of two columns of words, and of one of ratings.")
    if len(options.languages) > 2:
        raise ValueError(f"--languages are one or two, not {len(options.languages)}.")
    if options.max_rating_gap is not None and (len(options.languages) < 2 or options.max_rating_gap < 0):
        raise ValueError("--max_rating_gap is 0 or more, and goes with two --languages.")


@action("backpack similarity", check=check_files)
def similarity(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: tuple[Path, ...] = (),
    columns: tuple[str, ...] = (),
    translation: Path | None = None,
    scores: Path | None = None,
    languages: tuple[str, ...] = (),
    max_rating_gap: float | None = None,
    pieces: Literal["averaged", "composed"] = "averaged",
    space: bool = True,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> Similarity:
    """Measure how well cosines of words agree with human ratings of their similarity.

    Spearman's rank correlation of the ratings of pairs with the cosine of their words: by each sense index of a
    Backpack, by the least and by the largest cosine of all indices (Hewitt et al., 2023, section 4.1), and by the input
    embedding, which is all that other models have. Words are tokenised as within a text, behind a space. The index that
    does best on a set is chosen by that set: judge it on another. Intervals are those of a bootstrap of the pairs.
    Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A model with input embeddings.
        tokenizer: Its tokenizer; that of the model's folder if None.
        seed: Of the bootstrap.
        compute: Where to compute, and with which numbers.
        path: Files of rated pairs: a word, a word and a rating on each line, or a header that names them, such as that
            of SimLex-999, WordSim-353 or a language of Multi-SimLex; here, or under $SEMEQV_DATA. SimLex-999, RG-65 and
            WS-353 of word_similarity_en if left out.
        columns: The names of the columns of the words and of the rating, where the header has others than published
            sets have: `--columns cue answer strength`.
        translation: Instead: translation.csv of Multi-SimLex (Vulić et al., 2020, arXiv 2003.04866).
        scores: The scores.csv that goes with it.
        languages: Of these two files, one language, such as FRA, or two: the first word of each pair in the one, the
            second in the other, rated by the mean of both.
        max_rating_gap: Leave out pairs whose ratings in the two languages differ by more.
        pieces: For words of several tokens: the mean of their vectors, or what they compose in a Backpack.
        space: Put a space before each word.
        replicates: Samples of the bootstrap.

    Returns:
        A correlation for each set and way to compare.
    """
    speller = Speller(fitting_tokenizer(model, tokenizer), space)
    if translation is not None and scores is not None:
        sets = [read_translated(translation, scores, languages, max_rating_gap)]
    else:
        sets = [read_rated(each, columns) for each in path or [Path(FOLDER) / name for name in STANDARD]]
    generator, correlations = numpy.random.default_rng(seed), []
    for rated in sets:
        spelled = [speller(words) for words in (rated.first, rated.second)]
        several = sum(len(one) > 1 or len(two) > 1 for one, two in zip(*spelled))
        with inference(model, compute):
            first, second = (embedded(model, ids) for ids in spelled)
            ways = cosines(first, second, senses=False)
            if is_backpack(model):
                first, second = (word_vectors(model, ids, pieces) for ids in spelled)
                ways |= cosines(first, second, senses=True)
        for by, values in ways.items():
            correlation = spearman(values, rated.scores, replicates, generator)
            correlations.append(Correlation(rated.name, by, correlation, len(values), several))
    return Similarity(correlations=correlations, pieces=pieces, **facts_of(model))


def cosines(first: torch.Tensor, second: torch.Tensor, senses: bool) -> dict[str, Floats]:
    """Compute the cosines of the words of pairs.

    Args:
        first: `(pairs, senses, d)`.
        second: `(pairs, senses, d)`.
        senses: Whether these are senses; else there is one vector, the embedding.

    Returns:
        `(pairs,)` for each sense index by its number, and for the least (`min`) and the largest (`max`) of all; or for
        `embedding`.
    """
    values = torch.cosine_similarity(first.double(), second.double(), dim=-1).numpy()
    if not senses:
        return {"embedding": values[:, 0]}
    by_index = {str(index): values[:, index] for index in range(values.shape[1])}
    return by_index | {"min": values.min(1), "max": values.max(1)}


def spearman(values: Floats, scores: Floats, replicates: int, generator: numpy.random.Generator) -> IntervalEstimate:
    """Compute Spearman's rank correlation, by scipy, and its 95% interval by a bootstrap of the pairs.

    Args:
        values: `(pairs,)`.
        scores: `(pairs,)`.
        replicates: Samples of the bootstrap.
        generator: Draws them.

    Returns:
        The correlation and its interval; NaN where one side does not vary.
    """
    if len(set(values.tolist())) < 2 or len(set(scores.tolist())) < 2:
        return IntervalEstimate(numpy.nan, numpy.nan, numpy.nan)
    drawn = generator.integers(len(values), size=(replicates, len(values)))
    ranks: list[Any] = [scipy.stats.rankdata(side[drawn], axis=1) for side in (values, scores)]
    ranks = [each - each.mean(1, keepdims=True) for each in ranks]
    lengths = [numpy.sqrt((each**2).sum(1)) for each in ranks]
    with numpy.errstate(invalid="ignore"):
        samples = (ranks[0] * ranks[1]).sum(1) / (lengths[0] * lengths[1])
    low, high = numpy.nanquantile(samples, [0.025, 0.975])
    return IntervalEstimate(float(scipy.stats.spearmanr(values, scores).statistic), float(low), float(high))
