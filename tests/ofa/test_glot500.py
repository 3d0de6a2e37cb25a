"""The first steps of the experiments at the size of the papers, on tiny stand-ins."""

import json
import shlex
import shutil

import pytest
from tiny import model

from tests.test_experiments import ROOT, sentences

METHODS = ("random-8", "ofa-8", "subword-mean-8")


@pytest.fixture(params=["roberta", "xlm-roberta"])
def kind(request):
    """Which of the two models."""
    return request.param


@pytest.fixture
def stand_ins(save, tokenizers, tmp_path, kind):
    """A tiny model, and a tokenizer for it."""
    first, second = tokenizers["unigram", "lume"], tokenizers["unigram", "drask"]
    save(model(kind, first), first)
    second.save_pretrained(tmp_path / "target")


@pytest.mark.usefixtures("stand_ins")
def test_the_first_steps_run(say, vectors, tmp_path, kind):
    name = {"roberta": "ofa-roberta-glot500", "xlm-roberta": "ofa-xlmr-glot500"}[kind]
    found = sentences(
        ROOT / f"experiments/{name}.mk", "FROM=old", "TARGET_TOKENIZER=target", "KEEP=8", "VECTORS=words.vec", "SEEDS=7"
    )
    run = tmp_path / "runs" / name
    run.mkdir(parents=True)
    shutil.copy(vectors, run / "vectors.vec")
    ready = [words for words in found if words[:4] == ["--seed", "7", "cli", "ofa"] and "hyperofa" not in words]
    ready += [words for words in found if words[:3] == ["cli", "ofa", "mapping"]]
    assert len(ready) == len(METHODS) + 1
    for words in ready:
        say(shlex.join(words))
    for method in METHODS:
        facts = json.loads((run / "models" / f"7-{method}" / "initialisation.json").read_text())
        assert facts["keep_dim"] == 8
    assert (run / "mapping/mapping.json").exists()
