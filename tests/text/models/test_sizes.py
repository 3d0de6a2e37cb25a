"""Models built from sizes: parity with transformers and torch, golden numbers, vocabularies."""

import subprocess
import sys

import pytest
import torch
from tiny_models import SMALL
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForMaskedLM,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
)
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

from semeqv.runs.errors import UserError
from semeqv.text.models.architectures import BERT, GPT2, Encoder
from semeqv.text.models.embeddings import embedding_weights, is_tied
from semeqv.text.networks.encoder import rotated, rotation

KINDS = (GPT2, BERT, Encoder)
IDS = torch.tensor([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]])
LABELS = torch.tensor([[-100, 2, -100, -100, 5, -100], [-100, -100, 4, -100, -100, -100]])


def build(kind, seed=0, **given):
    torch.manual_seed(seed)
    return kind(**SMALL | {"vocab_size": 10, "dropout": 0.0} | given).build().eval()


def test_gpt2_is_that_of_transformers():
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=10, n_positions=32, n_embd=16, n_layer=2, n_head=2, resid_pdrop=0, attn_pdrop=0,
                        embd_pdrop=0, bos_token_id=None, eos_token_id=None)  # fmt: skip
    peer = GPT2LMHeadModel(config).eval()
    assert torch.equal(build(GPT2)(input_ids=IDS).logits, peer(input_ids=IDS).logits)


def test_bert_is_that_of_transformers():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=10, max_position_embeddings=32, hidden_size=16, num_hidden_layers=2,
                        num_attention_heads=2, intermediate_size=64, hidden_dropout_prob=0,
                        attention_probs_dropout_prob=0, pad_token_id=None)  # fmt: skip
    peer = BertForMaskedLM(config).eval()
    assert torch.equal(build(BERT)(input_ids=IDS).logits, peer(input_ids=IDS).logits)


@pytest.mark.parametrize("positions", ["none", "learned"])
def test_the_encoder_is_that_of_torch(positions):
    model = build(Encoder, positions=positions, tie=False)
    layer = nn.TransformerEncoderLayer(16, 2, 64, dropout=0.0, activation="gelu", batch_first=True)
    peer = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    for ours, theirs in zip(model.encoder.layers, peer.layers):
        for mine, its in (
            (ours.attention_out, theirs.self_attn.out_proj),
            (ours.attention_norm, theirs.norm1),
            (ours.feedforward_in, theirs.linear1),
            (ours.feedforward_out, theirs.linear2),
            (ours.feedforward_norm, theirs.norm2),
        ):
            its.load_state_dict(mine.state_dict())
        theirs.self_attn.in_proj_weight.data.copy_(ours.attention_in.weight)
        theirs.self_attn.in_proj_bias.data.copy_(ours.attention_in.bias)
    mask = torch.ones_like(IDS)
    mask[0, 4:] = 0
    hidden = model.encoder.embeddings(IDS)
    if positions == "learned":
        hidden = hidden + model.encoder.positions.weight[: IDS.shape[1]]
    expected = peer(hidden, src_key_padding_mask=mask == 0) @ model.output_embedding.weight.T
    logits = model(input_ids=IDS, attention_mask=mask).logits
    torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()], atol=1e-5, rtol=1e-5)


def test_the_encoder_without_positions_knows_no_order():
    model = build(Encoder)
    order = [3, 1, 5, 0, 2, 4]
    torch.testing.assert_close(model(input_ids=IDS[:, order]).logits, model(input_ids=IDS).logits[:, order])


def test_rotary_positions_are_those_of_transformers():
    query, key = torch.randn(2, 3, 4, 7, 16, generator=torch.Generator().manual_seed(0)).unbind()
    config = LlamaConfig(hidden_size=64, num_attention_heads=4, num_key_value_heads=4)
    cosine, sine = LlamaRotaryEmbedding(config)(query, torch.arange(7)[None])
    angles = rotation(7, 16, query.device)
    for ours, theirs in zip(
        (rotated(query, angles), rotated(key, angles)), apply_rotary_pos_emb(query, key, cosine, sine)
    ):
        torch.testing.assert_close(ours, theirs)


def test_the_encoder_with_rotary_positions_knows_the_order_but_not_the_place():
    model = build(Encoder, positions="rotary")
    assert not torch.allclose(model(input_ids=IDS.flip(1)).logits, model(input_ids=IDS).logits.flip(1))
    moved, mask = torch.cat([torch.zeros_like(IDS), IDS], 1), torch.tensor([0] * 6 + [1] * 6).expand(2, 12)
    there = model(input_ids=moved, attention_mask=mask).logits[:, 6:]
    torch.testing.assert_close(there, model(input_ids=IDS).logits)
    with pytest.raises(ValueError, match="heads of an even width, not 5"):
        Encoder(embedding_size=10, heads=2, positions="rotary")


@pytest.mark.parametrize(
    ("kind", "tie", "loss"),
    [
        (GPT2, True, 2.29897),
        (GPT2, False, 2.30541),
        (BERT, True, 2.28908),
        (BERT, False, 2.33452),
        (Encoder, True, 0.30087),
        (Encoder, False, 2.54637),
    ],
)
def test_the_first_loss(kind, tie, loss):
    assert build(kind, tie=tie)(input_ids=IDS, labels=IDS).loss.item() == pytest.approx(loss, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_tied_and_untied_start_alike(kind):
    tied, untied = build(kind, tie=True), build(kind, tie=False)
    assert is_tied(tied)
    assert not is_tied(untied)
    outer = {id(weight) for model in (tied, untied) for weight in embedding_weights(model)}
    others = [dict(model.named_parameters()) for model in (tied, untied)]
    for name, weight in others[0].items():
        if id(weight) not in outer:
            assert torch.equal(weight, others[1][name]), name
    assert torch.equal(embedding_weights(tied)[0], embedding_weights(untied)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tie", [True, False])
def test_what_is_saved_is_opened_by_auto_classes(kind, tie, tmp_path):
    model = build(kind, tie=tie)
    model.save_pretrained(tmp_path)
    assert AutoConfig.from_pretrained(tmp_path).architectures == [type(model).__name__]
    again = type(model).from_pretrained(tmp_path).eval()
    assert is_tied(again) == tie
    assert torch.equal(again(input_ids=IDS).logits, model(input_ids=IDS).logits)


def test_the_encoder_is_known_once_its_package_is_imported(tmp_path):
    model = build(Encoder)
    model.save_pretrained(tmp_path)
    base = AutoModel.from_pretrained(tmp_path).eval()
    assert torch.equal(base(input_ids=IDS).last_hidden_state, model.encoder(IDS).last_hidden_state)
    code = f"""
import semeqv.text.networks.encoder
from transformers import AutoModelForMaskedLM
print(type(AutoModelForMaskedLM.from_pretrained({str(tmp_path)!r})).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "EncoderForMaskedLM"
    assert isinstance(AutoModelForMaskedLM.from_pretrained(tmp_path), type(model))


def test_sparse_prediction_is_the_same_loss():
    whole, sparse = build(Encoder), build(Encoder, sparse_prediction=True)
    found, lean = (model(input_ids=IDS, labels=LABELS) for model in (whole, sparse))
    expected = nn.functional.cross_entropy(found.logits.flatten(0, 1), LABELS.flatten())
    torch.testing.assert_close(found.loss, expected)
    torch.testing.assert_close(lean.loss, expected)
    assert lean.logits is None
    assert sparse(input_ids=IDS).logits.shape == (2, 6, 10)
    for model in (whole, sparse):
        assert model(input_ids=IDS, labels=torch.full_like(IDS, -100)).loss.item() == 0


def test_the_initial_embeddings_are_as_wide_as_said():
    model = build(Encoder, vocab_size=2000, initializer_range=0.3, tie=False)
    for weight in embedding_weights(model):
        assert weight.std().item() == pytest.approx(0.3, rel=0.02)
    assert model.encoder.layers[0].feedforward_in.weight.abs().max() <= (6 / (16 + 64)) ** 0.5


def test_dropout_is_everywhere(tokenizer):
    model = GPT2(**SMALL, dropout=0.25).build(tokenizer)
    assert {module.p for module in model.modules() if isinstance(module, nn.Dropout)} == {0.25}


def test_only_gpt2_predicts_the_next_token():
    assert [getattr(build(kind), "predicts_next", False) for kind in KINDS] == [True, False, False]


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_is_that_of_the_tokenizer(kind, tokenizer):
    model = kind(**SMALL).build(tokenizer)
    assert [len(weight) for weight in embedding_weights(model)] == [10, 10]
    assert model.config.eos_token_id == tokenizer.eos_token_id
    with pytest.raises(UserError, match="--vocab_size 7 does not fit the tokenizer, which has 10 tokens; leave it out"):
        kind(**SMALL, vocab_size=7).build(tokenizer)
    with pytest.raises(UserError, match=r"Add: cli tokenizer"):
        kind(**SMALL).build()


def test_the_vocabulary_of_the_data_counts_when_there_is_no_tokenizer():
    class Data:
        vocabulary_size = 12

    assert GPT2(**SMALL).vocabulary(None, {("train", None): Data()}) == 12
    with pytest.raises(UserError, match="does not fit the data"):
        GPT2(**SMALL, vocab_size=5).vocabulary(None, Data())


def test_both_is_two_runs():
    both = GPT2(tie="both")
    assert [(each.name, each.tie) for each in both.variants()] == [("gpt2", False), ("gpt2wt", True)]
    with pytest.raises(UserError, match="for the command line"):
        GPT2(**SMALL, vocab_size=5, tie="both").build()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"layers": 0}, "--layers must be at least 1"),
        ({"heads": 5}, "--heads 5 must divide"),
        ({"dropout": 1.0}, "--dropout must be"),
        ({"initializer_range": 0.0}, "--initializer_range must be"),
    ],
)
def test_wrong_sizes_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        GPT2(**given)


def test_an_unknown_activation_is_named():
    with pytest.raises(UserError, match="--activation gelx is not known"):
        build(GPT2, activation="gelx")


def test_help_does_not_wait_for_transformers():
    code = """
import sys
from semeqv.cli import main
for word in ("gpt2", "bert", "encoder", "load", "causal-lm", "masked-lm"):
    try:
        main(["cli", "model", word, "--help"])
    except SystemExit as stopped:
        assert stopped.code == 0
for word in ("generate", "foundation-embeddings", "foundation-view"):
    try:
        main(["cli", word, "--help"])
    except SystemExit as stopped:
        assert stopped.code == 0
heavy = {"torch", "transformers", "numpy", "matplotlib", "huggingface_hub"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "--from" in done.stdout
