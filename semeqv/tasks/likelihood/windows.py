"""Windows on text: which tokens a model reads at once, and which of them it is asked for.

The text of a packed data set is one stream, documents and separators one after the other; that of one that is not
packed is a stream for each document. A stream that is longer than a window is read in several. Each window asks for the
tokens that no earlier one has asked for, so that every token is predicted once; with a stride of s, those of all
windows but the first have time - s tokens of context at least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.text.tokens.batches import Layout
from semeqv.text.tokens.files import TokenFile

Places: TypeAlias = "NDArray[numpy.int64]"


@dataclass(frozen=True)
class Windows:
    """Where windows are, `(windows,)` each.

    Args:
        start: Where the stream of each begins, in the tokens of the file.
        begin: Where the window begins in its stream.
        end: Where it ends.
        first: The first place in the stream that it asks for.
    """

    start: Places
    begin: Places
    end: Places
    first: Places

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.start)

    @property
    def lengths(self) -> Places:
        """The tokens of each."""
        return self.end - self.begin


def windows(starts: Places, lengths: Places, time: int, stride: int) -> Windows:
    """Return the windows on some streams.

    Args:
        starts: `(streams,)`, where each begins.
        lengths: `(streams,)`, how many tokens each has.
        time: Tokens of a window at most.
        stride: From the beginning of a window to that of the next.

    Returns:
        The windows, those of each stream from left to right; none on an empty stream.
    """
    counts = numpy.where(lengths > 0, 1 + -(-numpy.maximum(lengths - time, 0) // stride), 0)
    stream = numpy.repeat(numpy.arange(len(starts)), counts)
    number = numpy.arange(len(stream)) - (numpy.cumsum(counts) - counts)[stream]
    begin = number * stride
    end = numpy.minimum(begin + time, lengths[stream])
    first = numpy.where(number > 0, begin - stride + time, 0)
    return Windows(starts[stream], begin, end, first)


class TextStreams:
    """The streams of one language of a data set, and batches of windows on them.

    Args:
        file: The tokens, a separator after every document.
        layout: Rows of a batch, tokens of a row, whether it is packed, special tokens.
        masked: Whether they are for a masked model, for which windows need not overlap, and every window that is not
            packed stands between the first and the last token of a text; for a causal one, only the first token stands
            before the text.
    """

    def __init__(self, file: TokenFile, layout: Layout, masked: bool = False):
        self.file, self.layout, self.masked = file, layout, masked
        self.wrapped = masked and not layout.packing
        self.before = int(layout.first is not None and not layout.packing)
        if layout.packing:
            self.starts, self.lengths = numpy.zeros(1, numpy.int64), numpy.array([len(file.tokens)])
            return
        ends = numpy.asarray(file.ends, numpy.int64)
        self.starts = numpy.concatenate([[0], ends[:-1]]).astype(numpy.int64)
        self.lengths = ends - self.starts - int(self.wrapped)  # what wraps a window brings its own separator
        if not self.wrapped:
            self.lengths = self.lengths + self.before

    @property
    def room(self) -> int:
        """The tokens of a stream that a window has room for."""
        return self.layout.time - (self.before + 1 if self.wrapped else 0)

    def windows(self, stride: int | None = None) -> Windows:
        """Return all windows.

        Args:
            stride: From one window to the next; as long as can be if left out, which leaves a causal model one token
                of context at least.

        Returns:
            The windows.

        Raises:
            UserError: When the stride leaves a token without context, or out.
        """
        longest = self.room - (not self.masked)
        if stride is not None and stride > longest:
            raise UserError(f"--stride {stride} is too long for rows of {self.layout.time} tokens; {longest} at most.")
        return windows(self.starts, self.lengths, self.room, longest if stride is None else stride)

    def rows(self, chosen: Windows, which: Places) -> tuple[Places, NDArray[numpy.bool_], NDArray[numpy.bool_]]:
        """Return the tokens of some windows.

        Args:
            chosen: The windows.
            which: `(rows,)`, which of them.

        Returns:
            Tokens, where they are no padding, and where they are asked for, `(rows, longest)` each.
        """
        begin, lengths, layout = chosen.begin[which], chosen.lengths[which], self.layout
        places = begin[:, None] + numpy.arange(int(lengths.max(initial=1)))  # in the stream
        real = places < chosen.end[which][:, None]
        targets = real & (places >= chosen.first[which][:, None])
        shift = 0 if self.wrapped else self.before
        at = numpy.clip(chosen.start[which][:, None] + places - shift, 0, max(len(self.file.tokens) - 1, 0))
        ids = numpy.where(real, self.file.tokens[at].astype(numpy.int64), layout.pad)
        if not self.wrapped:
            if self.before:
                ids[places == 0] = layout.first
                targets &= places > 0
            return ids, real, targets
        return self.wrap(ids, real, targets, lengths)

    def wrap(self, ids: Places, real: Any, targets: Any, lengths: Places) -> tuple[Places, Any, Any]:
        """Put the first and the last token of a text around the rows."""
        count, width = ids.shape
        wide = numpy.full((count, width + self.before + 1), self.layout.pad)
        wide_real, wide_targets = numpy.zeros(wide.shape, bool), numpy.zeros(wide.shape, bool)
        inner = slice(self.before, self.before + width)
        wide[:, inner], wide_real[:, inner], wide_targets[:, inner] = ids, real, targets
        if self.before:
            wide[:, 0], wide_real[:, 0] = self.layout.first, True
        at = (numpy.arange(count), self.before + lengths)
        wide[at], wide_real[at] = self.layout.last, True
        return wide, wide_real, wide_targets

    def batches(self, chosen: Windows, rows: int) -> Iterator[tuple[Places, Any, Any]]:
        """Windows of about the same length together, the longest first; see `rows` for what each batch is."""
        order = numpy.argsort(-chosen.lengths, kind="stable")
        for start in range(0, len(order), rows):
            yield self.rows(chosen, order[start : start + rows])
