"""A few tries of every fault; `make faults` does them all."""

import pytest

from tests.faults import asked, changes, kills, storage


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(lambda: kills.kills_while_saving([9, 30, 35]), id="F2"),
        pytest.param(lambda: storage.small_files(2), id="F5"),
        pytest.param(lambda: asked.signals(3), id="F3"),
        pytest.param(lambda: asked.second_signal(1), id="F4"),
        pytest.param(lambda: storage.corruption("bit flips", 30), id="F6-flips"),
        pytest.param(lambda: storage.corruption("truncations", 30), id="F6-truncations"),
        pytest.param(lambda: storage.corruption("zeroed tails", 30), id="F6-zeros"),
        pytest.param(lambda: changes.not_finite(4), id="F7"),
        pytest.param(lambda: changes.changed_data(1), id="F9"),
        pytest.param(lambda: changes.changed_runs(6), id="F10"),
    ],
)
def test_it_survives(row):
    found = row()
    assert found.tried > 0
    assert found.survived == found.tried, found.failures
