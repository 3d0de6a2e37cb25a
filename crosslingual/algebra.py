"""`Checkpoint` and `TaskVector`: models and their differences, which can be added, taken off and scaled.

    base, tuned, task = map(Checkpoint.open, ("xlm-roberta-base", "runs/wikipedia-es", "runs/ner-en"))
    (task + 0.5 * (tuned - base)).save("models/ner-es")

Nothing is read until something is saved or measured, and then a chunk of a tensor at a time (see `expressions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from crosslingual.body import Body, refuse_mismatch
from crosslingual.expressions import Dropped, Expression, Only, Scaled, Sum, Trimmed
from crosslingual.safetensors_reader import chunks
from crosslingual.selection import greatest
from semeqv.lazy import numpy

if TYPE_CHECKING:
    from crosslingual.open import Frame
    from crosslingual.safetensors_reader import Numbers


@dataclass(frozen=True, eq=False)
class TaskVector:
    """What training has changed in the body of a model (Ilharco et al., 2023, arXiv 2212.04089).

    Args:
        expression: How it is computed.
        body: The tensors that it is about. One that the expression does not cover is zero.
        formula: How it came about, in words.
    """

    expression: Expression
    body: Body
    formula: str

    @classmethod
    def open(cls, folder: str | Path) -> TaskVector:
        """Open a vector that was saved; `UserError` when there is none, or it is damaged."""
        from crosslingual.open import open_vector

        return open_vector(Path(folder))

    def save(self, folder: str | Path, *, overwrite: bool = False, shard: int | None = None) -> None:
        """Write it to a folder: vector.safetensors in fp32, and vector.json. `UserError` when that fails.

        Args:
            folder: Where to; it appears in one piece.
            overwrite: Replace a vector that is there.
            shard: The most bytes of a file.
        """
        from crosslingual.saving import save_vector

        save_vector(self, Path(folder), overwrite=overwrite, shard=shard)

    @overload
    def __add__(self, other: TaskVector) -> TaskVector: ...
    @overload
    def __add__(self, other: Checkpoint) -> Checkpoint: ...
    def __add__(self, other: TaskVector | Checkpoint) -> TaskVector | Checkpoint:
        if isinstance(other, Checkpoint):
            return other + self
        return self._with(other, subtract=False) if isinstance(other, TaskVector) else NotImplemented

    def __sub__(self, other: TaskVector) -> TaskVector:
        return self._with(other, subtract=True) if isinstance(other, TaskVector) else NotImplemented

    def _with(self, other: TaskVector, subtract: bool) -> TaskVector:
        refuse_mismatch(self.body, other.body, (self.formula, other.formula))
        formula = f"{self.formula} {'-' if subtract else '+'} {bracketed(other.formula)}"
        return replace(self, expression=Sum(self.expression, other.expression, subtract), formula=formula)

    def __mul__(self, factor: float) -> TaskVector:
        if not isinstance(factor, Real):
            return NotImplemented
        formula = f"{factor:.12g} * {bracketed(self.formula)}"
        return replace(self, expression=Scaled(self.expression, lambda _: factor), formula=formula)

    __rmul__ = __mul__

    def __neg__(self) -> TaskVector:
        return replace(self * -1, formula=f"-{bracketed(self.formula)}")

    def by_layer(self, factors: Mapping[str, float], others: float = 1.0) -> TaskVector:
        """Scale each layer by a number of its own.

        Args:
            factors: By layer, such as `layer 3` or `embeddings`, or by names in which `*` stands for anything; of two
                that name a tensor, the later counts. `UserError` when one names nothing.
            others: The factor of all that is not named.

        Returns:
            The scaled vector.
        """
        found = dict.fromkeys(self.body.entries, others)
        for pattern, factor in factors.items():
            found.update(dict.fromkeys(self.body.matching(pattern), factor))
        said = ", ".join(f"{name}: {factor:g}" for name, factor in factors.items())
        return replace(
            self, expression=Scaled(self.expression, found.__getitem__), formula=f"by_layer({self.formula}; {said})"
        )

    def only(self, *patterns: str) -> TaskVector:
        """Some of its tensors; the others are zero.

        Args:
            *patterns: Names in which `*` stands for anything, or layers; `UserError` when one names nothing.

        Returns:
            The vector with these alone.
        """
        names = self.body.matching(*patterns)
        return replace(
            self, expression=Only(self.expression, names), formula=f"only({self.formula}; {'; '.join(patterns)})"
        )

    def top(self, density: float, scope: Literal["model", "tensor"] = "model") -> TaskVector:
        """Keep its greatest numbers; the others become zero.

        Args:
            density: The share of numbers that is kept, by magnitude. Numbers as great as the least of them stay, too.
            scope: Whether they are the greatest of the whole vector, or of each tensor.

        Returns:
            The sparse vector. The thresholds are found by two readings when it is first computed.

        Raises:
            ValueError: When the density is not above 0 and at most 1.
        """

        if not 0 < density <= 1:
            raise ValueError(f"A density must be above 0 and at most 1, not {density:g}.")
        sizes, inner = self.body.sizes, self.expression
        thresholds: dict[str, float] = {}

        def threshold(name: str) -> float:
            key = name if scope == "tensor" else ""
            if key not in thresholds:
                thresholds[key] = greatest(inner, {name: sizes[name]} if key else sizes, density)
            return thresholds[key]

        return replace(
            self, expression=Trimmed(inner, threshold), formula=f"top({self.formula}; {density:g} of each {scope})"
        )

    def dropped(self, rate: float, seed: int) -> TaskVector:
        """Set numbers to zero at random, and scale the others up (DARE; Yu et al., 2024, arXiv 2311.03099).

        Args:
            rate: The probability that a number is dropped; the others are multiplied by 1 / (1 - rate).
            seed: Of the draw; vectors that are to be added should differ in it.

        Returns:
            The sparse vector.

        Raises:
            ValueError: When the rate is not from 0 to below 1.
        """
        if not 0 <= rate < 1:
            raise ValueError(f"A rate must be from 0 to below 1, not {rate:g}.")
        return replace(
            self,
            expression=Dropped(self.expression, rate, seed),
            formula=f"dare({self.formula}; {rate:g}, seed {seed})",
        )

    def norm(self) -> float:
        """Its Euclidean length."""
        from crosslingual.similarity import measured

        return measured([self]).norm(0)

    def norms(self) -> dict[str, float]:
        """The Euclidean length of each of its layers."""
        from crosslingual.similarity import measured

        found = measured([self])
        return {layer: found.norm(0, layer) for layer in found.products}

    def cosine(self, other: TaskVector) -> float:
        """The cosine of the angle to another vector; NaN when one of them is zero."""
        from crosslingual.similarity import measured

        return measured([self, other]).cosine(0, 1)

    def cosines(self, other: TaskVector) -> dict[str, float]:
        """The cosine of the angle to another vector, layer by layer."""
        from crosslingual.similarity import measured

        found = measured([self, other])
        return {layer: found.cosine(0, 1, layer) for layer in found.products}

    def tensors(self) -> Iterator[tuple[str, Numbers]]:
        """Compute the tensors that are not zero, one at a time: names, and fp32 in their shapes."""
        return computed(self.expression, self.body)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A model: a body that can be computed with, in the frame of a folder that has its head, configuration, tokenizer.

    Args:
        expression: How the body is computed.
        body: Its tensors, and the precision in which they are written.
        frame: The folder that it was opened from; all but the body stays as it is there.
        formula: How it came about, in words.
    """

    expression: Expression
    body: Body
    frame: Frame
    formula: str

    @classmethod
    def open(cls, source: str | Path) -> Checkpoint:
        """Open a model; `UserError` when it cannot be opened.

        Args:
            source: A run folder (its best, else last checkpoint), a checkpoint, a Hugging Face folder, or a hub name.

        Returns:
            The checkpoint; of its weights only the headers have been read.
        """
        from crosslingual.open import open_checkpoint

        return open_checkpoint(source)

    def save(
        self, folder: str | Path, *, overwrite: bool = False, shard: int | None = None, dtype: str | None = None
    ) -> None:
        """Write a folder that `from_pretrained` opens: weights, configuration, tokenizer, and merge.json.

        Args:
            folder: Where to; it appears in one piece. `UserError` is raised when it cannot be written.
            overwrite: Replace a folder that this has written.
            shard: The most bytes of a file; 5 GB if left out.
            dtype: float32, bfloat16 or float16; each tensor as in the model it was opened from if left out.
        """
        from crosslingual.saving import save_checkpoint

        save_checkpoint(self, Path(folder), overwrite=overwrite, shard=shard, dtype=dtype)

    def minus(self, base: Checkpoint, *, mixed: bool = False) -> TaskVector:
        """The vector from a base to this; `self - base`, where mixed precision is refused.

        Args:
            base: Where training started.
            mixed: Whether the two may be stored in different precisions.

        Returns:
            The vector.
        """
        refuse_mismatch(self.body, base.body, (self.formula, base.formula), precision=not mixed)
        return TaskVector(
            Sum(self.expression, base.expression, subtract=True),
            self.body,
            f"{self.formula} - {bracketed(base.formula)}",
        )

    @overload
    def __sub__(self, other: Checkpoint) -> TaskVector: ...
    @overload
    def __sub__(self, other: TaskVector) -> Checkpoint: ...
    def __sub__(self, other: Checkpoint | TaskVector) -> TaskVector | Checkpoint:
        if isinstance(other, Checkpoint):
            return self.minus(other)
        return self._with(other, subtract=True) if isinstance(other, TaskVector) else NotImplemented

    def __add__(self, other: TaskVector) -> Checkpoint:
        return self._with(other, subtract=False) if isinstance(other, TaskVector) else NotImplemented

    def _with(self, vector: TaskVector, subtract: bool) -> Checkpoint:
        refuse_mismatch(self.body, vector.body, (self.formula, vector.formula))
        formula = f"{self.formula} {'-' if subtract else '+'} {bracketed(vector.formula)}"
        return replace(self, expression=Sum(self.expression, vector.expression, subtract), formula=formula)

    def framed_by(self, other: Checkpoint) -> Checkpoint:
        """The same body with the head, configuration and tokenizer of another model, and its precision."""
        refuse_mismatch(self.body, other.body, (self.formula, other.formula))
        return replace(self, body=other.body, frame=other.frame)

    def tensors(self) -> Iterator[tuple[str, Numbers]]:
        """Compute the tensors of its body, one at a time: canonical names, and fp32 in their shapes, not rounded."""
        return computed(self.expression, self.body)


def computed(expression: Expression, body: Body) -> Iterator[tuple[str, Any]]:
    """The tensors of an expression, whole."""

    for name, entry in body.entries.items():
        if expression.covers(name):
            parts = [expression.chunk(name, place, count) for place, count in chunks(entry.count)]
            yield name, numpy.concatenate(parts or [numpy.empty(0, numpy.float32)]).reshape(entry.shape)


def bracketed(formula: str) -> str:
    """A formula as part of another."""
    return f"({formula})" if " + " in formula or " - " in formula else formula
