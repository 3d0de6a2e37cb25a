"""Tokenizers that keep the tokens of another."""

import copy
import json
from types import SimpleNamespace

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from ofa.extended_tokenizer import Extended, extend
from semeqv.babel.dataset import Babel


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_old_tokens_keep_their_ids_and_text_takes_fewer(run_cli, tokenizers, tmp_path, kind):
    old = tokenizers[kind, "lume"]
    old.save_pretrained(tmp_path / "old")
    line = "cli dataset babel --languages drask --documents 60 cli ofa tokenizer extended --from old --tokens 300"
    run_cli(f"{line} cli save-tokenizer --path new")
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


def test_new_merges_apply_to_what_the_old_ones_leave(run_cli, tokenizers, tmp_path):
    old = tokenizers["bpe", "lume"]
    old.save_pretrained(tmp_path / "old")
    line = "cli dataset babel --languages drask --documents 60 cli ofa tokenizer extended --from old --tokens 400"
    run_cli(f"{line} cli save-tokenizer --path new")
    new = AutoTokenizer.from_pretrained(tmp_path / "new")
    fresh = {token for token, number in new.get_vocab().items() if number >= len(old)}
    text = [document.text for document in Babel(documents=60, languages=("drask",)).corpus()]
    used = {token for each in text for token in new.tokenize(each)}
    merges = json.loads(new.backend_tokenizer.to_str())["model"]["merges"]
    parts = {part for pair in merges for part in pair}
    assert len(fresh) > 50
    assert fresh - used <= parts  # what never shows is what a longer token is made of
    assert len(fresh - used) < len(fresh) / 3


def test_letters_that_a_tokenizer_lacks_are_new_tokens_too(tmp_path):
    backend = Tokenizer(BPE(unk_token="<unk>"))
    backend.pre_tokenizer = Metaspace()
    backend.train_from_iterator(["ab abab ba"] * 9, BpeTrainer(special_tokens=["<unk>"], show_progress=False))
    PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>").save_pretrained(tmp_path / "old")
    size = backend.get_vocab_size()
    corpus = SimpleNamespace(corpus=lambda: [SimpleNamespace(text="éa éab ééé ba")] * 9)
    new = extend(Extended(source=str(tmp_path / "old"), tokens=20), [corpus])
    vocabulary = new.get_vocab()
    assert vocabulary["é"] == size
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))
    assert "<unk>" not in new.tokenize("éa éab ééé ba éb")
    assert len(new.tokenize("éab")) == 1


@pytest.mark.parametrize("kind", ["bpe", "wordpiece"])
def test_tokens_behind_those_of_the_model_stay_where_they_are(run_cli, tokenizers, tmp_path, kind):
    old = copy.deepcopy(tokenizers[kind, "lume"])
    old.add_tokens(["<behind>"])
    old.save_pretrained(tmp_path / "old")
    before = old.get_vocab()
    line = "cli dataset babel --languages drask --documents 60 cli ofa tokenizer extended --from old --tokens 300"
    run_cli(f"{line} cli save-tokenizer --path new")
    after = AutoTokenizer.from_pretrained(tmp_path / "new").get_vocab()
    assert {token: after[token] for token in before} == before
    assert sorted(after.values()) == list(range(len(after)))
    assert len(after) > len(before)


def test_ids_with_gaps_are_named(run_cli, tokenizers, tmp_path):
    said = json.loads(tokenizers["wordpiece", "lume"].backend_tokenizer.to_str())
    said["model"]["vocab"] = {token: number + 9 * (number > 20) for token, number in said["model"]["vocab"].items()}
    (tmp_path / "gaps.json").write_text(json.dumps(said))
    line = "cli dataset babel --languages drask --documents 60 cli ofa tokenizer extended --from gaps.json --tokens 300"
    assert "300 tokens of gaps.json have ids up to 308" in run_cli(f"{line} cli save-tokenizer", code=2).err


def test_what_cannot_be_extended_is_said(run_cli, tokenizers, tmp_path):
    tokenizers["bpe", "lume"].save_pretrained(tmp_path / "old")
    assert "learnt on text" in run_cli("cli ofa tokenizer extended --from old cli save-tokenizer", code=2).err
    same = "cli dataset babel --languages lume --documents 5 cli ofa tokenizer extended --from old --tokens 262"
    assert "no token that the tokenizer lacks" in run_cli(f"{same} cli save-tokenizer", code=2).err
