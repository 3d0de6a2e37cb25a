"""Bias on real data: `SEMEQV_DATA=... pytest -m realdata`, where that folder has a MANIFEST.tsv of its files."""

import pytest

from backpack.edits.bias import occupations, winobias
from backpack.edits.crows_pairs import read_pairs
from semeqv.text.location import data_folder

DATA = data_folder()
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (DATA and (DATA / "MANIFEST.tsv").is_file()),
        reason="needs $SEMEQV_DATA, a folder of corpora with a MANIFEST.tsv",
    ),
]


def test_winobias():
    parts = winobias(None)
    assert parts["dev"][0] == "The developer argued with the designer because"
    assert all(len(texts) > 100 for texts in parts.values())
    assert not set(parts["dev"]) & set(parts["test"])
    for text in (text for texts in parts.values() for text in texts):
        assert not set("[]") & set(text)
        assert not {"her", "his", "him", "she", "he"} & set(text.lower().split())
    assert len(occupations(None)) == 39


def test_crows_pairs():
    pairs = read_pairs(None, ())
    assert len(pairs) == 1508  # Nangia et al., 2020, table 1
    assert len({pair.paradigm for pair in pairs}) == 9
    assert len(read_pairs(None, ("gender",))) == 262
