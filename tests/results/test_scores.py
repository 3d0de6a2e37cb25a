"""Averages over runs and sets."""

import csv
import json
import math

import pytest


@pytest.fixture
def runs(tmp_path):
    """Two experiments, of three seeds and of one run."""
    for seed, shift in ((1, 0.0), (2, 0.1), (3, 0.2)):
        write(tmp_path / "runs" / "a" / f"{seed}-tagger", en=0.5 + shift, de=0.3 + shift)
    write(tmp_path / "runs" / "b", en=0.9)
    return tmp_path / "runs"


def write(folder, **scores):
    folder.mkdir(parents=True)
    lines = [{"epoch": 1, "step": 1, "split": "train", "name": None, "loss": 1.0}]
    for name, value in scores.items():
        said = {"loss": 2.0, "f1": value, "f1_low": value - 0.05, "f1_high": value + 0.03, "recall": 0.5}
        lines += [{"epoch": 1, "step": 1, "split": "test", "name": name} | said | {"f1": 0.0}]  # overwritten by:
        lines += [{"epoch": 2, "step": 2, "split": "test", "name": name} | said]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def table(path):
    with path.open(newline="") as file:
        return {(row["experiment"], row["sets"], row["metric"]): row for row in csv.DictReader(file)}


def test_scores_are_averaged_over_seeds_and_sets(run_cli, runs):
    run_cli("cli scores runs/a runs/b --group all --csv out.csv")
    found = table(runs.parent / "out.csv")
    assert set(found) == {
        (experiment, sets, metric)
        for experiment, names in (("runs/a", ("en", "de", "all")), ("runs/b", ("en", "all")))
        for sets in names
        for metric in ("f1", "recall")
    }
    row = found["runs/a", "all", "f1"]
    assert float(row["mean"]) == pytest.approx(0.5)
    half = 4.3027 * 0.1 / math.sqrt(3)
    assert float(row["low"]) == pytest.approx(0.5 - half, abs=1e-4)
    assert float(row["high"]) == pytest.approx(0.5 + half, abs=1e-4)
    assert (row["runs"], row["sentences_low"]) == ("3", "")
    row = found["runs/a", "en", "f1"]
    assert float(row["mean"]) == pytest.approx(0.6)
    assert float(row["sentences_low"]) == pytest.approx(0.55)
    row = found["runs/b", "en", "f1"]
    assert (row["runs"], row["low"]) == ("1", "")
    run_cli("cli scores runs/b --metric f1 --json out.json")
    (row,) = json.loads((runs.parent / "out.json").read_text())
    assert row == {"experiment": "runs/b", "sets": "en", "metric": "f1", "runs": 1, "mean": 0.9} | {
        "low": None,
        "high": None,
        "sentences_low": pytest.approx(0.85),
        "sentences_high": pytest.approx(0.93),
    }


def test_the_table_goes_into_a_page(run_cli, runs):
    page = runs.parent / "page.md"
    page.write_text("# Title\n\n<!-- scores -->\nold\n<!-- end -->\n\nMore.\n")
    run_cli("cli scores runs/a/1-tagger/metrics.jsonl --metric f1 --group half=en --markdown page.md --digits 2")
    text = page.read_text()
    assert text.startswith("# Title\n\n<!-- scores -->\n\n| experiment |")
    assert text.endswith("|\n\n<!-- end -->\n\nMore.\n")
    assert "| runs/a | half | f1 | 1 | 0.50 |  | [0.45, 0.53] |" in text
    run_cli("cli scores runs/b --markdown new.md")
    assert (runs.parent / "new.md").read_text().startswith("<!-- scores -->\n\n| experiment |")
    page.write_text("nothing\n")
    assert "page.md has no lines" in run_cli("cli scores runs/b --markdown page.md", 2).err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cli scores", "give folders of runs"),
        ("cli scores runs/c", "runs/c: no metrics.jsonl there"),
        ("cli scores runs/b --split validation", "runs/b: no scores of a validation set"),
        ("cli scores runs/b --group x=en,fr", "runs/b: no set 'fr' for --group x; there is en"),
        ("cli scores runs/b --metric bleu", "no run has the score 'bleu' of these sets; there is f1, recall"),
        ("cli scores runs/b --group x=en --group x=de", "--group names one group twice"),
        ("cli scores runs/b --digits 0", "--digits must be at least 1 and at most 10, not 0."),
    ],
)
def test_what_cannot_be_averaged_is_said(run_cli, runs, line, message):
    assert message in run_cli(line, 2).err


def test_experiments_have_their_own_part_of_a_subset(run_cli, runs):
    (runs.parent / "subsets.json").write_text('{"head": ["en", "de"], "tail": ["de"]}')
    run_cli("cli scores runs/a runs/b --metric f1 --subsets subsets.json --csv out.csv")
    found = table(runs.parent / "out.csv")
    assert float(found["runs/a", "head", "f1"]["mean"]) == pytest.approx(0.5)
    assert float(found["runs/b", "head", "f1"]["mean"]) == pytest.approx(0.9)  # of en alone
    assert ("runs/a", "tail", "f1") in found
    assert ("runs/b", "tail", "f1") not in found


def test_subsets_of_sets_come_from_a_file(run_cli, runs):
    (runs.parent / "subsets.json").write_text('{"head": ["en", "fr"], "tail": ["de"], "none": ["sw"]}')
    run_cli("cli scores runs/a --metric f1 --subsets subsets.json --csv out.csv")
    found = table(runs.parent / "out.csv")
    assert {sets for _, sets, _ in found} == {"en", "de", "head", "tail"}
    assert float(found["runs/a", "head", "f1"]["mean"]) == pytest.approx(0.6)
    assert "holds no lists" in run_cli("cli scores runs/a --subsets runs/a/1-tagger/metrics.jsonl", code=2).err


def test_what_was_measured_in_each_language_is_averaged_too(run_cli, tmp_path):
    for seed, value in ((42, 10.0), (43, 12.0)):
        folder = tmp_path / "runs" / f"{seed}-model"
        folder.mkdir(parents=True)
        line = {"measure": "perplexity", "split": "test", "name": None, "stride": None, "model": "m"}
        lines = [line | {"language": language, "perplexity": value + add} for language, add in (("de", 0), ("en", 1))]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    shown = run_cli("cli scores runs --metric perplexity").out
    assert [line.split()[1:5] for line in shown.splitlines()[1:]] == [
        ["de", "perplexity", "2", "11.0000"],
        ["en", "perplexity", "2", "12.0000"],
    ]
    assert "stride" not in run_cli("cli scores runs").out
