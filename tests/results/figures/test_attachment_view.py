import json

import click
import pytest

from semeqv.tasks.parsing.figure import attachment_view, draw_learning_curves, read_learning_curve


@pytest.fixture
def run(tmp_path):
    lines = [{"epoch": 1, "split": "validation", "name": None, "las": 0.9}]
    for name in (None, "de"):
        lines += [
            {"step": i, "split": "validation", "name": name, "las": 0.1 * i, "uas": 0.2 * i, "cpu_seconds": 30.0 * i}
            for i in (1, 2, 4)
        ]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_scores_are_drawn_over_minutes(run):
    curve = read_learning_curve(run, "name", metric="uas")
    assert curve.minutes == (0.5, 1.0, 2.0)
    assert curve.scores == pytest.approx((20, 40, 80))
    figure = draw_learning_curves([curve], metric="uas", goal=80)
    (axes,) = figure.axes
    assert list(axes.lines[0].get_ydata()) == pytest.approx([20, 40, 80])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["name", "goal: 80"]
    assert [text.get_text() for text in axes.texts] == ["80.0"]


def test_both_files_are_written_and_mistakes_are_one_line(run):
    attachment_view.options(paths=(run, run), label=["one"], name="de", output=run / "figure", ylim=(0, 50)).build()
    assert (run / "figure.png").exists()
    with pytest.raises(click.UsageError, match=r"no line has 'las' .* of the treebank fr; treebanks: None, de"):
        read_learning_curve(run, name="fr")
    with pytest.raises(click.UsageError, match="give the folder of a run"):
        attachment_view.options().build()
