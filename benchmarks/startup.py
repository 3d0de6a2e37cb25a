"""How long it takes to see the help."""

import subprocess
import sys
import time

from benchmarks.paired import Row, summary

LINES = {"--help": ["--help"], "cli xor model transformer --help": ["cli", "xor", "model", "transformer", "--help"]}


def wall(command: list[str]) -> float:
    """Wall seconds of a command."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def run() -> list[Row]:
    """Each help text against what any command that imports torch waits for."""
    rows = []
    for name, words in LINES.items():
        ours, peer = [sys.executable, "-m", "semeqv", *words], [sys.executable, "-c", "import torch"]
        wall(ours), wall(peer)
        found = [(wall(ours), wall(peer)) for _ in range(7)]
        medians = summary([a for a, _ in found], [b for _, b in found])
        rows.append(
            Row(
                f"`semeqv {name}`",
                *medians,
                "s",
                "wall time; peer: `python -c 'import torch'`, the least that a "
                "command importing torch waits for; the goal is 0.3 s",
            )
        )
    return rows
