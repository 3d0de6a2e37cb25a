"""Inflection as an action."""

from dataclasses import dataclass
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.answering import Answering, Asked


@component("inflect")
@dataclass(frozen=True, kw_only=True)
class Inflect(Answering):
    """Let the model write the forms of the data sets of the sentence, and score and write them.

    It always takes the likeliest token, or edit. A file is a table of lemma, features, form, and what was written.
    Scores are the share of the forms that are right, and how many characters a form is off on average (Levenshtein
    distance); their intervals are those of a bootstrap of the lemmas, each with all its forms. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        max_new_tokens: The most tokens of a form that a causal model writes.
    """

    max_new_tokens: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, max_new_tokens=1)

    def answered(self, asked: Asked) -> list[dict[str, Any]]:
        """Write, score and print."""
        from semeqv.tasks.inflection.inflected import inflect_sets

        return inflect_sets(self, asked)
