"""The figure of words and their doubles."""

import json

import numpy
import pytest

from semeqv.tying.followed import read_followed
from semeqv.tying.mlm.figure import draw_doubles

PAIRS = {"doubles": [[0, 3], [1, 4], [2, 5]], "random": [[0, 1], [1, 2], [2, 0]]}


@pytest.fixture
def doubled(tmp_path):
    """Write the folder of a run whose doubles end at 0.5 and whose other words end at 2."""

    def write(name, tied=False, records=4, every=10, pairs=PAIRS):
        folder = tmp_path / name
        folder.mkdir()
        array = numpy.full((records, 6, 6), 2, dtype=numpy.float32)
        for first, second in PAIRS["doubles"]:
            array[:, first, second] = numpy.linspace(2, 0.5, records)
        numpy.save(folder / "input_cdists.npy", array)
        numpy.save(folder / "output_cdists.npy", array if tied else array + 1)
        said = {"every": {"steps": every}, "names": ["the", "of", "to", "the′", "of′", "to′"], "pairs": pairs}
        (folder / "followed.json").write_text(json.dumps(said))
        return folder

    return write


def test_it_is_drawn_from_runs(run_cli, doubled, tmp_path, spoken):
    paths = [doubled("42-encoder"), doubled("43-encoder", records=5), doubled("42-encoderwt", tied=True)]
    said = run_cli(f"cli mlm view --path here/doubles.png {' '.join(map(str, paths))}").out
    assert (tmp_path / "here/doubles.pdf").exists()
    assert (tmp_path / "here/doubles.png").exists()
    (row,) = (row for row in said.splitlines() if "Untied: input embeddings, doubles" in row)
    assert "30-40" in row
    assert "0.500" in row


def test_a_panel_for_each_embedding(doubled):
    runs = [
        read_followed(doubled(name, tied=name.endswith("wt"))) for name in ("1-encoder", "2-encoder", "1-encoderwt")
    ]
    figure = draw_doubles(runs)
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
        "Untied: input embeddings",
        "Untied: output embeddings",
        "Tied: one embedding",
    ]
    assert [len(axes.lines) for axes in figure.axes[:3]] == [6, 6, 2]  # means, and each of two runs
    mean = figure.axes[0].lines[-1]
    assert mean.get_xdata().tolist() == [0, 10, 20, 30]
    assert mean.get_ydata().tolist() == [2, 1.5, 1, 0.5]
    assert {text.get_text() for text in figure.axes[3].texts} == {"the", "of"}  # the closer half
    (tied,) = draw_doubles(runs[2:]).axes[:1]
    assert tied.get_title(loc="left") == "Tied: one embedding"


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"every": 20}, "the runs follow other words, or at other steps"),
        ({"pairs": {"doubles": PAIRS["doubles"]}}, "follow no pairs of the kind 'random'"),
    ],
)
def test_what_cannot_be_drawn_is_said(run_cli, doubled, said, match):
    first = doubled("1-encoder") if "every" in said else ""
    assert match in run_cli(f"cli mlm view {first} {doubled('2-encoder', **said)}", code=2).err
    assert "give the folders of runs" in run_cli("cli mlm view", code=2).err
