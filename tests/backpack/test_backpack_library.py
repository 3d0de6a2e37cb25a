"""The study from Python: attribute, look at senses, edit, take the edit back."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import backpack
from backpack.edits import Scale
from backpack.edits.commands import suppress
from semeqv.runs.errors import UserError

TEXT = "the bank of the river is near the bank that lends money and the river is wide"


@pytest.fixture
def tokenizer():
    """A tokenizer of byte-level BPE, trained on a sentence."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
    bpe.train_from_iterator([TEXT] * 4, trainers.BpeTrainer(vocab_size=120, special_tokens=["</s>"]))
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="</s>")


@pytest.fixture
def model(tokenizer):
    torch.manual_seed(0)
    config = backpack.BackpackConfig(vocab_size=len(tokenizer), n_embd=16, n_layer=2, n_head=2, num_senses=4)
    return backpack.BackpackLMHeadModel(config).eval()


def test_a_notebook_attributes_looks_and_edits(model, tokenizer):
    ids = tokenizer("the bank", return_tensors="pt")["input_ids"]
    logits = model(ids).logits[0, -1]
    (attribution,) = backpack.attribute(model, tokenizer, prompt=["the bank"], token=["river"])
    assert attribution.added.sum().item() == pytest.approx(attribution.logit, abs=1e-5)
    bank = backpack.senses(model, tokenizer, word=["bank"])
    assert [len(sense.top) for sense in bank["bank"]] == [10] * 4
    with backpack.edit(model, [Scale(tokens=bank.words[0].tokens, senses=(1,), factor=0.0)]):
        assert not torch.equal(model(ids).logits[0, -1], logits)
    assert torch.equal(model(ids).logits[0, -1], logits)


def test_an_edit_in_a_file_is_applied_until_it_is_reverted(model, tokenizer, tmp_path):
    ids = tokenizer("the bank", return_tensors="pt")["input_ids"]
    logits = model(ids).logits
    file = suppress(model, tokenizer, output=tmp_path / "edit.json", word=["bank"])
    edits = backpack.edit(model, [file.path], tokenizer)
    assert edits.steps == file.steps
    assert not torch.equal(model(ids).logits, logits)
    edits.revert()
    assert torch.equal(model(ids).logits, logits)
    with pytest.raises(UserError, match="9 is not below 4, the senses of the model"):
        backpack.edit(model, [Scale(senses=(9,), factor=0.0)])


def test_public_names_are_there():
    assert all(getattr(backpack, name) for name in backpack.__all__)
    with pytest.raises(AttributeError, match="module 'backpack' has no attribute 'sense'"):
        _ = backpack.sense


def test_a_measure_knows_its_numbers_by_name(model, tokenizer, tmp_path):
    (tmp_path / "rated.txt").write_text("bank river 3\nmoney bank 2\nwide near 1\nriver money 0\n")
    model.new_weights = ["lm_head.weight"]
    similarity = backpack.similarity(model, tokenizer, path=(tmp_path / "rated.txt",), replicates=20)
    assert [row.by for row in similarity.correlations] == ["embedding", "0", "1", "2", "3", "min", "max"]
    assert -1 <= similarity.correlations[0].spearman.mean <= 1
    assert similarity.records()[0]["spearman"] == similarity.correlations[0].spearman.mean
    assert similarity.records()[0]["new_weights"] == 1
    with pytest.raises(UserError, match="the senses of the generated corpus alone"):
        backpack.coverage(model, tokenizer)
