"""The checks for a GPU are run by hand; here, what they judge by, their limits and their table."""

import json
import math
import os
import sys

import pytest

from benchmarks.gpu import checks, rows, sentences, speed, table
from benchmarks.gpu.laps import covered


def test_all_checks_have_eight_minutes():
    assert sum(limit for _, limit in checks.CHECKS.values()) <= checks.MINUTES * 60


def test_a_check_that_takes_too_long_is_ended_with_what_it_started(tmp_path):
    # Its output is read to the end, which comes when the process that it started has ended, too.
    command = ["sh", "-c", "echo a row; sleep 600 & wait"]
    assert checks.ended(command, 2, str(tmp_path), os.environ) == (None, "a row\n", "")
    failing = "import sys; sys.exit('why')"
    assert checks.ended([sys.executable, "-c", failing], 60, str(tmp_path), os.environ) == (1, "", "why\n")


def test_losses_are_close_or_not():
    assert rows.close("", [1.0, 2.02], [1.0, 2.0], 0.02).right
    assert not rows.close("", [1.0, 2.1], [1.0, 2.0], 0.02).right
    assert not rows.close("", [1.0], [1.0, 2.0], 0.02).right
    assert not rows.close("", [], [], 0.02).right
    assert not rows.close("", [1.0, math.nan], [1.0, 1.0], 0.02).right


def test_numbers_of_measurements_agree_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, found in {"a": (0.105, 30.3), "b": (0.1, 30.0), "c": (0.1, math.nan)}.items():
        (tmp_path / name).mkdir()
        line = {"step": 3, "share": found[0], "perplexity": found[1]}
        (tmp_path / name / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    assert rows.agreeing("", "a", "b", 0.0101).right
    assert not rows.agreeing("", "a", "b", 0.009).right
    assert not rows.agreeing("", "c", "b", 0.1).right


def test_what_a_sentence_has_counted_is_read_from_what_it_printed(capsys):
    for count in (3, {"graphs": 2}):
        sentences.tell(count)
    printed = capsys.readouterr()
    assert sentences.counted(f"{printed.out}loss 6.3{printed.err}done") == [3, {"graphs": 2}]


def test_overlapping_kernels_count_once():
    assert covered([(5, 7), (0, 2), (1, 3), (1, 2)]) == 5
    assert covered([]) == 0


@pytest.mark.parametrize(
    ("name", "peak"),
    [("NVIDIA H100 80GB HBM3", 989), ("NVIDIA H100 PCIe", 756), ("NVIDIA A100-SXM4-80GB", 312), ("NVIDIA L40", None)],
)
def test_peaks_go_by_the_name_of_the_device(name, peak):
    assert speed.peak_of(name) == peak


def test_the_table_tells_the_device_and_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "FOLDER", tmp_path)
    found = [vars(rows.Row("a|b", "0.5")), vars(rows.Row("c", "2", "1", False)), vars(rows.Row("d", "1", "1"))]
    entry = {"speed": {"rows": found, "seconds": 3.4, "date": "2026-12-02"}}
    (tmp_path / "NVIDIA X.json").write_text(json.dumps({"environment": {"torch": "2", "cuda": "X"}, "checks": entry}))
    page = table.table()
    assert "## NVIDIA X\n\ntorch 2, cuda X\n" in page
    assert "| speed | a/b | 0.5 |  |  |\n| speed | c | 2 | 1 | **no** |\n| speed | d | 1 | 1 | yes |\n" in page
    assert "3 seconds in all; 2026-12-02." in page
