"""Merge models by mergekit: `python merging.py CASE.json RESULT.json`.

The case has a configuration for each folder to write.
"""

import importlib.metadata
import json
import sys
from pathlib import Path

from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions


def main() -> None:
    """Merge."""
    options = MergeOptions(copy_tokenizer=False, write_model_card=False, quiet=True, num_threads=1)
    for folder, configuration in json.loads(Path(sys.argv[1]).read_text()).items():
        run_merge(MergeConfiguration(**configuration), folder, options)
    Path(sys.argv[2]).write_text(json.dumps({"version": importlib.metadata.version("mergekit")}))


if __name__ == "__main__":
    main()
