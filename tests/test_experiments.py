"""Every makefile's sentences parse, and the make targets that the README names exist."""

import re
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MEASURING = {"ofa-retrieval"}  # trains nothing
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.mk"))


def sentences(path, *settings):
    """The sentences that an experiment would run, from a dry run of its figures with some variables set."""
    dry = subprocess.run(
        ["make", "-n", "-B", "-f", str(path), "figs", "SEMEQV=semeqv", *settings],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = dry.stdout.replace("\\\n", " ").splitlines()
    assert not [line for line in lines if line.startswith("rm ")]  # nothing that took time to make is deleted
    return [shlex.split(line)[1:] for line in lines if line.startswith("semeqv ")]


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_its_sentences_parse(run_cli, tmp_path, path):
    found = sentences(path)
    assert found
    assert any(pair == ("cli", "train") for words in found for pair in pairwise(words)) or path.stem in MEASURING
    for words in found:
        run_cli(shlex.join(["--dump-config", str(tmp_path / "config.json"), *words]))
    assert (path.read_text().splitlines()[0]).startswith("# ")


@pytest.mark.parametrize(
    ("settings", "run"),
    [
        (["SEMEQV_DATA="], "babel"),
        (["SEMEQV_DATA=data"], "europarl"),
        (["SEMEQV_DATA=data", "SCALE=paper"], "europarl-paper"),
        (["CORPUS=hub --of bookcorpus/bookcorpus --holdout .001", "SWAP=.1"], "hub-swap.1"),
    ],
)
def test_every_text_and_size_has_a_folder_of_its_own(run_cli, tmp_path, settings, run):
    train, *_, view, report = sentences(ROOT / "experiments/mlm-transformer.mk", *settings)
    run_cli(shlex.join(["--dump-config", str(tmp_path / "config.json"), *train]))
    assert dict(pairwise(train))["--output"] == report[-1] == f"runs/mlm-transformer-{run}"
    assert f"figures/mlm-transformer-{run}/doubles.pdf" in view


@pytest.mark.parametrize(
    ("name", "settings", "usual"),
    [
        ("babel", "STEPS=10000", "runs/backpack-babel/"),
        ("senses-k", "STEPS=10000", "runs/backpack-senses-k/"),
        ("topic", "STEPS=10000", "figures/backpack-topic/"),
        ("edit", "WORD=Union", "runs/backpack-europarl-micro/exchanged/"),
        ("edit", "ADD=Council", "runs/backpack-europarl-micro/edits/"),
    ],
)
def test_what_differs_is_in_the_path(name, settings, usual):
    path = ROOT / f"experiments/backpack-{name}.mk"
    plain, other = (str(sentences(path, "SEEDS=42", *each)) for each in ([], [settings]))
    assert usual in plain
    assert usual not in other


@pytest.mark.parametrize("settings", [[], ["BASE=xlm-roberta-base", "WIKIPEDIA=20231101"]], ids=["small", "xlmr"])
@pytest.mark.parametrize("task", ["pos", "parsing", "ner", "nli"])
def test_tasks_across_languages_parse_on_real_data_too(run_cli, tmp_path, task, settings):
    path = ROOT / f"experiments/crosslingual-{task}.mk"
    found = sentences(path, "SEMEQV_DATA=data", "SEEDS=42", *settings)
    sweeps = [words for words in found if "sweep" in words]
    assert len(sweeps) == 2
    for words in found:
        run_cli(shlex.join(["--dump-config", str(tmp_path / "config.json"), *words]))
    for words in sweeps:
        vectors = [words[place + 1] for place, word in enumerate(words) if word == "--vector"]
        assert vectors[0] == "en"
        assert vectors[-1] == words[words.index("--unrelated") + 1] == "babel"


def test_every_target_that_is_documented_exists():
    readme = (ROOT / "README.md").read_text()
    targets = set(re.findall(r"^    make ([a-z][a-z-]+)|`make ([a-z][a-z-]+)`", readme, re.MULTILINE))
    for target in sorted({a or b for a, b in targets}):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
    for name in re.findall(r"make -f (experiments/[\w-]+\.mk)", readme):
        assert (ROOT / name).exists()


def test_several_processes_are_one_word_away():
    dry = subprocess.run(
        ["make", "-n", "-B", "-f", "experiments/xor-lstm-small.mk", "run", "NPROC=2", "SEMEQV=/here/semeqv"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    signals = "--signals_to_handle SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
    assert f"/here/torchrun --standalone --nproc_per_node 2 {signals} -m semeqv --processes 2 --seeds" in dry.stdout


def test_a_run_is_trained_again_when_its_sentence_has_changed(tmp_path):
    (tmp_path / "semeqv").write_text("#!/bin/sh\necho trained $*\n")
    (tmp_path / "semeqv").chmod(0o755)

    def make(*settings):
        command = ["make", "-s", "-f", str(ROOT / "experiments/xor-lstm-small.mk"), "run"]
        variables = [f"SEMEQV={tmp_path}/semeqv", *settings]
        return subprocess.run([*command, *variables], cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    said = [make(), make(), make("SEEDS=42..61", "STEPS=20000"), make("SEEDS=42..61", "STEPS=20000")]
    assert ["trained" in each for each in said] == [True, False, True, False]
    assert "--seeds 42..61 --steps 20000" in said[2]


@pytest.mark.parametrize(
    ("text", "run"), [("my text.txt", "my-text"), ("it's (mine).txt", "it-s--mine-"), ("a.txt", "a")]
)
def test_a_text_may_have_any_name(run_cli, tmp_path, text, run):
    for words in sentences(ROOT / "experiments/backpack-text.mk", f"TEXT=/some where/{text}"):
        run_cli(shlex.join(["--dump-config", str(tmp_path / "config.json"), *words]))
        assert words[words.index("--path") + 1] == f"/some where/{text}"
        assert f"runs/backpack-text-{run}-micro" in words[words.index("--output") + 1]
