"""What the words alone tell of labels."""

import json

import pytest

from semeqv.tasks.classification.majority import judge_majority, most_frequent
from semeqv.tasks.classification.words import ConllU
from tests.tasks.test_labelled_data import conllu


def test_every_word_gets_its_most_frequent_label(tmp_path):
    words = "run/VERB run/NOUN run/VERB the/DET the/DET cat/NOUN odd/ADJ new/NOUN x/_"
    train = ConllU(path=conllu(tmp_path / "train.conllu", words))
    known, other = most_frequent(train)
    assert known == {"run": "VERB", "the": "DET", "cat": "NOUN", "odd": "ADJ", "new": "NOUN"}
    assert other == "NOUN"  # what words that are there once mostly are
    test = ConllU(path=conllu(tmp_path / "test.conllu", "the/DET run/NOUN", "dog/NOUN y/_"), split="test")
    found = judge_majority(train, test)
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["accuracy_low"] == 0.5


@pytest.mark.parametrize("languages", ["en", "fr"])  # another code makes no other sentences of a file
def test_the_training_set_is_no_test_set(run_cli, tmp_path, languages):
    conllu(tmp_path / "words.conllu", "a/X b/Y")
    (tmp_path / "copy.conllu").write_bytes((tmp_path / "words.conllu").read_bytes())
    for path in ("words.conllu", "copy.conllu"):
        test = f"cli dataset conllu --path {path} --languages {languages} --split test"
        err = run_cli(f"--output x cli dataset conllu --path words.conllu {test} cli majority-labels", 2).err
        assert f"The test set reads {path}, as the training set does" in err
    assert not (tmp_path / "x/metrics.jsonl").exists()


def test_the_training_set_of_a_run_is_no_test_set(run_cli, tmp_path):
    conllu(tmp_path / "words.conllu", *["a/X b/Y"] * 4)
    conllu(tmp_path / "others.conllu", *["b/Y a/X"] * 4)
    model = "cli model token-classifier --layers 1 --heads 1 --embedding_size 8 cli optimizers adamw"
    run_cli(
        "--steps 1 --output run cli tokenizer bpe --vocab_size 270 cli dataset conllu --path words.conllu "
        f"{model} cli train"
    )
    test = "--output again cli model token-classifier --from run cli dataset conllu --split test --path"
    assert "words.conllu, which run was trained on" in run_cli(f"{test} words.conllu cli test", 2).err
    assert run_cli(f"{test} others.conllu cli test")


def test_it_is_a_sentence_whose_scores_can_be_averaged(run_cli, tmp_path):
    data = "cli dataset babel-tags --documents 60"
    out = run_cli(f"--output words {data} {data} --split test --name lume cli majority-labels").out
    (line,) = map(json.loads, (tmp_path / "words/metrics.jsonl").read_text().splitlines())
    assert line["accuracy"] > 0.8
    assert f"{line['accuracy']:.4f} [{line['accuracy_low']:.4f}-{line['accuracy_high']:.4f}]" in out
    assert "words       lume  accuracy" in run_cli("cli scores words").out
    assert "needs a labelled training set" in run_cli(f"{data} cli majority-labels", 2).err
    run_cli(f"--output run {data} {data} --split test --name lume cli majority-labels --json scores.json")
    assert json.loads((tmp_path / "run/metrics.jsonl").read_text()) == line
    assert json.loads((tmp_path / "scores.json").read_text()) == [line]
