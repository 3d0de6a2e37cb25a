"""What retrieval says of the methods, layer by layer."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from ofa.results.parts import LANGUAGES, Part, given, mean, runs
from ofa.results.retrieval import CORPORA, is_retrieval
from semeqv.results.tables import Table

SIZE = 10


def layers(folder: Path) -> Part:
    """Read the retrieval of all methods among the states of every layer.

    Args:
        folder: Of the run.

    Returns:
        A table for each corpus, and the numbers. Layer 0 are the embeddings.
    """
    found: dict[str, dict[str, dict[int, list[float]]]] = defaultdict(dict)
    numbers = list[dict[str, Any]]()
    language = folder.name
    for method, seed, lines in runs(folder, "layers"):
        last = {(line.record["corpus"], line.record["layer"]): line for line in lines if is_retrieval(line.record)}
        for (corpus, layer), line in last.items():
            value = line.number_at(f"accuracy@{SIZE}")
            found[corpus].setdefault(method, defaultdict(list))[layer].append(value)
            numbers.append({"corpus": corpus, "method": method, "seed": int(seed), "layer": layer, "accuracy": value})
            language = LANGUAGES.get(str(line.record.get("of")), folder.name)
    tables = []
    for corpus in sorted(found, key=list(CORPORA).index):
        every = sorted({layer for values in found[corpus].values() for layer in values})
        rows = [
            [method, given(method), *(mean(values[layer]) if layer in values else "" for layer in every)]
            for method, values in found[corpus].items()
        ]
        columns = ("method", "is given", *(f"layer {layer}" for layer in every))
        tables.append(Table(f"{language}, {CORPORA[corpus]}: accuracy at {SIZE}, layer by layer", columns, rows, 2))
    return Part("layers", folder.name, tables, [], numbers)
