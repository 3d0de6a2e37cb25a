"""What a refused resume shows."""

from pathlib import Path

import pytest
from test_trainer import points

from semeqv.runs.errors import UserError
from semeqv.runs.folder import RunFolder
from semeqv.train.definition import definition, refuse_changes

CHECKPOINT = Path("runs/x/checkpoints/step-00000001")


def test_only_the_innermost_differences_are_shown():
    old = {"data": {"corpus": {"files": {"a": "1", "b": "2"}, "languages": ["en"]}, "batch": 4}}
    new = {"data": {"corpus": {"files": {"a": "1", "b": "3"}, "languages": ["en"]}, "batch": 4}}
    with pytest.raises(UserError) as refused:
        refuse_changes(CHECKPOINT, old, new)
    assert "data was {'corpus': {'files': {'b': '2'}}}, is {'corpus': {'files': {'b': '3'}}}" in str(refused.value)


def test_what_only_measures_or_keeps_defines_nothing():
    parts = [
        "model load --from test",
        "tokenizer load --from validation",
        "dataset europarl --split train",
        "dataset europarl --split test --name en",
        "xor dataset default --split validation",
        "mlm callbacks cdists --etc 1",
        "savers default-saver --keep 2",
    ]
    trainer = points()
    trainer.prepare()
    trainer.runs = [RunFolder(Path("runs/x"), {"parts": parts})]
    said = [name for name in definition(trainer, 0) if name.startswith("cli ")]
    assert said == ["cli model load", "cli tokenizer load", "cli dataset europarl"]


def test_a_new_option_with_its_usual_value_is_no_difference():
    old = {"cli dataset europarl": ["--languages", "en", "fr", "--shift=-1", "--pair", "a", "b", "--pair", "c", "d"]}
    new = {"cli dataset europarl": ["--joined", "False", *old["cli dataset europarl"]]}
    refuse_changes(CHECKPOINT, old, new, {"cli dataset europarl": ["--joined"]})
    for now, said in (
        (new["cli dataset europarl"], "was --joined \\(not given\\), is --joined False"),
        (old["cli dataset europarl"][:-3], "was --pair a b, c d, is --pair a b"),
    ):
        with pytest.raises(UserError, match=said):
            refuse_changes(CHECKPOINT, old, {"cli dataset europarl": now})
    unusual = {"cli dataset europarl": ["--joined", "True", *old["cli dataset europarl"]]}
    with pytest.raises(UserError, match="is --joined True"):
        refuse_changes(CHECKPOINT, old, unusual, {"cli dataset europarl": ["--shift"]})


def test_long_differences_are_cut():
    with pytest.raises(UserError) as refused:
        refuse_changes(CHECKPOINT, {"data": {"words": ["the"] * 1000}}, {"data": {}})
    assert len(str(refused.value)) < 500
    assert "runs/x cannot be resumed" in str(refused.value)
