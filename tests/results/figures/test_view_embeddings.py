import click
import numpy
import pytest
from matplotlib.image import imread

from semeqv.tying.figures.embeddings import draw_embeddings, in_plane, view_embeddings


@pytest.fixture
def snapshots(tmp_path):
    def write(*shapes):
        paths = []
        for number, shape in enumerate(shapes):
            folder = tmp_path / f"{42 + number}-transformer"
            folder.mkdir()
            paths.append(folder / "embeddings.npy")
            walk = numpy.random.default_rng(number).normal(size=shape).cumsum(axis=0)
            walk[-1, 1] = walk[-1, 0]
            numpy.save(paths[-1], walk.astype(numpy.float32))
        return tuple(paths)

    return write


@pytest.mark.parametrize("dimensions", [1, 2, 4])
def test_a_panel_per_run(snapshots, tmp_path, dimensions):
    paths = snapshots((6, 4, dimensions), (3, 4, dimensions))
    view_embeddings.options(paths=paths, title="Title", output=tmp_path / "out.pdf").build()
    assert imread(tmp_path / "out.png").shape[1] == 2100
    assert (tmp_path / "out.pdf").exists()


def test_symbols_that_end_together_share_a_label(snapshots):
    runs = [numpy.load(path).astype(float) for path in snapshots((6, 4, 3))]
    (axes,) = draw_embeddings(runs, ["42-transformer"], [(0, "a"), (1, "b"), (2, "c")]).axes
    assert sorted(text.get_text() for text in axes.texts) == ["a, b", "c"]
    assert axes.get_title(loc="left") == "42-transformer"
    assert "of variance" in axes.get_xlabel()


def test_the_plane_keeps_distances_when_the_points_lie_in_one():
    generator = numpy.random.default_rng(0)
    flat = generator.normal(size=(5, 4, 2)) @ numpy.linalg.qr(generator.normal(size=(6, 6)))[0][:2]
    plane, kept = in_plane(flat)
    for one, other in ((0, 1), (2, 3)):
        expected = numpy.linalg.norm(flat[:, one] - flat[:, other], axis=-1)
        assert numpy.linalg.norm(plane[:, one] - plane[:, other], axis=-1) == pytest.approx(expected)
    assert sum(kept) == pytest.approx(1)
    assert kept[0] >= kept[1]


def test_a_run_that_never_moves_is_drawn(tmp_path):
    path = tmp_path / "a.npy"
    numpy.save(path, numpy.zeros((2, 3, 4)))
    view_embeddings.options(paths=(path,), output=tmp_path / "out").build()
    assert (tmp_path / "out.png").exists()


def test_mistakes_are_one_line(snapshots, tmp_path):
    with pytest.raises(click.UsageError, match="one file of snapshots per run"):
        view_embeddings.options().build()
    (path,) = snapshots((3, 4, 2))
    with pytest.raises(click.UsageError, match="has symbols 0 to 3; --label 7 mask names another"):
        view_embeddings.options(paths=(path,), label=[(7, "mask")]).build()
    numpy.save(path, numpy.full((2, 3, 4), numpy.nan))
    with pytest.raises(click.UsageError, match="record 0 holds what is no number"):
        view_embeddings.options(paths=(path,)).build()
