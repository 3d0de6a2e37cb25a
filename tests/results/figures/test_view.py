import click
import numpy
import pytest
from matplotlib.image import imread

from semeqv.tying.figures.distances import draw_distances, view

PAIRS = [(0, 1, "apart"), (2, 3, "close")]


@pytest.mark.usefixtures("spoken")
def test_figure_and_table(distances, tmp_path, capsys):
    view.options(
        paths=distances([1.0, 2.0, 6.0]),
        indexes=PAIRS,
        etc=500,
        title="Title",
        output=tmp_path / "out.png",
        ylim=(0, 3),
    ).build()
    assert imread(tmp_path / "out.png").shape[1] == 1050
    assert (tmp_path / "out.pdf").stat().st_size > 0
    text = capsys.readouterr().out
    for cells in (
        ("(0, 1) apart", "1500", "3", "3.000", "2.000", "1.000-6.000"),
        ("(2, 3) close", "1500", "3", "0.300", "0.200", "0.100-0.600"),
    ):
        assert any([cell.strip() for cell in line.split("│")[1:-1]] == list(cells) for line in text.splitlines())


@pytest.mark.usefixtures("spoken")
def test_runs_of_different_length_each_count_with_their_last_record(distances, tmp_path, capsys):
    view.options(paths=distances([1.0, 2.0], records=[4, 2]), indexes=PAIRS, etc=10, output=tmp_path / "out").build()
    text = capsys.readouterr().out
    assert "10-30" in text
    assert "1.500" in text
    assert (tmp_path / "out.pdf").exists()


def test_the_axis_counts_epochs_and_all_runs_are_drawn(distances):
    runs = [numpy.load(path).astype(float) for path in distances([1.0, 2.0, 3.0])]
    (axes,) = draw_distances(runs, PAIRS[:1], etc=500, showconf=False).axes
    assert len(axes.lines) == 4
    assert axes.lines[-1].get_xdata().tolist() == [0, 500, 1000, 1500]
    assert axes.lines[-1].get_ydata()[-1] == 2
    assert not axes.collections
    assert axes.get_xlabel() == "training epoch"


@pytest.mark.usefixtures("spoken")
def test_a_diverged_run_is_counted_and_named(distances, tmp_path, capsys):
    paths = distances([1.0, 2.0])
    array = numpy.load(paths[1])
    array[-1] = numpy.nan
    numpy.save(paths[1], array)
    view.options(paths=paths, indexes=PAIRS[:1], output=tmp_path / "out").build()
    assert "2 (1 diverged)" in capsys.readouterr().out


def test_one_run_alone_and_colours_of_ones_own(distances, tmp_path):
    view.options(
        paths=distances([1.0], records=1),
        indexes=PAIRS,
        color=["black", "#123456"],
        transparent=True,
        output=tmp_path / "a",
    ).build()
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"paths": ()}, "one file of distances per run"),
        ({"indexes": []}, "say which pairs"),
        ({"indexes": [(0, 9, "far")]}, r"has symbols 0 to 3; --indexes 0 9 'far' names another"),
        ({"palette": "nonsense"}, "no such palette"),
    ],
)
def test_mistakes_are_one_line(distances, tmp_path, options, words):
    given = {"paths": distances([1.0]), "indexes": PAIRS, "output": tmp_path / "out", **options}
    with pytest.raises(click.UsageError, match=words) as caught:
        view.options(**given).build()
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


def test_tables_that_are_not_square_are_named(tmp_path):
    path = tmp_path / "a.npy"
    numpy.save(path, numpy.zeros((3, 4, 5)))
    with pytest.raises(click.UsageError, match="as many rows as columns"):
        view.options(paths=(path,), indexes=PAIRS).build()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"etc": 0}, "--etc must be at least 1, not 0."), ({"ylim": (3.0, 0.0)}, "write the lower limit first")],
)
def test_wrong_options_are_refused_before_anything_is_read(options, words):
    with pytest.raises(ValueError, match=words):
        view(**options)
