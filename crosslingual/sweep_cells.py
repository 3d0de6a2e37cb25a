"""Means over sweeps: cells of tables."""

import math
from dataclasses import dataclass

ALL = "mean of targets"


@dataclass(frozen=True)
class Number:
    """A score, or a gain, over runs.

    Args:
        mean: Its mean.
        low: Lower end of its 95% interval over runs (Student's); NaN where there is one run.
        high: Upper end of it.
        sentences_low: Lower end of the bootstrap interval over sentences, on average over runs; NaN if there is none.
        sentences_high: Upper end of it.
    """

    mean: float
    low: float
    high: float
    sentences_low: float
    sentences_high: float

    @property
    def interval(self) -> tuple[float, float]:
        """Return that over runs, which knows more of what is random; where there is one run, that over sentences."""
        return (self.sentences_low, self.sentences_high) if math.isnan(self.low) else (self.low, self.high)


@dataclass(frozen=True)
class Cell:
    """What was measured in one place of the table.

    Args:
        task: The task.
        model: What the model of the task was trained from.
        source: The language that it learnt the task in.
        language: The language of the test set, or `mean of targets`.
        kind: What the vector is to it: none, language, analogy, negation, unrelated, other, grid.
        vector: The vector.
        choice: How its strength was chosen.
        metric: Which score.
        runs: How many runs.
        seeds: Their seeds.
        strength: The mean strength.
        score: The score on the test set.
        gain: The score less that of the model without the vector.
    """

    task: str
    model: str
    source: str
    language: str
    kind: str
    vector: str
    choice: str
    metric: str
    runs: int
    seeds: list[int]
    strength: float
    score: Number
    gain: Number
