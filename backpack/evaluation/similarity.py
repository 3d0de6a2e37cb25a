"""Word similarity as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


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
        from backpack.evaluation.similarity_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines)
        return lines
