"""Compressed files, known by how they begin, whatever their names."""

import bz2
import gzip
import io
import lzma
import re
from typing import IO

BUFFER = 2**17  # bytes taken from a decompressor at once
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")


def uncompressed(stored: IO[bytes]) -> IO[bytes]:
    """What a file holds, in pieces that stay small however well it was compressed.

    Args:
        stored: The file, at its start; buffered, so that one can look ahead.

    Returns:
        Its content, where gzip, xz or bzip2 has compressed it; otherwise the file itself. Damage shows when it is read.
    """
    head = stored.peek(10)[:10]  # type: ignore[attr-defined]
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(gzip.GzipFile(fileobj=stored), BUFFER)
    if head.startswith(b"\xfd7zXZ\x00"):
        return io.BufferedReader(lzma.LZMAFile(stored), BUFFER)  # type: ignore[arg-type]
    if BZIP2.match(head):
        return io.BufferedReader(bz2.BZ2File(stored), BUFFER)  # type: ignore[arg-type]
    return stored
