import math

import click
import numpy
import pytest

from semeqv.runs.reading import read_array, read_metrics, read_run, values_under


def test_a_torn_last_line_is_left_out_and_a_torn_middle_line_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1}\n\n{"epoch": 2}\n{"epo')
    assert [(line.number, line.record["epoch"]) for line in read_metrics(path)] == [(1, 1), (3, 2)]
    path.write_text('{"epoch": 1}\n{"epo\n{"epoch": 2}\n')
    with pytest.raises(click.UsageError, match=r"metrics\.jsonl, line 2: expected a JSON object .* found '\{\"epo'"):
        read_metrics(path)
    path.write_text('{"epoch": 1}\n[1]\n')
    with pytest.raises(click.UsageError, match="line 2"):
        read_metrics(path)


def test_null_is_a_number_that_was_not_finite(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"loss": null, "name": "en"}\n')
    (line,) = read_metrics(path)
    assert math.isnan(line.number_at("loss"))
    with pytest.raises(click.UsageError, match="line 1: 'name' should be a number, not 'en'"):
        line.number_at("name")


def test_values_are_found_at_any_depth():
    tree = {"a": {"b": [{"x": 1}, {"c": {"x": 2}}]}, "x": {"x": 3}}
    assert list(values_under(tree, "x")) == [1, 2, {"x": 3}]


def test_run_json_is_read_or_its_fault_is_named(tmp_path):
    assert read_run(tmp_path) == {}
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(click.UsageError, match="expected a JSON object, found list"):
        read_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(click.UsageError, match="not a JSON file"):
        read_run(tmp_path)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (numpy.array([[["a"]]], dtype=object), "cut short, or not a plain .npy"),
        (numpy.array([[["a"]]]), "holds no plain numbers"),
        (numpy.zeros((2, 2)), r"has shape \(2, 2\); expected"),
        (numpy.zeros((0, 2, 2)), "at least one record"),
    ],
)
def test_arrays_of_another_kind_are_named(tmp_path, array, words):
    path = tmp_path / "a.npy"
    numpy.save(path, array, allow_pickle=True)
    with pytest.raises(click.UsageError, match=words) as caught:
        read_array(path, "(records, symbols, symbols)")
    assert "\n" not in caught.value.message


def test_missing_and_torn_arrays_are_named(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(click.UsageError, match="no such file"):
        read_array(path, "(records, symbols, symbols)")
    numpy.save(path, numpy.zeros((4, 4, 4)))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(click.UsageError, match="cut short"):
        read_array(path, "(records, symbols, symbols)")
