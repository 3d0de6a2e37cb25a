"""`Checkpoint` and `TaskVector`: models and their differences, which are opened, added, taken off, scaled and saved.

    base, tuned, task = map(Checkpoint.open, ("xlm-roberta-base", "runs/wikipedia-es", "runs/ner-en"))
    (task + 0.5 * (tuned - base)).save("models/ner-es")

Nothing is read until something is saved or measured, and then a chunk of a tensor at a time (see `expressions`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any, Literal, overload

from crosslingual.body import Body, Frame, body_of, refuse_mismatch
from crosslingual.expressions import Dropped, Expression, Only, Scaled, Sum, TopK, Weights
from crosslingual.names import unwrapped
from crosslingual.safetensors_reader import Entry, Numbers, chunks, open_tensors
from crosslingual.saving import VECTOR, save_model, save_vector
from crosslingual.selection import greatest
from crosslingual.similarity import Products, scalar_products
from crosslingual.vocabulary import fingerprint
from semeqv.lazy import numpy
from semeqv.runs.errors import UserError
from semeqv.text.models.source import model_folder, read_config


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
        return open_vector(Path(folder))

    def save(self, folder: str | Path, *, overwrite: bool = False, shard: int | None = None) -> None:
        """Write it to a folder: vector.safetensors in fp32, and vector.json. `UserError` when that fails.

        Args:
            folder: Where to; it appears in one piece.
            overwrite: Replace a vector that is there.
            shard: The most bytes of a file.
        """
        save_vector(self.expression, self.body, self.formula, Path(folder), overwrite=overwrite, shard=shard)

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
        by_name = dict.fromkeys(self.body.entries, others)
        for pattern, factor in factors.items():
            by_name.update(dict.fromkeys(self.body.matching(pattern), factor))
        listed = ", ".join(f"{name}: {factor:g}" for name, factor in factors.items())
        return replace(
            self, expression=Scaled(self.expression, by_name.__getitem__), formula=f"by_layer({self.formula}; {listed})"
        )

    def only(self, *patterns: str) -> TaskVector:
        """Keep some of its tensors; the others become zero.

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
            self, expression=TopK(inner, threshold), formula=f"top({self.formula}; {density:g} of each {scope})"
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
        """Return its Euclidean length."""
        return products_of([self]).norm(0)

    def norms(self) -> dict[str, float]:
        """Return the Euclidean length of each of its layers."""
        products = products_of([self])
        return {layer: products.norm(0, layer) for layer in products.products}

    def cosine(self, other: TaskVector) -> float:
        """Return the cosine of the angle to another vector; NaN when one of them is zero."""
        return products_of([self, other]).cosine(0, 1)

    def cosines(self, other: TaskVector) -> dict[str, float]:
        """Return the cosine of the angle to another vector, layer by layer."""
        products = products_of([self, other])
        return {layer: products.cosine(0, 1, layer) for layer in products.products}

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
        save_model(
            self.expression, self.frame, self.formula, Path(folder), overwrite=overwrite, shard=shard, dtype=dtype
        )

    def minus(self, base: Checkpoint, *, mixed: bool = False) -> TaskVector:
        """Return the vector from a base to this; `self - base`, where mixed precision is refused.

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
        """Return the same body with the head, configuration and tokenizer of another model, and its precision."""
        refuse_mismatch(self.body, other.body, (self.formula, other.formula))
        return replace(self, body=other.body, frame=other.frame)

    def tensors(self) -> Iterator[tuple[str, Numbers]]:
        """Compute the tensors of its body, one at a time: canonical names, and fp32 in their shapes, not rounded."""
        return computed(self.expression, self.body)


def computed(expression: Expression, body: Body) -> Iterator[tuple[str, Any]]:
    """Compute the tensors of an expression, one at a time: names, and fp32 in their shapes."""
    for name, entry in body.entries.items():
        if expression.covers(name):
            parts = [expression.chunk(name, place, count) for place, count in chunks(entry.count)]
            yield name, numpy.concatenate(parts or [numpy.empty(0, numpy.float32)]).reshape(entry.shape)


def bracketed(formula: str) -> str:
    """Return a formula as part of another: in brackets when it is a sum."""
    return f"({formula})" if " + " in formula or " - " in formula else formula


def products_of(vectors: Sequence[TaskVector]) -> Products:
    """Multiply vectors of one kind of model with each other; `UserError` when they are of several."""
    first, *others = vectors
    for other in others:
        refuse_mismatch(first.body, other.body, (first.formula, other.formula))
    return scalar_products([vector.expression for vector in vectors], first.body)


def open_checkpoint(source: str | Path | Checkpoint, *, heads: bool = False) -> Checkpoint:
    """Open a model, or return one that is open: see `Checkpoint.open`.

    Args:
        source: What `--from` names.
        heads: Whether its head counts as part of the body.

    Returns:
        The checkpoint.
    """
    if isinstance(source, Checkpoint):
        return source
    folder = model_folder(source)
    config, weights = read_config(folder), open_tensors(folder).renamed(unwrapped)
    body, names = body_of(weights, config, fingerprint(folder), source, heads=heads)
    if heads:
        headless = {name: place for name, place in names.items() if not name.startswith("head.")}
        tied = Frame(folder, weights, headless, config).copies()
        names = {name: place for name, place in names.items() if place not in tied}
        body = replace(body, entries={name: body.entries[name] for name in sorted(names)})
    return Checkpoint(Weights(weights, names), body, Frame(folder, weights, names, config), str(source))


def is_vector(folder: Path) -> bool:
    """Return whether a folder is one of a vector."""
    return (folder / VECTOR).is_file()


def open_vector(folder: Path) -> TaskVector:
    """Open a vector.

    Args:
        folder: What `TaskVector.save` has written.

    Returns:
        The vector.

    Raises:
        UserError: When it is none, or damaged.
    """
    if not is_vector(folder):
        raise UserError(f"{folder} is no vector: it has no {VECTOR}. Make one: cli crosslingual vector")
    try:
        description = json.loads((folder / VECTOR).read_bytes())
        entries = {
            str(name): Entry(str(tensor["dtype"]), tuple(int(size) for size in tensor["shape"]))
            for name, tensor in description["tensors"].items()
        }
        vocabulary, kind, count = (description[name] for name in ("vocabulary", "model_type", "stored"))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"{folder / VECTOR} is damaged: make the vector again.") from None
    weights = open_tensors(folder, "vector")
    for name, entry in weights.entries.items():
        if name not in entries or entry.shape != entries[name].shape or entry.dtype != "F32":
            raise UserError(f"{folder / VECTOR} does not fit its tensors: look for {name!r}; make the vector again.")
    if len(weights.entries) != count:
        raise UserError(
            f"{folder} has {len(weights.entries)} tensors, not {count}: copy all its files, or make it again."
        )
    body = Body(entries, vocabulary, kind)
    return TaskVector(Weights(weights, {name: name for name in weights.entries}), body, str(folder))


def vector_of(
    source: str | Path | TaskVector, base: Checkpoint | None, *, mixed: bool = False, heads: bool = False
) -> TaskVector:
    """Return the vector that a path names: that of a vector's folder, or that of a model, less its base.

    Args:
        source: A vector's folder, or what `--from` names; a vector is returned as it is.
        base: The base of models; None when there is none.
        mixed: Whether a model and its base may be of different precision.
        heads: Whether the head of a model counts.

    Returns:
        The vector.

    Raises:
        UserError: When it is a model, and there is no base; and when it cannot be opened.
    """
    if isinstance(source, TaskVector):
        return source
    if is_vector(Path(source).expanduser()):
        return open_vector(Path(source).expanduser())
    if base is None:
        raise UserError(f"{source} is no vector; say what it is to be compared with: --base MODEL.")
    return open_checkpoint(source, heads=heads).minus(base, mixed=mixed)


Model = str | Path | Checkpoint


Vector = str | Path | TaskVector


def open_vectors(sources: Sequence[tuple[str, Vector]], base: Model | None, mixed: bool) -> dict[str, TaskVector]:
    """Open the vectors of a sweep.

    Args:
        sources: What each is called, and its folder.
        base: What models among them were trained from.
        mixed: Whether models and their base may be stored in different precisions.

    Returns:
        The vectors by their names, at least one.

    Raises:
        UserError: When there is none, or (from `vector_of`) one cannot be opened.
    """
    if not sources:
        raise UserError("Say which vectors to add: --vector NAME FOLDER.")
    start = None if base is None else open_checkpoint(base)
    return {name: vector_of(source, start, mixed=mixed) for name, source in sources}
