"""The first steps of the experiments at the size of the papers, on tiny stand-ins."""

import json
import shlex
import shutil
from itertools import pairwise

import pytest
from tiny import model

from tests.test_experiments import ROOT, sentences

GIVEN = ["FROM=old", "TARGET_TOKENIZER=target", "KEEP=8", "VECTORS=words.vec", "SEEDS=7"]
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
def test_the_first_steps_run(run_cli, vectors, tmp_path, kind):
    name = {"roberta": "ofa-roberta-glot500", "xlm-roberta": "ofa-xlmr-glot500"}[kind]
    found = sentences(ROOT / f"experiments/{name}.mk", *GIVEN)
    run = tmp_path / "runs" / name
    run.mkdir(parents=True)
    shutil.copy(vectors, run / "vectors.vec")
    ready = [words for words in found if words[:4] == ["--seed", "7", "cli", "ofa"] and "hyperofa" not in words]
    ready += [words for words in found if words[:3] == ["cli", "ofa", "mapping"]]
    assert len(ready) == len(METHODS) + 1
    for words in ready:
        run_cli(shlex.join(words))
    for method in METHODS:
        facts = json.loads((run / "models" / f"7-{method}" / "initialisation.json").read_text())
        assert facts["keep_dim"] == 8
    assert (run / "mapping/mapping.json").exists()


def test_every_evaluation_is_before_and_after_continued_pretraining(run_cli, tmp_path):
    found = sentences(ROOT / "experiments/ofa-roberta-glot500.mk", *GIVEN, "TREEBANKS=t", "WIKIANN=w", "TAXI=x")
    run = "runs/ofa-roberta-glot500"
    outputs = {dict(pairwise(words)).get("--output"): dict(pairwise(words)).get("--from") for words in found}
    for task in ("measured", "pos", "ner", "taxi"):
        for method in (*METHODS, "hyperofa", "hyperofa-setformer"):
            assert outputs[f"{run}/{task}/7-{method}"] == f"{run}/models/7-{method}"
            assert outputs[f"{run}/{task}-after/7-{method}"] == f"{run}/continued/7-{method}"
    scores = next(words for words in found if words[:2] == ["cli", "scores"])
    assert scores[-6:] == [f"{run}/{task}{when}" for task in ("pos", "ner", "taxi") for when in ("", "-after")]
    network = next(words for words in found if "bilstm" in words)
    assert dict(pairwise(network))["--learning_rate"] == "1e-4"
    assert dict(pairwise(network))["--factor"] == ".95"
    for words in found:
        run_cli(shlex.join(["--dump-config", str(tmp_path / "config.json"), *words]))
