"""`cli crosslingual apply`."""

from dataclasses import dataclass, field

from crosslingual.adding import Adding
from crosslingual.open import open_checkpoint
from semeqv.grammar.component import component


@component("crosslingual apply")
@dataclass(frozen=True, kw_only=True)
class Apply(Adding):
    """Add vectors to a model: its body becomes model + factor * vector + ..., its head stays (Ilharco et al., 2023).

    The paper is arXiv 2212.04089. A negative factor takes a vector off; an analogy is a sum, such as
    `--add 1 german --add -1 english` to a model of a task in English.

    Args:
        source: The model, such as one of a task: a run folder, a checkpoint, a Hugging Face folder or a hub name.
    """

    source: str = field(metadata={"alias": "from"})

    def build(self) -> None:
        """Add, and write."""

        self.check()
        model = open_checkpoint(self.source, heads=self.heads)
        base = None if self.base is None else open_checkpoint(self.base, heads=self.heads)
        for (factor, _), vector in zip(self.add, self.vectors(base)):
            model = model + factor * vector
        self.write(model)
