"""One model at many strengths of vectors, without opening or copying it again."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from crosslingual.algebra import TaskVector
from crosslingual.body import Body, refuse_mismatch
from crosslingual.header import Entry
from crosslingual.names import body_names
from crosslingual.vocabulary import fingerprint
from semeqv.runs.errors import UserError
from semeqv.text.models.source import config_folder


@torch.no_grad()
def swept(
    base: Any, vectors: Sequence[TaskVector], lambdas: Sequence[float | Sequence[float]]
) -> Iterator[tuple[tuple[float, ...], Any]]:
    """Set a model to base + lambda_1 * vector_1 + ..., point after point.

    The body of the model and the vectors are kept apart once, and each point is computed from them, never from the
    point before: what one yields does not depend on which came earlier. Afterwards the model is what it was.

    Args:
        base: A `PreTrainedModel`; its head stays as it is. Its parameters are overwritten at every step.
        vectors: Of the same body.
        lambdas: Points: a number for each vector, or one number where there is one vector.

    Yields:
        The point, and the model, which is the same object every time.

    Raises:
        UserError: When a vector is of other tensors, shapes or tokens, or a point has another number of numbers.
    """
    points = [tuple(each) if isinstance(each, Sequence) else (each,) for each in lambdas]
    if wrong := [point for point in points if len(point) != len(vectors)]:
        raise UserError(f"There are {len(vectors)} vectors, and {len(wrong[0])} numbers for them.")
    parameters = dict(base.named_parameters(remove_duplicate=False))
    names = body_names(parameters, base.config.model_type)
    bodies = {name: parameters[stored].detach() for name, stored in names.items()}
    entries = {name: Entry("F32", tuple(each.shape)) for name, each in bodies.items()}
    body = Body(entries, vocabulary_of(base), base.config.model_type)
    taus = [dict[str, torch.Tensor]() for _ in vectors]
    for vector, tau in zip(vectors, taus):
        refuse_mismatch(body, vector.body, ("the model", vector.formula))
        for name, numbers in vector.tensors():
            tau[name] = torch.from_numpy(numbers).to(bodies[name].device)
    theta = {name: bodies[name].clone() for name in bodies if any(name in tau for tau in taus)}
    largest = max((each.numel() for each in theta.values()), default=0)
    device = next(iter(bodies.values())).device
    step, total = (torch.empty(largest, device=device) for _ in range(2))
    try:
        for point in points:
            for name, start in theta.items():
                moved, summed = (each[: start.numel()].view(start.shape) for each in (step, total))
                here = start.float()
                for factor, tau in zip(point, taus):
                    if name in tau:
                        torch.mul(tau[name], factor, out=moved)
                        here = torch.add(here, moved, out=summed)
                bodies[name].copy_(here)
            torch.clear_autocast_cache()  # it has low-precision copies of the point before
            yield point, base
    finally:
        for name, start in theta.items():
            bodies[name].copy_(start)
        torch.clear_autocast_cache()


def vocabulary_of(model: Any) -> str | None:
    """What `fingerprint` says of the tokens of the folder that a model was opened from; None when it has none."""
    source = getattr(model, "source", None) or getattr(model, "name_or_path", None)
    return fingerprint(config_folder(source)) if source and Path(source).expanduser().exists() else None
