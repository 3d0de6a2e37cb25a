"""What was measured of runs, as tables: on the screen, and in a page."""

from collections.abc import Iterator, Sequence

from backpack.averages import Average
from backpack.measures import MEASURES, Measure
from semeqv.results.tables import Table


def tables(rows: Sequence[Average]) -> Iterator[Table]:
    """A table for each measure that there is.

    Args:
        rows: The averages.

    Yields:
        The tables.
    """
    for name, measure in MEASURES.items():
        if own := [row for row in rows if row.measure == name]:
            yield table(measure, own)


def table(measure: Measure, rows: Sequence[Average]) -> Table:
    """The table of one measure: a row for each model and thing that was measured.

    Args:
        measure: What was measured.
        rows: Its averages.

    Returns:
        The table; numbers that no row has are left out.
    """
    found = {(row.model, row.of, row.number): row for row in rows}
    heads = list(dict.fromkeys((row.model, row.of[:-1] if measure.across else row.of) for row in rows))
    heads.sort(key=lambda head: place_of(head[0]))
    columns: dict[tuple[str, tuple[str, ...]], str]
    if measure.across:
        (number,) = measure.numbers
        columns = {(number, (value,)): value for value in dict.fromkeys(row.of[-1] for row in rows)}
    else:
        there = {row.number for row in rows}
        columns = {(number, ()): heading for number, heading in measure.numbers.items() if number in there}
    body = []
    for model, of in heads:
        cells = [called(model), *(measure.labels.get(value, value) for value in of)]
        for number, value in columns:
            row = found.get((model, of + value, number))
            cells.append("" if row is None else said(row, measure.digits))
        body.append(cells)
    words = 1 + len(heads[0][1])
    return Table(measure.title, ("model", *measure.headings[: words - 1], *columns.values()), body, words)


def place_of(model: str) -> tuple[int, int]:
    """Backpacks come first, those of few senses before those of many."""
    count = model.partition("-")[0].removeprefix("senses")
    return (0, int(count)) if count.isdecimal() else (1, 0)


def called(model: str) -> str:
    """`Backpack, k = 8, fitted` for senses8-fitted."""
    kind, _, change = model.partition("-")
    if kind.removeprefix("senses").isdecimal():
        kind = f"Backpack, k = {kind.removeprefix('senses')}"
    return {"gpt2": "GPT-2"}.get(kind, kind) + (f", {change}" if change else "")


def said(row: Average, digits: int) -> str:
    """`0.75 ± 0.04`; of probabilities each, since their mean says nothing."""
    if row.number.startswith("p_"):
        return ", ".join(f"{each:.3f}" for each in row.runs)
    return f"{row.mean:.{digits}f}" + ("" if row.half is None else f" ± {row.half:.{digits}f}")
