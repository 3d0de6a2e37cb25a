"""Trees of real treebanks: `SEMEQV_DATA=... pytest -m realdata`, where that folder has a MANIFEST.tsv of its files."""

import pytest

from semeqv.tasks.parsing.dataset import Dependencies, tag_names, treebank
from semeqv.tasks.parsing.metrics import conll18_scores, tree_counts
from semeqv.text.location import data_folder
from semeqv.text.records import Sentence

DATA = data_folder()
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (DATA and (DATA / "MANIFEST.tsv").is_file()),
        reason="needs $SEMEQV_DATA, a folder of corpora with a MANIFEST.tsv",
    ),
]


def chained(sentence):
    """Every word on the one before it, all of them nouns: what any parser should beat."""
    words = (word._replace(head=number, deprel="nmod", upos="NOUN") for number, word in enumerate(sentence.words))
    return Sentence(tuple(words), sentence.comments, sentence.spans, sentence.empty)


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "hi", "zh", "ru"])
def test_counts_are_the_official_ones_in_every_language(language):
    pytest.importorskip("udtools", reason="needs pip install -e '.[eval]'")
    gold = treebank(Dependencies(languages=(language,), treebank="pud", split="test"))
    assert len(gold) == 1000
    found = [chained(sentence) for sentence in gold]
    words, *right = tree_counts(gold, found).sum(0).tolist()
    official = conll18_scores(gold, found)
    assert [official[name] for name in ("las", "uas", "upos")] == pytest.approx([each / words for each in right])
    assert 0 < official["las"] < official["uas"] < 0.5


def test_english_has_the_universal_tags_and_its_own_size():
    train = Dependencies(treebank="ewt")
    assert len(tag_names(train)) == 17
    assert (len(treebank(train)), sum(len(sentence.words) for sentence in treebank(train))) == (12544, 204577)
