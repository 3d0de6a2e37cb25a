"""Opening what the cache holds: every byte is compared with its hash, whenever an entry is opened.

The entry is as large as the token files of a corpus of about two gigabytes of text, and lies in the page cache. The
peer reads the same bytes and looks at none of them: what no check of all bytes can do without.
"""

import json
import os
import tempfile
from pathlib import Path

from benchmarks.paired import Row, pairs, summary
from semeqv.text.cache import MANIFEST, damage, hashes

SIZE, PIECE, ROUNDS = 2**29, 2**18, 5


def run() -> list[Row]:
    """CPU seconds of a gigabyte."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open(folder / "en.bin", "wb") as file:
            for _ in range(SIZE // 2**24):
                file.write(os.urandom(2**24))
        (folder / MANIFEST).write_text(json.dumps({"files": hashes(folder)}))

        def ours() -> None:
            assert damage(folder) is None

        def peer() -> None:
            with open(folder / "en.bin", "rb", buffering=0) as file:
                while file.read(PIECE):
                    pass

        found = pairs(ours, peer, ROUNDS)
    gigabytes = SIZE / 1e9
    medians = summary([each[0] / gigabytes for each in found], [each[2] / gigabytes for each in found])
    said = f"CPU of a gigabyte, {1 / medians[0]:.2f} GB/s, files in the page cache; peer: reading the bytes"
    return [Row("opening an entry of the cache", *medians, "s", said, extra={"GB/s": 1 / medians[0]})]
