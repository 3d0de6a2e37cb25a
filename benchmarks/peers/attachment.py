"""Score a parsed CoNLL-U file by udtools: `python attachment.py CASE.json RESULT.json`."""

import importlib.metadata
import json
import sys
from pathlib import Path

from udtools.udeval import evaluate, load_conllu_file


def main() -> None:
    """Score."""
    case = json.loads(Path(sys.argv[1]).read_text())
    scores = evaluate(load_conllu_file(case["gold"]), load_conllu_file(case["predicted"]))
    found = {name: scores[name].f1 for name in ("LAS", "UAS")} | {"words": scores["LAS"].gold_total}
    Path(sys.argv[2]).write_text(json.dumps({"version": importlib.metadata.version("udtools"), **found}))


if __name__ == "__main__":
    main()
