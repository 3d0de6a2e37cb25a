"""Sentences of every study on an accelerator that refuses to mix devices (see emulated_device.py)."""

import pytest
import torch

from tests.emulated_device import NAME, MixedDevices

XOR = (
    "cli xor dataset default --size 5 --batch_size 16 --drop_last False cli loss cross-entropy "
    "cli xor dataset default --size 5 --batch_size 16 --drop_last False --split validation --draws 2"
)
BABEL = "cli dataset babel --languages lume --documents 30 --batch_size 4"
TEXT = f"{BABEL} --block_size 16 {BABEL} --block_size 16 --split validation --name lume"
TOKENIZER = "cli tokenizer bpe --vocab_size 300"
ADAM = "cli optimizers adamw --learning_rate 1e-3"


def test_the_device_refuses_what_cuda_refuses(emulated):
    there = torch.ones(3).to(NAME)
    with pytest.raises(MixedDevices, match="mul"):
        there * torch.ones(3)
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    with pytest.raises(TypeError, match="float64"):
        there.double()
    assert (there * 2).cpu().double().tolist() == [2, 2, 2]
    layer = torch.nn.Linear(3, 2)
    expected = layer(torch.ones(1, 3)).sum()
    layer.to(NAME)(there[None]).sum().backward()
    assert str(layer.weight.grad.device) == f"{NAME}:0"
    torch.testing.assert_close(layer(there[None]).sum().cpu(), expected)


MODELS = {
    "transformer": "--layers 1 --heads 1 --embedding_size 4 --feedforward_size 4",
    "lstm": "--layers 1 --embedding_size 4 --hidden_size 4",
    "mlp": "--layers 1 --embedding_size 4",
}


@pytest.mark.parametrize("compile", ["--compile", "--no-compile"])
@pytest.mark.parametrize("name", MODELS)
def test_replicas(say, emulated, monkeypatch, name, compile):
    monkeypatch.setattr("semeqv.engine.replicas.compiled_program", lambda method: method)
    sentence = f"--seeds 1 2 --steps 3 {compile} {XOR} cli xor model {name} {MODELS[name]} {ADAM} cli train"
    say(f"--device {NAME} --output there {sentence}")
    say(f"--device cpu --output here {sentence}")


LANGUAGE = "--layers 1 --heads 2 --embedding_size 8"
GROUPS = {
    "gpt2": f"{TOKENIZER} {TEXT} cli model gpt2 {LANGUAGE} {ADAM} cli train cli test",
}


@pytest.mark.parametrize("name", GROUPS)
def test_sentences(say, emulated, name):
    say(f"--device {NAME} --steps 3 {GROUPS[name]}")
