"""Sentences that train, test and reopen taggers and classifiers, end to end on the generated corpus."""

import csv
import json

import pytest
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

from semeqv.text.models.source import config_folder as checkpoint

PRETRAIN = (
    "--steps 20 --output mlm cli tokenizer bpe --vocab_size 500 "
    "cli dataset babel --documents 200 --block_size 32 --batch_size 16 "
    "cli model encoder --layers 1 --heads 2 --embedding_size 32 --positions learned --initializer_range .05 "
    "cli optimizers adamw --learning_rate .003 cli train"
)
LEARN = "cli optimizers adamw --learning_rate .01"


def metrics_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def pretrained(run_cli):
    run_cli(PRETRAIN)
    return run_cli


def test_a_tagger_is_trained_tested_and_reopened(pretrained, tmp_path):
    run_cli, data = pretrained, "cli dataset babel-tags --documents 150"
    outcome = run_cli(
        f"--epochs 4 --output tagger {data} {data} --split validation --name held {data} --split test "
        f"{data} --split test --languages drask --name drask cli model token-classifier --from mlm {LEARN} "
        "cli savers default-saver --savebest --metric macro_f1 cli callbacks predictions "
        "cli callbacks predictions --path {run}/{name}.csv cli train cli test"
    )
    lines = metrics_of(tmp_path / "tagger")
    test, other = (
        next(line for line in lines if line["split"] == "test" and line["name"] == n) for n in (None, "drask")
    )
    assert test["accuracy"] > 0.75 > other["accuracy"]
    assert test["accuracy_low"] < test["accuracy"] < test["accuracy_high"]
    assert f"{test['macro_f1']:.4f} [{test['macro_f1_low']:.4f}-{test['macro_f1_high']:.4f}]" in outcome.out
    assert all("macro_f1" in line and "macro_f1_low" not in line for line in lines if line["split"] == "validation")
    records = [json.loads(line) for line in (tmp_path / "tagger/predictions-test.jsonl").read_text().splitlines()]
    pairs = [pair for record in records for pair in zip(record["labels"], record["predicted"])]
    assert sum(a == b for a, b in pairs) / len(pairs) == pytest.approx(test["accuracy"])
    with (tmp_path / "tagger/drask.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["label"] == row["predicted"] for row in rows) / len(rows) == pytest.approx(other["accuracy"])
    run_cli(f"--output again {data} --split test cli model token-classifier --from tagger cli test")
    (again,) = metrics_of(tmp_path / "again")
    assert again["accuracy"] == test["accuracy"]
    err = run_cli(
        f"--output x {data} --label ner --split test cli model token-classifier --from tagger cli test", 2
    ).err
    assert "The generated corpus: the label" in err
    err = run_cli(f"--output x {data} --split test cli model token-classifier --from mlm cli test", 2).err
    assert "The labels are not known" in err


def test_entities_are_what_the_best_tagger_is_judged_by(pretrained, tmp_path):
    data = "cli dataset babel-tags --label ner --documents 100"
    pretrained(
        f"--seeds 1,2 --epochs 2 --output ner {data} {data} --split validation {data} --split test "
        f"cli model token-classifier --from mlm --pooling last {LEARN} "
        "cli savers default-saver --savebest --metric f1 cli train cli test"
    )
    for run in ("1-token-classifier", "2-token-classifier"):
        test = metrics_of(tmp_path / "ner" / run)[-1]
        assert {"f1", "precision", "recall", "macro_f1", "f1_low", "f1_high"} <= set(test)
        assert test["f1"] > 0.1
    out = pretrained("cli scores ner --metric f1 --csv ner.csv").out
    assert out.splitlines()[1].split()[:4] == ["ner", "f1", "2", out.splitlines()[1].split()[3]]


def test_senses_and_topics_are_told_apart(pretrained, tmp_path):
    run_cli = pretrained
    data = "cli dataset babel-tags --label sense --documents 40"
    model = f"cli model token-classifier --from mlm {LEARN}"
    run_cli(f"--steps 3 --output sense {data} {data} --split validation {model} cli train")
    data = "cli dataset babel-topics --documents 300 --max_length 64"
    run_cli(
        f"--epochs 5 --output topics {data} {data} --split test cli model sequence-classifier --from mlm {LEARN} "
        "cli callbacks predictions cli train cli test"
    )
    assert metrics_of(tmp_path / "topics")[-1]["accuracy"] > 0.25  # of twelve topics
    record = json.loads((tmp_path / "topics/predictions-test.jsonl").read_text().splitlines()[0])
    assert set(record) == {"sentence", "texts", "label", "predicted"}


@pytest.mark.parametrize(
    ("data", "model", "auto"),
    [
        ("babel-tags", "token-classifier --pooling first", AutoModelForTokenClassification),
        ("babel-topics", "sequence-classifier", AutoModelForSequenceClassification),
    ],
)
def test_a_classifier_without_pretraining_needs_only_sizes(run_cli, tmp_path, data, model, auto):
    data, sizes = f"cli dataset {data} --documents 60", "--layers 1 --heads 2 --embedding_size 16"
    tokenizer = "cli tokenizer bpe --vocab_size 400"
    run_cli(
        f"--steps 30 --output run {tokenizer} {data} {data} --split test cli model {model} {sizes} --dropout 0 {LEARN} "
        "cli train cli test"
    )
    opened = auto.from_pretrained(checkpoint(tmp_path / "run"))
    assert (opened.config.hidden_size, opened.config.num_hidden_layers) == (16, 1)
    assert getattr(opened.config, "word_pooling", "first") == "first"
    run_cli(f"--output again {data} --split test cli model {model} --from run cli test")
    (again,) = metrics_of(tmp_path / "again")
    assert again["accuracy"] == metrics_of(tmp_path / "run")[-1]["accuracy"]
    for wrong, message in (
        (f"{sizes} --from run", "--from brings its own sizes"),
        ("--layers 2", "go together; say all three"),
        ("--layers 1 --heads 3 --embedding_size 16", "--heads 3 must divide --embedding_size 16"),
        ("", "Say which model: --from"),
    ):
        assert message in run_cli(f"--output x {tokenizer} {data} cli model {model} {wrong} {LEARN} cli train", 2).err


def test_a_run_is_resumed_where_it_was(pretrained, tmp_path):
    data = "cli dataset babel-tags --documents 60"
    sentence = (
        f"--output {{}} --steps {{}} {data} {data} --split validation cli model token-classifier --from mlm {LEARN} "
        "cli savers default-saver --resume cli train"
    )
    pretrained(sentence.format("whole", 12))
    pretrained(sentence.format("parts", 5))
    pretrained(sentence.format("parts", 12))
    one, other = (metrics_of(tmp_path / name)[-1] for name in ("whole", "parts"))
    assert one == other


def test_a_decoder_can_be_a_tagger(run_cli, tmp_path):
    run_cli(
        "--steps 5 --output gpt cli tokenizer bpe --vocab_size 500 cli dataset babel --documents 100 --block_size 32 "
        "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 64 cli optimizers adamw cli train"
    )
    for task, model in (("babel-tags", "token-classifier"), ("babel-topics", "sequence-classifier")):
        data = f"cli dataset {task} --documents 60"
        run_cli(
            f"--steps 3 --output {task} {data} {data} --split test cli model {model} --from gpt {LEARN} "
            "cli train cli test"
        )
        assert 0 <= metrics_of(tmp_path / task)[-1]["accuracy"] <= 1
