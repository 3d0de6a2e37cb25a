"""Tying and untying models that are there already, and what is saved of it."""

import json

import pytest
import torch
from tiny_models import SMALL
from torch import nn
from transformers import BertModel, RobertaConfig, RobertaForMaskedLM, T5Config, T5ForConditionalGeneration

from semeqv.runs.errors import UserError
from semeqv.text.models.architectures import BERT, GPT2, Encoder
from semeqv.text.models.embeddings import embedding_weights, is_tied, set_tying
from semeqv.text.models.opening import open_model

IDS = torch.tensor([[1, 2, 3, 4, 5, 6]])


def roberta():
    config = RobertaConfig(vocab_size=10, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                           intermediate_size=32, max_position_embeddings=32)  # fmt: skip
    return RobertaForMaskedLM(config)


def make(kind, tie):
    torch.manual_seed(0)
    model = roberta() if kind == "roberta" else kind(**SMALL, vocab_size=10).build()
    set_tying(model, tie)
    with torch.no_grad():  # as if trained: no bias is left at zero
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


@pytest.mark.parametrize("kind", [GPT2, BERT, Encoder, "roberta"])
def test_untied_it_predicts_the_same_until_it_learns(kind, tmp_path):
    model = make(kind, tie=True)
    before = model(input_ids=IDS).logits
    set_tying(model, False)
    assert not is_tied(model)
    assert torch.equal(model(input_ids=IDS).logits, before)
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(2)
    after = model(input_ids=IDS).logits
    assert not torch.equal(after, before)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["tie_word_embeddings"] is False
    for tie in (None, False):
        again = open_model(tmp_path, tie=tie).eval()
        assert not is_tied(again)
        assert torch.equal(again(input_ids=IDS).logits, after)


@pytest.mark.parametrize("kind", [GPT2, BERT, Encoder, "roberta"])
def test_tied_it_predicts_with_what_it_reads(kind, tmp_path):
    model = make(kind, tie=False)
    reads = embedding_weights(model)[0].clone()
    bias = getattr(model.get_output_embeddings(), "bias", None)
    bias = None if bias is None else bias.clone()
    set_tying(model, True)
    assert is_tied(model)
    assert torch.equal(embedding_weights(model)[1], reads)
    if bias is not None:
        assert torch.equal(model.get_output_embeddings().bias, bias)
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["tie_word_embeddings"] is True
    again = open_model(tmp_path).eval()
    assert is_tied(again)
    assert torch.equal(again(input_ids=IDS).logits, model(input_ids=IDS).logits)


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize("tie", [True, False])
def test_opening_ties_and_unties(saved, tie, tmp_path):
    make(GPT2, saved).save_pretrained(tmp_path / "one")
    model = open_model(tmp_path / "one", tie=tie)
    assert is_tied(model) == tie
    model.save_pretrained(tmp_path / "two")
    again = open_model(tmp_path / "two").eval()
    assert is_tied(again) == tie == again.config.tie_word_embeddings
    assert torch.equal(again(input_ids=IDS).logits, model.eval()(input_ids=IDS).logits)


def test_a_configuration_that_is_wrong_about_it_is_put_right(tmp_path):
    make(GPT2, False).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
    model = open_model(tmp_path)
    assert not is_tied(model)
    assert model.config.tie_word_embeddings is False


def test_the_two_learn_apart_or_together():
    for tie in (True, False):
        model = make(GPT2, tie)
        torch.optim.SGD(model.parameters(), lr=0.1).zero_grad()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model(input_ids=IDS, labels=IDS).loss.backward()
        optimizer.step()
        reads, predicts = embedding_weights(model)
        assert torch.equal(reads, predicts) == tie


def test_what_cannot_be_tied_or_untied_is_said():
    base = BertModel(BERT(**SMALL, vocab_size=10).build().config)
    with pytest.raises(UserError, match="BertModel has no output embedding"):
        set_tying(base, True)
    t5 = T5ForConditionalGeneration(T5Config(vocab_size=10, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2))
    with pytest.raises(UserError, match="--no-tie cannot take these apart"):
        set_tying(t5, False)
    model = make(GPT2, False)
    model.lm_head = nn.Linear(16, 12, bias=False)
    with pytest.raises(UserError, match=r"shapes \(10, 16\) and \(12, 16\)"):
        set_tying(model, True)
