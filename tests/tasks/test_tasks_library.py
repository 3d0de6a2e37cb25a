"""The library as a notebook uses it: no command line."""

import json
import subprocess
import sys

import pytest

import semeqv.tasks
from semeqv.tasks import minimal_pairs, perplexity, retrieve
from semeqv.text.datasets.monolingual import Plain
from tests.tasks.conftest import ENGLISH, FRENCH


def test_perplexity_of_texts(gpt2, tokenizer, tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("\n".join(ENGLISH))
    corpus = Plain(path=tmp_path / "texts.txt", split="test", block_size=32)
    data, options = {("test", None): corpus.build(tokenizer)}, {("test", None): corpus}
    scores = perplexity(gpt2, data, tokenizer, options, words=True)
    assert scores.perplexity == pytest.approx(scores.records()[0]["perplexity"])
    assert scores.last.words == sum(len(line.split()) + 1 for line in ENGLISH)
    assert 0 < scores.bits_per_byte < 100
    assert capsys.readouterr().out == ""


def test_minimal_pairs(bert, tokenizer, tmp_path):
    pair = {"sentence_good": "house 1 stands", "sentence_bad": "stands 1 house"}
    rest = {"UID": "order", "linguistics_term": "order", "field": "syntax"}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(pair | rest) + "\n")
    scores = minimal_pairs(bert, tokenizer, path=tmp_path / "pairs.jsonl")
    assert scores.accuracy == float(scores.nats[0, 0] < scores.nats[0, 1])
    assert scores.pairs[0].good == "house 1 stands"


def test_retrieval_between_two_lists_of_sentences(bert, tokenizer, capsys):
    scores = retrieve(bert, tokenizer, FRENCH[:25], ENGLISH[:25], layers=("0", "last"))
    assert 1 / 25 <= scores.accuracy(k=1) <= scores.accuracy(k=10) <= 1
    assert scores.accuracy(k=1, layer=0, direction="to") in {hit / 25 for hit in range(26)}
    assert retrieve(bert, tokenizer, ENGLISH, ENGLISH).accuracy() == 1
    scores.show()
    assert "Retrieval to and from translations, cosine" in capsys.readouterr().out
    with pytest.raises(ValueError, match="2 sentences and 1 translations"):
        retrieve(bert, tokenizer, ENGLISH[:2], FRENCH[:1])


def test_the_public_names_are_there_and_cost_nothing():
    assert all(callable(getattr(semeqv.tasks, name)) for name in semeqv.tasks.__all__)
    with pytest.raises(AttributeError, match="no attribute 'perplex'"):
        _ = semeqv.tasks.perplex
    code = "import sys, semeqv.tasks; semeqv.tasks.parse; print({'torch', 'numpy', 'transformers'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "set()\n"
