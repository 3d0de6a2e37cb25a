"""Weights as they lie in a folder: one safetensors file, or shards with an index; read a piece at a time.

Bytes are read by position, not mapped, so that no part of a file ever counts as memory of this process.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError

if TYPE_CHECKING:
    Numbers = NDArray[numpy.float32]
else:
    Numbers = Any

LONGEST = 100_000_000  # bytes of a header; the format allows no more
METADATA = "__metadata__"
WIDTHS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
}


@dataclass(frozen=True)
class Entry:
    """One tensor of a file.

    Args:
        dtype: As the format spells it, such as F32 or BF16.
        shape: Its axes; none for a single number.
        start: Where its bytes start in the file.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int = 0

    @property
    def count(self) -> int:
        """Return how many numbers it has."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Return how many bytes it has."""
        return self.count * WIDTHS[self.dtype]


def read_header(path: Path) -> dict[str, Entry]:
    """Read which tensors a file holds.

    Args:
        path: A safetensors file.

    Returns:
        The tensors by name, in the order of their bytes.

    Raises:
        UserError: When the file cannot be read, is cut short, or is no safetensors file.
    """
    try:
        with open(path, "rb") as file:
            length = os.fstat(file.fileno()).st_size
            size = int.from_bytes(first, "little") if len(first := file.read(8)) == 8 else LONGEST
            if size > min(LONGEST, length - 8):
                raise UserError(f"{path} is cut short or no safetensors file: fetch or save it again.")
            text = file.read(size)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    try:
        entries = entries_of(json.loads(text, object_pairs_hook=unique_names), 8 + size)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"{path} has a damaged header: fetch or save it again.") from None
    end = 8 + size
    for name, entry in entries.items():
        if entry.start != end:
            raise UserError(f"{path} has a damaged header: {name!r} does not lie where the tensor before it ends.")
        end += entry.size
    if end != length:
        raise UserError(f"{path} has {length:,} bytes where its header says {end:,}: fetch or save it again.")
    return entries


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of JSON pairs; `ValueError` when two have one name."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("A name is there twice.")
    return content


def entries_of(header: Mapping[str, Any], start: int) -> dict[str, Entry]:
    """Return the tensors that a header describes.

    Args:
        header: The JSON object.
        start: Where the first byte after the header lies.

    Returns:
        The tensors by name, in the order of their bytes.

    Raises:
        ValueError: When it is none; so are the errors that JSON of other types leads to.
    """
    entries = {}
    for name, description in header.items():
        if name == METADATA:
            continue
        (first, last), shape = description["data_offsets"], tuple(description["shape"])
        if any(type(each) is not int or not 0 <= each < 2**63 for each in (first, last, *shape)):
            raise ValueError("A size is no natural number.")
        entry = Entry(description["dtype"], shape, start + first)
        if entry.size != last - first:
            raise ValueError("A tensor has another size than its shape.")
        entries[name] = entry
    return dict(sorted(entries.items(), key=lambda each: (each[1].start, each[1].size)))


def lay_out(entries: Iterable[tuple[str, Entry]]) -> tuple[bytes, dict[str, Entry]]:
    """Lay out a file: the widest numbers first, as the format's own writer does, so that all are aligned.

    Args:
        entries: Names, and what there is to be written under them.

    Returns:
        All that stands before the tensors, and where each of them lies, in the order of their bytes.
    """
    ordered = sorted(entries, key=lambda each: -WIDTHS[each[1].dtype])
    header: dict[str, Any] = {METADATA: {"format": "pt"}}
    end = 0
    for name, entry in ordered:
        offsets = [end, end := end + entry.size]
        header[name] = {"dtype": entry.dtype, "shape": list(entry.shape), "data_offsets": offsets}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, entries_of(header, 8 + len(text))


CHUNK = 2**18  # numbers that are computed at once: 1 MiB in fp32
FLOATING = ("F32", "BF16", "F16")


@dataclass(frozen=True)
class StoredTensors:
    """The tensors of a folder.

    Args:
        entries: What each is, by the name under which it is stored, in the order of the files.
        files: The file that each lies in.
    """

    entries: dict[str, Entry]
    files: dict[str, Path]

    def renamed(self, rename: Callable[[Iterable[str]], Mapping[str, str]]) -> StoredTensors:
        """Return the same tensors under other names.

        Args:
            rename: From all names to the new name of each.

        Returns:
            Tensors that are read by their new names.
        """
        new = rename(self.entries)
        return StoredTensors(
            {new[name]: entry for name, entry in self.entries.items()},
            {new[name]: file for name, file in self.files.items()},
        )

    def read(self, name: str, first: int, count: int) -> Numbers:
        """Read numbers of a tensor.

        Args:
            name: Under which it is stored.
            first: The first number, counted through the flattened tensor.
            count: How many.

        Returns:
            fp32, `(count,)`; from bf16 and fp16 this is exact. The array is the caller's own.
        """
        dtype = self.entries[name].dtype
        raw = self.raw(name, first * WIDTHS[dtype], count * WIDTHS[dtype])
        numbers: Numbers
        if dtype == "F32":
            numbers = raw.view(numpy.float32)
        elif dtype == "F16":
            numbers = raw.view(numpy.float16).astype(numpy.float32)
        else:
            numbers = (raw.view(numpy.uint16).astype(numpy.uint32) << 16).view(numpy.float32)
        return numbers

    def raw(self, name: str, first: int, size: int) -> Any:
        """Read bytes of a tensor.

        Args:
            name: Under which it is stored.
            first: The first byte, counted from the tensor's own.
            size: How many.

        Returns:
            uint8, `(size,)`.

        Raises:
            UserError: When the file cannot be read, or is shorter than it was.
        """
        content: Any = numpy.empty(size, numpy.uint8)
        path, at, done = self.files[name], self.entries[name].start + first, 0
        try:
            with open(path, "rb", buffering=0) as file:
                file.seek(at)
                while done < size:
                    got = file.readinto(memoryview(content)[done:])
                    if not got:
                        raise UserError(f"{path} became shorter while it was read.")
                    done += got
        except OSError as error:
            raise UserError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
        return content

    def pieces(self, name: str) -> Iterator[Any]:
        """Yield the bytes of a tensor, a piece at a time, uint8."""
        size = self.entries[name].size
        for first in range(0, size, 4 * CHUNK):
            yield self.raw(name, first, min(4 * CHUNK, size - first))


def chunks(count: int) -> Iterator[tuple[int, int]]:
    """Yield the chunks of a tensor of so many numbers: the place of each among them, and its length."""
    for place in range(-(-count // CHUNK)):
        yield place, min(CHUNK, count - place * CHUNK)


def open_tensors(folder: Path, stem: str = "model") -> StoredTensors:
    """Find the weights of a folder, and look at the headers of their files.

    Args:
        folder: Has model.safetensors, or shards and model.safetensors.index.json.
        stem: What the files are called, if not `model`.

    Returns:
        Its tensors.

    Raises:
        UserError: When a file is missing, cut short or damaged, or the index does not fit the files.
    """
    whole, index = folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json"
    if whole.is_file() or not index.is_file():
        entries = read_header(whole)
        return StoredTensors(entries, dict.fromkeys(entries, whole))
    try:
        places = json.loads(index.read_bytes())["weight_map"]
        names = sorted(set(places.values()))
        wrong = not names or any(re.search(r"[/\\]|^\.", name) for name in names)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        wrong = True
    if wrong:
        raise UserError(f"{index} is damaged: it should say the file of every tensor, under weight_map.")
    shards = {name: read_header(folder / name) for name in names}
    there = {tensor: name for name, entries in shards.items() for tensor in entries}
    if sum(map(len, shards.values())) != len(there) or there != places:
        strange = sorted(dict(there.items() ^ places.items()))
        hint = f": look for {strange[0]!r}" if strange else ""
        raise UserError(f"{index} does not fit its files{hint}; fetch or save the model again.")
    return StoredTensors(
        {tensor: entry for entries in shards.values() for tensor, entry in entries.items()},
        {tensor: folder / name for tensor, name in there.items()},
    )
