"""How strong a vector shall be: fixed beforehand, chosen on the source language, or by the target's own labels."""

from collections.abc import Sequence
from typing import Any

from crosslingual.directions import GRID, OTHER

Line = dict[str, Any]
POINT, CHOICE = "sweep", "sweep choice"  # the measures of lines
FIXED, SOURCE, ORACLE = "fixed", "source-dev", "oracle"
CHOICES = (FIXED, SOURCE, ORACLE)


def choices(lines: Sequence[Line], source: str, fixed: float, every: bool) -> list[Line]:
    """What each way of choosing the strength leads to.

    Strengths are chosen on validation sets, and what is said of a choice was measured on test sets. Of strengths that
    score alike, the weakest is chosen; no vector at all is always among them.

    Args:
        lines: The points of a run.
        source: The source language.
        fixed: The strength that is fixed beforehand.
        every: Whether vectors of other languages were measured at every strength, so that theirs can be chosen, too.

    Returns:
        For each direction and language that is tested: the line of the point that was chosen, with `choice` and the
        score on what it was chosen on, `chosen_on` and `chosen_score`. A way that has no set to choose on is left out.
    """
    scores = dict[tuple[str, str], dict[tuple[float, float], float]]()  # vector and validation language, to scores
    tests = dict[tuple[str, str], dict[tuple[float, float], Line]]()
    for each in lines:
        at, place = (each["vector"], each["language"]), (each["lambda"], each["mu"] or 0.0)
        if each["part"] == "validation":
            scores.setdefault(at, {})[place] = each[each["metric"]]
        else:
            tests.setdefault(at, {})[place] = each
    found = []
    for (vector, language), points in tests.items():
        if not vector:
            continue
        kind = next(iter(points.values()))["kind"]
        none = tests["", language][0.0, 0.0]
        every_point = {(0.0, 0.0): {**none, "kind": kind, "vector": vector}} | points
        if kind != GRID:
            found.append(chosen(every_point[fixed, 0.0], FIXED))
        for choice, judge in ((SOURCE, source), (ORACLE, language)) if every or kind != OTHER else ():
            judged = scores.get((vector, judge))
            if judged:
                judged = {(0.0, 0.0): scores["", judge][0.0, 0.0]} | judged
                best = max(judged, key=lambda place: (judged[place], -abs(place[0]) - abs(place[1])))
                found.append(chosen(every_point[best], choice) | {"chosen_on": judge, "chosen_score": judged[best]})
    return found


def chosen(point: Line, choice: str) -> Line:
    """The line of a choice."""
    return {**point, "measure": CHOICE, "choice": choice}
