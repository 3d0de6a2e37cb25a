"""The study of vectors from Python: what a cell of a notebook does."""

import pytest
import torch
from sweep_material import LANGUAGES, material
from transformers import AutoModelForTokenClassification
from vector_models import body, model_of, saved

from crosslingual import Checkpoint, TaskVector, apply, merge, sweep, ties
from crosslingual.compare import compare
from semeqv.tasks.classification.models import TokenClassifier
from semeqv.tasks.classification.words import ConllU
from semeqv.text.models.opening import open_tokenizer


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Models of two languages and of a task, and their base."""
    monkeypatch.chdir(tmp_path)
    kinds = {"base": ("bert-mlm", 0), "de": ("bert-mlm", 1), "es": ("bert-mlm", 2), "ner": ("bert-tags", 3)}
    models = {name: model_of(kind, seed) for name, (kind, seed) in kinds.items()}
    for name, model in models.items():
        saved(model, tmp_path / name)
    return {name: body(model) for name, model in models.items()}


def test_vectors_are_made_added_and_merged(folders, capsys):
    base, de, es, ner = map(Checkpoint.open, ("base", "de", "es", "ner"))
    german, spanish = de - base, es - base
    assert -1 <= german.cosine(spanish) <= 1
    german.save("vector")
    assert TaskVector.open("vector").norm() == german.norm()
    cosines = compare((german, spanish), label=["de", "es"])
    assert cosines.matrix()[0][1] == pytest.approx(german.cosine(spanish))

    applied = apply(source=ner, add=[(0.5, german), (-1, "vector")], output="applied")
    model = AutoModelForTokenClassification.from_pretrained(applied.folder)
    for name, found in body(model).items():
        tau = folders["de"][name] - folders["base"][name]
        assert torch.equal(found, folders["ner"][name] + 0.5 * tau + -1 * tau)

    merged = merge(add=[(1, german), (1, "es")], base="base", method="ties", density=0.3, output="merged")
    by_hand = dict((base + ties([german, spanish], 0.3)).tensors())
    assert all((numbers == by_hand[name]).all() for name, numbers in Checkpoint.open(merged.folder).tensors())
    assert capsys.readouterr().out == ""  # functions print nothing

    merged.show()
    assert capsys.readouterr().out.startswith("wrote merged: base + (ties(de - base; es - base; 0.3 of each model))")


def test_what_the_command_makes_has_the_same_bits(folders, run_cli, tmp_path):
    run_cli("cli crosslingual merge --add 1 de --add 1 es --base base --method dare --density .5 --output by-command")
    merge(42, add=[(1, "de"), (1, "es")], base="base", method="dare", density=0.5, output=tmp_path / "by-function")
    names = ("model.safetensors", "config.json", "merge.json")
    assert all((tmp_path / "by-command" / n).read_bytes() == (tmp_path / "by-function" / n).read_bytes() for n in names)


def test_a_model_is_swept(tmp_path):
    material(tmp_path)
    opening, base = TokenClassifier(source=str(tmp_path / "task")), Checkpoint.open(tmp_path / "base")
    tokenizer = open_tokenizer(tmp_path / "task")
    options = {
        (split, language): ConllU(path=tmp_path, languages=(language,), split=split, name=language)
        for language in LANGUAGES
        for split in ("validation", "test")
    }
    sets = {key: each.build(tokenizer, options, opening) for key, each in options.items()}
    model = opening.build(sets, tokenizer)
    vectors = [(language, Checkpoint.open(tmp_path / language) - base) for language in LANGUAGES]
    swept = sweep(model, sets, options, vector=vectors, lambdas=(0, 0.5), kinds=("language",), replicates=20)
    assert {line["lambda"] for line in swept.points} == {0, 0.5}
    assert {line["choice"] for line in swept.choices} == {"fixed", "source-dev", "oracle"}
    gains = {line["language"]: line["accuracy_gain"] for line in swept.choices if line["choice"] == "fixed"}
    assert gains.keys() == set(LANGUAGES)
