"""Compressed files, known by how they begin, whatever their names."""

import bz2
import gzip
import io
import lzma
import re
from typing import IO

from semeqv.runs.errors import UserError

BUFFER = 2**17  # bytes taken from a decompressor at once
ZSTD = b"\x28\xb5\x2f\xfd"
BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")


def uncompressed(stored: IO[bytes]) -> IO[bytes]:
    """What a file holds, in pieces that stay small however well it was compressed.

    Args:
        stored: The file, at its start; buffered, so that one can look ahead.

    Returns:
        Its content, where gzip, xz, bzip2 or zstd has compressed it; otherwise the file itself. Damage shows when it is
        read; `zstd` raises `UserError` when nothing is installed that reads it.
    """
    head = stored.peek(10)[:10]  # type: ignore[attr-defined]
    if head.startswith(b"\x1f\x8b"):
        return io.BufferedReader(gzip.GzipFile(fileobj=stored), BUFFER)
    if head.startswith(b"\xfd7zXZ\x00"):
        return io.BufferedReader(lzma.LZMAFile(stored), BUFFER)  # type: ignore[arg-type]
    if BZIP2.match(head):
        return io.BufferedReader(bz2.BZ2File(stored), BUFFER)  # type: ignore[arg-type]
    if head.startswith(ZSTD):
        return zstd(stored)
    return stored


def zstd(stored: IO[bytes]) -> IO[bytes]:
    """Return what a file holds that zstd has compressed.

    Args:
        stored: The file, at its start.

    Returns:
        Its content.

    Raises:
        UserError: When pyarrow, which reads it, is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise UserError(
            f"{getattr(stored, 'name', 'A file')} is compressed by zstd, which pyarrow reads: pip install "
            "-e '.[data]', or unpack it (zstd -d)."
        ) from None
    return io.BufferedReader(pyarrow.CompressedInputStream(pyarrow.PythonFile(stored, "r"), "zstd"), BUFFER)
