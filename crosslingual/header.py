"""The header of a safetensors file: which tensor lies where.

The format (https://github.com/huggingface/safetensors): eight bytes that count the bytes of the header, a header in
JSON, and the tensors back to back. Nothing is read here but the header, and nothing is believed that does not fit the
length of the file.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError

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
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """How many bytes."""
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
            said = int.from_bytes(first, "little") if len(first := file.read(8)) == 8 else LONGEST
            if said > min(LONGEST, length - 8):
                raise UserError(f"{path} is cut short or no safetensors file: fetch or save it again.")
            text = file.read(said)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    try:
        found = entries_of(json.loads(text, object_pairs_hook=once), 8 + said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"{path} has a damaged header: fetch or save it again.") from None
    end = 8 + said
    for name, entry in found.items():
        if entry.start != end:
            raise UserError(f"{path} has a damaged header: {name!r} does not lie where the tensor before it ends.")
        end += entry.size
    if end != length:
        raise UserError(f"{path} has {length:,} bytes where its header says {end:,}: fetch or save it again.")
    return found


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of JSON pairs, none of which has the name of another: `ValueError`."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A name is there twice.")
    return found


def entries_of(header: Mapping[str, Any], start: int) -> dict[str, Entry]:
    """The tensors that a header describes.

    Args:
        header: The JSON object.
        start: Where the first byte after the header lies.

    Returns:
        The tensors by name, in the order of their bytes.

    Raises:
        ValueError: When it is none; so are the errors that JSON of other types leads to.
    """
    found = {}
    for name, said in header.items():
        if name == METADATA:
            continue
        (first, last), shape = said["data_offsets"], tuple(said["shape"])
        if any(type(each) is not int or not 0 <= each < 2**63 for each in (first, last, *shape)):
            raise ValueError("A size is no natural number.")
        entry = Entry(said["dtype"], shape, start + first)
        if entry.size != last - first:
            raise ValueError("A tensor has another size than its shape.")
        found[name] = entry
    return dict(sorted(found.items(), key=lambda each: (each[1].start, each[1].size)))


def placed(entries: Iterable[tuple[str, Entry]]) -> tuple[bytes, dict[str, Entry]]:
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
