"""Measures on real data: `SEMEQV_DATA=... pytest -m realdata`, where that folder has a MANIFEST.tsv of its files."""

import json
from collections import Counter

import pytest

from semeqv.tasks.likelihood.minimal_pairs import read_pairs
from semeqv.tasks.likelihood.perplexity import words_of
from semeqv.text.datasets.monolingual import WikiText2
from semeqv.text.location import data_folder

DATA = data_folder()
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (DATA and (DATA / "MANIFEST.tsv").is_file()),
        reason="needs $SEMEQV_DATA, a folder of corpora with a MANIFEST.tsv",
    ),
]

MODEL = "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 128"
TRAIN = (
    "cli tokenizer bpe --vocab_size 2000 cli dataset europarl --languages en fr --documents 2000 --block_size 64 "
    f"{MODEL} cli optimizers adamw cli train"
)


@pytest.mark.parametrize(("split", "words"), [("validation", 217_646), ("test", 245_569)])
def test_wikitext_is_one_text_with_the_words_that_are_always_counted(split, words):
    corpus = WikiText2(split=split)
    (document,) = corpus.corpus()
    assert document.text.startswith(" \n = ")
    assert words_of(corpus, together=False) == {"en": words}


def test_blimp():
    pairs = read_pairs(None)
    assert set(Counter(pair.paradigm for pair in pairs).values()) == {1000}
    assert len({pair.paradigm for pair in pairs}) == 67


def test_all_measures_of_a_small_model(run_cli, tmp_path):
    run_cli(f"--steps 5 --output run {TRAIN}")
    wikitext = "cli dataset wikitext2 --split validation --block_size 64 --batch_size 64"
    load, overlap = "cli model load --from run", "--no-overlap"
    actions = [f"{wikitext} cli perplexity --words", f"cli blimp --pairs 2 {overlap}"]
    actions += [
        f"cli retrieval --corpus {each} --sentences 20 {overlap}"
        for each in (
            "tatoeba --languages fra swh",
            "flores --languages fr zh",
            "bible --languages lav --pivot eng-YLT-NT",
        )
    ]
    for action in actions:
        run_cli(f"--output measured {load} {action}")
    lines = [json.loads(line) for line in (tmp_path / "measured/metrics.jsonl").read_text().splitlines()]
    counts = Counter(line["measure"] for line in lines)
    assert counts["perplexity"] == 1
    assert counts["blimp"] > 67
    assert counts["retrieval"] == 3 * (3 + 3 + 1)
    assert lines[0]["word_perplexity"] > lines[0]["perplexity"] > 1
    assert 0 <= lines[0]["overlap"] < 0.1
