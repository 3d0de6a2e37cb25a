"""Ways of merging several vectors, or two models, besides adding them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from crosslingual.algebra import Checkpoint, TaskVector
from crosslingual.body import refuse_mismatch
from crosslingual.expressions import Elected, Turned


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
