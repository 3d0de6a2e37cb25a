"""What hypernetworks predict of held-out subwords, beside OFA."""

from collections import defaultdict
from pathlib import Path
from statistics import fmean
from typing import Any

from ofa.results.parts import Part, mean, runs
from semeqv.results.tables import Table

NUMBERS = ("cosine", "relative distance", "found")
ABOVE = ("above ofa", "above ofa_low", "above ofa_high")


def hypernetworks(folder: Path) -> Part:
    """Read what was measured on held-out subwords.

    Args:
        folder: Of the run.

    Returns:
        A table, what it shows, and the numbers.
    """
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    numbers = list[dict[str, Any]]()
    subwords = 0
    for _, seed, lines in runs(folder, "evaluated"):
        last = {line.record["by"]: line for line in lines if line.record.get("measure") == "hypernetwork"}
        for by, line in last.items():
            subwords = int(line.number_at("subwords"))
            for name in (*NUMBERS, *ABOVE):
                found[by][name].append(line.number_at(name))
            numbers.append({"by": by, "seed": int(seed)} | {name: line.number_at(name) for name in (*NUMBERS, *ABOVE)})
    rows = []
    for by, values in found.items():
        fixed = by in ("ofa", "mean")  # the same whatever the seed
        cells = [mean(values[name][:1] if fixed else values[name]) for name in NUMBERS]
        rows.append([by, "" if fixed else str(len(values["cosine"])), *cells])
    title = f"Coordinates of {subwords:,} held-out subwords, {folder.name}"
    said = [verdict(by, found) for by in found if by not in ("ofa", "mean")]
    return Part("hypernetworks", folder.name, [Table(title, ("by", "seeds", *NUMBERS), rows, words=2)], said, numbers)


def verdict(by: str, found: dict[str, dict[str, list[float]]]) -> str:
    """Whether a hypernetwork predicts better than OFA, on average over seeds, as far as the interval tells."""
    difference, low, high = (fmean(found[by][name]) for name in ABOVE)
    how = "above" if low > 0 else "below" if high < 0 else "not to be told from"
    return f"By cosine {by} is {how} OFA: {difference:+.3f} [{low:+.3f}, {high:+.3f}], subword by subword."
