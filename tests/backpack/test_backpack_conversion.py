"""The checkpoints of others give the logits that the formula gives; what does not fit is named."""

import json
import os
import re
import subprocess
import sys

import backpack_formula as formula
import foreign_layouts as layouts
import omegaconf_stand_in as omegaconf
import pytest
import torch
from safetensors.torch import save_file
from small_backpacks import make, tokens
from spoken_backpack import spoken

from backpack.conversion.checkpoints import ForeignCheckpoint, unwrapped
from backpack.conversion.convert import assemble, convert
from backpack.conversion.export import export
from semeqv.runs.errors import UserError
from semeqv.text.models.opening import open_model, open_tokenizer

IDS = torch.tensor([[1, 5, 29, 5, 7, 0, 12, 3, 1, 9]])


def check(folder, logits, kind="BackpackLMHeadModel"):
    """Compare a converted folder with the formula."""
    model = open_model(folder).eval()
    assert type(model).__name__ == kind
    torch.testing.assert_close(model(input_ids=IDS).logits[0].double(), logits(IDS[0]), rtol=1e-4, atol=2e-4)
    return model


def written(folder, state, config):
    """A folder as it would be fetched from the hub."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file({name: tensor.clone() for name, tensor in state.items()}, folder / "model.safetensors")
    return folder


def test_the_published_checkpoint(tmp_path, capsys):
    state, config, logits = layouts.published()
    folder = written(tmp_path / "theirs", state, config)
    convert(source=str(folder), output=tmp_path / "ours").show()
    assert "4 senses, 2 layers, 30 tokens, no tokenizer" in capsys.readouterr().out
    model = check(tmp_path / "ours", logits)
    assert model.config.scale_attn_by_inverse_layer_idx
    assert model.config.eos_token_id == 3
    assert model.config.tie_word_embeddings
    (folder / "model.safetensors").unlink()
    torch.save(state, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin is a pickle\. Say --allow_pickle"):
        convert(source=str(folder), output=tmp_path / "again")
    convert(source=str(folder), output=tmp_path / "again", allow_pickle=True)
    check(tmp_path / "again", logits)


@pytest.mark.parametrize("old", [True, False])
def test_the_names_of_flash_attention(old, tmp_path):
    content, logits = layouts.flash(old)
    torch.save(content, tmp_path / "last.ckpt")
    given = {"source": str(tmp_path / "last.ckpt"), "allow_pickle": True, "output": tmp_path / "ours"}
    with pytest.raises(UserError, match="does not say how many heads its attention has; write --heads"):
        convert(**given)
    convert(**given, heads=layouts.HEADS)
    check(tmp_path / "ours", logits)


@pytest.mark.parametrize("bias", [True, False])
def test_the_multilingual_project(bias, tmp_path):
    content, logits = layouts.multilingual(bias)
    torch.save(content, tmp_path / "ckpt.pt")
    convert(source=str(tmp_path / "ckpt.pt"), allow_pickle=True, output=tmp_path / "ours")
    model = check(tmp_path / "ours", logits)
    assert not model.config.contextualization_bias
    assert model.config.n_layer == layouts.LAYERS


@pytest.mark.parametrize("inner", [4 * layouts.D, layouts.D, layouts.D + 3])
def test_the_checkpoints_of_the_papers_training(inner, tmp_path, capsys):
    content, logits = layouts.lightning(inner)
    source = tmp_path / "last.ckpt"
    torch.save(content, source)
    with pytest.raises(UserError, match="does not say how many heads"):
        convert(source=str(source), allow_pickle=True, output=tmp_path / "ours")
    sizes = {"n_head": layouts.HEADS, "n_embd": layouts.D, "n_layer": layouts.LAYERS, "activation_function": "gelu_new"}
    sizes |= {"scale_attn_by_inverse_layer_idx": True, "n_positions": "${datamodule.max_length}"}
    options = omegaconf.made({"model": {"_target_": "x", "config": sizes}, "datamodule": {"max_length": 512}})
    with omegaconf.at_home():
        torch.save(content | {"hyper_parameters": options, "hparams_type": type(options)}, source)
    convert(source=str(source), allow_pickle=True, output=tmp_path / "ours")
    model = check(tmp_path / "ours", logits)
    assert model.config.sense_intermediate_scale == inner / layouts.D
    assert "taken" not in capsys.readouterr().err


def test_a_checkpoint_of_an_old_torch(tmp_path):
    content, logits = layouts.lightning()
    source = tmp_path / "last.ckpt"
    given = {"source": str(source), "allow_pickle": True, "heads": layouts.HEADS}
    torch.save(content, source, _use_new_zipfile_serialization=False)
    convert(**given, output=tmp_path / "ours")
    check(tmp_path / "ours", logits)
    with omegaconf.at_home():
        options = {"hyper_parameters": omegaconf.made({"seed": 1})}
        torch.save(content | options, source, _use_new_zipfile_serialization=False)
    with pytest.raises(UserError, match=r"Unsupported .*omegaconf\.dictconfig\.DictConfig") as caught:
        convert(**given, output=tmp_path / "again")
    assert "\n" not in str(caught.value)


def test_what_a_checkpoint_does_not_say_is_named(tmp_path, capsys):
    content, logits = layouts.lightning()
    torch.save(content, tmp_path / "last.ckpt")
    given = {"source": str(tmp_path / "last.ckpt"), "allow_pickle": True, "heads": layouts.HEADS}
    convert(**given, output=tmp_path / "ours")
    check(tmp_path / "ours", logits)
    assert "taken: activation_function gelu_new, scale_attn_by_inverse_layer_idx True" in capsys.readouterr().err
    options = {"model": {"config": {"n_embd": layouts.D, "activation_function": "sqrelu"}}}
    torch.save(content | {"hyper_parameters": options}, tmp_path / "last.ckpt")
    convert(**given, output=tmp_path / "other")
    config = open_model(tmp_path / "other").config
    assert (config.activation_function, config.scale_attn_by_inverse_layer_idx) == ("relu2", False)
    assert "taken" not in capsys.readouterr().err


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("gelu", ["gelu", "gelu_new"])
def test_a_checkpoint_of_nanogpt_becomes_an_ordinary_gpt2(bias, gelu, tmp_path, capsys):
    content, logits = layouts.nanogpt(bias, getattr(formula, gelu))
    torch.save(content, tmp_path / "ckpt.pt")
    given = {"source": str(tmp_path), "allow_pickle": True, "output": tmp_path / "ours"}
    convert(**given, activation=None if gelu == "gelu_new" else gelu).show()
    said = capsys.readouterr()
    assert "a GPT-2, 2 layers, 30 tokens" in said.out
    assert ("taken: activation_function gelu_new. If it has others, write --activation." in said.err) == (
        gelu == "gelu_new"
    )
    model = check(tmp_path / "ours", logits, "GPT2LMHeadModel")
    assert model.config.tie_word_embeddings
    assert model.config.attn_pdrop == 0


def test_the_control_of_the_multilingual_project(tmp_path, capsys):
    content, logits = layouts.nanogpt(False, formula.gelu_new, "gpt2")
    content["model"] = {f"module.{name}": tensor for name, tensor in content["model"].items()}  # DDP around compile
    torch.save(content, tmp_path / "ckpt.pt")
    convert(source=str(tmp_path / "ckpt.pt"), allow_pickle=True, output=tmp_path / "ours")
    check(tmp_path / "ours", logits, "GPT2LMHeadModel")
    assert "taken" not in capsys.readouterr().err
    (tmp_path / "ckpt_5000.pt").write_bytes(b"")
    with pytest.raises(UserError, match=r"several files of weights: ckpt\.pt, ckpt_5000\.pt\. Name one of them"):
        convert(source=str(tmp_path), allow_pickle=True, output=tmp_path / "again")


def test_the_control_of_the_papers_training(tmp_path):
    content, _ = layouts.lightning()
    trunk = "model.transformer.gpt2_model."
    state = {f"model.transformer.{name.removeprefix(trunk)}": tensor
             for name, tensor in content["state_dict"].items() if name.startswith(trunk)}  # fmt: skip
    torch.save({"state_dict": state}, tmp_path / "last.ckpt")
    convert(source=str(tmp_path / "last.ckpt"), allow_pickle=True, heads=2, output=tmp_path / "ours")
    model = check(tmp_path / "ours", lambda ids: trunk_logits(content, ids), "GPT2LMHeadModel")
    assert model.config.scale_attn_by_inverse_layer_idx


def trunk_logits(content, ids):
    """The logits of a GPT-2 that is the trunk of `lightning`, by way of the Backpack that is converted elsewhere."""
    checkpoint = ForeignCheckpoint("", unwrapped(content["state_dict"]))
    backpack = assemble(checkpoint, {"n_head": layouts.HEADS}).eval()
    hidden = backpack.backpack.gpt2_model(input_ids=ids[None]).last_hidden_state[0]
    return (hidden @ backpack.lm_head.weight.T).double()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda saved: saved["model_args"].update(n_head=5), "5 heads do not divide embeddings of 16; write --heads"),
        (lambda saved: saved["model_args"].update(n_layer=4), "says n_layer 4, but has 2 blocks, not 3"),
        (lambda saved: saved["model"].pop("_orig_mod.backpack.contextualization_layer.transformer.ln_f.bias"),
         "has nothing for backpack.gpt2_model.ln_f.bias"),
        (lambda saved: saved["model"].update({"_orig_mod.wte.weight": torch.ones(layouts.V, layouts.D)}),
         "has two tensors for backpack.gpt2_model.wte.weight"),
        (lambda saved: saved.update(model={"x": 1}), "holds no tensors by name"),
        (lambda saved: saved.update(model={"module.linear.weight": torch.ones(2, 2)}),
         "not a Backpack of a known layout .* nor a GPT-2 .* it has linear.weight"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_contradicts_itself_is_refused(change, words, tmp_path, run_cli):
    content, _ = layouts.multilingual(True)
    change(content)
    torch.save(content, tmp_path / "ckpt.pt")
    assert re.search(words, run_cli("cli backpack convert --from ckpt.pt --allow_pickle --output ours", code=2).err)
    assert not (tmp_path / "ours").exists()


def test_one_sense_is_enough(tmp_path, monkeypatch):
    monkeypatch.setattr(layouts, "K", 1)
    content, logits = layouts.multilingual(True)
    torch.save(content, tmp_path / "ckpt.pt")
    convert(source=str(tmp_path / "ckpt.pt"), allow_pickle=True, output=tmp_path / "ours")
    check(tmp_path / "ours", logits)


def test_untied_embeddings_stay_so(tmp_path):
    state, config, _ = layouts.published()
    state["lm_head.weight"] = 2 * state["lm_head.weight"]
    convert(source=str(written(tmp_path / "theirs", state, config)), output=tmp_path / "ours")
    model = open_model(tmp_path / "ours")
    assert not model.config.tie_word_embeddings
    torch.testing.assert_close(model.lm_head.weight, 2 * model.get_input_embeddings().weight)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda state: state.pop("backpack.sense_network.ln.weight"),
            "has nothing for backpack.sense_network.ln.weight",
        ),
        (lambda state: state.pop("backpack.gpt2_model.wpe.weight"), "has nothing for backpack.gpt2_model.wpe.weight"),
        (lambda state: state.update({"backpack.more": torch.ones(1)}), "has backpack.more, which a model of these"),
        (lambda state: state.update({"backpack.sense_network.ln.weight": torch.ones(3)}), r"should be \(16,\) and is"),
        (lambda state: state.clear() or state.update({"x": torch.ones(1)}), "not a Backpack of a known layout"),
    ],
)
def test_what_does_not_fit_is_named(change, words, tmp_path):
    state, config, _ = layouts.published()
    change(state)
    with pytest.raises(UserError, match=words):
        convert(source=str(written(tmp_path / "theirs", state, config)), output=tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def test_tensors_without_a_place_are_named(tmp_path):
    content, _ = layouts.multilingual(True)
    content["model"]["_orig_mod.transformer.extra.weight"] = torch.ones(3, 5)
    torch.save(content, tmp_path / "ckpt.pt")
    with pytest.raises(UserError, match=r"read as multilingual, has 1 tensors with no place here: transformer\.extra"):
        convert(source=str(tmp_path / "ckpt.pt"), allow_pickle=True, output=tmp_path / "ours")


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle ran code",)


@pytest.mark.bad_input("B8")
def test_no_code_of_a_pickle_is_run(tmp_path):
    torch.save({"state_dict": {}, "hyper_parameters": Bomb()}, tmp_path / "bad.ckpt")
    with pytest.raises(UserError, match="cannot be opened by the unpickler that runs no code") as caught:
        convert(source=str(tmp_path / "bad.ckpt"), allow_pickle=True, output=tmp_path / "ours")
    assert "\n" not in str(caught.value)
    (tmp_path / "bad.ckpt").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be opened"):
        convert(source=str(tmp_path / "bad.ckpt"), allow_pickle=True, output=tmp_path / "ours")


def test_nothing_is_written_over(tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="is there already; say another"):
        convert(source="x", output=tmp_path / "ours")


def test_an_exported_folder_opens_with_transformers_alone(run_cli, tmp_path):
    model, ids = make("multilingual"), tokens(1, 8)
    model.config.architectures = ["BackpackLMHeadModel"]
    model.save_pretrained(tmp_path / "ours")
    assert "wrote" in run_cli("cli model load --from ours cli backpack export --output exported").out
    code = """
import sys
import torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained("exported", trust_remote_code=True).eval()
assert not {"backpack", "semeqv"} & set(sys.modules), "this project was imported"
ids = torch.tensor(eval(sys.argv[1]))
torch.save(model(input_ids=ids).logits.detach(), "logits.pt")
torch.save(model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=9, do_sample=False), "tokens.pt")
"""
    hidden = {"PYTHONPATH": "", "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code, str(ids.tolist())], cwd=tmp_path, env=os.environ | hidden,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    torch.testing.assert_close(torch.load(tmp_path / "logits.pt"), model(input_ids=ids).logits)
    expected = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=9, do_sample=False)
    assert torch.equal(torch.load(tmp_path / "tokens.pt"), expected)
    torch.testing.assert_close(
        open_model(tmp_path / "exported").eval()(input_ids=ids).logits, model(input_ids=ids).logits
    )


def test_the_tokenizer_of_an_exported_folder_needs_no_code(run_cli, tmp_path):
    spoken(tmp_path / "ours")
    run_cli("cli model load --from ours cli backpack export --output exported")
    code = """
import sys
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained("exported", trust_remote_code=False)
assert not [name for name in sys.modules if name.startswith(("transformers_modules", "backpack", "semeqv"))]
print(tokenizer.model_max_length, tokenizer("bank river")["input_ids"])
"""
    hidden = {"PYTHONPATH": "", "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=os.environ | hidden, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, check=False)  # fmt: skip
    assert done.stdout.strip() == "160 [2, 3]", done.stderr
    assert "AutoTokenizer.from_pretrained(folder, trust_remote_code=False)" in " ".join(str(export.__doc__).split())


def test_a_converted_folder_has_the_tokenizer_of_the_sentence(run_cli, tmp_path):
    content, _ = layouts.multilingual(False)
    torch.save(content, tmp_path / "ckpt.pt")
    spoken(tmp_path / "other")
    line = "cli tokenizer load --from other cli backpack convert --from ckpt.pt --allow_pickle --output ours"
    assert "The tokenizer has 46 tokens, the model 30" in run_cli(line, code=2).err
    assert not (tmp_path / "ours").exists()
    content["model"] = {name: torch.cat([tensor, torch.zeros(34, *tensor.shape[1:])])
                        if name.endswith(("wte.weight", "lm_head.weight")) else tensor
                        for name, tensor in content["model"].items()}  # fmt: skip
    torch.save(content, tmp_path / "ckpt.pt")
    run_cli(line)
    assert open_tokenizer(tmp_path / "ours").model_max_length == layouts.TIME


def test_only_a_backpack_is_exported(run_cli, tmp_path):
    line = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8 --vocab_size 9 cli backpack export --output x"
    assert "GPT2LMHeadModel is not a Backpack" in run_cli(line, code=2).err
    assert not (tmp_path / "x").exists()


def test_a_sentence_converts(run_cli, tmp_path):
    state, config, _ = layouts.published()
    written(tmp_path / "theirs", state, config)
    assert "wrote ours" in run_cli("cli backpack convert --from theirs --output ours").out
    assert "--output" in run_cli("cli backpack convert --from theirs", code=2).err
