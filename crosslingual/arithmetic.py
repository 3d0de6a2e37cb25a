"""Adding vectors to models: the formulas `analogy`, `ties` and `slerp`, and the actions that write what they make.

make_vector(source="runs/wikipedia-es", base="xlm-roberta-base", output="vectors/es")
apply(source="runs/ner-en", add=[(0.5, "vectors/es")], output="models/ner-es")
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add as plus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import click

from crosslingual.algebra import Checkpoint, TaskVector, is_vector, open_checkpoint, open_vector, vector_of
from crosslingual.body import refuse_mismatch
from crosslingual.expressions import SignElection, Slerp
from crosslingual.saving import MERGE, VECTOR
from semeqv.grammar.action import Spelled, Written, action
from semeqv.runs.errors import UserError
from semeqv.runs.files import refuse_existing

if TYPE_CHECKING:  # from Python, what is open already will do
    Model = str | Path | Checkpoint
    Vector = str | Path | TaskVector
else:
    Model = Vector = str


def analogy(start: TaskVector, end: TaskVector, like: TaskVector) -> TaskVector:
    """Return the vector that is to `like` as `end` is to `start`: like + (end - start).

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
    for other in others:
        refuse_mismatch(first.body, other.body, (first.formula, other.formula))
    formula = f"ties({'; '.join(vector.formula for vector in vectors)}; {density:g} of each {scope})"
    return replace(first, expression=SignElection([vector.expression for vector in (first, *others)]), formula=formula)


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
    arc = Slerp(first.expression, second.expression, share, first.body.sizes)
    return replace(first, expression=arc, formula=f"slerp({first.formula}; {second.formula}; {share:g})")


@dataclass(frozen=True, kw_only=True)
class Adding:
    """How models and vectors may differ that are added, and how the sum is written.

    Args:
        heads: Merge the heads of the models, too, when all have the same; else the head stays that of the model which
            is added to.
        mixed: Let models and their base be stored in different precisions.
        dtype: Precision of all that is written; that of the model which is added to, if left out. Sums are computed in
            fp32, and rounded to the nearest.
        shard_size: The most bytes of a file of weights.
        overwrite: Replace a model that this has written.
    """

    heads: bool = False
    mixed: bool = False
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    shard_size: int = 5_000_000_000
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise ValueError(f"--shard_size must be at least 1, not {self.shard_size}.")


@dataclass(frozen=True)
class WrittenModel(Written):
    """A model that was computed and written.

    Args:
        model: How it was computed.
        folder: Where it is.
    """

    model: Checkpoint = field(repr=False)
    folder: Path

    def show(self) -> None:
        """Print where it is, its formula, and whose head it has."""
        click.echo(f"wrote {self.folder}: {self.model.formula}")
        if copied := self.model.frame.copied():
            click.echo(f"Its head ({len(copied)} tensors, such as {copied[0]}) is that of {self.model.frame.folder}.")


@dataclass(frozen=True)
class WrittenVector(Written):
    """A vector that was computed and written.

    Args:
        vector: How it was computed.
        folder: Where it is.
    """

    vector: TaskVector = field(repr=False)
    folder: Path

    def show(self) -> None:
        """Print where it is, and its size."""
        body = self.vector.body
        numbers = sum(body.sizes.values())
        click.echo(f"wrote {self.folder}: {len(body.entries)} tensors, {numbers / 1e6:.1f}M numbers")


@action("crosslingual vector")
def make_vector(
    *,
    source: Annotated[Model, Spelled("from")],
    base: Model,
    output: Path,
    heads: bool = False,
    mixed: bool = False,
    overwrite: bool = False,
) -> WrittenVector:
    """Take a model off the one that was trained from it: what training has changed, as a folder.

    It holds the body, in fp32; heads only with --heads. Models are named as everywhere: a run folder, a
    checkpoint, a Hugging Face folder or a hub name.

    Args:
        source: The model after training.
        base: The model before.
        output: The folder: vector.safetensors, and vector.json, which says what it is.
        heads: Take the difference of the heads, too, for `apply` and `merge` with --heads.
        mixed: Let the two be stored in different precisions, where the difference is mostly rounding.
        overwrite: Replace a vector that is there.

    Returns:
        The vector, and its folder.
    """
    refuse_existing(Path(output), overwrite, VECTOR)
    after, before = open_checkpoint(source, heads=heads), open_checkpoint(base, heads=heads)
    vector = after.minus(before, mixed=mixed)
    vector.save(output, overwrite=overwrite)
    return WrittenVector(vector, Path(output))


@action("crosslingual apply")
def apply(
    *,
    source: Annotated[Model, Spelled("from")],
    add: Sequence[tuple[float, Vector]] = (),
    base: Model | None = None,
    output: Path,
    adding: Adding = Adding(),
) -> WrittenModel:
    """Add vectors to a model: its body becomes model + factor * vector + ..., its head stays (Ilharco et al., 2023).

    The paper is arXiv 2212.04089. A negative factor takes a vector off; an analogy is a sum, such as
    `--add 1 german --add -1 english` to a model of a task in English.

    Args:
        source: The model, such as one of a task: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        add: A factor and the folder of a vector, `--add 0.5 vectors/es`; may be repeated. A model in place of a vector
            stands for itself less the one of --base.
        base: What models among the vectors were trained from.
        output: The folder of the new model, which `from_pretrained` opens; merge.json in it says how it came about.
        adding: How models may differ, and how the sum is written.

    Returns:
        The model, and its folder.
    """
    refuse_nothing(add, Path(output), adding)
    model = open_checkpoint(source, heads=adding.heads)
    start = None if base is None else open_checkpoint(base, heads=adding.heads)
    for (factor, _), vector in zip(add, vectors_of(add, start, adding)):
        model = model + factor * vector
    return write(model, Path(output), adding)


def refuse_method(options: Any) -> None:
    """Refuse options of `merge` that do not fit its method; raises `ValueError`."""
    if options.density is not None and not 0 < options.density <= 1:
        raise ValueError(f"--density must be above 0 and at most 1, not {options.density:g}.")
    if options.density is not None and options.method not in ("ties", "dare"):
        raise ValueError(f"--density is for ties and dare, not for {options.method}.")
    if options.method == "slerp":
        factors = [factor for factor, _ in options.add]
        if len(factors) != 2 or min(factors) < 0 or sum(factors) == 0:
            raise ValueError("slerp goes between two: --add twice, with factors that are not negative.")
        if options.scale != 1:
            raise ValueError("--scale is for vectors, and slerp goes between models.")


@action("crosslingual merge", check=refuse_method)
def merge(
    seed: int = 42,
    *,
    add: Sequence[tuple[float, Vector]] = (),
    base: Model | None = None,
    method: Literal["linear", "ties", "dare", "slerp"] = "linear",
    density: float | None = None,
    scope: Literal["model", "tensor"] = "model",
    scale: float = 1.0,
    output: Path,
    adding: Adding = Adding(),
) -> WrittenModel:
    """Merge several models, or vectors, into one; configuration and tokenizer are those of --base, and so is the
    head unless --heads merges heads, too.

    linear adds the vectors, each times its factor. ties keeps the greatest numbers of each, elects a sign for every
    place and averages those that have it (TIES-Merging; Yadav et al., 2023, arXiv 2306.01708). dare sets numbers of
    each to zero at random, scales the rest up in turn, and adds them (Yu et al., 2024, arXiv 2311.03099). slerp goes
    from the first of two models to the second along an arc, tensor by tensor (Shoemake, 1985), as far as the share of
    the second factor in both.

    Args:
        seed: Of what dare drops; the vectors differ in what is dropped.
        add: A factor and the folder of a vector, `--add 0.5 vectors/es`; may be repeated. A model in place of a vector
            stands for itself less the one of --base.
        base: What models among the vectors were trained from, and what the merged vector is added to.
        method: How to merge.
        density: Of ties and dare: the share of numbers that is kept; 0.2 and 0.1 if left out.
        scope: Of ties: whether the greatest numbers are those of a whole vector, as in the paper, or of each
            tensor, as in mergekit.
        scale: What the merged vector is multiplied by before it is added to the base.
        output: The folder of the new model, which `from_pretrained` opens; merge.json in it says how it came about.
        adding: How models may differ, and how the sum is written.

    Returns:
        The model, and its folder.

    Raises:
        UserError: When there is no base, or something cannot be opened, added or written.
    """
    refuse_nothing(add, Path(output), adding)
    if base is None:
        raise UserError("Say what the models were trained from: --base MODEL.")
    start, factors = open_checkpoint(base, heads=adding.heads), [factor for factor, _ in add]
    if method == "slerp":
        first, second = (end_of(source, start, adding.heads) for _, source in add)
        between = slerp(first, second, factors[1] / sum(factors), mixed=adding.mixed)
        return write(between.framed_by(start), Path(output), adding)
    vectors = vectors_of(add, start, adding)
    if method == "dare":
        rate = 1 - (density or 0.1)
        vectors = [vector.dropped(rate, seed + 1000 * place) for place, vector in enumerate(vectors)]
    scaled = [vector if factor == 1 else factor * vector for factor, vector in zip(factors, vectors)]
    merged = ties(scaled, density or 0.2, scope) if method == "ties" else reduce(plus, scaled)
    return write(start + (merged if scale == 1 else scale * merged), Path(output), adding)


def refuse_nothing(add: Sequence[tuple[float, Vector]], output: Path, adding: Adding) -> None:
    """Refuse to add nothing, or to write where something is, before anything is opened; raises `UserError`."""
    if not add:
        raise UserError("Say what to add: --add FACTOR VECTOR.")
    refuse_existing(output, adding.overwrite, MERGE)


def vectors_of(add: Sequence[tuple[float, Vector]], base: Checkpoint | None, adding: Adding) -> list[TaskVector]:
    """Open what is added, in the order given."""
    return [vector_of(source, base, mixed=adding.mixed, heads=adding.heads) for _, source in add]


def end_of(source: Vector, base: Checkpoint, heads: bool) -> Checkpoint:
    """Open an end of the arc of slerp: a model, or the base and a vector."""
    if isinstance(source, TaskVector):
        return base + source
    folder = Path(source).expanduser()
    return base + open_vector(folder) if is_vector(folder) else open_checkpoint(folder, heads=heads)


def write(model: Checkpoint, output: Path, adding: Adding) -> WrittenModel:
    """Compute a model and write it."""
    model.save(output, overwrite=adding.overwrite, shard=adding.shard_size, dtype=adding.dtype)
    return WrittenModel(model, output)
