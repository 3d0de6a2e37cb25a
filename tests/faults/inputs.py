"""B1 to B10: bad input, as the tests that are marked `bad_input` give it."""

import contextlib
import io

import pytest

from tests.faults.trials import Row

PASSES = {
    "B1": ("unknown options, wrong types, values out of bounds", "exit 2; the segment named, the right word suggested"),
    "B2": ("a missing split or column, an unknown label", "named"),
    "B3": ("an empty file, blank lines only, a header only", "refused"),
    "B4": ("not UTF-8, a byte order mark, CRLF, NUL", "read, or line and byte named"),
    "B5": ("a line of 100 MB", "refused in bounded memory"),
    "B6": ("NaN and infinity, wrong width, duplicates in word vectors and arrays", "row named"),
    "B7": ("ids or labels beyond the model", "refused before step 1"),
    "B8": ("truncated arrays, objects in arrays, pickles as checkpoints", "refused, nothing executed"),
    "B9": ("archives and manifests with ../, absolute paths, links, bombs", "nothing outside the target"),
    "B10": ("markup in names; repositories that want to run code", "escaped; refused"),
}


class Counter:
    """Runs the tests of one row alone, and counts them."""

    def __init__(self, name, row):
        self.name, self.row = name, row

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if any(self.name in mark.args for mark in item.iter_markers("bad_input"))]

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and not report.skipped:
            self.row.count(report.passed, f"{report.nodeid}: {report.longreprtext[-300:]}")


def bad_input(name):
    """All tries of a row."""
    what, passes = PASSES[name]
    row = Row(f"{name} {what}", passes)
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-m", "bad_input", "-p", "no:cacheprovider", "tests"], plugins=[Counter(name, row)])
    return row
