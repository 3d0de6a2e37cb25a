"""`python -m benchmarks [NAME ...]`: run benchmarks, write results and their table."""

import importlib
import sys

from benchmarks.paired import RESULTS, table, write

NAMES = ("startup", "replicas", "trainer", "step", "control", "tokens", "backpack", "merge")

for name in sys.argv[1:] or NAMES:
    if name not in NAMES:
        sys.exit(f"{name!r} is no benchmark; there is {', '.join(NAMES)}.")
    print(f"{name} ...", file=sys.stderr, flush=True)
    write(name, importlib.import_module(f"benchmarks.{name}").run())
(RESULTS / "README.md").write_text(table())
print(table())
