"""Word similarity as an action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from backpack.evaluation.word_pairs import FOLDER, STANDARD, Rated, read_rated, read_translated
from backpack.inspection.words import Speller, embedded, is_backpack, word_vectors
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import Floats, numpy, scipy, torch
from semeqv.results.tables import print_table
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of


@component("backpack similarity")
@dataclass(frozen=True, kw_only=True)
class Similarity(Measuring):
    """Measure how well cosines of words agree with what people say of their similarity.

    Spearman's rank correlation of the ratings of pairs with the cosine of their words: by each sense index of a
    Backpack, by the least and by the largest cosine of all indices (Hewitt et al., 2023, section 4.1), and by the input
    embedding, which is all that other models have. Words are tokenised as within a text, behind a space. The index that
    does best on a set is chosen by that set: judge it on another. Intervals are those of a bootstrap of the pairs.
    Lines go to metrics.jsonl of the run's folder.

    Args:
        path: Files of rated pairs: a word, a word and a rating on each line, or a header that names them, such as that
            of SimLex-999, WordSim-353 or a language of Multi-SimLex; here, or under $SEMEQV_DATA. SimLex-999, RG-65 and
            WS-353 of word_similarity_en if left out.
        columns: The names of the columns of the words and of the rating, where the header has others than published
            sets have: `--columns cue answer strength`.
        translation: Instead: translation.csv of Multi-SimLex (Vulić et al., 2020, arXiv 2003.04866).
        scores: The scores.csv that goes with it.
        languages: Of these two files, one language, such as FRA, or two: the first word of each pair in the one, the
            second in the other, rated by the mean of both.
        apart: Leave out pairs whose ratings in the two languages differ by more.
        pieces: For words of several tokens: the mean of their vectors, or what they compose in a Backpack.
        space: Put a space before each word.
        replicates: Samples of the bootstrap.
    """

    path: tuple[Path, ...] = ()
    columns: tuple[str, ...] = ()
    translation: Path | None = None
    scores: Path | None = None
    languages: tuple[str, ...] = ()
    apart: float | None = None
    pieces: Literal["averaged", "composed"] = "averaged"
    space: bool = True
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, replicates=1)
        given = (self.translation is not None, self.scores is not None, bool(self.languages))
        if any(given) and not all(given):
            raise ValueError("--translation, --scores and --languages go together.")
        if self.translation is not None and self.path:
            raise ValueError("--path and --translation both say what to read; leave one out.")
        if self.columns and len(set(self.columns)) != 3:
            raise ValueError("--columns takes three names: of two columns of words, and of one of ratings.")
        if len(self.languages) > 2:
            raise ValueError(f"--languages are one or two, not {len(self.languages)}.")
        if self.apart is not None and (len(self.languages) < 2 or self.apart < 0):
            raise ValueError("--apart is 0 or more, and goes with two --languages.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines)
        return lines


def cosines(first: torch.Tensor, second: torch.Tensor, senses: bool) -> dict[str, Floats]:
    """How alike the words of pairs are.

    Args:
        first: `(pairs, senses, d)`.
        second: `(pairs, senses, d)`.
        senses: Whether these are senses; else there is one vector, the embedding.

    Returns:
        `(pairs,)` for each sense index by its number, and for the least (`min`) and the largest (`max`) of all; or for
        `embedding`.
    """
    found = torch.cosine_similarity(first.double(), second.double(), dim=-1).numpy()
    if not senses:
        return {"embedding": found[:, 0]}
    return {str(index): found[:, index] for index in range(found.shape[1])} | {"min": found.min(1), "max": found.max(1)}


def spearman(
    values: Floats, scores: Floats, replicates: int, generator: numpy.random.Generator
) -> tuple[float, float, float]:
    """Spearman's rank correlation, by scipy, and its 95% interval by a bootstrap of the pairs.

    Args:
        values: `(pairs,)`.
        scores: `(pairs,)`.
        replicates: Samples of the bootstrap.
        generator: Draws them.

    Returns:
        The correlation and the ends of the interval; NaN where one side does not vary.
    """

    if len(set(values.tolist())) < 2 or len(set(scores.tolist())) < 2:
        return numpy.nan, numpy.nan, numpy.nan
    drawn = generator.integers(len(values), size=(replicates, len(values)))
    ranks: list[Any] = [scipy.stats.rankdata(each[drawn], axis=1) for each in (values, scores)]
    ranks = [each - each.mean(1, keepdims=True) for each in ranks]
    lengths = [numpy.sqrt((each**2).sum(1)) for each in ranks]
    with numpy.errstate(invalid="ignore"):
        samples = (ranks[0] * ranks[1]).sum(1) / (lengths[0] * lengths[1])
    low, high = numpy.nanquantile(samples, [0.025, 0.975])
    return float(scipy.stats.spearmanr(values, scores).statistic), float(low), float(high)


def sets_of(options: Similarity) -> list[Rated]:
    """The sets of pairs that a command names."""
    if options.translation is not None and options.scores is not None:
        return [read_translated(options.translation, options.scores, options.languages, options.apart)]
    paths = options.path or tuple(Path(FOLDER) / name for name in STANDARD)
    return [read_rated(path, options.columns) for path in paths]


def measure(options: Similarity, subject: Subject) -> list[dict[str, Any]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model has input embeddings.

    Returns:
        A line for each set and way to compare.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_tokenizer(model, tokenizer)
    speller, generator, lines = Speller(tokenizer, options.space), numpy.random.default_rng(subject.seed), []
    for rated in sets_of(options):
        spelled = [speller(words) for words in (rated.first, rated.second)]
        several = sum(len(one) > 1 or len(two) > 1 for one, two in zip(*spelled))
        with inference(model, *subject.regime):
            first, second = (embedded(model, ids) for ids in spelled)
            found = cosines(first, second, senses=False)
            if is_backpack(model):
                first, second = (word_vectors(model, ids, options.pieces) for ids in spelled)
                found |= cosines(first, second, senses=True)
        for by, values in found.items():
            correlation, low, high = spearman(values, rated.scores, options.replicates, generator)
            lines.append(
                {
                    "measure": "similarity",
                    "set": rated.name,
                    "by": by,
                    "spearman": correlation,
                    "spearman_low": low,
                    "spearman_high": high,
                    "pairs": len(values),
                    "pairs_of_several_tokens": several,
                    "pieces": options.pieces,
                    "model": name_of(model),
                }
            )
    return lines


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table: a row for each way to compare, a column for each set."""
    sets = {each["set"]: each for each in lines}
    ways = list(dict.fromkeys(each["by"] for each in lines))
    found = {(each["set"], each["by"]): each for each in lines}
    columns = ["by"] + [part for name in sets for part in (name, "95% interval")]
    rows = []
    for by in ways:
        cells = [f"sense {by}" if by.isdecimal() else by]
        for name in sets:
            each = found[name, by]
            cells += [f"{each['spearman']:.3f}", f"{each['spearman_low']:.3f}-{each['spearman_high']:.3f}"]
        rows.append(cells)
    print_table(f"Rank correlation of cosines with ratings, {lines[0]['model']}", columns, rows)
    several = ", ".join(
        f"{each['pairs_of_several_tokens']} of {each['pairs']:,} ({name})" for name, each in sets.items()
    )
    click.echo(f"Pairs with a word of several tokens: {several}.")
