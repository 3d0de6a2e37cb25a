"""Tries every fault, prints the table `survived / tried`, and writes it to docs/results/faults.md and .json.

python -m tests.faults [ROW ...]
"""

import itertools
import json
import platform
import re
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults import asked, cached, changes, environments, inputs, kills, long_work, lost_process, nodes, storage

ROWS = {
    "F1": lambda: kills.random_kills(50),
    "F2": lambda: kills.kills_while_saving(itertools.count(1)),
    "F3": lambda: asked.signals(15),
    "F3-preparing": lambda: cached.asked_while_preparing(12),
    "F4": lambda: asked.second_signal(5),
    "F5": lambda: storage.small_files(20),
    "F5-disk": lambda: storage.small_disk(6),
    "F5-cache": lambda: cached.full_disk(12),
    "F6-flips": lambda: storage.corruption("bit flips", 200),
    "F6-cuts": lambda: storage.corruption("truncations", 200),
    "F6-zeros": lambda: storage.corruption("zeroed tails", 200),
    "F6-code": lambda: storage.compiled_code(3),
    "F7": lambda: changes.not_finite(10),
    "F8": lambda: lost_process.lost_process(8),
    "F9": lambda: changes.changed_data(5),
    "F10": lambda: changes.changed_runs(6),
    **{f"F11-{name}": partial(long_work.killed_work, name, 50) for name in long_work.WORK},
    "F11-download": lambda: long_work.killed_download(50),
    "F12-flips": lambda: cached.damaged_entries("bit flips", 50),
    "F12-half": lambda: cached.damaged_entries("a changed half", 50),
    "F12-cuts": lambda: cached.damaged_entries("truncations", 50),
    "F13": lambda: cached.two_makers(20),
    "F14": lambda: cached.lost_parent(20),
    "F15": environments.refused,
    "F16": lambda: changes.changed_validation(6),
    "F17-kill": lambda: nodes.trial("kill", 50),
    "F17-lose": lambda: nodes.trial("lose", 10),
    "F17-slow": lambda: nodes.trial("slow", 10),
    **{name: partial(inputs.bad_input, name) for name in inputs.PASSES},
}


def main():
    """Try the faults that are named, or all."""
    chosen = sys.argv[1:] or list(ROWS)
    results = []
    for name in chosen:
        started = time.monotonic()
        row = ROWS[name]()
        results.append(asdict(row) | {"seconds": round(time.monotonic() - started, 1)})
        print(f"{row.survived:4} / {row.tried:<4} {row.fault} ({results[-1]['seconds']} s)", flush=True)
        for failure in row.failures[:3]:
            print(f"       {failure}")
        write(results)
    table = Table("fault", "survived when", "survived / tried", "notes", box=None, header_style="bold")
    for row in results:
        table.add_row(row["fault"], row["passes"], f"{row['survived']} / {row['tried']}", row["notes"])
    Console(width=180).print(table)
    sys.exit(any(row["survived"] < row["tried"] for row in results))


def place_of(fault):
    """Where a row stands: by its letter, F before B, and its number; those of one fault as they were tried."""
    letter, number = fault[0], int(re.match(r"\d+", fault[1:])[0])
    return "FB".index(letter), number


def write(results):
    """Write the table into the documentation; rows that were not tried now stay as they were."""
    import torch

    place = Path("docs/results")
    said = {"date": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "torch": torch.__version__}
    file = place / "faults.json"
    before = json.loads(file.read_text())["rows"] if file.exists() else []
    rows = {row["fault"]: row for row in [*before, *(row | said for row in results)]}
    results = sorted(rows.values(), key=lambda row: place_of(row["fault"]))
    file.write_text(json.dumps({"rows": results}, indent=2) + "\n")
    lines = [
        "# Faults",
        "",
        "Made by `make faults`: every fault is done to real runs, and what is left is judged.",
        "",
        "| fault | survived when | survived / tried | notes |",
        "|---|---|---|---|",
        *(
            f"| {row['fault']} | {row['passes']} | **{row['survived']} / {row['tried']}** | {row['notes']} |"
            for row in results
        ),
        "",
        "; ".join(dict.fromkeys(f"{row['date']}, Python {row['python']}, torch {row['torch']}" for row in results))
        + ".",
    ]
    (place / "faults.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
