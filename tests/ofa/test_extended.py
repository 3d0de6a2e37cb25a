"""Tokenizers that keep the tokens of another."""

import pytest
from transformers import AutoTokenizer

from semeqv.text.datasets.babel import Babel


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_old_tokens_keep_their_ids_and_text_takes_fewer(say, tokenizers, tmp_path, kind):
    old = tokenizers[kind, "lume"]
    old.save_pretrained(tmp_path / "old")
    line = "cli dataset babel --languages drask --documents 60 cli ofa tokenizer extended --from old --tokens 300"
    say(f"{line} cli save-tokenizer --path new")
    new = AutoTokenizer.from_pretrained(tmp_path / "new")
    before, after = old.get_vocab(), new.get_vocab()
    assert {token: after[token] for token in before} == before
    assert sorted(after.values()) == list(range(len(after)))
    assert new.special_tokens_map == old.special_tokens_map
    text = next(iter(Babel(languages=("drask",)).corpus())).text
    ids = new(text, add_special_tokens=False)["input_ids"]
    assert max(ids) >= len(before)
    assert "".join(new.decode(ids).split()) == "".join(text.split())
    if kind == "bpe":  # where nothing was unknown to the old one
        assert len(ids) < 0.8 * len(old(text, add_special_tokens=False)["input_ids"])


def test_what_cannot_be_extended_is_said(say, tokenizers, tmp_path):
    tokenizers["bpe", "lume"].save_pretrained(tmp_path / "old")
    assert "learnt on text" in say("cli ofa tokenizer extended --from old cli save-tokenizer", code=2).err
    same = "cli dataset babel --languages lume --documents 5 cli ofa tokenizer extended --from old --tokens 262"
    assert "no token that the tokenizer lacks" in say(f"{same} cli save-tokenizer", code=2).err
