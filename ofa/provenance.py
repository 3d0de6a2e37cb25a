"""Where every row of a new embedding comes from, as a file and as a table."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ofa.plan import Kind, Plan
from ofa.vocabulary import Vocabulary
from semeqv.results.tables import print_table
from semeqv.runs.json_lines import to_lines
from semeqv.text.files import writing

ORIGINS = {
    Kind.COPIED: "copied from the same token",
    Kind.COMBINED: "combined of old tokens",
    Kind.PREDICTED: "predicted by a hypernetwork",
    Kind.READ: "read from a file",
    Kind.MEAN: "the mean of all old tokens",
    Kind.DRAWN: "drawn at random",
    Kind.UNUSED: "of no token",
}


def counted(plan: Plan) -> dict[str, int]:
    """Count how many rows come from where; they sum up to the rows of the embedding."""
    return {kind.name.lower(): int((plan.kinds == kind).sum()) for kind in ORIGINS if (plan.kinds == kind).any()}


def provenance(plan: Plan, source: Vocabulary, target: Vocabulary) -> Iterator[dict[str, Any]]:
    """Yield for every row its token, where it comes from, and the old tokens that it is made of with their weights.

    Args:
        plan: The rows.
        source: The old vocabulary.
        target: The new one.

    Yields:
        `id`, `token`, `kind`, and under `from` the `id`, `token` and `weight` of each old token.
    """
    for row, kind in enumerate(plan.kinds.tolist()):
        line: dict[str, Any] = {"id": row, "token": target.tokens.get(row), "kind": Kind(kind).name.lower()}
        if kind in (Kind.COPIED, Kind.COMBINED):
            line["from"] = [
                {"id": old, "token": source.tokens.get(old), "weight": round(weight, 6)}
                for old, weight in sorted(plan.sources_of(row), key=lambda source: (-source[1], source[0]))
            ]
        yield line


def write_provenance(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """Write a line for every row."""
    with writing(path) as file:
        for line in lines:
            file.write(to_lines([line]))


def print_counts(facts: dict[str, Any]) -> None:
    """Print where rows come from.

    Args:
        facts: As in initialisation.json.
    """
    total = facts["rows"]
    rows = [
        [ORIGINS[Kind[name.upper()]], f"{count:,}", f"{count / total:.1%}"] for name, count in facts["counts"].items()
    ]
    rows.append(["", f"{total:,}", ""])
    print_table(f"New rows, by {facts['method']}", ("", "rows", "share"), rows)
    for side, words in facts.get("words", {}).items():
        percentiles = ", ".join(f"{value:,} at {at}" for at, value in words.items() if at.endswith("%"))
        of = "subwords of the old vocabulary" if side == "source" else "new subwords"
        click.echo(f"{words['with words']:,} of {words['subwords']:,} {of} are part of words: {percentiles or 'none'}.")
