"""`cli crosslingual merge`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Literal

from crosslingual.adding import Adding
from crosslingual.algebra import Checkpoint, TaskVector
from crosslingual.body import refuse_mismatch
from crosslingual.expressions import Elected, Turned
from crosslingual.open import is_vector, open_checkpoint, open_vector
from semeqv.grammar.component import component
from semeqv.runs.errors import UserError


@component("crosslingual merge")
@dataclass(frozen=True, kw_only=True)
class Merge(Adding):
    """Merge several models, or vectors, into one; configuration and tokenizer are those of --base, and so is the
    head unless --heads merges heads, too.

    linear adds the vectors, each times its factor. ties keeps the greatest numbers of each, elects a sign for every
    place and averages those that have it (TIES-Merging; Yadav et al., 2023, arXiv 2306.01708). dare sets numbers of
    each to zero at random, scales the rest up in turn, and adds them (Yu et al., 2024, arXiv 2311.03099). slerp goes
    from the first of two models to the second along an arc, tensor by tensor (Shoemake, 1985), as far as the share of
    the second factor in both.

    Args:
        method: How to merge.
        density: Of ties and dare: the share of numbers that is kept; 0.2 and 0.1 if left out.
        scope: Of ties: whether the greatest numbers are those of a whole vector, as in the paper, or of each
            tensor, as in mergekit.
        scale: What the merged vector is multiplied by before it is added to the base.
    """

    method: Literal["linear", "ties", "dare", "slerp"] = "linear"
    density: float | None = None
    scope: Literal["model", "tensor"] = "model"
    scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.density is not None and not 0 < self.density <= 1:
            raise ValueError(f"--density must be above 0 and at most 1, not {self.density:g}.")
        if self.density is not None and self.method not in ("ties", "dare"):
            raise ValueError(f"--density is for ties and dare, not for {self.method}.")
        if self.method == "slerp":
            factors = [factor for factor, _ in self.add]
            if len(factors) != 2 or min(factors) < 0 or sum(factors) == 0:
                raise ValueError("slerp goes between two: --add twice, with factors that are not negative.")
            if self.scale != 1:
                raise ValueError("--scale is for vectors, and slerp goes between models.")

    def build(self, *, seed: int) -> None:
        """Merge, and write.

        Args:
            seed: Of what dare drops; the vectors differ in what is dropped.

        Raises:
            UserError: When there is no base, or something cannot be opened, added or written.
        """

        self.check()
        if self.base is None:
            raise UserError("Say what the models were trained from: --base MODEL.")
        base, factors = open_checkpoint(self.base, heads=self.heads), [factor for factor, _ in self.add]
        if self.method == "slerp":
            sources = [Path(source).expanduser() for _, source in self.add]
            ends = [
                base + open_vector(each) if is_vector(each) else open_checkpoint(each, heads=self.heads)
                for each in sources
            ]
            turned = slerp(ends[0], ends[1], factors[1] / sum(factors), mixed=self.mixed)
            self.write(turned.framed_by(base))
            return
        vectors = self.vectors(base)
        if self.method == "dare":
            rate = 1 - (self.density or 0.1)
            vectors = [vector.dropped(rate, seed + 1000 * place) for place, vector in enumerate(vectors)]
        scaled = [vector if factor == 1 else factor * vector for factor, vector in zip(factors, vectors)]
        merged = ties(scaled, self.density or 0.2, self.scope) if self.method == "ties" else reduce(add, scaled)
        self.write(base + (merged if self.scale == 1 else self.scale * merged))


def analogy(start: TaskVector, end: TaskVector, like: TaskVector) -> TaskVector:
    """The vector that is to `like` as `end` is to `start`: like + (end - start).

    Source: Ilharco et al., 2023, arXiv 2212.04089, section 5.

    Args:
        start: Such as the vector of English.
        end: Such as the vector of German.
        like: Such as the vector of a task in English.

    Returns:
        Such as a vector of the task in German.
    """
    return like + (end - start)


def ties(
    vectors: Sequence[TaskVector], density: float = 0.2, scope: Literal["model", "tensor"] = "model"
) -> TaskVector:
    """Trim, elect signs, and average what agrees (TIES-Merging; Yadav et al., 2023, arXiv 2306.01708).

    The greatest numbers of each vector are kept; each place takes the sign of their sum, and is the mean of those that
    have it. Numbers that cancel each other exactly give zero.

    Args:
        vectors: What to merge, at least one.
        density: The share of each vector that is kept; 0.2 in the paper.
        scope: Whether these are the greatest of the whole vector, as there, or of each tensor.

    Returns:
        The merged vector, to be scaled and added to the base.
    """
    first, *others = [vector.top(density, scope) for vector in vectors]
    for each in others:
        refuse_mismatch(first.body, each.body, (first.formula, each.formula))
    formula = f"ties({'; '.join(vector.formula for vector in vectors)}; {density:g} of each {scope})"
    return replace(first, expression=Elected([each.expression for each in (first, *others)]), formula=formula)


def slerp(first: Checkpoint, second: Checkpoint, share: float, *, mixed: bool = False) -> Checkpoint:
    """Go from one model to another along an arc, tensor by tensor (SLERP; Shoemake, 1985, doi 10.1145/325334.325242).

    Args:
        first: Where it starts; its head is kept.
        second: Where it ends.
        share: How far to go; 0 is the first, 1 the second.
        mixed: Whether the two may be stored in different precisions.

    Returns:
        The model in between. Tensors that point the same way, or opposite ways, are interpolated along a line.
    """
    refuse_mismatch(first.body, second.body, (first.formula, second.formula), precision=not mixed)
    turned = Turned(first.expression, second.expression, share, first.body.sizes)
    return replace(first, expression=turned, formula=f"slerp({first.formula}; {second.formula}; {share:g})")
