"""Sweeps: what is measured, chosen and written."""

import csv
import json

import numpy
import pytest
import torch
from sweep_material import LANGUAGES, material, sentence

from crosslingual import Checkpoint
from semeqv.results.statistics import compared, intervals
from semeqv.tasks.classification.metrics import label_scores


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("material")
    material(made)
    return made


def swept_lines(run_cli, folder, tmp_path, options="", output="run", **how):
    said = run_cli(f"--seed 7 --output {output} " + sentence(options, **how).format(folder=folder))
    lines = [json.loads(line) for line in (tmp_path / output / "metrics.jsonl").read_text().splitlines()]
    points = [line for line in lines if line["measure"] == "sweep"]
    return said, points, [line for line in lines if line["measure"] == "sweep choice"]


def at(lines, **wanted):
    found = [line for line in lines if all(line[name] == value for name, value in wanted.items())]
    assert len(found) == 1, found
    return found[0]


def test_every_kind_is_measured_and_nothing_is_chosen_on_tests(folder, run_cli, tmp_path):
    said, points, choices = swept_lines(run_cli, folder, tmp_path, "--unrelated noise --csv points.csv --replicates 50")
    assert all(each in said.out for each in ("fixed strength", "chosen on source dev", "oracle: target's own dev"))
    none = [line for line in points if line["kind"] == "none"]
    assert {(line["part"], line["language"]) for line in none} == {
        (part, language) for part in ("validation", "test") for language in LANGUAGES
    }
    assert all(line["lambda"] == 0 and line["accuracy_gain"] == 0 and line["seed"] == 7 for line in none)
    kinds = {line["vector"]: line["kind"] for line in choices if line["language"] == "de"}
    assert kinds == {
        "en": "other",
        "de": "language",
        "es": "other",
        "noise": "unrelated",
        "de - en": "analogy",
        "-de": "negation",
    }
    assert {line["choice"] for line in choices} == {"fixed", "source-dev", "oracle"}
    for line in choices:
        here = {"vector": line["vector"], "part": "validation"}
        wanted = {"fixed": None, "source-dev": "en", "oracle": line["language"]}[line["choice"]]
        if wanted is None:
            assert line["lambda"] == 0.5
            continue
        seen = [point for point in points if all(point[key] == value for key, value in here.items())]
        seen = [point for point in [*seen, *none] if (point["part"], point["language"]) == ("validation", wanted)]
        best = max(point["accuracy"] for point in seen)
        assert line["chosen_score"] == best
        assert line["lambda"] == min(point["lambda"] for point in seen if point["accuracy"] == best)
        if line["lambda"]:
            test = at(
                points, vector=line["vector"], part="test", language=line["language"], **{"lambda": line["lambda"]}
            )
            assert line["accuracy"] == test["accuracy"]
        else:
            assert line["accuracy"] == at(none, part="test", language=line["language"])["accuracy"]
    with open(tmp_path / "points.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(points)
    assert float(rows[-1]["accuracy"]) == points[-1]["accuracy"]


def test_a_point_is_what_the_saved_model_scores(folder, run_cli, tmp_path):
    _, points, _ = swept_lines(run_cli, folder, tmp_path, "--replicates 0 --kinds language analogy --fixed .3")
    for vector, adding in {"de": "--add .3 {0}/de", "de - en": "--add .3 {0}/de --add -.3 {0}/en"}.items():
        line = at(points, vector=vector, part="test", language="de", **{"lambda": 0.3})
        name = f"new{len(adding)}"
        run_cli(
            f"cli crosslingual apply --from {folder}/task {adding.format(folder)} --base {folder}/base --output {name}"
        )
        run_cli(
            f"--output test-{name} cli dataset conllu --path {folder} --languages de --split test "
            f"cli model token-classifier --from {name} cli test"
        )
        measured = json.loads((tmp_path / f"test-{name}/metrics.jsonl").read_text().splitlines()[-1])
        assert measured["accuracy"] == line["accuracy"]


def test_a_sweep_does_not_depend_on_the_points_before(folder, run_cli, tmp_path):
    _, few, _ = swept_lines(run_cli, folder, tmp_path, "--lambdas 1 --kinds language --replicates 0", "few")
    _, many, _ = swept_lines(run_cli, folder, tmp_path, "--lambdas .1 .2 .9 1 --kinds language --replicates 0", "many")
    for line in few:
        assert line in many


def test_a_grid_of_two_vectors(folder, run_cli, tmp_path):
    options = "--second noise --mus -1 0 1 --kinds language --replicates 0 --fixed 1"
    _, points, choices = swept_lines(run_cli, folder, tmp_path, options)
    grid = [line for line in points if line["kind"] == "grid" and line["language"] == "de" and line["part"] == "test"]
    assert {(line["lambda"], line["mu"]) for line in grid} == {
        (one, other) for one in (0, 0.5, 1) for other in (-1, 0, 1)
    } - {(0, 0)}
    for line in grid:
        if line["mu"] == 0:
            plain = at(points, vector="de", part="test", language="de", **{"lambda": line["lambda"]})
            assert line["accuracy"] == plain["accuracy"]
    assert {line["choice"] for line in choices if line["kind"] == "grid"} == {"source-dev", "oracle"}


def test_without_validation_sets_nothing_is_chosen_by_data(folder, run_cli, tmp_path):
    _, _, choices = swept_lines(run_cli, folder, tmp_path, "--replicates 0", splits=("test",))
    assert {line["choice"] for line in choices} == {"fixed"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--kinds words", "--kinds are language, analogy"),
        ("--unrelated xx", "There is no --vector 'xx'"),
        ("--second en", "--second and --mus go together"),
        ("--vector de other", "calls two vectors by one name"),
        ("--metric f1", "There is no --metric 'f1' of these sets; there is accuracy, macro_f1"),
        ("--replicates -1", "--replicates must be at least 0"),
    ],
)
def test_mistakes_are_one_line(folder, run_cli, options, said):
    found = run_cli("--output run " + sentence(options).format(folder=folder), code=2)
    assert said in found.err
    assert len(found.err.splitlines()) <= 2


def test_a_source_that_nothing_is_called_by_is_said(folder, run_cli):
    found = run_cli(
        "--output run " + sentence("--kinds language --source englisch --replicates 0").format(folder=folder)
    )
    assert "No vector and no data set is called 'englisch'" in found.err


def test_sets_are_called_by_languages(folder, run_cli):
    line = "--output run " + sentence("--kinds language").format(folder=folder)
    assert "say --name de" in run_cli(line.replace("--name es", ""), code=2).err
    assert "call both by languages" in run_cli(line.replace("--name ", "--name x-"), code=2).err
    only = sentence(splits=("validation",)).format(folder=folder)
    assert "needs test sets" in run_cli(f"--output run {only}", code=2).err


def test_pairs_of_models_are_sampled_together():
    draw = numpy.random.default_rng(0)
    first = draw.integers(0, 5, (200, 3, 4))
    second = first.copy()
    second[:, 0, 0] += draw.random(200) < 0.1
    found = compared(second, first, label_scores, 300)
    alone = intervals(second, label_scores, 300)
    assert (found["accuracy_low"], found["accuracy_high"]) == alone["accuracy"]
    assert found["accuracy_gain"] == pytest.approx(
        label_scores(second.sum(0))["accuracy"] - label_scores(first.sum(0))["accuracy"]
    )
    width = found["accuracy_high"] - found["accuracy_low"]
    assert found["accuracy_gain_high"] - found["accuracy_gain_low"] < width / 3
    assert "accuracy_low" not in compared(second, first, label_scores, 0)


def test_the_model_is_as_before_after_a_sweep(folder):
    assert all(torch.isfinite(torch.from_numpy(each)).all() for _, each in Checkpoint.open(folder / "task").tensors())
