"""What the methods that look for similar old subwords have in common."""

from dataclasses import dataclass

from ofa.methods.method import Method
from semeqv.grammar.component import check_bounds


@dataclass(frozen=True, kw_only=True)
class Similar(Method):
    """A method that combines new rows of those of the nearest old subwords, by word vectors.

    Args:
        neighbours: Old subwords that a new one is made of.
        temperature: Of the softmax over their cosines.
        most_words: The first so many words of each file; 0 for all.
    """

    neighbours: int = 10
    temperature: float = 0.1
    most_words: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, neighbours=1, most_words=0)
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")
