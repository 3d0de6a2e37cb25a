"""The long table of results, beside pandas and scipy alone."""

import json

import numpy
import pytest
import scipy.stats

from semeqv.results import average, compare, read
from semeqv.results.table import holm
from semeqv.runs.errors import UserError


@pytest.fixture
def runs(tmp_path):
    """Two variants with three seeds each: a line of training, and a measure in two languages."""
    generator = numpy.random.default_rng(0)
    for seed in (42, 43, 44):
        for variant in ("gpt2", "backpack"):
            folder = tmp_path / "runs" / f"{seed}-{variant}"
            folder.mkdir(parents=True)
            lines = [
                {"epoch": 0, "step": step, "split": "validation", "name": None, "loss": float(generator.normal())}
                for step in (10, 20)
            ]
            lines += [
                {"measure": "perplexity", "language": language, "split": "test", "name": None, "tokens": 7}
                | {"perplexity": value, "perplexity_low": value - 0.5, "perplexity_high": value + 0.5}
                for language in ("en", "fr")
                for value in [float(generator.normal()) + (3 if variant == "gpt2" else 0)]
            ]
            (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "runs"


def test_every_number_is_a_row_and_the_last_of_a_run_counts(runs):
    table = read(runs)
    assert len(table) == 6 * 3
    assert set(table["metric"]) == {"loss", "perplexity"}
    assert set(table.loc[table["metric"] == "loss", "step"]) == {20}
    assert len(read(runs, last=False)) == 6 * 4
    one = table[(table["seed"] == 43) & (table["variant"] == "gpt2") & (table["language"] == "en")].iloc[0]
    assert one["value"] - one["low"] == pytest.approx(0.5)
    assert one["tokens"] == 7


def test_means_and_intervals_are_those_of_scipy(runs):
    table = read(runs, split="test")
    found = average(table)
    assert len(found) == 4
    for row in found.to_dict("records"):
        chosen = table[(table["variant"] == row["variant"]) & (table["language"] == row["language"])]["value"]
        low, high = scipy.stats.t.interval(0.95, 2, chosen.mean(), scipy.stats.sem(chosen))
        assert (row["n"], row["value"]) == (3, pytest.approx(chosen.mean()))
        assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
        assert row["own_high"] - row["value"] == pytest.approx(0.5)
    (both,) = average(table[table["variant"] == "gpt2"], by=["metric"]).to_dict("records")
    assert both["n"] == 3  # languages of one run are averaged before runs are


def test_comparisons_are_paired_by_seed(runs):
    table = read(runs, split="test")
    found = compare(table, "variant", "gpt2")
    assert list(found["language"]) == ["en", "fr"]
    for row in found.to_dict("records"):
        sets = [
            table[(table["variant"] == variant) & (table["language"] == row["language"])].sort_values("seed")["value"]
            for variant in ("backpack", "gpt2")
        ]
        test = scipy.stats.ttest_rel(*sets)
        low, high = test.confidence_interval(0.95)
        assert (row["n"], row["compared_with"]) == (3, "gpt2")
        assert (row["low"], row["high"], row["p"]) == pytest.approx((low, high, test.pvalue))
    assert list(found["p_holm"]) == pytest.approx(holm(list(found["p"])))
    with pytest.raises(UserError, match="No run has 'bert' as its variant; there is backpack, gpt2"):
        compare(table, "variant", "bert")


def test_holm_is_the_step_down_method():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert numpy.isnan(holm([0.01, numpy.nan])[1])
    assert holm([0.01, numpy.nan])[0] == pytest.approx(0.01)


def test_a_sentence_shows_writes_and_names_mistakes(run_cli, runs, tmp_path):
    out = run_cli(
        f"cli results {runs} --split test --metric perplexity --csv {tmp_path}/a.csv --markdown {tmp_path}/a.md"
    ).out
    assert "backpack" in out
    assert (tmp_path / "a.csv").read_text().splitlines()[0].startswith("variant,language,metric,n,value")
    assert "| variant | language |" in (tmp_path / "a.md").read_text()
    assert "p_holm" in run_cli(f"cli results {runs} --split test --compare variant=gpt2 --where language=en").out
    assert "there is backpack, gpt2" in run_cli(f"cli results {runs} --compare variant=bert", 2).err
    assert "No line says 'size'" in run_cli(f"cli results {runs} --by size", 2).err
    assert "takes COLUMN=BASELINE" in run_cli(f"cli results {runs} --compare variant", 2).err
