import json
import math
import shlex

import click
import numpy
import pytest

from semeqv.tying.xor.experiments import option, read_experiment
from semeqv.tying.xor.findings import acceptance, accuracies, cost_of_tying, distances
from semeqv.tying.xor.report import Report
from semeqv.tying.xor.samples import XorSamples
from semeqv.tying.xor.statistics import count_reaching, final_mean, learned_threshold, same_contexts, summarise

FAITHFUL = {"input": (0.05, 0.06), "output": (1.2, 0.02), "shared": (0.8, 0.03)}


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Write a folder of runs; `ends` gives the final distances of (0, 1) and (2, 3) in each embedding."""
    monkeypatch.setenv("COLUMNS", "200")

    def write(
        *,
        ends=FAITHFUL,
        untied=(0.7, 0.69, 0.5),
        tied=(0.7, 0.5, 0.5),
        zero=(0.1, 0.9),
        one=(0.5, 0.5),
        name="xor",
        **facts,
    ):
        facts = {"bayes_accuracy": 0.7, "pairs": [[0, 1], [2, 3]], **facts}
        for suffix, finals in (("", untied), ("wt", tied)):
            for seed, final in enumerate(finals, start=42):
                folder = tmp_path / name / f"{seed}-transformer{suffix}"
                folder.mkdir(parents=True)
                for kind in ("input", "output"):
                    array = numpy.full((3, 7, 7), 2.0, dtype=numpy.float32)
                    array[-1, 0, 1], array[-1, 2, 3] = ends["shared" if suffix else kind]
                    numpy.save(folder / f"{kind}_cdists.npy", array)
                lines = [
                    {"epoch": step, "step": step, "split": split, "name": None, "loss": 1.0, "accuracy": value}
                    for step, value in ((100, 0.1), (200, final), (300, final))
                    for split in ("train", "validation")
                ]
                (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
                parts = [
                    [
                        "xor",
                        "dataset",
                        "default",
                        "--zero_dst",
                        *map(str, zero),
                        "--one_dst",
                        *map(str, one),
                        "--seed",
                        "14",
                    ],
                    ["optimizers", "adamw", "--learning_rate", "0.0005"],
                    ["schedulers", "cosine", "--tmax", "100"],
                ]
                run = {"sentence": {"settings": {"seed": seed}, "parts": parts}, "facts": {"dataset": {"train": facts}}}
                (folder / "run.json").write_text(json.dumps(run))
        return tmp_path / name

    return write


def test_a_summary_leaves_diverged_runs_out_and_counts_them():
    summary = summarise([1.0, 2.0, 6.0, math.nan])
    assert (summary.runs, summary.diverged, summary.median, summary.mean) == (4, 1, 2, 3)
    assert (summary.least, summary.greatest) == (1, 6)
    assert math.isnan(summarise([math.nan]).median)
    assert summarise([]).runs == 0


def test_final_accuracy_is_the_mean_of_the_last_records():
    assert final_mean([0.0, 0.4, 0.6], 2) == pytest.approx(0.5)
    assert final_mean([0.4, 0.6], 20) == pytest.approx(0.5)
    assert math.isnan(final_mean([], 2))


@pytest.mark.parametrize(("bayes", "threshold"), [(0.70, 0.66), (0.95, 0.89)])
def test_a_run_has_learned_at_94_percent_of_bayes(bayes, threshold):
    assert learned_threshold(bayes) == threshold
    assert count_reaching([threshold, threshold - 0.01, math.nan], threshold) == 1


@pytest.mark.parametrize(
    ("distribution", "same"),
    [((0.5, 0.5), True), ((0.1, 0.9), False), ((1.0, 0.0), False), ((1.0,), False), (None, None)],
)
def test_contexts_are_the_same_where_symbols_are_equally_likely(distribution, same):
    assert same_contexts(distribution) is same


def test_a_faithful_experiment_meets_every_acceptance_line(experiment):
    found = acceptance(read_experiment(experiment(), window=2))
    assert [(finding.claim, finding.met) for finding in found] == [
        ("untied input (0, 1): median < 0.15", True),
        ("untied output (0, 1): median > 0.7", True),
        ("tied (0, 1): median > 0.3", True),
        ("untied input (2, 3): median < 0.15", True),
        ("untied output (2, 3): median < 0.1", True),
        ("tied (2, 3): median < 0.1", True),
    ]


def test_every_acceptance_line_can_fail(experiment):
    ends = {"input": (0.2, 0.2), "output": (0.6, 0.2), "shared": (0.2, 0.2)}
    assert [finding.met for finding in acceptance(read_experiment(experiment(ends=ends), window=2))] == [False] * 6


def test_only_meaningful_pairs_count(experiment):
    folder = experiment(
        zero=(1.0, 0.0), one=(0.1, 0.9), pairs=[[2, 3]], ends={**FAITHFUL, "output": (9, 1.5), "shared": (9, 0.8)}
    )
    read = read_experiment(folder, window=2)
    assert read.pairs == ((2, 3),)
    assert [(finding.claim, finding.met) for finding in acceptance(read)] == [
        ("untied input (2, 3): median < 0.15", True),
        ("untied output (2, 3): median > 0.7", True),
        ("tied (2, 3): median > 0.3", True),
    ]


def test_accuracy_by_run_and_what_tying_costs(experiment):
    read = read_experiment(experiment(), window=2)
    rows = {(row.tied, row.split): row for row in accuracies(read)}
    assert rows[False, "train"].by_seed == {42: 0.7, 43: 0.69, 44: 0.5}
    assert rows[False, "train"].reaching == 2
    assert rows[True, "validation"].reaching == 1
    assert [rows[tied, "train"].idle for tied in (False, True)] == [0, 0]
    cost = cost_of_tying(read)
    assert (cost.met, cost.undecided) == (None, True)
    assert "mean 0.063, 95% CI -0.209 to 0.336, over the 3 seeds that have both" in cost.measured
    assert "the tied run is the worse one for 1 of 3 seeds" in cost.measured
    assert "accuracy 0.66 is reached by 2 of 3 untied and 1 of 3 tied runs" in cost.measured


@pytest.mark.parametrize(
    ("tied", "one", "met"),
    [
        ((0.7, 0.699), (0.1, 0.9), False),
        ((0.5, 0.51), (0.1, 0.9), True),
        ((0.5, 0.51), (0.5, 0.5), False),
        ((0.7, 0.699), (0.5, 0.5), True),
        ((0.7, 0.5), (0.1, 0.9), None),  # the mean is .1, and over two runs no evidence
        ((0.5,), (0.1, 0.9), None),
    ],
)
def test_what_tying_costs_is_said_either_way_where_it_is_decided(experiment, tied, one, met):
    folder = experiment(untied=(0.7, 0.7)[: len(tied)], tied=tied, zero=(1.0, 0.0), one=one, pairs=[[2, 3]])
    found = cost_of_tying(read_experiment(folder, window=1))
    assert found.met is met
    assert found.undecided is (met is None)


def test_close_symbols_are_held_against_those_of_different_meaning(experiment):
    folder = experiment()
    read = read_experiment(folder, window=2)
    assert {run.controls["shared" if run.tied else "input"] for run in read.runs} == {2.0}
    path = folder / "43-transformer" / "input_cdists.npy"
    array = numpy.load(path)
    array[-1, 1, 2] = 0.055  # different meaning, and nearer than (2, 3)
    numpy.save(path, array)
    found = {finding.claim: finding for finding in acceptance(read_experiment(folder, window=2))}
    assert found["untied input (0, 1): median < 0.15"].met is True
    close = found["untied input (2, 3): median < 0.15"]
    assert (close.met, close.undecided) == (None, True)
    assert "nearer than those in 2 of 3 runs only" in close.measured


def test_symbols_that_are_never_drawn_are_no_control(experiment):
    folder = experiment(zero=(1.0, 0.0), pairs=[[2, 3]])
    for path in folder.glob("*/*_cdists.npy"):
        array = numpy.load(path)
        array[-1, 1, :], array[-1, :, 1] = 0.001, 0.001
        numpy.save(path, array)
    assert {value for run in read_experiment(folder, 1).runs for value in run.controls.values()} == {2.0}


def test_runs_at_the_plateau_are_counted(experiment):
    rows = accuracies(read_experiment(experiment(untied=(0.45, 0.469, 0.471), tied=(0.7,)), window=1))
    assert [row.idle for row in rows if row.split == "train"] == [2, 0]
    rows = accuracies(read_experiment(experiment(name="ndh", zero=(1.0, 0.0), untied=(0.5, 0.6), pairs=[[2, 3]]), 1))
    assert rows[0].idle == 1


def test_runs_that_are_not_finished_are_no_evidence(experiment, tmp_path):
    folder = experiment()
    for path in folder.glob("42-*/run.json"):
        record = json.loads(path.read_text())
        record["sentence"]["settings"]["steps"] = 150_000
        path.write_text(json.dumps(record))
    read = read_experiment(folder, window=2)
    found = [*acceptance(read), cost_of_tying(read)]
    assert all(finding.met is None and not finding.undecided for finding in found)
    assert all("some runs have not taken all their steps" in finding.measured for finding in found)
    Report(paths=(folder,), output=tmp_path / "page.md").build()
    assert "- Beware: 2 runs of 6 have not taken all their steps." in (tmp_path / "page.md").read_text()


def test_a_point_estimate_decides_nothing(experiment):
    folder = experiment()
    for seed, end in ((42, 0.05), (43, 0.1), (44, 0.5)):
        array = numpy.full((3, 7, 7), 2.0)
        array[-1, 0, 1] = array[-1, 2, 3] = end
        numpy.save(folder / f"{seed}-transformer" / "input_cdists.npy", array)
    found = acceptance(read_experiment(folder, window=2))[0]
    assert found.claim == "untied input (0, 1): median < 0.15"  # .1
    assert (found.met, found.undecided) == (None, True)
    assert "not decided: (0, 1) mean the same" in found.bullet()


def test_embeddings_untied_half_way_are_kept_apart(experiment):
    folder = experiment(tied=(0.7,))
    numpy.save(folder / "42-transformerwt" / "output_cdists.npy", numpy.full((3, 7, 7), 5.0))
    kinds = {(row.tied, row.embedding) for row in distances(read_experiment(folder, window=1))}
    assert kinds == {(False, "input"), (False, "output"), (True, "input"), (True, "output")}


def test_distances_that_still_fall_are_told(experiment):
    folder = experiment(tied=(0.7,), untied=(0.7,))
    assert not any(run.falling for run in read_experiment(folder, window=1).runs)
    for path in folder.glob("*/*_cdists.npy"):
        numpy.save(path, numpy.broadcast_to(numpy.linspace(9, 1, 20)[:, None, None], (20, 7, 7)))
    read = read_experiment(folder, window=1)
    assert all(run.falling for run in read.runs)
    found = acceptance(read)
    assert [finding.met for finding in found] == [None] * 6
    assert all("still nearing at the end of most runs" in finding.measured for finding in found)


def test_report_prints_and_writes(experiment, tmp_path, capsys):
    output = tmp_path / "docs" / "xor.md"
    folders = (experiment(), experiment(name="bad", ends={**FAITHFUL, "output": (0.1, 0.5)}))
    Report(paths=folders, window=2, output=output, check=False).build()
    text = capsys.readouterr().out
    assert "not met" in text
    assert "0.700" in text
    report = output.read_text()
    assert "Of the 14 statements below, 10 hold and 2 do not; 2 are not decided by so few runs." in report
    assert "**does not hold**: (0, 1) occur in different contexts" in report
    assert "| untied output | (0, 1) | fails | 3 | 1.200 | 1.200 | 1.200-1.200 | 2.00 | 2.00 |" in report
    assert "Steps: 300; learning rate 0.0005" in report
    assert "at the end the rate was at its lowest" in report
    assert "fewer than five runs" in report
    numbers = json.loads(output.with_suffix(".json").read_text())
    first = numbers["experiments"][0]
    assert first["bayes_accuracy"] == 0.7
    assert first["distances"][0]["summary"]["median"] == pytest.approx(0.05)
    assert first["accuracies"][0]["by_seed"] == {"42": 0.7, "43": 0.69, "44": 0.5}


def test_numbers_of_diverged_runs_are_null(experiment, tmp_path):
    folder = experiment(ends={**FAITHFUL, "input": (math.nan, 0.1)})
    Report(paths=(folder,), output=tmp_path / "xor.md").build()
    text = (tmp_path / "xor.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["experiments"][0]["findings"][0]["met"] is None
    assert "not measured: (0, 1) mean the same" in (tmp_path / "xor.md").read_text()


def test_check_exits_with_one_when_a_line_is_not_met(experiment):
    Report(paths=(experiment(),), check=True).build()
    with pytest.raises(SystemExit) as caught:
        Report(paths=(experiment(name="bad", ends={**FAITHFUL, "input": (0.2, 0.0)}),), check=True).build()
    assert caught.value.code == 1


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--x", ".1", ".9", "--y"], [".1", ".9"]),
        (["--x", "[.1,.9]"], [".1", ".9"]),
        (["--y", "1"], []),
        (["--x", "-1"], ["-1"]),
    ],
)
def test_an_option_is_found_in_a_sentence(words, values):
    assert option({"sentence": {"parts": [["cosine"], ["loss", *words]]}}, "x") == values
    assert option({"sentence": {"parts": ['cosine --title "it\'s"', shlex.join(["loss", *words])]}}, "x") == values


def test_without_facts_the_distributions_tell_the_pairs(experiment):
    folder = experiment(zero=(1.0, 0.0), one=(0.5, 0.5))
    for path in folder.glob("*/run.json"):
        path.write_text(json.dumps({"sentence": json.loads(path.read_text())["sentence"]}))
    read = read_experiment(folder, window=1)
    assert read.pairs == ((2, 3),)
    assert read.bayes is None
    assert accuracies(read)[0].reaching is None


def test_mistakes_are_one_line(experiment, tmp_path):
    def refused(words):
        return pytest.raises(click.UsageError, match=words)

    with refused("give folders of experiments"):
        Report().build()
    with refused("no such folder"):
        Report(paths=(tmp_path / "none",)).build()
    (tmp_path / "empty").mkdir()
    with refused("holds no runs"):
        Report(paths=(tmp_path / "empty",)).build()
    folder = experiment()
    run = folder / "42-transformer"
    content = json.loads((run / "run.json").read_text())
    for facts, words in (
        ({"pairs": [[0]]}, "'pairs' should be pairs of symbols"),
        ({"bayes_accuracy": "x"}, "'bayes_accuracy' should be a number"),
        ({"bayes_accuracy": 0.95}, r"its runs differ in the Bayes accuracy \(0.95, 0.7\)"),
    ):
        (run / "run.json").write_text(json.dumps(content | {"facts": facts}))
        with refused(words):
            Report(paths=(folder,)).build()
    (run / "run.json").write_text(json.dumps(content))
    (run / "output_cdists.npy").unlink()
    with refused("no such file"):
        Report(paths=(folder,)).build()
    with pytest.raises(ValueError, match=r"write .*report\.md"):
        Report(output=tmp_path / "report.txt")


def test_the_report_says_which_strings_were_trained_on(experiment, tmp_path):
    split = XorSamples(size=7, batch_size=1024, drop_last=False).facts()["split"]
    cases = {
        "114 of 128, as random.Random(14) shuffles them, the string of only ones left out": split,
        "115 of 128, as random.Random(3) shuffles them": split | {"train": 115, "all_ones": True, "split_seed": 3},
        "128 of 128, none held out: validation draws the training strings anew": split
        | {"train": 128, "all_ones": True, "held_out": 0.0},
        "125 of 128; 2 named ones held out, the string of only ones left out": {
            name: value for name, value in split.items() if name != "held_out"
        }
        | {"train": 125, "held_out_strings": ["0000111", "1010101"]},
    }
    for number, (words, facts) in enumerate(cases.items()):
        folder = experiment(name=f"xor-{number}", split=facts)
        assert read_experiment(folder, 1).strings == words
    Report(paths=(folder,), output=tmp_path / "page.md").build()
    assert "- Training strings: 125 of 128; 2 named" in (tmp_path / "page.md").read_text()
    assert json.loads((tmp_path / "page.json").read_text())["experiments"][0]["training_strings"] == words


def test_a_run_of_the_earlier_shuffle_is_said_to_be_of_it(experiment, capsys):
    """Such a run.json says `--every_string`, as every one did before December 2026, and no split among its facts."""
    folder = experiment(strings=115)
    for path in folder.glob("*/run.json"):
        record = json.loads(path.read_text())
        data = "xor dataset default --size 7 --zero_dst 0.1 0.9 --one_dst 0.5 0.5 --seed 14 --every_string True"
        record["sentence"]["parts"][0] = data
        path.write_text(json.dumps(record))
    assert read_experiment(folder, 1).strings == "115 of 128, by the shuffle of November 2026 (Philox, seed 14)"
    Report(paths=(folder,)).build()
    assert "training strings: 115 of 128, by the shuffle of November 2026" in " ".join(capsys.readouterr().out.split())
    path.write_text(json.dumps(record | {"facts": {"dataset": {"train": {"split": {"train": 114, "of": 128}}}}}))
    with pytest.raises(click.UsageError, match="its runs differ in their training strings"):
        read_experiment(folder, 1)


def test_runs_that_do_not_record_their_strings_are_said_not_to(experiment):
    assert read_experiment(experiment(), 1).strings is None
