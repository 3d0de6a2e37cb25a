"""Checkpoints of the seed projects, rebuilt from their own tensors, give the logits of their own code.

`SEMEQV_DATA=... pytest -m realdata`, where that folder has `goldens`.
"""

import json

import omegaconf_stand_in as omegaconf
import pytest
import torch
from safetensors import safe_open

from semeqv.text.location import data_folder
from semeqv.text.models.opening import open_model

DATA = data_folder()
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not (DATA and (DATA / "goldens").is_dir()), reason="needs $SEMEQV_DATA, a folder with goldens of the projects"
    ),
]


def golden(name):
    """Tensors of the checkpoint, what the metadata says of them, and the tensors of the comparison."""
    with safe_open(DATA / "goldens" / name, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        sizes = {key: json.loads(value) for key, value in file.metadata().items()}
    state = {key.removeprefix("checkpoint/"): each for key, each in tensors.items() if key.startswith("checkpoint/")}
    return state, sizes, tensors["input_ids"], tensors["logits"]


def check(run_cli, source, ids, logits, kind):
    """Convert, open, and compare with the logits of the original."""
    said = run_cli(f"cli backpack convert --from {source} --allow_pickle --output ours")
    model = open_model("ours").eval()
    assert type(model).__name__ == kind
    torch.testing.assert_close(model(input_ids=ids).logits, logits, rtol=0, atol=1e-5)
    return said


@pytest.mark.parametrize("wrapper", ["", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("model_name", ["backpack-lm", "gpt2"])
def test_the_multilingual_project(model_name, wrapper, run_cli, tmp_path):
    backpack = model_name == "backpack-lm"
    name = f"multilingual-{'backpack-bias0' if backpack else 'gpt2-control'}.safetensors"
    kind = "BackpackLMHeadModel" if backpack else "GPT2LMHeadModel"
    state, sizes, ids, logits = golden(name)
    state = {wrapper + key.removeprefix("_orig_mod."): tensor for key, tensor in state.items()}
    content = {"model": state, "optimizer": {"state": {}}, "model_args": sizes["model_args"], "iter_num": 1000,
               "best_val_loss": torch.tensor(4.1), "config": {"model_name": model_name, "n_head": 12}}  # fmt: skip
    torch.save(content, tmp_path / "ckpt.pt")
    assert "taken" not in check(run_cli, "ckpt.pt", ids, logits, kind).err


def test_the_papers_training(run_cli, tmp_path):
    state, sizes, ids, logits = golden("flash-backpack-shrink0.safetensors")
    options = omegaconf.made({"model": {"_target_": "src.models.backpack.BackpackLMHeadModel", **sizes}})
    content = {"state_dict": state, "epoch": 3, "global_step": 100, "hyper_parameters": options}
    with omegaconf.at_home():
        torch.save(content | {"hparams_type": type(options), "hparams_name": "cfg"}, tmp_path / "last.ckpt")
    assert "taken" not in check(run_cli, "last.ckpt", ids, logits, "BackpackLMHeadModel").err
