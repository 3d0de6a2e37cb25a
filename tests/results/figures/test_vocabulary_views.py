"""The figures of new vocabularies, from the files of planted runs."""

import json

import click
import numpy
import pytest

from ofa.figures.losses import draw_losses, losses, read_losses, shades_of, smoothed
from ofa.figures.methods import called, given, ordered
from ofa.figures.provenance import draw_provenance, provenance_view, read_provenance
from ofa.figures.retrieval import draw_retrieval, read_accuracies, read_panels, view


def measured(run, name, value, corpus="flores"):
    folder = run / "measured" / name
    folder.mkdir(parents=True, exist_ok=True)
    line = {"measure": "retrieval", "of": "fr", "corpus": corpus, "direction": "both", "accuracy@1": value}
    line |= {"accuracy@1_low": value - 0.1, "accuracy@1_high": value + 0.1}
    with (folder / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": 1}) + "\n" + json.dumps(line) + "\n")


def test_methods_stand_in_one_order_and_say_what_they_are_given():
    assert ordered(["other", "ofa", "bag", "ofa-200", "random", "ofa-100"]) == [
        "random",
        "ofa-100",
        "ofa-200",
        "ofa",
        "bag",
        "other",
    ]
    assert called("ofa-100") == "OFA, 100 coordinates"
    assert called("subword-mean") == "mean of pieces"
    assert given("ofa-100") == given("wechsel") != given("bag")


def test_accuracies_are_drawn_by_method(tmp_path):
    run = tmp_path / "fr"
    for name, value in (("42-ofa", 0.5), ("42-ofa", 0.6), ("43-ofa", 0.8), ("42-original", 0.2)):
        measured(run, name, value)
        measured(run, name, value / 2, "tatoeba")
    panels = read_accuracies(run)
    assert set(panels) == {("French", "flores"), ("French", "tatoeba")}
    assert panels["French", "flores"]["ofa"].values == [0.6, 0.8]  # the last of each run counts
    figure = draw_retrieval(panels)
    left, right = figure.axes
    assert [bar.get_width() for bar in left.patches] == pytest.approx([0.2, 0.7])
    assert [label.get_text() for label in left.get_yticklabels()] == ["its own tokenizer", "OFA"]
    assert len(right.patches) == 2
    view.options(paths=(run,), output=tmp_path / "figure").build()
    assert (tmp_path / "figure.pdf").exists()
    with pytest.raises(click.UsageError, match="no run has the retrieval"):
        read_accuracies(run, k=3)
    with pytest.raises(click.UsageError, match="there is no measured/SEED-METHOD"):
        read_accuracies(tmp_path)


def test_folders_of_one_language_share_its_panels(tmp_path):
    one, other = tmp_path / "a" / "fr", tmp_path / "b" / "fr"
    for run, names in ((one, ("42-ofa", "42-random")), (other, ("43-ofa", "42-mean"))):
        for place, name in enumerate(names):
            measured(run, name, place / 10)
    (panel,) = read_panels((one, other)).values()
    assert {method: each.values for method, each in panel.items()} == {"ofa": [0, 0], "random": [0.1], "mean": [0.1]}
    assert len(panel["ofa"].lows) == len(panel["ofa"].highs) == 2


def test_few_rows_are_counted_one_by_one(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/initialisation.json").write_text(json.dumps({"counts": {"copied": 30, "drawn": 10}}))
    name, counts = read_provenance(tmp_path / "one")
    (axes,) = draw_provenance({name: counts}).axes
    assert axes.get_xlabel() == "share of the 40 rows"


def test_shares_of_rows_add_up(tmp_path):
    for name, counts in (
        ("42-ofa", {"copied": 60, "combined": 30, "drawn": 10}),
        ("42-mean", {"copied": 60, "mean": 40}),
    ):
        (tmp_path / "fr/models" / name).mkdir(parents=True)
        (tmp_path / "fr/models" / name / "initialisation.json").write_text(json.dumps({"counts": counts}))
    name, counts = read_provenance(tmp_path / "fr")
    (axes,) = draw_provenance({name: counts}).axes
    widths = {}
    for bar in axes.patches:
        widths[round(bar.get_y(), 3)] = widths.get(round(bar.get_y(), 3), 0) + bar.get_width()
    assert list(widths.values()) == pytest.approx([1.0, 1.0])
    provenance_view.options(paths=(tmp_path / "fr/models/42-ofa",), copied=False, output=tmp_path / "figure").build()
    assert (tmp_path / "figure.png").exists()
    (tmp_path / "fr/models/42-ofa/initialisation.json").write_text("{}")
    with pytest.raises(click.UsageError, match="holds no counts"):
        read_provenance(tmp_path / "fr")


def test_losses_are_smoothed_and_drawn_by_method(tmp_path):
    for name, values in (("42-ofa", [4, 2, 3]), ("43-ofa", [4, 4, 3]), ("42-random", [9, 8, 7])):
        (tmp_path / "continued" / name).mkdir(parents=True)
        lines = [json.dumps({"step": step, "loss": loss}) for step, loss in enumerate(values, 1)]
        (tmp_path / "continued" / name / "steps.jsonl").write_text("\n".join(lines) + "\n")
    assert smoothed([1.0, 2.0, 6.0], 1).tolist() == [1, 2, 6]
    assert smoothed([1.0, 2.0, 6.0], 3).tolist() == [1.5, 3, 4]
    by_method = read_losses(tmp_path, window=1)
    assert {method: len(runs) for method, runs in by_method.items()} == {"ofa": 2, "random": 1}
    (axes,) = draw_losses(by_method).axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[9, 8, 7], [4, 3, 3]]
    assert set(read_losses(tmp_path, skip=["random"])) == {"ofa"}
    losses.options(paths=(tmp_path,), output=tmp_path / "figure").build()
    assert (tmp_path / "figure.pdf").exists()
    assert len(set(shades_of(["nothing", "nothing", "text"]))) == 3


def test_labels_are_led_to_the_ends_of_their_lines(tmp_path):
    ends = {name: [numpy.array([2.0, loss])] for name, loss in (("ofa", 1.0), ("random", 1.01), ("mean", 1.02))}
    for shown, led in ((ends, True), ({"ofa": ends["ofa"]}, False)):
        (axes,) = draw_losses(shown).axes
        low, high = axes.get_ylim()
        assert len(axes.texts) == len(shown)
        for label, line in zip(axes.texts, axes.lines):
            assert low <= label.xyann[1] <= high
            assert label.xy == (1, line.get_ydata()[-1])
            assert (label.arrow_patch is not None) == led
        assert len({label.xyann[1] for label in axes.texts}) == len(shown)
