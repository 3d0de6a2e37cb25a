import math

import click
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semeqv.engine.artefacts import read_array, read_metrics, read_run, values_under


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


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            st.just('{"epoch": 1, "accuracy": 0.5}'),
            st.integers(1, 5000).map(lambda depth: "[" * depth),
            st.integers(4000, 6000).map(lambda digits: '{"epoch": ' + "9" * digits + ', "accuracy": 1}'),
        ),
        max_size=6,
    )
)
def test_no_text_gives_a_traceback(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "metrics.jsonl"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    try:
        found = read_metrics(path)
    except click.UsageError as error:
        assert "line " in error.message  # noqa: PT017
    else:
        assert len(found) <= len(lines) + sum(line.count("\n") for line in lines)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_give_a_traceback(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("bytes")
    for name, read in (("metrics.jsonl", read_metrics), ("a.npy", lambda path: read_array(path, "(a, b, c)"))):
        (folder / name).write_bytes(content)
        try:
            read(folder / name)
        except click.UsageError as error:
            assert name in error.message  # noqa: PT017


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
