"""Batches of token files: which tokens, in which order, a pure function of seed, epoch and position."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from semeqv.lazy import NDArray, numpy, torch
from semeqv.runs.errors import UserError
from semeqv.text.objectives import Objective
from semeqv.text.tokens.files import TokenFile
from semeqv.text.tokens.order import Alternation, looked_up

Places: TypeAlias = "NDArray[numpy.int64]"
SHIFTS = 997
MULTIPLE = 8  # padded rows have a multiple of so many tokens


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How tokens become rows of a batch.

    Args:
        rows: Rows of a batch.
        time: The most tokens of a row.
        packing: Whether rows are cut from the running text; else each is a document, or a piece of a long one.
        first: The token before every document that is not packed, or None.
        last: The separator after it.
        pad: The token after that.
        begin: The token that stands before every document in the file itself, or None; what follows a separator then
            tells nothing of a model.
    """

    rows: int
    time: int
    packing: bool
    first: int | None
    last: int
    pad: int
    begin: int | None = None


class Packed:
    """Rows cut from running text.

    Args:
        file: The text.
        layout: Its `time` is the length of a row.
        overlap: Tokens that a row shares with the next.
    """

    def __init__(self, file: TokenFile, layout: Layout, overlap: int):
        self.file, self.tokens, self.layout, self.stride = file, file.tokens, layout, layout.time - overlap
        self.whole = max(-(-(len(file.tokens) - overlap) // self.stride), 0)  # the last one may be short
        self.shifted = max((len(file.tokens) - overlap - 2 * (self.stride - 1)) // self.stride, 0)
        self.windows = numpy.lib.stride_tricks.sliding_window_view(
            numpy.asarray(file.tokens), min(layout.time, len(file.tokens))
        )

    def __len__(self) -> int:
        """How many rows begin anywhere, whatever the shift."""
        return self.shifted or self.whole

    def rows(self, places: Places, shifts: Places) -> tuple[Places, Places]:
        """The tokens of some rows, and the length of each.

        Args:
            places: Which rows.
            shifts: How many tokens later than without a shift each begins, below the stride.

        Returns:
            `(rows, longest)` and `(rows,)`.
        """
        starts = places * self.stride + (shifts % self.stride if self.shifted else 0)
        lengths = numpy.minimum(len(self.tokens) - starts, self.layout.time)
        if (lengths == self.windows.shape[1]).all():  # a copy a row, several times faster than a look at each token
            return self.windows[starts].astype(numpy.int64), lengths
        return take(self.tokens, starts, lengths, int(lengths.max(initial=1)), self.layout.pad), lengths


class Documents:
    """A row a document, or a piece of a document that is longer than a row.

    A document is its first token, its text and the separator. A causal model is asked for all but the first, and its
    pieces share a token: only the last ends with the separator. Every piece for a masked model stands between both.

    Args:
        file: The documents.
        layout: Their `time` is the most tokens of a row.
        overlap: Tokens that a piece shares with the next, for a causal model; 0 for a masked one.
    """

    def __init__(self, file: TokenFile, layout: Layout, overlap: int):
        self.file, self.tokens, self.layout, self.wrapped = file, file.tokens, layout, not overlap
        before = int(layout.first is not None)
        begins = numpy.concatenate([[0], file.ends[:-1]]).astype(numpy.int64) - before
        lengths = file.ends - begins
        shared = overlap or before + 1
        stride = layout.time - shared
        pieces = numpy.maximum(-(-(lengths - shared) // stride), 1)
        number = numpy.arange(pieces.sum()) - numpy.repeat(numpy.cumsum(pieces) - pieces, pieces)
        self.starts = numpy.repeat(begins, pieces) + number * stride
        self.lengths = numpy.minimum(numpy.repeat(lengths, pieces) - number * stride, layout.time)
        self.opens = (number == 0) | self.wrapped

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.starts)

    def rows(self, places: Places, shifts: Places) -> tuple[Places, Places]:
        """The tokens of some rows, `(rows, longest)`, and the length of each; there are no shifts."""
        lengths = self.lengths[places]
        width = min(-(-int(lengths.max()) // MULTIPLE) * MULTIPLE, self.layout.time)
        found = take(self.tokens, self.starts[places], lengths, width, self.layout.pad)
        if self.layout.first is not None:
            found[self.opens[places], 0] = self.layout.first
        if self.wrapped:
            found[numpy.arange(len(places)), lengths - 1] = self.layout.last
        return found, lengths


def made_rows(file: TokenFile, layout: Layout, overlap: int) -> Packed | Documents:
    """The rows of a token file.

    Args:
        file: The file.
        layout: How tokens become rows.
        overlap: Tokens that rows share.

    Returns:
        The rows, one at least.

    Raises:
        UserError: When there is none.
    """
    rows = Packed(file, layout, overlap) if layout.packing else Documents(file, layout, overlap)
    if not len(rows):
        raise UserError(f"The corpus has only {len(file.tokens)} tokens of {file.language!r}.")
    return rows


def take(tokens: NDArray[Any], starts: Places, lengths: Places, width: int, pad: int) -> Places:
    """Pieces of text, `(pieces, width)`, padded at the end."""
    places = starts[:, None] + numpy.arange(width)
    found: Places = tokens[numpy.minimum(places, len(tokens) - 1)].astype(numpy.int64)
    if lengths.min(initial=width) < width:
        found[numpy.arange(width) >= lengths[:, None]] = pad
    return found


def generator(position: int, seed: int, purpose: int) -> numpy.random.Generator:
    """What is drawn at a position of a stream."""
    return numpy.random.Generator(numpy.random.Philox(key=[seed % 2**64, purpose], counter=[0, position, 0, 0]))


@functools.lru_cache(maxsize=8)
def shifts(seed: int) -> Places:
    """How far running text is shifted before it is cut in each epoch; `SHIFTS` of them, then again."""
    return generator(0, seed, 1).integers(2**31, size=SHIFTS)


class TokenBatches:
    """A data set of token files. `UserError` is raised when one is empty.

    Args:
        files: One for each language.
        objective: What is predicted.
        layout: How tokens become rows.
        shuffle: Whether training takes rows in a new order in every epoch.
        facts: What is known of the corpus, for run.json.
    """

    def __init__(
        self,
        files: Sequence[TokenFile],
        objective: Objective,
        layout: Layout,
        *,
        shuffle: bool = True,
        facts: Mapping[str, Any] | None = None,
    ):
        self.objective, self.layout, self.shuffle, self.said = objective, layout, shuffle, dict(facts or {})
        self.parts = [made_rows(file, layout, objective.overlap) for file in files]
        self.sizes = numpy.array([len(part) for part in self.parts])
        self.bounds = numpy.cumsum(self.sizes)
        self.rows = min(layout.rows, int(self.bounds[-1]))
        self.alternation: Alternation | None = None

    def mix(self, weights: Sequence[float]) -> None:
        """Give each language a share of every batch, instead of taking all rows once an epoch."""
        self.alternation = Alternation(weights)

    def __len__(self) -> int:
        """Batches in an epoch; rows that do not fill one are left for the next epoch's order."""
        return int(self.bounds[-1]) // self.rows

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        """Training batches without end, from a step on."""
        step = start
        while True:
            yield self.batch(seed, step)
            step += 1

    def batch(self, seed: int, step: int) -> dict[str, torch.Tensor]:
        """The batch of a step, a pure function of seed and step."""
        epoch, place = divmod(step, len(self))
        part, row, turns = self.chosen(seed, epoch, place * self.rows + numpy.arange(self.rows))
        shift = shifts(seed)[turns % SHIFTS] if self.shuffle else numpy.zeros_like(row)
        return self.made(part, row, shift, generator(step, seed, 2))

    def chosen(self, seed: int, epoch: int, places: Places) -> tuple[Places, Places, Places]:
        """Which part, which row of it, and in which pass over the part, at some places of an epoch."""
        if self.alternation is None:
            order = looked_up(places, int(self.bounds[-1]), seed, epoch) if self.shuffle else places
            part = numpy.searchsorted(self.bounds, order, side="right")
            return part, order - (self.bounds - self.sizes)[part], numpy.full_like(part, epoch)
        part, ordinal = self.alternation(epoch * len(self) * self.rows + places)
        turn, row = numpy.divmod(ordinal, self.sizes[part])
        if self.shuffle:
            for each in numpy.unique(numpy.stack([part, turn]), axis=1).T:
                here = (part == each[0]) & (turn == each[1])
                row[here] = looked_up(row[here], int(self.sizes[each[0]]), seed, int(each[1]), int(each[0]) + 1)
        return part, row, turn

    def batches(self) -> Iterator[dict[str, torch.Tensor]]:
        """One pass over all rows, in their order; what is drawn is the same in every pass."""
        sizes = [part.whole if isinstance(part, Packed) else len(part) for part in self.parts]
        part = numpy.repeat(numpy.arange(len(sizes)), sizes)
        row = numpy.concatenate([numpy.arange(size) for size in sizes])
        for step, start in enumerate(range(0, len(row), self.layout.rows)):
            here = slice(start, start + self.layout.rows)
            yield self.made(part[here], row[here], numpy.zeros_like(row[here]), generator(step, 0, 3))

    def made(
        self, part: Places, row: Places, shift: Places, generator: numpy.random.Generator
    ) -> dict[str, torch.Tensor]:
        """The batch of some rows."""
        found = {i: self.parts[i].rows(row[part == i], shift[part == i]) for i in numpy.unique(part)}
        width = max(ids.shape[1] for ids, _ in found.values())
        ids, lengths = numpy.full((len(row), width), self.layout.pad), numpy.zeros(len(row), numpy.int64)
        for i, (own, own_lengths) in found.items():
            ids[part == i, : own.shape[1]], lengths[part == i] = own, own_lengths
        real = numpy.arange(width) < lengths[:, None]
        inputs, labels = self.objective(ids, real, generator)
        batch = {"input_ids": torch.from_numpy(inputs), "labels": torch.from_numpy(labels)}
        if not real.all():
            batch["attention_mask"] = torch.from_numpy(real.astype(numpy.int64))
        return batch

    def facts(self) -> dict[str, Any]:
        """What is known of the corpus."""
        return self.said
