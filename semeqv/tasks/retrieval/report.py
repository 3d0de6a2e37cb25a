"""What `cli retrieval` prints."""

from collections.abc import Sequence
from typing import Any

from semeqv.results.tables import print_table

MOST = 60  # rows of languages and layers; of more, only averages are printed


def print_lines(lines: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Print the table: accuracy to and from the pivot at every k, and that of both with its interval at the last."""
    groups: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["level"], line["of"], line["layer"]), {})[line["direction"]] = line
    if len(groups) > MOST and any(level == "subset" for level, *_ in groups):
        groups = {key: each for key, each in groups.items() if key[0] == "subset"}
    last, first = sizes[-1], lines[0]
    columns = ["language", "layer", *(f"to @{k}" for k in sizes), *(f"from @{k}" for k in sizes)]
    columns += [f"both @{last}", "95% interval", f"random @{last}", "pairs"]
    rows = []
    for (level, name, layer), each in groups.items():
        both = each["both"]
        row = [name if level == "language" else f"{name} ({both['languages']})", str(layer)]
        row += [f"{each[way][f'accuracy@{k}']:.3f}" for way in ("to", "from") for k in sizes]
        low, high = both[f"accuracy@{last}_low"], both[f"accuracy@{last}_high"]
        row += [f"{both[f'accuracy@{last}']:.3f}", f"{low:.3f}-{high:.3f}", f"{both[f'random@{last}']:.4f}"]
        rows.append([*row, f"{both['pairs']:,}"])
    title = f"Retrieval to and from {first['pivot']} ({first['corpus']}), {first['score']}, {first['model']}"
    print_table(title, columns, rows)
