"""Labels of real corpora: `SEMEQV_DATA=... pytest -m realdata`, where that folder has a MANIFEST.tsv of its files."""

import pytest

from semeqv.tasks.classification.dataset import items, label_names
from semeqv.tasks.classification.majority import judge_majority
from semeqv.tasks.classification.texts import Xnli
from semeqv.tasks.classification.words import ConllU, Ner
from semeqv.text.location import data_folder

DATA = data_folder()
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (DATA and (DATA / "MANIFEST.tsv").is_file()),
        reason="needs $SEMEQV_DATA, a folder of corpora with a MANIFEST.tsv",
    ),
]
UPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]


@pytest.mark.parametrize(
    ("language", "treebank", "split"),
    [("en", "ewt", "train"), ("en", "pud", "test"), ("fr", "sequoia", "validation"), ("zh", "pud", "test")],
)
def test_treebanks_are_found_and_have_the_universal_parts_of_speech(language, treebank, split):
    data = ConllU(languages=(language,), treebank=treebank, split=split)
    assert set(label_names(data)) <= set(UPOS)
    assert len(items(data)) == {"train": 12544, "test": 1000, "validation": 412}[split]


def test_entities_of_universal_ner_are_found():
    train = Ner(treebank="ewt", outside=("OTH", "O"))
    tests = {name: Ner(treebank=name, split="test") for name in ("ewt", "pud")}
    assert label_names(train) == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert {name: len(items(test)) for name, test in tests.items()} == {"ewt": 2077, "pud": 1000}
    assert 0.4 < judge_majority(train, tests["ewt"])["f1"] < 0.5


@pytest.mark.parametrize(("language", "count"), [("en", 2490), ("de", 2495)])
def test_pairs_of_xnli_are_found(language, count):
    data = Xnli(languages=(language,), split="validation")
    assert len(items(data)) == count
    assert {item.labels[0] for item in items(data)} == {"entailment", "neutral", "contradiction"}
