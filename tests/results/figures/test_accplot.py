import json

import click
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from semeqv.results.figures.curves import read_curve, running_mean
from semeqv.tying.figures.accuracies import Window, accplot, draw_accuracies


@pytest.mark.usefixtures("spoken")
def test_groups_bayes_and_table(run_folder, tmp_path, capsys):
    inputs = [
        (run_folder("42-a", [0.4, 0.6], bayes=0.7) / "metrics.jsonl", "untied"),
        (run_folder("43-a", [0.4, 0.7], bayes=0.7), "untied"),
        (run_folder("42-awt", [0.4, 0.5], bayes=0.7, tail='{"epoch": 30'), "tied"),
    ]
    accplot.options(inputs=inputs, title="Title", output=tmp_path / "out", hline=[(0.5, "grey", "dotted")]).build()
    assert imread(tmp_path / "out.png").ndim == 3
    assert (tmp_path / "out.pdf").exists()
    text = capsys.readouterr().out
    assert "Final validation accuracy (Bayes: 0.700)" in text
    for cells in (
        ("untied", "200", "2", "0.650", "0.650", "0.600-0.700"),
        ("tied", "200", "1", "0.500", "0.500", "0.500-0.500"),
    ):
        assert any([cell.strip() for cell in line.split("│")[1:-1]] == list(cells) for line in text.splitlines())


def test_every_run_is_drawn_with_its_mean_its_end_and_the_best_possible(run_folder):
    paths = [run_folder("42-a", [0.4, 0.6]), run_folder("43-a", [0.4, 0.7])]
    curves = [read_curve(path, "untied", metric="accuracy", split="validation") for path in paths]
    figure = draw_accuracies({"untied": curves}, bayes=0.7)
    axes, margin = figure.axes
    heights = [line.get_ydata()[-1] for line in axes.lines]
    assert heights == pytest.approx([0.6, 0.7, 0.65, 0.7])
    assert margin.collections[0].get_offsets()[:, 1].tolist() == [0.6, 0.7]
    (legend,) = figure.legends
    assert "best possible (Bayes) accuracy: 0.70" in [text.get_text() for text in legend.get_texts()]


def test_bayes_that_differ_are_refused_unless_left_out(run_folder, tmp_path):
    paths = (run_folder("a", [0.5], bayes=0.7), run_folder("b", [0.5], bayes=0.95))
    with pytest.raises(click.UsageError, match=r"the Bayes accuracy is 0\.7 in .*a and 0\.95 in .*b"):
        accplot.options(paths=paths, output=tmp_path / "out").build()
    accplot.options(paths=paths, bayes=False, output=tmp_path / "out").build()
    assert (tmp_path / "out.pdf").exists()


@pytest.mark.usefixtures("spoken")
def test_runs_given_by_place_are_called_by_their_folder(run_folder, tmp_path, capsys):
    accplot.options(paths=(run_folder("42-lstm", [0.5]) / "metrics.jsonl",), output=tmp_path / "out").build()
    assert "42-lstm" in capsys.readouterr().out


def test_window_cutoff_and_every_nth_record(run_folder):
    path = run_folder("a", [0.0, 0.2, 0.4, 0.6, 0.8])
    whole = read_curve(path, "a", metric="accuracy", split="validation")
    for options in ({"cutoff": 1}, {"xlim": (0, 400)}, {"xlim": (150, 450)}):
        curve = Window(window=2, etc=2, **options).of(path, whole)
        assert curve.epochs.tolist() == [200, 400]
        assert curve.values == pytest.approx([0.1, 0.5])
    with pytest.raises(click.UsageError, match="--cutoff 5 leaves none of its 5 records"):
        Window(cutoff=5).of(path, whole)
    with pytest.raises(click.UsageError, match="goes from epoch 100 to 400; --xlim 0 50 leaves nothing of it"):
        Window(cutoff=1, xlim=(0, 50)).of(path, whole)
    with pytest.raises(ValueError, match="--xlim 50 0: write the lower limit first"):
        accplot.options(xlim=(50, 0))
    with pytest.raises(ValueError, match="--cutoff must be at least 0, not -1"):
        accplot.options(cutoff=-1)


def test_a_running_mean_looks_back_and_shows_divergence():
    assert running_mean(numpy.array([1.0, 3.0, 5.0]), 2).tolist() == [1, 2, 4]
    means = running_mean(numpy.array([1.0, numpy.nan, 5.0]), 2)
    assert means[[0, 2]].tolist() == [1, 5]
    assert numpy.isnan(means[1])


def test_lines_without_a_split_count_and_the_later_of_two_records_stands(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 2, "accuracy": 0.3}\n{"step": 1, "accuracy": 0.1}\n{"epoch": 2, "accuracy": 0.4}\n')
    curve = read_curve(path, "a", metric="accuracy", split="test")
    assert curve.epochs.tolist() == [1, 2]
    assert curve.values.tolist() == [0.1, 0.4]


def test_lines_of_a_measure_are_no_part_of_a_curve(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"epoch": 2, "accuracy": 0.3}\n{"measure": "blimp", "accuracy": 0.9}\n')
    assert read_curve(path, "a", metric="accuracy", split="test").values.tolist() == [0.3]


def test_several_data_sets_of_a_split_need_a_name(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [
        {"epoch": 1, "split": "validation", "name": name, "accuracy": value} for name, value in (("en", 1), ("fr", 0))
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    with pytest.raises(click.UsageError, match=r"several data sets \(en, fr\); choose one with --name"):
        read_curve(path, "a", metric="accuracy", split="validation")
    assert read_curve(path, "a", metric="accuracy", split="validation", name="fr").values.tolist() == [0]


def test_mistakes_are_one_line(run_folder, tmp_path):
    with pytest.raises(click.UsageError, match="give files, or --inputs"):
        accplot.options().build()
    with pytest.raises(click.UsageError, match="no such file"):
        accplot.options(paths=(tmp_path / "none.jsonl",)).build()
    path = run_folder("a", [0.5])
    with pytest.raises(
        click.UsageError, match=r"no line has 'accuracy' for the split 'test'; splits there: train, valid"
    ):
        accplot.options(paths=(path,), split="test").build()
    with pytest.raises(click.UsageError, match="no such colour or style"):
        accplot.options(paths=(path,), hline=[(0.5, "black", "wavy")], output=tmp_path / "out").build()
    with pytest.raises(ValueError, match="--window must be at least 1, not 0"):
        accplot.options(window=0)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2),
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "epoch": ANYTHING,
                "accuracy": ANYTHING,
                "split": ANYTHING | st.just("validation"),
                "name": ANYTHING,
            },
        ),
        max_size=5,
    )
)
def test_no_record_gives_a_traceback(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("records") / "metrics.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    try:
        curve = read_curve(path, "a", metric="accuracy", split="validation")
    except click.UsageError as error:
        assert "\n" not in error.message  # noqa: PT017
    else:
        assert len(curve.epochs) == len(curve.values) > 0
