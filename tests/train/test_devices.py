"""Sentences of every study on an accelerator that refuses to mix devices (see emulated_device.py)."""

import pytest
import torch
from transformers import GPT2Config, GPT2ForSequenceClassification

from semeqv.runs.errors import UserError
from semeqv.train import preparation
from semeqv.train.compute import ComputeConfig
from semeqv.train.step import EagerStep, own_loss
from semeqv.train.trainer import Trainer
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
def test_replicas(run_cli, emulated, monkeypatch, name, compile):
    monkeypatch.setattr("semeqv.train.replicas.compiled_program", lambda method: method)
    sentence = f"--seeds 1 2 --steps 3 {compile} {XOR} cli xor model {name} {MODELS[name]} {ADAM} cli train"
    run_cli(f"--device {NAME} --output there {sentence}")
    run_cli(f"--device cpu --output here {sentence}")


CASES = {
    "cpu": ("cpu", "g++", True, None),
    "cpu without": ("cpu", "gcc", True, "compiler for C++ here"),
    "cuda": ("cuda", "gcc", True, None),
    "cuda without": ("cuda", "g++", True, "compiler for C here"),
    "cuda without headers": ("cuda", "cc", False, "Python.h"),
}


@pytest.mark.parametrize("case", CASES)
def test_steps_are_compiled_where_there_is_a_compiler(case, monkeypatch, tmp_path, capsys):
    kind, program, header, expected = CASES[case]
    for name in ("CC", "CXX"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / program).touch(mode=0o755)
    if header:
        (tmp_path / "Python.h").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(preparation, "torch_device", torch.device)
    assert preparation.can_compile(kind) is (expected is None)
    assert (expected or "") in capsys.readouterr().err
    assert not preparation.can_compile("mps")


def test_ids_and_labels_beyond_the_model_are_looked_for_before_they_reach_the_device(emulated):
    model = GPT2ForSequenceClassification(GPT2Config(vocab_size=9, n_embd=4, n_layer=1, n_head=1, num_labels=3))
    model.config.pad_token_id = 0
    good = {"input_ids": torch.ones(2, 3, dtype=torch.long), "labels": torch.tensor([0, 2])}
    learner = EagerStep(
        [model], lambda each: torch.optim.SGD(each.parameters(), 0.1), None, own_loss, ComputeConfig(torch.device(NAME))
    )
    learner.names = ("loss",)
    learner.step([good])
    with pytest.raises(UserError, match="token id 9, but the model has 9 input embeddings"):
        learner.step([good | {"input_ids": torch.full((2, 3), 9)}])
    with pytest.raises(UserError, match="label 3, but the model tells 3 classes apart"):
        learner.step([good | {"labels": torch.tensor([0, 3])}])


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_the_device_alone_decides_that_a_step_updates_nothing(emulated, kind):
    torch.manual_seed(0)
    models = [torch.nn.Linear(2, 2, bias=False) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())

    def made(model, device, **options):
        learner = EagerStep(
            [Scored(model)], lambda each: kind(each.parameters(), 0.1, **options), None, own_loss, device
        )
        learner.names = ("loss",)
        return learner

    here = made(models[0], ComputeConfig(torch.device("cpu")), fused=True)
    there = made(models[1], ComputeConfig(torch.device(NAME)), fused=True)
    assert there.lazy
    assert not here.lazy
    assert not made(torch.nn.Linear(2, 2), ComputeConfig(torch.device(NAME)), fused=False).lazy
    for values in ([1.0, 2.0], [3.0, 4.0], [float("nan"), 1.0], [1.0, 1.0]):
        batch = {"x": torch.tensor([values])}
        one, other = here.step([batch]), there.step([batch])
        assert str(other.device) == f"{NAME}:0"
        torch.testing.assert_close(one, other.cpu(), equal_nan=True)
        torch.testing.assert_close(models[0].weight, models[1].weight.detach().cpu(), check_device=False)
    assert bool(there.halted.cpu())


class Scored(torch.nn.Module):
    """Its loss is the mean of the squares of a linear map."""

    def __init__(self, map):
        super().__init__()
        self.map = map

    def forward(self, x):
        return {"loss": self.map(x).square().mean()}


def test_a_loss_that_compares_rows_is_not_computed_in_parts(run_cli, tmp_path):
    trainer = Trainer().set_model(Contrasting()).set_optimizer(torch.optim.SGD([torch.zeros(1)], 0.1))
    trainer.set_trainsplit([]).set_accumulation(2)
    with pytest.raises(UserError, match="compares all rows of a batch with each other"):
        trainer.train()


class Contrasting(torch.nn.Linear):
    contrasts_rows = True

    def __init__(self):
        super().__init__(1, 1)


ADAM = "cli optimizers adamw --learning_rate 1e-3"
TEXT = "cli tokenizer bpe --vocab_size 300 cli dataset babel --documents 40 --block_size 32 --batch_size 4"
VALIDATION = "cli dataset babel --documents 10 --block_size 32 --batch_size 4 --split validation"
SMALL = "--layers 1 --heads 2 --embedding_size 16"
TAGS = "cli dataset babel-tags --documents 10 --languages lume"
TOPICS = "cli dataset babel-topics --documents 10 --languages lume"
TRAINED = {
    "gpt2": f"{TEXT} {VALIDATION} cli model gpt2 {SMALL} --block_size 64",
    "backpack": f"{TEXT} {VALIDATION} cli model backpack {SMALL} --block_size 64 --senses 2",
    "encoder": f"{TEXT} --objective masked cli model encoder {SMALL} --block_size 64",
    "bert": f"{TEXT} --objective masked cli model bert {SMALL} --block_size 64",
}
BUILT_ON = {
    "tagger": f"{TAGS} {TAGS} --split test cli model token-classifier --from encoder {ADAM} cli train cli test",
    "classifier": f"{TOPICS} {TOPICS} --split test cli model sequence-classifier --from gpt2 {ADAM} cli train cli test",
    "writer": f"{TOPICS} {TOPICS} --split test --generate cli model load --from gpt2 {ADAM} cli train cli test",
    "perplexity": f"cli model load --from backpack {VALIDATION} cli perplexity",
    "pseudo-likelihood": f"cli model load --from encoder {VALIDATION} cli perplexity --pseudo",
    "retrieval": "cli model load --from gpt2 cli retrieval --corpus babel --sentences 20 --layer all",
    "generate": "cli model load --from gpt2 cli generate --prompt a --max_new_tokens 3",
    "sampled": "cli model load --from backpack cli generate --prompt a --max_new_tokens 3 --temperature 1",
    "attribute": "cli model load --from backpack cli backpack attribute --prompt a",
    "senses": "cli model load --from backpack cli backpack senses --vocabulary 50 --json senses.json",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder for the small models of this module, and the parts that were trained there."""
    return tmp_path_factory.mktemp("trained"), set()


@pytest.mark.parametrize("name", [*TRAINED, *BUILT_ON])
def test_sentences_mix_no_devices(run_cli, emulated, monkeypatch, trained, name):
    folder, done = trained
    monkeypatch.chdir(folder)
    line = BUILT_ON.get(name, f"{TRAINED.get(name)} {ADAM} cli train")
    for part, parts in TRAINED.items():
        if (part == name or f"--from {part} " in line) and part not in done:
            run_cli(f"--device {NAME} --steps 2 --output {part} {parts} {ADAM} cli train")
            done.add(part)
    if name in BUILT_ON:
        run_cli(f"--device {NAME} --steps 2 --output {name}-run {line}")
