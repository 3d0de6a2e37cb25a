"""The nearest rows of a matrix, in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.progress import Progress

Floats: TypeAlias = "NDArray[numpy.float32]"
CPU = "cpu"
CELLS = 2**22  # similarities at once
SPARE = 14  # candidates beyond k whose similarity is computed exactly
BLOCK = 64  # candidates of which at first the most similar one alone counts
WORTH = 4096  # candidates from which on it pays to be rough first
ROWS = 4096  # of the candidates, looked at at once
ALIKE = 2.0**-20  # similarities that round to the same multiple of this are equal
FEW = 64  # exact similarities to all candidates, queries at once


class Nearest:
    """Finds the nearest candidates of queries by dot product; of those that are equally near, the first.

    All similarities are computed roughly, in bfloat16 where the processor has instructions for it; those that are large
    are computed once more, in float32. By how much the rough ones may be wrong is known (the lengths of what rounding
    takes from queries and candidates, times theirs), and so for which queries a candidate may have been left out: these
    are compared with all. So the result is that of comparing all with all.

    Args:
        candidates: `(candidates, width)`, at least one.
        device: Where they are compared; it has float64.
    """

    def __init__(self, candidates: Floats, device: torch.device | str = CPU):
        self.candidates = torch.from_numpy(candidates).to(device)
        count, width = candidates.shape
        self.kind = torch.bfloat16 if count >= WORTH and has_bfloat16(device) else torch.float32
        self.rough = torch.zeros(math.ceil(count / BLOCK) * BLOCK, width, dtype=self.kind, device=device)
        self.rough[:count] = self.candidates
        self.product, self.similar = (
            self.rough.new_empty(0, len(self.rough), dtype=kind) for kind in (self.kind, torch.float32)
        )
        self.length, self.lost = 0.0, 0.0
        for exact, rough in zip(torch.split(self.candidates, ROWS), torch.split(self.rough, ROWS)):
            self.length = max(self.length, float(exact.norm(dim=1).max()))
            self.lost = max(self.lost, float((exact - rough[: len(exact)].float()).norm(dim=1).max()))

    def of(self, queries: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Find the k nearest candidates of each query.

        Args:
            queries: `(queries, width)`, on the CPU as what is returned.
            k: How many, at most all.

        Returns:
            Similarities, falling, and rows of the candidates, `(queries, k)` each.
        """
        count = len(self.candidates)
        wide = min(k + SPARE, count)
        queries = queries.to(self.candidates.device)
        rough = queries.to(self.kind)
        above, places = largest(self.similarities(rough), wide)
        places = places.sort(dim=1).values
        values, order = sort(exactly(queries, self.candidates[places]), k)
        places = places.gather(1, order)
        if wide < count:
            last = above[:, -1]
            open_ones = (
                (values[:, -1] - 2 * ALIKE <= last + self.slack(queries, rough.float(), last)).nonzero().flatten()
            )
            for some in torch.split(open_ones, FEW):
                every = (queries[some].double() @ self.candidates.double().T).float()
                values[some], places[some] = sort(every, k)
        return values.cpu(), places.cpu()

    def similarities(self, rough: torch.Tensor) -> torch.Tensor:
        """Compare queries with all candidates, and with nothing up to a whole block; in memory that is used again."""
        if len(self.product) < len(rough):
            self.product = self.product.new_empty(len(rough), len(self.rough))
            same = self.kind == torch.float32
            self.similar = self.product if same else self.similar.new_empty(self.product.shape)
        torch.mm(rough, self.rough.T, out=self.product[: len(rough)])
        similar: torch.Tensor = self.similar[: len(rough)].copy_(self.product[: len(rough)])
        similar[:, len(self.candidates) :] = -torch.inf
        return similar

    def slack(self, queries: torch.Tensor, rough: torch.Tensor, similar: torch.Tensor) -> torch.Tensor:
        """Return by how much a similarity may exceed the rough one, `(queries,)`: what rounding took, and sums."""
        lost = (queries - rough).norm(dim=1) * self.length + rough.norm(dim=1) * self.lost
        sums = queries.shape[1] * torch.finfo(torch.float32).eps * queries.norm(dim=1) * self.length
        most: torch.Tensor = lost + sums + similar.abs() * torch.finfo(self.kind).eps
        return most


def nearest(
    queries: Floats, candidates: Floats, k: int, device: torch.device | str = CPU
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the k nearest candidates of each query by dot product; of those that are equally near, the first.

    Args:
        queries: `(queries, width)`.
        candidates: `(candidates, width)`.
        k: How many, at most all.
        device: Where they are compared; it has float64.

    Returns:
        Similarities, falling, and rows of the candidates, `(queries, k)` each.
    """
    k = min(k, len(candidates))
    values = torch.empty(len(queries), k)
    places = torch.empty(len(queries), k, dtype=torch.int64)
    if not k:
        return values, places
    among = Nearest(candidates, device)
    for some in chunks(len(queries), len(candidates)):
        values[some], places[some] = among.of(torch.from_numpy(queries[some]), k)
    return values, places


def chunks(queries: int, candidates: int) -> Iterator[slice]:
    """Yield which queries to take at once, with a progress bar."""
    few = max(CELLS // max(candidates, 1), 1)
    for start in Progress(range(0, queries, few), desc="nearest", unit="chunk", leave=False, disable=None):
        yield slice(start, start + few)


def largest(similar: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the k largest of each row, `(rows, columns)`, in the k blocks of columns with the largest maxima."""
    blocks = similar.view(len(similar), -1, BLOCK)
    if blocks.shape[1] <= k:
        return similar.topk(k, dim=1)
    best = blocks.amax(2).topk(k, dim=1, sorted=False).indices
    some = blocks.gather(1, best[:, :, None].expand(-1, -1, BLOCK)).flatten(1)
    values, at = some.topk(k, dim=1)
    return values, best.gather(1, at // BLOCK) * BLOCK + at % BLOCK


def exactly(queries: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    """Dot products of queries, `(queries, width)`, each with its own, `(queries, n, width)`; equal ones stay equal.

    They are summed in fp64 and rounded, so that they do not depend on the order in which a processor adds.
    """
    return torch.einsum("qw,qnw->qn", queries.double(), candidates.double()).float()


def sort(similar: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Sort the k largest similarities of each row, falling, and their places; of equal ones the first comes first.

    What differs by less than rounding does, in vectors that were means and were brought to length 1, is alike.
    """
    order = (similar / ALIKE).round().sort(dim=1, descending=True, stable=True).indices[:, :k]
    return similar.gather(1, order), order


def has_bfloat16(device: torch.device | str = CPU) -> bool:
    """Return whether a device multiplies matrices in bfloat16 faster than in float32."""
    if torch.device(device).type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def softmax_weights(similarities: torch.Tensor, temperature: float) -> Floats:
    """Weights of neighbours, `softmax(similarity / temperature)`, `(queries, k)`."""
    weights: Floats = (similarities / temperature).softmax(1).numpy()
    return weights
