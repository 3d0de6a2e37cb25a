"""Where every row of a new embedding comes from.

A method fills `RowSources`, which give a plan; the plan then makes the rows of any matrix that belongs to the old
vocabulary: the input embedding, an output embedding of its own, or the bias of the head.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from ofa.topk_search import CPU
from ofa.vocabulary import Vocabulary
from semeqv.lazy import Integers, NDArray, numpy, torch


class Kind(IntEnum):
    """Where a row comes from."""

    DRAWN = 0  # from a normal distribution with mean and deviation of the old rows, number by number
    COPIED = 1  # it is that of the same token
    COMBINED = 2  # a weighted sum of old rows
    MEAN = 3  # the mean of the old rows
    PREDICTED = 4  # by a hypernetwork
    UNUSED = 5  # it belongs to no token, and is the mean
    READ = 6  # from a file of rows


@dataclass(frozen=True)
class Plan:
    """The origin of the rows of a target vocabulary.

    Args:
        kinds: `(rows,)` of `Kind`.
        starts: `(rows + 1,)`, where the sources of each row begin in `sources`.
        sources: Rows of the old embedding; of a row that is copied, one.
        weights: Of each source.
        used: `(old rows,)`, which old rows belong to a token; means are taken over them.
        predicted: For a matrix by name, the rows that are predicted or read, `(n, width)`, in their order.
        primitives: For a matrix by name, those that belong to coordinates that are read, `(kept, width)`.
    """

    kinds: NDArray[numpy.int8]
    starts: Integers
    sources: Integers
    weights: NDArray[numpy.float32]
    used: NDArray[numpy.bool_]
    predicted: dict[str, torch.Tensor] = field(default_factory=dict)
    primitives: dict[str, torch.Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the rows of the new embedding."""
        return len(self.kinds)

    def sources_of(self, row: int) -> list[tuple[int, float]]:
        """Return the old rows that a row is made of, with their weights."""
        span = slice(self.starts[row], self.starts[row + 1])
        return list(zip(self.sources[span].tolist(), self.weights[span].tolist()))

    def apply(self, old: torch.Tensor, generator: torch.Generator, name: str = "input") -> torch.Tensor:
        """Make the rows of a matrix.

        Args:
            old: `(old rows, width)`, or `(old rows,)` for a bias.
            generator: Of the rows that are drawn.
            name: Which matrix it is, for rows that are predicted; what was not predicted for it gets the mean.

        Returns:
            `(rows, width)`, or `(rows,)`, in float32.
        """
        if old.dim() == 1:  # a bias is not drawn: what is known of a new token's frequency is the mean
            return self.apply_known(old[:, None].float(), "bias")[:, 0]
        new = self.apply_known(old.float(), name)
        drawn = torch.from_numpy(self.kinds == Kind.DRAWN)
        known = self.known(old.float())
        noise = torch.randn(int(drawn.sum()), old.shape[1], generator=generator)
        new[drawn] = known.mean(0) + known.std(0, correction=0) * noise
        return new

    def known(self, old: torch.Tensor) -> torch.Tensor:
        """Return the old rows that belong to a token."""
        return old if self.used.all() else old[torch.from_numpy(self.used)]

    def apply_known(self, old: torch.Tensor, name: str) -> torch.Tensor:
        """Make the rows that nothing is drawn for; the others are the mean."""
        mean = self.known(old).mean(0)
        new = torch.nn.functional.embedding_bag(
            torch.from_numpy(self.sources),
            old.contiguous(),
            torch.from_numpy(self.starts[:-1]),
            mode="sum",
            per_sample_weights=torch.from_numpy(self.weights),
        )
        copied = self.kinds == Kind.COPIED  # bit for bit
        new[torch.from_numpy(copied)] = old[torch.from_numpy(self.sources[self.starts[:-1][copied]])]
        read = self.kinds == Kind.READ
        shared = read & (numpy.diff(self.starts) > 0)  # has a bias, though its row is another's
        new[torch.from_numpy(~(copied | shared | (self.kinds == Kind.COMBINED)))] = mean
        if name in self.predicted:
            new[torch.from_numpy(read | (self.kinds == Kind.PREDICTED))] = self.predicted[name]
        return new


@dataclass
class RowSources:
    """Where rows come from, as a method says it, in any order; a plan in the end.

    Args:
        rows: Of the new embedding; what is given no origin is drawn.
        used: `(old rows,)`, which old rows belong to a token.
    """

    rows: int
    used: NDArray[numpy.bool_]
    predicted: dict[str, torch.Tensor] = field(default_factory=dict)
    primitives: dict[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kinds = numpy.full(self.rows, Kind.DRAWN, numpy.int8)
        nothing = numpy.zeros(0, numpy.int64)
        self.pieces: list[tuple[Integers, Integers, NDArray[numpy.float32]]] = [
            (nothing, nothing, numpy.zeros(0, numpy.float32))
        ]

    def open(self) -> Integers:
        """Return the rows that have no origin so far."""
        return numpy.flatnonzero(self.kinds == Kind.DRAWN)

    def copy(self, rows: Integers, sources: Integers) -> None:
        """Copy old rows, `(n,)` to `(n,)`."""
        self.kinds[rows] = Kind.COPIED
        self.pieces.append((rows, sources, numpy.ones(len(rows), numpy.float32)))

    def combine(self, rows: Integers, sources: Integers, weights: NDArray[numpy.float32]) -> None:
        """Give rows to weighted sums: `rows`, each as often as it has sources, `sources` and `weights` are `(n,)`."""
        self.kinds[rows] = Kind.COMBINED
        self.pieces.append((rows, sources, weights))

    def set(self, rows: Integers, kind: Kind) -> None:
        """Say that rows are the mean, predicted or read."""
        self.kinds[rows] = kind

    def leave_out(self, used: NDArray[numpy.bool_]) -> None:
        """Say which rows belong to a token, `(rows,)`; the others are not drawn."""
        self.kinds[~used & (self.kinds == Kind.DRAWN)] = Kind.UNUSED

    def plan(self) -> Plan:
        """Return the plan of all that was said so far."""
        rows, sources, weights = (numpy.concatenate(parts) for parts in zip(*self.pieces))
        self.pieces = [(rows, sources, weights)]
        order = numpy.argsort(rows, kind="stable")
        starts = numpy.searchsorted(rows[order], numpy.arange(self.rows + 1)).astype(numpy.int64)
        return Plan(self.kinds, starts, sources[order], weights[order], self.used, self.predicted, self.primitives)


@dataclass(frozen=True)
class InitContext:
    """What a method works with: a model that is to be given a new vocabulary, and both vocabularies.

    Args:
        model: The model.
        source: Its vocabulary.
        target: The new one.
        shared: Ids of the target, and of the source, of the tokens that are copied, `(shared,)` each.
        kept: Numbers of a coordinate; None when embeddings are not factorised.
        facts: What the method wants to be known of it, as JSON; it may add to them.
        target_name: What the new vocabulary was called.
        device: Where rows are compared; it has float64.
    """

    model: Any
    source: Vocabulary
    target: Vocabulary
    shared: tuple[Integers, Integers]
    kept: int | None
    facts: dict[str, Any]
    target_name: str = ""
    device: torch.device | str = CPU

    @property
    def embedding(self) -> torch.Tensor:
        """Return the embedding that reads tokens, `(old rows, width)`."""
        weight: torch.Tensor = self.model.get_input_embeddings().weight.detach()
        return weight
