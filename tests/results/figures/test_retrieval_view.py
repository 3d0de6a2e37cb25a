import json

import click
import pytest

from semeqv.results.figures.style import house_style
from semeqv.tasks.retrieval.figure import draw_layer_curves, read_layer_curve, retrieval_view
from tests.results.figures.extents import cut_off


def measured(folder, of, layer, value, direction="both"):
    interval = {"accuracy@10_low": value - 0.1, "accuracy@10_high": value + 0.1, "random@10": 0.01}
    line = {"measure": "retrieval", "of": of, "layer": layer, "direction": direction, "accuracy@10": value} | interval
    folder.mkdir(exist_ok=True)
    with open(folder / "metrics.jsonl", "a") as file:
        file.write(json.dumps({"epoch": 1, "loss": 2.0}) + "\n" + json.dumps(line) + "\n")


def test_layers_are_drawn_with_their_intervals_and_chance(tmp_path):
    for layer, value in ((2, 0.7), (0, 0.2), (1, 0.4), (1, 0.5)):
        measured(tmp_path / "run", "all", layer, value)
        measured(tmp_path / "run", "fra", layer, 0.9)
        measured(tmp_path / "run", "all", layer, 0.1, "to")
    curve = read_layer_curve(tmp_path / "run", "name")
    assert {layer: point[0] for layer, point in curve.points.items()} == {0: 0.2, 1: 0.5, 2: 0.7}
    assert set(read_layer_curve(tmp_path / "run", of="fra").points.values()) == {(0.9, 0.8, 1.0, 0.01)}
    figure = draw_layer_curves([curve])
    (axes,) = figure.axes
    assert [line.get_ydata()[-1] for line in axes.lines] == [0.7, 0.01]
    assert "name" in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("layers", [[6], [0], [0, 1], [5, 6], list(range(25))])
def test_layers_are_whole_numbers(layers, tmp_path):
    for layer in layers:
        measured(tmp_path / "run", "all", layer, 0.5)
    with house_style():
        figure = draw_layer_curves([read_layer_curve(tmp_path / "run", "name")])
        assert cut_off(figure) == []
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert set(ticks) <= set(layers)
    assert len(ticks) == min(len(ticks), len(layers)) > 0
    if len(layers) < 3:
        assert ticks == layers
    words = [text.get_text() for text, tick in zip(axes.get_xticklabels(), axes.get_xticks()) if low <= tick <= high]
    assert words == [str(int(tick)) for tick in ticks]
    chance = axes.lines[1].get_xdata()
    assert chance[-1] > chance[0]  # chance is a line where there is but one layer, too


def test_the_only_language_is_drawn_and_mistakes_are_one_line(tmp_path):
    measured(tmp_path / "run", "fra", 0, 0.2)
    retrieval_view.options(paths=(tmp_path / "run",), output=tmp_path / "figure").build()
    assert (tmp_path / "figure.png").exists()
    with pytest.raises(click.UsageError, match="no line has the retrieval of 'deu' with 'accuracy@10'; there is fra"):
        read_layer_curve(tmp_path / "run", of="deu")
    with pytest.raises(click.UsageError, match="give the folder of a run"):
        retrieval_view.options().build()
