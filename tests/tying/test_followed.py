"""What a run recorded of some symbols is read back, and damage is one line."""

import json

import click
import numpy
import pytest

from semeqv.tying.followed import read_followed

SAID = {"every": {"steps": 50}, "names": ["a", "b", "c"], "pairs": {"doubles": [[0, 1], [2, 1]]}}


@pytest.fixture
def run(tmp_path):
    """A run of three symbols, two records; the output distances are twice the input ones."""
    array = numpy.arange(18, dtype=numpy.float32).reshape(2, 3, 3)
    numpy.save(tmp_path / "input_cdists.npy", array)
    numpy.save(tmp_path / "output_cdists.npy", 2 * array)
    (tmp_path / "followed.json").write_text(json.dumps(SAID))
    return tmp_path


def test_distances_of_pairs_are_read(run):
    found = read_followed(run)
    assert (found.every, found.unit, found.names, found.tied) == (50, "step", ["a", "b", "c"], False)
    assert found.distances["input"]["doubles"].tolist() == [[1, 7], [10, 16]]
    assert found.distances["output"]["doubles"].tolist() == [[2, 14], [20, 32]]


def test_one_embedding_is_called_tied(run):
    (run / "output_cdists.npy").write_bytes((run / "input_cdists.npy").read_bytes())
    found = read_followed(run)
    assert found.tied
    assert list(found.distances) == ["tied"]


@pytest.mark.parametrize(
    "said",
    [
        "no JSON",
        "[]",
        {},
        SAID | {"every": {"years": 1}},
        SAID | {"every": {"steps": 0}},
        SAID | {"pairs": {"doubles": []}},
        SAID | {"pairs": {"doubles": [[0]]}},
        SAID | {"names": 3},
    ],
)
def test_a_damaged_file_is_one_line(run, said):
    (run / "followed.json").write_text(said if isinstance(said, str) else json.dumps(said))
    with pytest.raises(click.UsageError, match=r"followed.json: not what a run writes"):
        read_followed(run)


def test_what_does_not_fit_is_one_line(run):
    (run / "followed.json").write_text(json.dumps(SAID | {"pairs": {"doubles": [[0, 3]]}}))
    with pytest.raises(click.UsageError, match="names pairs of more than 3 symbols"):
        read_followed(run)
    (run / "followed.json").write_text(json.dumps(SAID | {"names": ["a"]}))
    with pytest.raises(click.UsageError, match=r"has shape \(2, 3, 3\); expected .*, 1 symbols"):
        read_followed(run)
    (run / "followed.json").unlink()
    with pytest.raises(click.UsageError, match="give the folder of a run with `cli mlm callbacks cdists`"):
        read_followed(run)
