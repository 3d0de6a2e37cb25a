"""Swaps words for their doubles before anything is asked."""

import numpy

from semeqv.text.objectives import Objective, Rows, Truth
from semeqv.tying.mlm.doubles import Doubles


class Swapped:
    """An objective on text in which words are swapped for their doubles, each occurrence on its own.

    Args:
        objective: What is asked of that text.
        doubles: The words and their doubles.
        probability: That an occurrence is swapped.
        vocabulary: How many tokens there are, doubles included.
    """

    def __init__(self, objective: Objective, doubles: Doubles, probability: float, vocabulary: int):
        self.objective, self.probability, self.overlap = objective, probability, objective.overlap
        self.double_of = numpy.arange(vocabulary)
        self.double_of[list(doubles.word_ids)] = doubles.double_ids

    def __call__(self, ids: Rows, real: Truth, generator: numpy.random.Generator) -> tuple[Rows, Rows]:
        """Inputs and labels, `(rows, time)` both; the labels of swapped words are their doubles."""
        swapped = generator.random(ids.shape) < self.probability
        return self.objective(numpy.where(swapped, self.double_of[ids], ids), real, generator)
