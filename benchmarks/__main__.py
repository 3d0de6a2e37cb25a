"""`python -m benchmarks [NAME ...]`: run benchmarks, each in a process of its own, write results and their table."""

import importlib
import subprocess
import sys

from benchmarks.names import NAMES
from benchmarks.paired import RESULTS, table, write

names = sys.argv[1:] or NAMES
for name in names:
    if name not in NAMES:
        sys.exit(f"{name!r} is no benchmark; there is {', '.join(NAMES)}.")
for name in names:
    if len(names) > 1:  # what one holds in memory, a process that it starts would count as its own
        subprocess.run([sys.executable, "-m", "benchmarks", name], check=True, stdout=subprocess.DEVNULL)
    else:
        print(f"{name} ...", file=sys.stderr, flush=True)
        write(name, importlib.import_module(f"benchmarks.{name}").run())
(RESULTS / "README.md").write_text(table())
print(table())
