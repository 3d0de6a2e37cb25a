"""Classifiers: word vectors, heads, and the folders that they become."""

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
    OPTConfig,
    OPTForCausalLM,
    set_seed,
)

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.models import open_classifier
from semeqv.tasks.classification.networks import POOLINGS, pooled
from semeqv.text.networks.encoder import EncoderConfig, EncoderForMaskedLM

TOKENS, SEQUENCE = "ForTokenClassification", "ForSequenceClassification"
LABELS = ("a", "b", "c")
SIZES = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
MODELS = {
    "bert": lambda: BertForMaskedLM(BertConfig(**SIZES, intermediate_size=8, max_position_embeddings=16)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=2, n_positions=16)),
    "encoder": lambda: EncoderForMaskedLM(EncoderConfig(**SIZES, intermediate_size=8, positions="learned")),
    "opt": lambda: OPTForCausalLM(OPTConfig(**SIZES, ffn_dim=8, word_embed_proj_dim=8, max_position_embeddings=16)),
}
IDS = torch.tensor([[1, 5, 6, 7, 8, 2], [1, 9, 10, 2, 0, 0]])
WORDS = torch.tensor([[-1, 0, 0, 1, 2, -1], [-1, 0, 1, -1, -1, -1]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])


@pytest.fixture(params=MODELS)
def folder(request, tmp_path):
    set_seed(0)
    MODELS[request.param]().save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


def naive(hidden, words, count, pooling):
    found = torch.zeros(len(hidden), count, hidden.shape[-1])
    for row in range(len(hidden)):
        for word in range(count):
            own = [hidden[row, place] for place in range(words.shape[1]) if words[row, place] == word]
            if own:
                found[row, word] = {"mean": sum(own) / len(own), "first": own[0], "last": own[-1]}[pooling]
    return found


@pytest.mark.parametrize("pooling", POOLINGS)
def test_word_vectors_are_what_a_loop_over_words_makes(pooling):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, 12, 5, generator=generator)
    words = torch.cumsum(torch.rand(4, 12, generator=generator) < 0.5, dim=1) - 1
    words[2] = torch.tensor([-1, 0, 0, 3, 3, 4, 4, 4, -1, -1, -1, -1])  # no token of words 1 and 2
    words[3, -3:] = -1
    count = int(words.max()) + 1
    expected = naive(hidden, words, count, pooling)
    torch.testing.assert_close(pooled(hidden, words, count, pooling), expected)
    torch.testing.assert_close(pooled(hidden.double(), words, count, pooling), expected.double())


def test_logits_of_words_are_those_of_their_tokens(folder):
    """The heads are linear, so that the mean of the plain model's logits is ours, or the first token's with `first`."""
    model = open_classifier(folder, TOKENS, LABELS).eval()
    with torch.no_grad():
        tokens = model(input_ids=IDS, attention_mask=MASK).logits
        for pooling in POOLINGS:
            model.config.word_pooling = pooling
            words = model(input_ids=IDS, attention_mask=MASK, words=WORDS).logits
            assert words.shape == (2, 3, 3)
            expected = naive(tokens, WORDS, 3, pooling)
            torch.testing.assert_close(words[0], expected[0])
            torch.testing.assert_close(words[1, :2], expected[1, :2])


def test_the_loss_is_the_mean_over_labelled_words(folder):
    model = open_classifier(folder, TOKENS, LABELS).eval()
    labels = torch.tensor([[0, 1, 2], [2, -100, -100]])
    found = model(input_ids=IDS, attention_mask=MASK, words=WORDS, labels=labels)
    asked = labels != -100
    torch.testing.assert_close(found.loss, torch.nn.functional.cross_entropy(found.logits[asked], labels[asked]))


def test_a_new_head_is_put_on_the_weights_of_the_folder(folder):
    first, second = (open_classifier(folder, TOKENS, LABELS, pretrained=pretrained) for pretrained in (True, False))
    saved = MODELS[folder.name]().from_pretrained(folder)
    torch.testing.assert_close(first.get_input_embeddings().weight, saved.get_input_embeddings().weight)
    assert not torch.equal(second.get_input_embeddings().weight, saved.get_input_embeddings().weight)
    assert not hasattr(first, "source")  # its head knows nothing yet: nothing to test


def registers_native(auto):
    """Whether an Auto class takes in a class for a kind of model of which transformers has none."""
    try:
        auto.from_config(OPTConfig(**SIZES, ffn_dim=8, word_embed_proj_dim=8))
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("head", [TOKENS, SEQUENCE])
def test_a_classifier_survives_its_folder(folder, tmp_path, head, capsys):
    model = open_classifier(folder, head, LABELS).eval()
    model.config.pad_token_id = 0
    model.save_pretrained(tmp_path / "saved")
    capsys.readouterr()
    again = open_classifier(tmp_path / "saved", head).eval()
    assert "start anew" not in capsys.readouterr().err
    assert again.source == str(tmp_path / "saved")
    assert again.config.id2label == dict(enumerate(LABELS))
    assert model.state_dict().keys() == again.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    auto = AutoModelForTokenClassification if head == TOKENS else AutoModelForSequenceClassification
    if folder.name == "opt" and head == TOKENS and not registers_native(auto):
        pytest.skip("this version of transformers takes no class in for a configuration of its own")
    theirs = auto.from_pretrained(tmp_path / "saved").eval()
    with torch.no_grad():
        torch.testing.assert_close(
            theirs(input_ids=IDS, attention_mask=MASK).logits, again(input_ids=IDS, attention_mask=MASK).logits
        )


def test_a_tagger_is_a_model_of_transformers(tmp_path):
    MODELS["bert"]().save_pretrained(tmp_path)
    model = open_classifier(tmp_path, TOKENS, LABELS, pooling="first")
    assert isinstance(model, BertForTokenClassification)
    assert model.config.architectures == ["BertForTokenClassification"]
    assert model.config.word_pooling == "first"
    model.save_pretrained(tmp_path / "tagger")
    assert open_classifier(tmp_path / "tagger", TOKENS).config.word_pooling == "first"
    assert type(BertForTokenClassification.from_pretrained(tmp_path / "tagger")) is BertForTokenClassification


def test_other_labels_start_a_new_head(folder, tmp_path):
    model = open_classifier(folder, TOKENS, LABELS)
    model.save_pretrained(tmp_path / "saved")
    head = {name for name in model.state_dict() if not name.startswith(model.base_model_prefix)}
    for labels in (("x", "y", "z"), ("x", "y")):
        other = open_classifier(tmp_path / "saved", TOKENS, labels)
        assert not hasattr(other, "source")
        for name, value in other.state_dict().items():
            same = value.shape == model.state_dict()[name].shape and torch.equal(value, model.state_dict()[name])
            assert same == (name not in head or (name.endswith("bias") and len(labels) == 3 and not value.any())), name


def test_a_head_that_starts_anew_is_said(folder, tmp_path, capsys):
    open_classifier(folder, "ForTokenClassification", ("A", "B")).save_pretrained(tmp_path / "tagger")
    capsys.readouterr()
    assert open_classifier(tmp_path / "tagger", "ForTokenClassification").source
    assert "anew" not in capsys.readouterr().err
    for head, labels in (("ForTokenClassification", ("A", "C")), ("ForSequenceClassification", ("A", "B"))):
        model = open_classifier(tmp_path / "tagger", head, labels)
        assert "The head of" in capsys.readouterr().err
        assert getattr(model, "source", None) is None


def test_one_batch_can_be_learnt_by_heart(folder):
    set_seed(1)
    model = open_classifier(folder, TOKENS, LABELS, dropout=0.0)
    labels = torch.tensor([[0, 1, 2], [2, 0, -100]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    for _ in range(80):
        loss = model(input_ids=IDS, attention_mask=MASK, words=WORDS, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    predicted = model(input_ids=IDS, attention_mask=MASK, words=WORDS, labels=labels).logits.argmax(-1)
    assert torch.equal(predicted[labels != -100], labels[labels != -100])


def test_what_cannot_be_a_classifier_is_refused(tmp_path):
    MODELS["bert"]().save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is no trained classifier: it names no labels"):
        open_classifier(tmp_path, TOKENS)
    with pytest.raises(UserError, match="there is no such folder"):
        open_classifier(tmp_path / "missing" / "here" / "x", TOKENS, LABELS)
