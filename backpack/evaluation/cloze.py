"""The last word of a passage, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack cloze")
@dataclass(frozen=True, kw_only=True)
class Cloze(Measuring):
    """Measure how often a model guesses the last word of a passage.

    All tokens before the word are read, behind the token that starts a text. The guesses are the most probable whole
    words by a beam search: the tokens of the word and that it ends there count. A guess is right when it is the very
    word, letter by letter; marks behind the word are left off. Passages are the documents of the validation and test
    sets of the sentence, language by language, or those of a file, such as LAMBADA (Paperno et al., 2016, arXiv
    1606.06031); those whose last word is more than letters and digits with single apostrophes or hyphens between, as
    1,000 is, are left out. The perplexity is that of the words: of all tokens of a word, but not of its end. Intervals
    are those of a bootstrap of the passages. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A passage on each line, or JSON lines with `text`, or with `cloze_passage`, in which `<mask>` stands for
            the last word, and `answer`; here, or under $SEMEQV_DATA.
        width: Of the beam.
        top: A guess counts when it is among so many; each at most as large as the width.
        passages: The first so many of each set; 0 for all.
        words: Words that a passage must have.
        longest: The most tokens of a guess.
        ignore_case: Let letters match whatever their size.
        batch_size: Passages at a time.
        replicates: Samples of the bootstrap.
        guesses: Write a JSON line for each passage to this file, with the guesses.
    """

    path: Path | None = None
    width: int = 3
    top: tuple[int, ...] = (1, 3)
    passages: int = 1000
    words: int = 5
    longest: int = 8
    ignore_case: bool = False
    batch_size: int = 16
    replicates: int = 1000
    guesses: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, width=1, passages=0, words=2, longest=1, batch_size=1, replicates=1)
        if not self.top or min(self.top) < 1 or max(self.top) > self.width:
            raise ValueError(f"--top takes sizes from 1 to --width, {self.width}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write what was guessed."""
        from backpack.evaluation.cloze_report import measure, print_lines, write_guesses

        lines, guessed = measure(self, subject)
        print_lines(lines, self.top)
        if self.guesses is not None:
            write_guesses(self.guesses, guessed)
        return lines
