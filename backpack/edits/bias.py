"""Bias of the next word, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack bias")
@dataclass(frozen=True, kw_only=True)
class Bias(Measuring):
    """Measure how much likelier a model finds one of two words than the other, whichever it is.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before. Any model that predicts the next token is measured,
    with or without edits; `cli backpack edit debias` fits one. The mean belongs to its largest values, so that the
    median stands beside it. Intervals are those of a bootstrap of the texts. Lines go to metrics.jsonl of the run's
    folder.

    Args:
        pair: The two words, of one token each.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.
        replicates: Samples of the bootstrap.
    """

    pair: tuple[str, str] = ("he", "she")
    path: Path | None = None
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.edits.bias_report import measure, print_lines

        lines = measure(self, subject)
        print_lines(lines)
        return lines
