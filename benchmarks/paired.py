"""Timing two things in turn, and writing down what came out."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.names import NAMES

RESULTS = Path(__file__).parent / "results"


@dataclass
class Row:
    """One comparison.

    Args:
        what: What is done.
        ours: Median cost of ours.
        peer: Median cost of the peer's.
        ratio: Median over pairs of peer / ours; above 1 ours is cheaper.
        spread: Smallest and largest ratio.
        unit: Of ours and peer.
        compares: What the ratio compares, agreement and precision.
        goal: The least ratio wanted, or None.
    """

    what: str
    ours: float
    peer: float
    ratio: float
    spread: tuple[float, float]
    unit: str
    compares: str
    goal: float | None = None
    extra: dict = field(default_factory=dict)

    def __post_init__(self):
        # A benchmark takes minutes: each comparison is told as soon as it is made.
        print(f"  {self.what}: {self.ratio:.3g}", file=sys.stderr, flush=True)


def cpu_and_wall(work: Callable[[], None]) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def pairs(ours: Callable[[], None], peer: Callable[[], None], rounds: int) -> list[tuple[float, float, float, float]]:
    """Time both in turn; (ours CPU, ours wall, peer CPU, peer wall) a round."""
    ours(), peer()  # warm
    return [(*cpu_and_wall(ours), *cpu_and_wall(peer)) for _ in range(rounds)]


def summary(ours: list[float], peer: list[float]) -> tuple[float, float, float, tuple[float, float]]:
    """Medians of both, and the median and range of peer / ours."""
    ratios = [b / a for a, b in zip(ours, peer)]
    return statistics.median(ours), statistics.median(peer), statistics.median(ratios), (min(ratios), max(ratios))


def environment() -> dict:
    """Where the numbers come from."""
    import torch

    model = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "not here",
    }


def write(name: str, rows: list[Row]) -> None:
    """Write a benchmark's results as JSON."""
    RESULTS.mkdir(exist_ok=True)
    content = {"environment": environment(), "rows": [asdict(row) for row in rows]}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")


def table() -> str:
    """All results as one Markdown table."""
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`: medians over interleaved pairs; a ratio above 1 means ours costs less.",
        "",
        "| what | ours | peer | ratio (range) | goal | what the ratio compares |",
        "|---|---|---|---|---|---|",
    ]
    environments = set()
    for path in sorted(RESULTS / f"{name}.json" for name in NAMES):
        content = json.loads(path.read_text())
        environments.add(", ".join(f"{name} {value}" for name, value in content["environment"].items()))
        for row in content["rows"]:
            low, high = row["spread"]
            goal = "" if row["goal"] is None else f">= {row['goal']:g}"
            lines.append(
                f"| {row['what']} | {row['ours']:.4g} {row['unit']} | {row['peer']:.4g} {row['unit']} "
                f"| {row['ratio']:.3g} ({low:.3g} to {high:.3g}) | {goal} | {row['compares']} |"
            )
    return "\n".join([*lines, "", *(f"Measured on: {each}." for each in sorted(environments)), ""])
