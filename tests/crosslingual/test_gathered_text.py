"""Text gathered from many data sets: nothing twice, nothing that will be tested."""

import json
import sys

import numpy
import pytest
from sweep_material import treebank

from crosslingual.corpus import Gathered
from crosslingual.distances import uriel_distances
from semeqv.runs.errors import UserError


def test_what_is_there_or_tested_is_left_out(run_cli, tmp_path):
    (tmp_path / "pair.tsv").write_text(
        "Hello there.\tHallo da!\nA dog.\tEin Hund.\nhello there\tHallo, da.\nA cat.\tKatze\n"
    )
    (tmp_path / "more.en").write_text("one two\nA dog.\n")
    (tmp_path / "more.xx_Latn").write_text("un deux\nUn chien\n")
    (tmp_path / "test.txt").write_text("EIN HUND\n")
    treebank(tmp_path / "es_x-ud-train.conllu", 0, sentences=2)
    said = run_cli(
        "cli dataset tsv --path pair.tsv --columns 1 2 --languages en de --name pairs "
        "cli dataset moses --path more --languages en xx_Latn --name more "
        "cli dataset conllu --path es_x-ud-train.conllu --languages es --name trees "
        "cli dataset plain --path test.txt --language de --split test "
        "cli crosslingual corpus --output out/text.jsonl --call xx_Latn xx"
    ).out
    lines = [json.loads(line) for line in (tmp_path / "out/text.jsonl").read_text().splitlines()]
    assert lines[:4] == [
        {"en": "Hello there.", "de": "Hallo da!"},
        {"en": "A cat.", "de": "Katze"},
        {"en": "one two", "xx": "un deux"},
        {"en": "A dog.", "xx": "Un chien"},
    ]
    assert [list(line) for line in lines[4:]] == [["es"], ["es"]]
    assert "left out: 1 lines that were there, 1 that are in a validation or test set" in said
    trees = "cli dataset conllu --path es_x-ud-train.conllu --languages es de --name trees"
    assert (
        "has text in es and de: give each language a segment"
        in run_cli(f"{trees} cli crosslingual corpus --output x", code=2).err
    )
    words = "cli dataset plain --path test.txt --language de --split test cli crosslingual corpus --output x"
    assert "add what to gather" in run_cli(words, code=2).err


def test_a_line_is_the_same_whatever_the_order_of_its_languages():
    gathered = Gathered([])
    lines = [{"en": "Hi", "fr": "Salut"}, {"fr": "Salut", "en": "Hi"}, {"en": "Hi", "fr": " "}, {"en": "hi!"}]
    assert list(gathered.new(lines)) == [{"en": "Hi", "fr": "Salut"}, {"en": "Hi"}]
    assert gathered.repeated == 2


@pytest.fixture
def uriel(tmp_path, monkeypatch):
    """A package with a little of URIEL's data."""
    data = tmp_path / "lang2vec/data"
    data.mkdir(parents=True)
    (tmp_path / "lang2vec/__init__.py").write_text("raise AssertionError('no code of it is to run')")
    langs = numpy.array(["eng", "deu", "cmn"])
    feats = numpy.array(["S_SVO", "S_SOV", "P_TONE", "P_X", "INV_A", "INV_B"])
    values = numpy.array([[1, 0, 0, 1, 1, 1], [1, 1, 0, 1, 1, 1], [0, 1, 1, 1, 1, 0]], numpy.float32)[..., None]
    numpy.savez(data / "feature_predictions.npz", langs=langs, feats=feats, data=values)
    numpy.savez(data / "family_features.npz", langs=langs, feats=numpy.array(["F_A", "F_B"]), data=values[:, :2])
    (data / "letter_codes.json").write_text('{"en": "eng", "de": "deu", "zh": "zho"}')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lang2vec", raising=False)


def test_distances_are_one_less_the_cosine(uriel, run_cli, tmp_path):
    run_cli("cli crosslingual distances --languages de zh --output apart.tsv")
    found = [line.split("\t") for line in (tmp_path / "apart.tsv").read_text().splitlines()[1:]]
    assert found[0] == ["language", "syntax", "phonology", "inventory", "family"]
    assert float(found[1][1]) == pytest.approx(1 - 1 / 2**0.5, abs=1e-4)
    assert [float(each) for each in found[2][1:]] == pytest.approx([1, 1 - 1 / 2**0.5, 1 - 1 / 2**0.5, 1], abs=1e-4)
    with pytest.raises(UserError, match="URIEL knows no language 'xxx'"):
        list(uriel_distances("en", ["xxx"]))


def test_without_the_package_it_is_named(run_cli, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install -e '.[distances]'" in run_cli("cli crosslingual distances --output apart.tsv", code=2).err
