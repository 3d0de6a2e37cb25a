from itertools import combinations

import pytest

from semeqv.results.figures.placement import overlap, place_labels, together


def test_labels_of_close_points_do_not_overlap():
    anchors = [(50.0, 50.0), (55.0, 50.0), (50.0, 56.0), (98.0, 98.0)]
    texts = ["even", "odd", "mask", "corner"]
    centres = place_labels(texts, anchors, anchors, (100, 100), size=7)
    boxes = [
        (x - len(text) * 2.3, y - 4, x + len(text) * 2.3, y + 4) for text, (x, y) in zip(texts, centres, strict=True)
    ]
    assert all(overlap(one, other) == 0 for one, other in combinations(boxes, 2))
    assert all(box[0] >= -1 and box[1] >= -1 and box[2] <= 101 and box[3] <= 101 for box in boxes)


@pytest.mark.parametrize(("distance", "groups"), [(0.5, [[0], [1], [2], [3]]), (1.0, [[3], [0, 1, 2]])])
def test_points_are_grouped_through_their_neighbours(distance, groups):
    assert sorted(together([(0, 0), (2, 0), (1, 0), (9, 9)], distance)) == sorted(groups)
