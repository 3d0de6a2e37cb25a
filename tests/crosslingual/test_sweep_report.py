"""Runs of sweeps joined: means, intervals, hypotheses, pages and figures."""

import itertools
import json
import math

import numpy
import pytest
from scipy import stats

from crosslingual import hypotheses
from crosslingual.distances import read_distances
from crosslingual.figures.sweep import beyond, draw_curves, draw_grid, draw_matrix, read_sweeps
from crosslingual.hypotheses import gain_against_distance, holm, semantic_against_syntactic
from crosslingual.results import joined, read_runs
from semeqv.results.figures.style import house_style
from semeqv.runs.errors import UserError
from tests.results.figures.extents import cut_off, overlapping

LANGUAGES = ("en", "de", "es", "fr")


def point(language, kind, vector, strength, gains, **said):
    score, gain = gains
    return {
        "measure": "sweep",
        "source": "en",
        "part": "test",
        "language": language,
        "kind": kind,
        "vector": vector,
        "lambda": strength,
        "mu": None,
        "sentences": 9,
        "accuracy": score + gain,
        "accuracy_gain": gain,
        **{f"accuracy_{end}": score + gain + step for end, step in (("low", -0.1), ("high", 0.1))},
        **{f"accuracy_gain_{end}": gain + step for end, step in (("low", -0.05), ("high", 0.05))},
        "metric": "accuracy",
        **said,
    }


def lines_of(seed, task="pos", model="base", shift=0.0):
    """The lines of a run in which German gains .1 and the seed, Spanish twice as much, French nothing."""
    head = {"task": task, "model": model, "seed": seed}
    lines = []
    for place, language in enumerate(LANGUAGES):
        score, gain = 0.4 + seed / 100, (0.1 + seed / 1000 + shift) * (place % 3)
        lines.append(point(language, "none", "", 0.0, (score, 0.0), **head))
        for kind, vector, times in (("language", language, 1), ("negation", f"-{language}", -1), ("other", "zz", 0.5)):
            for strength in (0.5, 1.0):
                lines.append(point(language, kind, vector, strength, (score, times * gain * strength), **head))
            lines.append(lines[-2] | {"measure": "sweep choice", "choice": "fixed"})
            if kind != "other":
                lines.append(lines[-2] | {"measure": "sweep choice", "choice": "oracle", "chosen_on": language})
        for one, other in itertools.product((0.0, 0.5), (-1.0, 1.0)):
            lines.append(
                point(language, "grid", f"{language}, zz", one, (score, one * other * gain), **head) | {"mu": other}
            )
    return lines


def write(folder, lines):
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def runs(tmp_path):
    for seed in (1, 2, 3):
        write(tmp_path / f"pos/{seed}-base", lines_of(seed))
        write(tmp_path / f"pos/{seed}-en", lines_of(seed, model="en"))
        write(tmp_path / f"ner/{seed}-base", lines_of(seed, task="ner", shift=0.05))
    return tmp_path


def one(cells, **wanted):
    (found,) = [each for each in cells if all(getattr(each, name) == value for name, value in wanted.items())]
    return found


def test_seeds_are_joined_with_intervals_of_both_kinds(runs):
    cells = joined(read_runs([runs / "pos"]))
    found = one(cells, model="base", language="de", kind="language", choice="fixed")
    gains = [(0.1 + seed / 1000) / 2 for seed in (1, 2, 3)]
    assert found.seeds == [1, 2, 3]
    assert found.strength == 0.5
    assert found.gain.mean == pytest.approx(numpy.mean(gains))
    low, high = stats.t.interval(0.95, 2, numpy.mean(gains), stats.sem(gains))
    assert (found.gain.low, found.gain.high) == pytest.approx((low, high), abs=1e-6)
    assert found.gain.sentences_low == pytest.approx(numpy.mean(gains) - 0.05)
    none = one(cells, model="base", language="de", kind="none")
    assert none.score.mean == pytest.approx(0.42)
    mean = one(cells, model="base", language="mean of targets", kind="language", choice="fixed")
    assert mean.gain.mean == pytest.approx(numpy.mean([1, 2, 0]) * numpy.mean(gains))
    assert mean.runs == 3


def test_a_run_that_was_measured_twice_counts_once(runs):
    with open(runs / "pos/1-base/metrics.jsonl", "a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines_of(1, shift=1.0))
    found = one(joined(read_runs([runs / "pos"])), model="base", language="de", kind="language", choice="fixed")
    assert found.runs == 3
    assert found.gain.mean == pytest.approx(numpy.mean([(0.1 + s / 1000 + (s == 1)) / 2 for s in (1, 2, 3)]))


def test_a_run_that_is_given_twice_counts_once(runs):
    once = joined(read_runs([runs / "pos"]))
    twice = joined(read_runs([runs / "pos", runs / "ner/../pos", runs / "pos/1-base"]))
    assert repr(twice) == repr(once)  # some numbers are NaN


def test_two_runs_of_one_name_and_seed_are_refused(runs, run_cli):
    write(runs / "mbert/1-base", lines_of(1, shift=0.5))
    said = run_cli("cli crosslingual report pos mbert", code=2).err
    assert "pos/1-base/metrics.jsonl and mbert/1-base/metrics.jsonl are both of seed 1, pos" in said
    assert "--label" in said


def test_the_mean_without_a_vector_is_of_the_languages_that_have_one(runs):
    lines = [line for line in lines_of(1) if line["kind"] == "none" or line["language"] == "es"]
    for line in lines:
        line["accuracy"] += 0.2 * (line["language"] == "fr")
    write(runs / "few/1-base", lines)
    cells = joined(read_runs([runs / "few"]))
    plain = one(cells, language="mean of targets", kind="none", vector="language")
    assert plain.score.mean == pytest.approx(0.41)
    gained = one(cells, language="mean of targets", kind="language", choice="fixed")
    assert gained.score.mean - gained.gain.mean == pytest.approx(plain.score.mean)


def test_a_task_that_was_not_swept_is_named(runs, run_cli):
    said = run_cli("cli crosslingual report pos ner --semantic ner --syntactic parsing", code=2).err
    assert "No task 'parsing' was swept; there is pos, ner" in said
    assert "the first hypothesis is not tested" in run_cli("cli crosslingual report pos").out


def test_languages_of_several_bases_are_not_mixed(runs, run_cli):
    for name, value in (("one", 20.0), ("two", 90.0)):
        line = {"measure": "perplexity", "name": "base-de", "language": "de", "pseudo_perplexity": value}
        write(runs / f"{name}/measured/1-base", [line])
    said = run_cli("cli crosslingual report pos/1-base one/measured two/measured").out
    assert "one/measured" in said
    assert "20.0" in said
    assert "90.0" in said


def test_one_run_has_the_interval_over_sentences(runs):
    found = one(joined(read_runs([runs / "pos/1-base"])), language="de", kind="language", choice="fixed")
    assert math.isnan(found.gain.low)
    assert found.gain.interval == (found.gain.sentences_low, found.gain.sentences_high)


def page_of(runs, heading):
    (found,) = [part for part in (runs / "page.md").read_text().split("## ") if part.startswith(heading)]
    return found


def test_the_report_tests_hypotheses_and_writes_a_page(runs, run_cli):
    (runs / "apart.tsv").write_text("# from somewhere\nlanguage\tsyntax\nde\t.1\nes\t.3\nfr\t.2\nhi\t.4\n")
    line = "cli crosslingual report pos ner --semantic ner --syntactic pos --distances apart.tsv --output page.md"
    said = run_cli(f"{line} --csv cells.csv").out
    assert "mean of targets" in said
    assert "semantic tasks gain more" in said
    found = json.loads((runs / "page.json").read_text())
    assert "| pos | en | fixed | 0.420 [" in page_of(runs, "What vectors gain, on average")
    test = next(each for each in found["tests"] if each["hypothesis"].startswith("semantic") and "fixed" in each["of"])
    assert test["n"] == 3
    assert test["value"] == pytest.approx(numpy.mean([0.025, 0.05, 0]))
    page = (runs / "page.md").read_text()
    assert "| language | de | 0.420 [" in page
    (runs / "page.md").write_text("Mine.\n" + page.replace("<!-- end -->", "old\n<!-- end -->") + "Mine too.\n")
    run_cli(line)
    assert (runs / "page.md").read_text() == f"Mine.\n{page}Mine too.\n"
    (runs / "page.md").write_text("Mine.\n")
    assert "has no lines <!-- measured --> and" in run_cli(line, code=2).err
    assert (runs / "cells.csv").read_text().count("\n") == len(found["cells"]) + 1


def test_p_of_many_tests_are_corrected_for_their_number():
    tests = [hypotheses.Test("", "", "", 6, 0.0, -1.0, 1.0, p) for p in (0.04, 0.01, math.nan, 0.03, 0.9)]
    # Holm: .01 * 4; .03 * 3; then .04 * 2 is less than the one before it; .9 * 1
    assert [each.corrected for each in holm(tests)] == pytest.approx([0.09, 0.04, math.nan, 0.09, 0.9], nan_ok=True)
    assert holm([tests[4], tests[4]])[0].corrected == 1


def test_a_page_is_made_task_by_task(runs, run_cli):
    together = "cli crosslingual report {} --output {}.md"
    run_cli(together.format("ner pos", "whole"))
    run_cli(together.format("ner", "page"))
    run_cli(together.format("pos/1-base", "page") + " --keep")  # is measured again, with all runs
    assert "semantic tasks gain more" in run_cli(together.format("pos", "page") + " --keep").out
    assert (runs / "page.md").read_text() == (runs / "whole.md").read_text()
    found, whole = (json.loads((runs / f"{name}.json").read_text()) for name in ("page", "whole"))
    assert sorted(map(str, found["cells"])) == sorted(map(str, whole["cells"]))
    assert found["tests"] == whole["tests"]
    assert "--keep is about a page" in run_cli("cli crosslingual report pos --keep", code=2).err
    (runs / "page.json").write_text("[1]")
    assert "page.json does not hold the numbers" in run_cli(together.format("pos", "page") + " --keep", code=2).err


def test_what_training_gave_the_base_stands_beside_the_gains(runs, run_cli):
    for seed in (1, 2):
        lines = [
            {"measure": "perplexity", "name": name, "language": "de", "pseudo_perplexity": value + seed}
            for name, value in (("base-de", 20.0), ("adapted-de", 10.0), ("other", 1.0))
        ]
        for layer, cosine in (("all", 0.5), ("layer 0", 0.9)):
            for first, second in (("en", "de"), ("en", "en"), ("de", "es")):
                lines.append({"layer": layer, "first": first, "second": second, "cosine": cosine + seed / 10})
        write(runs / f"measured/{seed}-de", lines)
    said = run_cli("cli crosslingual report pos/1-base measured --output page.md").out
    assert "21.5 ± 6.4" in said
    found = {
        (each["number"], each["language"]): each for each in json.loads((runs / "page.json").read_text())["languages"]
    }
    assert found.keys() == {("before", "de"), ("after", "de"), ("cosine", "de")}
    assert found["after", "de"]["mean"] == 11.5
    assert found["cosine", "de"]["mean"] == pytest.approx(0.65)


@pytest.mark.parametrize("draw", ["curves", "matrix", "grid"])
def test_sweeps_are_drawn(runs, run_cli, draw):
    run_cli(f"cli sweep-view --draw {draw} --task pos --path figures/{draw} pos ner --title Sweeps")
    assert (runs / f"figures/{draw}.png").stat().st_size > 5000
    assert "choose one by --task" in run_cli(f"cli sweep-view --draw {draw} pos ner", code=2).err
    assert "no sweep of a model 'xx'; there is base, en" in run_cli("cli sweep-view --model xx pos", code=2).err


NAMES = ("checkpoints/step-00150000", "bert-base-multilingual-cased", "a" * 60, "base")


def draw_first_grid(lines, models):
    return draw_grid(lines, models[0])


@pytest.mark.parametrize("draw", [draw_curves, draw_matrix, draw_first_grid])
@pytest.mark.parametrize("names", [("base", "en"), NAMES[:2], NAMES])
def test_no_label_is_cut_off_or_covers_another(names, draw, tmp_path):
    for seed, (place, name) in itertools.product((1, 2, 3), enumerate(names)):
        write(tmp_path / f"runs/{seed}-{place}", lines_of(seed, model=name))
    with house_style():
        figure = draw(read_sweeps([tmp_path / "runs"], None), names)
        assert cut_off(figure) == []
        assert overlapping(figure, "model from", "gain, points") == []


def test_a_control_that_goes_far_leaves_the_axes_and_the_legend_says_so(tmp_path):
    for seed in (1, 2, 3):
        lines = lines_of(seed)
        for language, strength in itertools.product(LANGUAGES, (0.5, 1.0)):
            lines.append(
                point(
                    language, "unrelated", "zz", strength, (0.4, -0.9 * strength), task="pos", model="base", seed=seed
                )
            )
        write(tmp_path / f"runs/{seed}-base", lines)
    figure = draw_curves(read_sweeps([tmp_path / "runs"], None), ["base"])
    low, high = figure.axes[0].get_ylim()
    assert -45 < low < -20 < 20 < high < 45  # the vectors of the languages gain 20 points at most
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert "unrelated vector (leaves the axes: -90.0 to -45.0)" in said
    assert "vector of the language" in said


@pytest.mark.parametrize(
    ("gains", "outside"),
    [
        ({"language": [3.0], "unrelated": [-5.0]}, []),
        ({"language": [3.0], "unrelated": [-7.0]}, ["unrelated"]),
        ({"language": [20.0], "unrelated": [-7.0]}, []),  # what the study is about never leaves them
        ({"language": [1.0], "negation": [-4.0], "unrelated": [-20.0]}, ["unrelated", "negation"]),
        ({"unrelated": [-20.0]}, []),
        ({"language": [0.0], "unrelated": [-0.1]}, []),
    ],
)
def test_only_controls_leave_the_axes(gains, outside):
    assert beyond(gains) == outside


def test_a_part_that_was_not_measured_is_named(runs, run_cli):
    for name in ("pos", "ner"):
        path = next((runs / name).rglob("metrics.jsonl"))
        lines = [line for line in path.read_text().splitlines() if '"validation"' not in line]
        path.write_text("\n".join(lines) + "\n")
    said = run_cli("cli sweep-view --task pos --part validation pos ner", code=2).err
    assert "no sweep measured --part validation" in said


def test_nothing_to_draw_or_report_is_one_line(run_cli, tmp_path):
    write(tmp_path / "run", [{"epoch": 1, "loss": 2.0}])
    for line in ("sweep-view run", "crosslingual report run"):
        assert "run cli crosslingual sweep" in run_cli(f"cli {line}", code=2).err
    assert "give folders" in run_cli("cli crosslingual report", code=2).err
    assert "no metrics.jsonl there" in run_cli("cli crosslingual report nowhere", code=2).err
    assert "the page is Markdown" in run_cli("cli crosslingual report run --output page.html", code=2).err


def test_correlations_are_those_of_scipy():
    pairs = [(0.1, 0.5), (0.2, 0.4), (0.2, 0.45), (0.5, 0.1), (0.9, 0.2), (0.3, 0.3)]
    found = gain_against_distance(pairs, "syntax", "pos")
    wanted = stats.spearmanr(*zip(*pairs))
    assert found.value == pytest.approx(wanted.statistic)
    exact = stats.permutation_test(
        [[each[1] for each in pairs]],
        lambda gains: stats.spearmanr([each[0] for each in pairs], gains).statistic,
        permutation_type="pairings",
        n_resamples=numpy.inf,
    )
    assert found.p == pytest.approx(exact.pvalue, abs=0.01)
    assert found.low < found.value < found.high
    assert math.isnan(gain_against_distance(pairs[:3], "syntax", "pos").low)


def test_semantic_tasks_are_compared_language_by_language():
    gains = {"ner": {"de": 0.3, "es": 0.2, "fr": 0.4}, "pos": {"de": 0.1, "es": 0.1, "fr": 0.1, "hi": 9.0}}
    found = semantic_against_syntactic(gains, ["ner"], ["pos"], "base")
    assert (found.n, found.value) == (3, pytest.approx(0.2))
    assert found.p == pytest.approx(2 / 8)
    wanted = stats.ttest_1samp([0.2, 0.1, 0.3], 0).confidence_interval()
    assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first line names the columns"),
        ("de\t.1\n", "the first line names the columns"),
        ("language\tsyntax\nde\n", "'de' has 0 distances where the header names 1"),
        ("language\tsyntax\nde\tfar\n", "the syntax distance of 'de' is no number: 'far'"),
        ("language\tsyntax\nde\tnan\n", "the syntax distance of 'de' is no number: 'nan'"),
        ("language\tsyntax\nde\t.1\nde\t.9\n", "'de' has two rows"),
    ],
)
def test_what_is_no_table_of_distances_is_named(tmp_path, text, said):
    (tmp_path / "apart.tsv").write_text(text)
    with pytest.raises(UserError) as error:
        read_distances(tmp_path / "apart.tsv")
    assert said in str(error.value)
