"""What edits do to predictions, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack effects")
@dataclass(frozen=True, kw_only=True)
class Effects(Measuring):
    """Measure what edits do to the token that follows texts: those that they are meant for, and others.

    Texts come in kinds, which are measured by themselves. For an edited fact these are customarily the text of the
    edit, paraphrases, which tell whether it generalises, and texts about other things, which tell whether it is
    specific (Meng et al., 2022, arXiv 2202.05262). They are those of a file, or, with --word, beginnings of the
    validation and test documents of the sentence: those that end with the edited word, those that end three words
    behind it, and those that do not have it. For each kind: how often the wanted word is more probable than the
    unwanted one, before and after; by how much its log odds rise; how often the likeliest token stays the same; and the
    divergence KL(before || after) of the next token, in nats. Intervals are those of a bootstrap of the texts. Lines go
    to metrics.jsonl of the run's folder.

    Args:
        edits: Files that `cli backpack edit` wrote.
        texts: JSON lines of `text` and `kind`.
        word: Instead: the word that was edited.
        contexts: With --word: texts of each kind, at most.
        wanted: A word of one token that should become more probable.
        unwanted: The word of one token that it should become more probable than.
        replicates: Samples of the bootstrap.
    """

    edits: tuple[Path, ...]
    texts: Path | None = None
    word: str | None = None
    contexts: int = 200
    wanted: str | None = None
    unwanted: str | None = None
    replicates: int = 1000

    def __post_init__(self) -> None:
        if (self.wanted is None) != (self.unwanted is None):
            raise ValueError("--wanted and --unwanted go together.")
        check_bounds(self, contexts=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from backpack.edits.measuring import measured, print_effects
        from semeqv.tasks.inference import name_of

        lines = measured(self, subject)
        print_effects(lines, name_of(subject.model))
        head = {"measure": "effects", "model": name_of(subject.model), "edits": list(map(str, self.edits))}
        return [head | line for line in lines]
