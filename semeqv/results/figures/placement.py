"""Where labels of points go, so that they cover neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

Box = tuple[float, float, float, float]  # left, bottom, right, top

CHARACTER, LINE = 0.68, 1.2  # width and height of bold text, in font sizes


def place_labels(
    texts: Sequence[str],
    anchors: Sequence[tuple[float, float]],
    points: Sequence[tuple[float, float]],
    panel: tuple[float, float],
    size: float,
) -> list[tuple[float, float]]:
    """Find a place for every label beside its anchor, one after the other.

    Args:
        texts: The labels.
        anchors: The point that each belongs to.
        points: What no label should cover.
        panel: Width and height of the panel; all lengths are in points of 1/72 inch, from its lower left corner.
        size: Font size, in points.

    Returns:
        The centres of the labels.
    """
    taken: list[Box] = []
    centres = []
    for text, (x, y) in zip(texts, anchors):
        half_width, half_height = len(text) * size * CHARACTER / 2, size * LINE / 2
        best: tuple[float, Box, tuple[float, float]] | None = None
        for ring, across, up in product((1.0, 1.8, 3.0), (1, -1, 0), (1, -1, 0)):
            if across == up == 0:
                continue
            # Away from the anchor by half the label, and a little more.
            centre = (x + across * (half_width + 3.5 * ring), y + up * (half_height + 3.5 * ring))
            box = (centre[0] - half_width, centre[1] - half_height, centre[0] + half_width, centre[1] + half_height)
            cost = ring + sum(overlap(box, other) for other in taken) / size
            cost += 6 * sum(box[0] - 2 < px < box[2] + 2 and box[1] - 2 < py < box[3] + 2 for px, py in points)
            cost += 3 * (max(-box[0], 0) + max(-box[1], 0) + max(box[2] - panel[0], 0) + max(box[3] - panel[1], 0))
            if best is None or cost < best[0]:
                best = (cost, box, centre)
        assert best is not None  # the loop has tried at least one place
        taken.append(best[1])
        centres.append(best[2])
    return centres


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def together(ends: Sequence[Sequence[float]], distance: float) -> list[list[int]]:
    """Group points of which each is near another of its group.

    Args:
        ends: Points of any dimension.
        distance: The greatest distance that counts as near, in the units of the points.

    Returns:
        The groups, each the places of its points in `ends`, in order; a point near no other is a group of its own.
    """
    groups: list[list[int]] = []
    for index, end in enumerate(ends):
        near = [
            group
            for group in groups
            if any(sum((a - b) ** 2 for a, b in zip(ends[other], end)) <= distance**2 for other in group)
        ]
        merged = sorted([index, *(other for group in near for other in group)])
        groups = [group for group in groups if group not in near] + [merged]
    return groups
