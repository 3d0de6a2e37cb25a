"""A few tries of every fault; `make faults` does them all."""

import pytest

from tests.faults import asked, cached, changes, kills, long_work, storage


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
        pytest.param(lambda: cached.full_disk(2), id="F5-cache"),
        pytest.param(lambda: long_work.killed_download(2), id="F11-download"),
        pytest.param(lambda: cached.damaged_entries("a changed half", 3), id="F12-half"),
        pytest.param(lambda: changes.changed_validation(1), id="F16"),
    ],
)
def test_it_survives(row):
    found = row()
    assert found.tried > 0
    assert found.survived == found.tried, found.failures
