"""Does the checks that are asked for, and writes down what they find."""

import argparse
import json
import sys
from dataclasses import asdict

import torch

import benchmarks.gpu
from benchmarks.gpu.checks import CHECKS, DRY_LIMIT, MINUTES, attempt
from benchmarks.gpu.device import DRY
from benchmarks.gpu.table import FOLDER, table
from benchmarks.paired import environment


def main() -> int:
    """Do the checks; returns the number of rows that are wrong."""
    parser = argparse.ArgumentParser(
        description=benchmarks.gpu.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one of {', '.join(CHECKS)}; all if left out")
    parser.add_argument("--check", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        for row in CHECKS[options.check][0]():
            print(json.dumps(asdict(row)), flush=True)
        return 0
    if unknown := set(options.checks) - CHECKS.keys():
        parser.error(f"there is no check {', '.join(unknown)}; there is {', '.join(CHECKS)}")
    name = "cpu (dry run)" if DRY else torch.cuda.get_device_name().replace("/", " ")
    path = FOLDER / f"{name}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = json.loads(path.read_text())["checks"] if path.exists() else {}
    chosen = options.checks or list(CHECKS)
    spare = float(MINUTES * 60 - sum(CHECKS[each][1] for each in chosen))
    for each in chosen:
        limit = DRY_LIMIT if DRY else CHECKS[each][1] + spare
        found[each] = attempt(each, limit)
        spare = max(0.0, limit - found[each]["seconds"])
        print(f"{each}: {found[each]['seconds']} s", file=sys.stderr, flush=True)
        for row in found[each]["rows"]:
            print(f"  {'' if row['right'] else 'WRONG '}{row['what']}: {row['value']}", file=sys.stderr, flush=True)
        ordered = {key: found[key] for key in CHECKS if key in found}
        path.write_text(json.dumps({"environment": environment(), "checks": ordered}, indent=2) + "\n")
        (FOLDER / "README.md").write_text(table())
    return sum(not row["right"] for each in chosen for row in found[each]["rows"])


if __name__ == "__main__":
    sys.exit(min(main(), 1))
