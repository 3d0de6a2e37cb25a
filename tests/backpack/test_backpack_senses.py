"""Senses are described as plain loops would, and a page shows them as text alone."""

import json
import re
from itertools import pairwise

import numpy
import pytest
import torch
from small_backpacks import make
from spoken_backpack import WORDS, spoken, tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedTokenizerFast

from backpack.inspection.contributions import extremes, nearest_senses
from backpack.inspection.lexicon import TokenLexicon, shown
from backpack.inspection.roles import following, roles
from backpack.inspection.words import word_vectors


@pytest.fixture
def lexicon():
    return TokenLexicon(tokenizer(), 50)


def test_words_are_looked_up_after_a_blank(lexicon):
    assert lexicon.find(" bank ").tokens == (2,)
    assert lexicon.find(",").tokens == (10,)
    with pytest.raises(ValueError, match="no tokens for 'ing'"):  # there is `+ing` within words alone
        lexicon.find("ing")
    assert [lexicon.shown[i] for i in (2, 9, 10, 14, 15, 49)] == ["bank", "+ing", ",", r"' \u2028'", "été", "<49>"]
    with pytest.raises(ValueError, match="no tokens for 'nowhere'"):
        lexicon.find("nowhere")
    with pytest.raises(ValueError, match="must not be empty"):
        lexicon.find(" ")
    with pytest.raises(ValueError, match="no text"):
        lexicon.find("\udcff")
    assert shown(b"\xc3") == "<C3>"


def test_a_word_is_not_the_piece_that_other_words_hold():
    tokens = ["</s>", "a", "r", "t", "p", "art", "Ġa", "Ġp", "rt", "Ġ", "猫", "."]
    merges = [("r", "t"), ("a", "rt"), ("Ġ", "a"), ("Ġ", "p")]
    byte_level = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    lexicon = TokenLexicon(PreTrainedTokenizerFast(tokenizer_object=byte_level, eos_token="</s>"), len(tokens))
    written = [tokens[i] for i in lexicon.find("art").tokens]
    assert written == [tokens[i] for i in lexicon.tokenizer(" art")["input_ids"]] != ["art"]
    with pytest.raises(ValueError, match="'art' is 2 tokens here"):
        lexicon.single("art")
    assert lexicon.single(".") == 11


def test_frequent_words(lexicon):
    texts = [word.text for word in lexicon.frequent(3)]
    assert texts == ["bank", "river", "money"]
    every = {word.text for word in lexicon.frequent(0)}
    assert not every & {"+ing", "ing", "\u2028", "' \\u2028'"}
    counts = numpy.zeros(50, numpy.int64)
    counts[[9, 7, 3]] = [9, 5, 2]
    assert [word.text for word in lexicon.frequent(2, counts)] == ["nurse", "river"]


def test_extremes_and_neighbours_by_loops(lexicon):
    model, words = make(), lexicon.frequent(6)
    vectors, head = word_vectors(model, [word.tokens for word in words]), model.lm_head.weight
    table = model.sense_table()
    found = extremes(vectors, head, 3)
    same, anywhere = (nearest_senses(vectors, vectors, range(6), 2, same=each) for each in (True, False))
    for a, word in enumerate(words):
        for sense in range(4):
            own = table[word.tokens[0], sense]
            logits = head @ own
            order = logits.argsort(descending=True).tolist()
            assert found.top[a, sense].tolist() == order[:3]
            assert found.bottom[a, sense].tolist() == order[::-1][:3]
            torch.testing.assert_close(found.top_logits[a, sense], logits[order[:3]])
            others = {
                (b, m): cosine_similarity(own, table[other.tokens[0], m], dim=0).item()
                for b, other in enumerate(words) if b != a for m in range(4)
            }  # fmt: skip
            ranked = sorted(others, key=others.get, reverse=True)
            assert list(zip(anywhere.words[a, sense].tolist(), anywhere.senses[a, sense].tolist())) == ranked[:2]
            ranked = [each for each in ranked if each[1] == sense]
            assert list(zip(same.words[a, sense].tolist(), same.senses[a, sense].tolist())) == ranked[:2]
            assert same.cosines[a, sense, 0].item() == pytest.approx(others[ranked[0]], abs=1e-5)


def test_roles_by_loops(lexicon):
    model, words = make(), lexicon.frequent(5)
    vectors = word_vectors(model, [word.tokens for word in words])
    found = extremes(vectors, model.lm_head.weight, 4)
    streams = [numpy.random.default_rng(0).integers(0, 50, 400, dtype=numpy.uint16)]
    made = roles(words, vectors, found, embeddings=model.lm_head.weight, shown=lexicon.shown, streams=streams)
    for sense, role in enumerate(made):
        pairs = [(a, b) for a in range(5) for b in range(5) if a != b]
        cosines = [cosine_similarity(vectors[a, sense], vectors[b, sense], dim=0).item() for a, b in pairs]
        assert role.common == pytest.approx(sum(cosines) / len(pairs), abs=1e-5)
        tops = found.top[:, sense].tolist()
        assert role.itself == pytest.approx(sum(word.tokens[0] in top for word, top in zip(words, tops)) / 5)
        text, hits = streams[0].tolist(), 0
        for word, top in zip(words, tops):
            x = word.tokens[0]
            hits += sum(
                sum(pair == (x, v) for pair in pairwise(text)) * len(text) > text.count(x) * text.count(v) for v in top
            )
        assert role.follows == pytest.approx(hits / 20)
        assert 0 < role.share <= 1
    empty = [numpy.zeros(0, numpy.uint16)]
    assert following(torch.tensor([2]), found.top[:1], 50, empty) == [0.0] * 4


def test_the_sentence_writes_json_and_a_page(run_cli, tmp_path):
    model = spoken(tmp_path / "m")
    line = (
        "cli model load --from m cli backpack senses --word bank --word '<script>' --json s.json --html s.html --top 3"
    )
    out = run_cli(f"--output runs/a {line}").out
    assert "Senses of 'bank' in m" in out
    assert re.search(r"wrote s.html: \d+ words, \d+ kB", out)
    (found,) = json.loads((tmp_path / "s.json").read_text())
    assert [word["word"] for word in found["words"]] == ["bank", "<script>"]
    first = found["words"][0]["senses"][1]["top"][0]
    logits = model.lm_head.weight @ model.senses(torch.tensor([2]))[0, 1]
    assert first["id"] == logits[: len(WORDS)].argmax()
    assert first["logit"] == pytest.approx(logits[first["id"]].item(), abs=1e-4)
    assert len(found["roles"]) == 4
    lines = [json.loads(each) for each in (tmp_path / "runs/a/metrics.jsonl").read_text().splitlines()]
    assert [each["sense"] for each in lines] == [0, 1, 2, 3]
    page = (tmp_path / "s.html").read_text()
    inside = page.split('id="data">')[1].split("</script>")[0]
    assert not set("<>&\u2028") & set(inside)
    assert page.count("</script>") == 2
    data = json.loads(inside)
    texts = [text for text, _, _ in data["words"]]
    assert texts[:2] == ["bank", "<script>"]
    assert {"</script>", "&amp;"} <= set(texts)
    assert [data["tokens"][each] for each in data["senses"][0][1][0]] == [
        each["token"] for each in found["words"][0]["senses"][1]["top"]
    ]
    for address in re.findall(r'(?:src|href)="([^"]*)"|url\(', page):
        pytest.fail(f"the page asks for {address}")
    assert "innerHTML" not in page


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--word nowhere", "no tokens for 'nowhere'"),
        ("--top 0", "--top must be at least 1, not 0"),
        ("--vocabulary -1", "--vocabulary must be at least 0"),
        ("--html m", "cannot be written"),
    ],
)
def test_mistakes_are_one_line(words, said, run_cli, tmp_path):
    spoken(tmp_path / "m")
    err = run_cli(f"cli model load --from m cli backpack senses {words}", code=2).err
    assert said in err
    assert err.count("\n") <= 3


def test_other_models_have_no_senses(run_cli):
    line = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8 --vocab_size 9 cli backpack senses"
    assert "GPT2LMHeadModel is not a Backpack" in run_cli(line, code=2).err
