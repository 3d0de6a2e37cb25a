"""Forms as edits of the characters of their lemmas, which an encoder predicts as it tags words."""

from collections.abc import Sequence

KEEP, REPLACE = "+", "-"  # how an edit begins: keep the character and write more, or write something in its place
START = "="  # stands before the lemma, so that something can be written before its first character


def edits(lemma: str, form: str) -> tuple[str, ...]:
    """Return the edits that make a form of a lemma.

    They are those of an alignment with the fewest insertions, deletions and exchanges (Levenshtein, 1966) that keeps
    the beginning of the lemma as long as it can.

    Args:
        lemma: The lemma.
        form: The form.

    Returns:
        An edit of the place before the lemma, and one of each character: `+` keeps it, `+ed` keeps it and writes `ed`
        behind it, `-` leaves it out, and `-ies` writes `ies` in its place.
    """
    costs = distances(lemma, form)
    row, column, kept, written = 0, 0, [True], [""]
    while row < len(lemma) or column < len(form):
        here = costs[row][column]
        if (
            row < len(lemma)
            and column < len(form)
            and lemma[row] == form[column]
            and costs[row + 1][column + 1] == here
        ):
            written.append("")
            kept.append(True)
            row, column = row + 1, column + 1
        elif row < len(lemma) and column < len(form) and costs[row + 1][column + 1] == here - 1:
            written.append(form[column])
            kept.append(False)
            row, column = row + 1, column + 1
        elif column < len(form) and costs[row][column + 1] == here - 1:
            written[-1] += form[column]
            column += 1
        else:
            written.append("")
            kept.append(False)
            row += 1
    return tuple((KEEP if same else REPLACE) + said for same, said in zip(kept, written))


def distances(lemma: str, form: str) -> list[list[int]]:
    """Return how many edits each end of a lemma needs to become each end of a form: `(1 + lemma, 1 + form)`."""
    costs = [[0] * (len(form) + 1) for _ in range(len(lemma) + 1)]
    for row in range(len(lemma), -1, -1):
        for column in range(len(form), -1, -1):
            if row == len(lemma) or column == len(form):
                costs[row][column] = len(lemma) - row + len(form) - column
            elif lemma[row] == form[column]:
                costs[row][column] = costs[row + 1][column + 1]
            else:
                nearest = costs[row + 1][column + 1], costs[row][column + 1], costs[row + 1][column]
                costs[row][column] = 1 + min(nearest)
    return costs


def edited(lemma: str, said: Sequence[str | None]) -> str:
    """Return the form that edits make of a lemma.

    Args:
        lemma: The lemma.
        said: The edits, as of `edits`; None keeps a character.

    Returns:
        The form.
    """
    found = ""
    for letter, edit in zip(["", *lemma], said):
        kind, more = (KEEP, "") if edit is None else (edit[:1], edit[1:])
        found += letter + more if kind == KEEP else more
    return found
