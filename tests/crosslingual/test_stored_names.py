"""Models whose tensors have other names: tied matrices under the name of the head, wrappers, heads."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

from crosslingual import Checkpoint
from semeqv.runs.errors import UserError

SIZES = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8, "vocab_size": 11}
KINDS = {
    "bert": (
        BertForMaskedLM, BertConfig(**SIZES),
        "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight",
    ),
    "gpt2": (
        GPT2LMHeadModel, GPT2Config(vocab_size=11, n_positions=4, n_embd=8, n_layer=1, n_head=1),
        "transformer.wte.weight", "lm_head.weight",
    ),
    "llama": (
        LlamaForCausalLM, LlamaConfig(**SIZES, tie_word_embeddings=True), "model.embed_tokens.weight", "lm_head.weight",
    ),
    "roberta": (
        RobertaForMaskedLM, RobertaConfig(**SIZES),
        "roberta.embeddings.word_embeddings.weight", "lm_head.decoder.weight",
    ),
}  # fmt: skip


def model(kind, seed):
    torch.manual_seed(seed)
    made = KINDS[kind][0](KINDS[kind][1])
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def saved(kind, seed, folder, rename=lambda name: name):
    made = model(kind, seed)
    made.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    save_file(
        {rename(name): tensor for name, tensor in tensors.items()}, folder / "model.safetensors", {"format": "pt"}
    )
    return made


def under_the_head(kind):
    embedding, head = KINDS[kind][2:]
    return lambda name: head if name == embedding else name


@pytest.mark.parametrize("kind", KINDS)
def test_a_matrix_under_the_name_of_the_head_is_the_embedding_that_it_is_tied_to(kind, tmp_path):
    base = saved(kind, 1, tmp_path / "base")
    tuned = saved(kind, 2, tmp_path / "tuned", under_the_head(kind))
    (Checkpoint.open(tmp_path / "tuned") - Checkpoint.open(tmp_path / "base")).save(tmp_path / "vector")
    vector = load_file(tmp_path / "vector/vector.safetensors")
    (name,) = [name for name, tensor in vector.items() if tensor.shape[0] == 11 and tensor.ndim == 2]
    difference = tuned.get_input_embeddings().weight - base.get_input_embeddings().weight
    torch.testing.assert_close(vector[name], difference.detach())
    (
        Checkpoint.open(tmp_path / "tuned")
        + Checkpoint.open(tmp_path / "base").minus(Checkpoint.open(tmp_path / "tuned"))
    ).save(tmp_path / "back")
    opened = KINDS[kind][0].from_pretrained(tmp_path / "back")
    torch.testing.assert_close(opened.get_input_embeddings().weight, base.get_input_embeddings().weight)
    torch.testing.assert_close(opened.get_output_embeddings().weight, base.get_input_embeddings().weight)


@pytest.mark.parametrize("how", ["untied", "gone"])
def test_a_body_without_its_embedding_is_refused(how, tmp_path):
    saved("gpt2", 1, tmp_path, under_the_head("gpt2"))
    if how == "untied":
        config = json.loads((tmp_path / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": False}))
    else:
        tensors = load_file(tmp_path / "model.safetensors")
        save_file(
            {name: each for name, each in tensors.items() if name != "lm_head.weight"}, tmp_path / "model.safetensors"
        )
    with pytest.raises(UserError, match="lacks the embedding of its 11 tokens"):
        Checkpoint.open(tmp_path)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod.", "_orig_mod.module."])
def test_names_of_wrappers_are_left_off(prefix, tmp_path):
    saved("gpt2", 1, tmp_path / "plain")
    wrapped = saved("gpt2", 2, tmp_path / "wrapped", lambda name: prefix + name)
    difference = Checkpoint.open(tmp_path / "wrapped") - Checkpoint.open(tmp_path / "plain")
    (Checkpoint.open(tmp_path / "plain") + difference).save(tmp_path / "sum")
    found = load_file(tmp_path / "sum/model.safetensors")
    torch.testing.assert_close(found["transformer.wte.weight"], wrapped.transformer.wte.weight.detach())
    Checkpoint.open(tmp_path / "wrapped").save(tmp_path / "unwrapped")
    assert load_file(tmp_path / "unwrapped/model.safetensors").keys() == found.keys()


def classifiers(tmp_path):
    for seed, name in enumerate(("base", "one", "two")):
        torch.manual_seed(seed)
        made = BertForSequenceClassification(BertConfig(**SIZES, num_labels=3))
        torch.nn.init.normal_(made.classifier.bias)
        made.save_pretrained(tmp_path / name)


def test_heads_are_merged_when_asked_and_else_said_to_be_the_first_ones(run_cli, tmp_path):
    classifiers(tmp_path)
    line = "cli crosslingual merge --base base --add 0.5 one --add 0.25 two"
    assert "Its head (4 tensors, such as" in run_cli(f"{line} --output plain").out
    out = run_cli(f"{line} --output whole --heads").out
    assert "Its head" not in out
    base, one, two, plain, whole = (
        load_file(tmp_path / name / "model.safetensors") for name in ("base", "one", "two", "plain", "whole")
    )
    for name in ("classifier.weight", "classifier.bias", "bert.pooler.dense.weight"):
        assert torch.equal(plain[name], base[name])
        torch.testing.assert_close(
            whole[name], base[name] + 0.5 * (one[name] - base[name]) + 0.25 * (two[name] - base[name])
        )
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(whole[name], plain[name])
    run_cli("cli crosslingual vector --from one --base base --output vector --heads")
    run_cli("cli crosslingual apply --from base --add 1 vector --output applied --heads")
    assert torch.allclose(load_file(tmp_path / "applied/model.safetensors")["classifier.bias"], one["classifier.bias"])
    AutoModelForSequenceClassification.from_pretrained(tmp_path / "whole")


def test_a_tied_head_is_merged_once(run_cli, tmp_path):
    base, tuned = (saved("bert", seed, tmp_path / name) for seed, name in enumerate(("base", "tuned")))
    run_cli("cli crosslingual apply --from base --add 1 tuned --base base --output sum --heads")
    opened = AutoModelForMaskedLM.from_pretrained(tmp_path / "sum")
    assert opened.get_output_embeddings().weight is opened.get_input_embeddings().weight
    for name, value in tuned.state_dict().items():
        torch.testing.assert_close(opened.state_dict()[name], value)
    assert base.config.vocab_size == 11


def test_heads_that_differ_are_named(run_cli, tmp_path):
    classifiers(tmp_path)
    saved("bert", 3, tmp_path / "other")
    err = run_cli("cli crosslingual merge --base base --add 1 other --output x --heads", code=2).err
    assert "of the head" in err
    assert "Leave --heads out" in err
    assert not (tmp_path / "x").exists()


def test_an_index_names_no_other_file(tmp_path):
    saved("gpt2", 1, tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    for name in ("pytorch_model.bin", "../x.safetensors", "/etc/passwd"):
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": name}}))
        with pytest.raises(UserError):
            Checkpoint.open(tmp_path)


def test_a_comparison_without_a_folder_makes_one(run_cli, tmp_path):
    for seed, name in enumerate(("base", "one", "two")):
        saved("gpt2", seed, tmp_path / name)
    run_cli("cli crosslingual compare one two --base base")
    assert (tmp_path / "runs/crosslingual-compare/metrics.jsonl").exists()
