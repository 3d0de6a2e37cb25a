"""The tables of results."""

import json

from benchmarks.paired import RESULTS

FOLDER = RESULTS / "gpu"


def table() -> str:
    """The tables of all devices, in Markdown."""
    lines = [
        "# On a GPU",
        "",
        "Made by `make gpu`. A dry run on a CPU compares the CPU with itself, at small sizes, and runs graphs without",
        "compiling them: it shows that the checks run, and no more.",
        "",
    ]
    for path in sorted(FOLDER.glob("*.json")):
        found = json.loads(path.read_text())
        where = ", ".join(f"{key} {value}" for key, value in found["environment"].items() if key != "date")
        lines += [
            f"## {path.stem}",
            "",
            where,
            "",
            "| check | what | found | expected | right |",
            "|---|---|---|---|---|",
        ]
        for name, check in found["checks"].items():
            for row in check["rows"]:
                right = ("yes" if row["right"] else "**no**") if row["expected"] else ""
                cells = (row[key].replace("|", "/").replace("\n", " ") for key in ("what", "value", "expected"))
                lines.append(f"| {name} | {' | '.join(cells)} | {right} |")
        dates = sorted({check["date"] for check in found["checks"].values()})
        seconds = sum(check["seconds"] for check in found["checks"].values())
        lines += ["", f"{seconds:.0f} seconds in all; {', '.join(dates)}.", ""]
    return "\n".join(lines)
