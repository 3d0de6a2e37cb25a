"""Optimizers: SGD in a program, Muon beside AdamW."""

import io
import math

import pytest
import torch
from safetensors.torch import load_file
from test_replicas import RUNS, networks, train
from torch import nn

from semeqv.runs.errors import UserError
from semeqv.train.combined import Combined
from semeqv.train.losses import cross_entropy
from semeqv.train.optimizers import SGD, AdamW, Muon, hidden_matrices
from semeqv.train.replicas import VmappedReplicas, replicable
from semeqv.train.schedulers import Constant, Cosine
from semeqv.train.step import ComputeConfig, EagerStep
from tests.sentences import DATA, LOSS, MODEL, VALID


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}])
def test_sgd_is_the_same_in_a_program(options):
    optimizer, scheduler = SGD(learning_rate=0.1, **options).build, Cosine(tmax=20).build
    assert replicable(networks("mlp", RUNS[:1])[0], optimizer)
    found = []
    for kind in (VmappedReplicas, EagerStep):
        made = kind(networks("mlp", RUNS), optimizer, scheduler, cross_entropy, ComputeConfig(torch.device("cpu")))
        made.names = ("loss", "accuracy")
        found.append(train(made, RUNS, 20))
        assert made.rates() == [pytest.approx(0, abs=1e-7)]
    torch.testing.assert_close(*found, rtol=2e-4, atol=2e-5)


class Small(nn.Module):
    """Every kind of weight there is."""

    def __init__(self):
        super().__init__()
        self.read = nn.Embedding(5, 4)
        self.tall, self.wide = nn.Linear(4, 12), nn.Linear(12, 4)
        self.norm, self.convolution = nn.LayerNorm(4), nn.Conv1d(1, 1, 3, padding=1)
        self.position_embedding = nn.Parameter(torch.zeros(3, 4))
        self.lm_head = nn.Linear(4, 5, bias=False)

    def forward(self, input_ids):
        hidden = self.read(input_ids) + self.position_embedding
        hidden = self.norm(hidden + self.wide(self.tall(hidden).tanh()))
        return self.lm_head(hidden + self.convolution(hidden.flatten(0, 1)[:, None])[:, 0].view_as(hidden))


def small():
    torch.manual_seed(0)
    return Small()


def gradients(model, step):
    generator = torch.Generator().manual_seed(step)
    ids = torch.randint(5, (8, 3), generator=generator)
    model.zero_grad()
    nn.functional.cross_entropy(model(ids).flatten(0, 1), (ids.flatten() + 1) % 5).backward()


def names_of(model, parameters):
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [names[id(parameter)] for parameter in parameters]


def test_muon_moves_only_hidden_matrices():
    model = small()
    hidden, others = hidden_matrices(model)
    assert names_of(model, hidden) == ["tall.weight", "wide.weight"]
    assert len(hidden) + len(others) == len(list(model.parameters()))
    model.wide.weight = nn.Parameter(torch.zeros(4, 12))
    model.score = nn.Linear(12, 4)
    model.score.weight = model.wide.weight
    assert names_of(model, hidden_matrices(model)[0]) == ["tall.weight"]
    model.get_output_embeddings = lambda: model.tall
    with pytest.raises(UserError, match="Small has no hidden matrix for Muon"):
        Muon().build(model)
    (tied,) = networks("mlp", [(1, True)])
    assert not any("embedding" in name for name in names_of(tied, hidden_matrices(tied)[0]))


def orthogonal(matrix, steps):
    """The quintic iteration of Jordan et al., each line rounded to bf16."""

    def rounded(values):
        return values.bfloat16().float()

    a, b, c = 3.4445, -4.7750, 2.0315
    x = rounded(matrix.T if matrix.shape[0] > matrix.shape[1] else matrix)
    x = rounded(x / rounded(x.norm() + 1e-7))
    for _ in range(steps):
        gram = rounded(x @ x.T)
        update = rounded(b * gram + c * gram @ gram)
        x = rounded(a * x + update @ x)
    return x.T if matrix.shape[0] > matrix.shape[1] else x


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("adjust", ["match_rms_adamw", "original"])
def test_muon_is_the_papers(adjust, nesterov):
    ours, theirs = small(), small()
    options = {"nesterov": nesterov, "adjust": adjust, "adamw_learning_rate": 3e-3, "adamw_weight_decay": 0.02}
    optimizer = Muon(learning_rate=0.02, **options).build(ours)
    hidden, others = hidden_matrices(theirs)
    adamw = torch.optim.AdamW(others, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.02)
    momenta = [torch.zeros_like(matrix) for matrix in hidden]
    generator = torch.Generator().manual_seed(1)
    for _ in range(10):
        for a, b in zip(ours.parameters(), theirs.parameters()):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        optimizer.step()
        adamw.step()
        for matrix, momentum in zip(hidden, momenta):
            rows, columns = matrix.shape
            # 0.05 of the paper's sums: the direction is the same, and so is its rounding to bf16.
            momentum.mul_(0.95).add_(0.05 * matrix.grad)
            followed = 0.05 * matrix.grad + 0.95 * momentum if nesterov else momentum
            scale = math.sqrt(max(1, rows / columns)) if adjust == "original" else 0.2 * math.sqrt(max(rows, columns))
            with torch.no_grad():
                matrix.mul_(1 - 0.02 * 0.1).sub_(0.02 * scale * orthogonal(followed, 5))
    for a, b in zip(ours.parameters(), theirs.parameters()):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-3)  # other processors may round to bf16 otherwise
    spread = torch.linalg.svdvals(orthogonal(torch.randn(8, 20, generator=generator), 5))
    assert 0.5 < spread.min() < spread.max() < 1.5


def test_a_combined_optimizer_is_one_optimizer():
    def fresh(model):
        optimizer = Muon(learning_rate=0.02).build(model)
        return optimizer, Constant(warmup=7).build(optimizer)

    def go(model, optimizer, scheduler, steps):
        for step in steps:
            gradients(model, step)
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            scheduler.step()

    whole, half, again = small(), small(), small()
    go(whole, *fresh(whole), range(10))
    optimizer, scheduler = fresh(half)
    go(half, optimizer, scheduler, range(5))
    assert isinstance(optimizer, Combined)
    assert len(optimizer.state) == len(list(half.parameters()))
    assert len({group["lr"] for group in optimizer.param_groups}) == 1
    file = io.BytesIO()
    torch.save([half.state_dict(), optimizer.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    weights, state, rates = torch.load(file, weights_only=True)
    again.load_state_dict(weights)
    optimizer, scheduler = fresh(again)
    optimizer.load_state_dict(state)
    scheduler.load_state_dict(rates)
    go(again, optimizer, scheduler, range(5, 10))
    for a, b in zip(whole.parameters(), again.parameters()):
        assert torch.equal(a, b)
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in again.parameters())


def test_without_other_parameters_muon_is_alone():
    assert isinstance(Muon().build(nn.Linear(3, 3, bias=False)), torch.optim.Muon)


def test_a_combined_step_may_compute_the_loss_first():
    model = small()
    optimizer = Muon().build(model)
    before = model.tall.weight.detach().clone()

    def closure():
        gradients(model, 0)
        return torch.tensor(7.0)

    assert optimizer.step(closure) == 7
    assert not torch.equal(before, model.tall.weight)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (SGD, {"nesterov": True}, "--nesterov needs a --momentum above 0."),
        (SGD, {"momentum": 1.0}, "--momentum must be from 0 to below 1, not 1.0."),
        (AdamW, {"betas": (0.9, 1.5)}, "--betas must be from 0 to below 1, not 0.9 1.5."),
        (AdamW, {"eps": float("nan")}, "--eps must be 0 or more, not nan."),
        (Muon, {"newton_schulz_steps": 100}, "--newton_schulz_steps must be from 1 to 99, not 100."),
        (Muon, {"adamw_learning_rate": -1.0}, "--adamw_learning_rate must be 0 or more, not -1.0."),
        (Muon, {"adjust": "original"}, "--adjust original needs --adamw_learning_rate"),
    ],
)
def test_what_cannot_be_is_refused(kind, options, words):
    with pytest.raises(ValueError, match=words.replace(".", r"\.")):
        kind(**options)


MUON = f"{DATA} {VALID} {MODEL} {LOSS} cli optimizers muon --learning_rate 0.01 cli schedulers cosine --tmax 4"


def weights(folder):
    return load_file(folder / "checkpoints/step-00000006/model.safetensors")


def test_muon_resumes_bit_for_bit_and_trains_seeds_one_after_the_other(run_cli, tmp_path):
    line = f"{MUON} cli savers default-saver --resume cli train"
    assert "Run 2 of 2: 2-transformer" in run_cli(f"--seeds 1,2 --epochs 6 --output whole {line}").err
    run_cli(f"--seeds 1,2 --epochs 3 --output parts {line}")
    run_cli(f"--seeds 1,2 --epochs 6 --output parts {line}")
    run_cli(f"--seed 2 --epochs 6 --output alone {line}")
    for folder in ("parts/1-transformer", "parts/2-transformer", "alone"):
        a = weights(tmp_path / folder)
        b = weights(tmp_path / "whole" / ("1-transformer" if "1-" in folder else "2-transformer"))
        assert all(torch.equal(a[name], b[name]) for name in b)


def decayed_names(model, **options):
    optimizer = AdamW(weight_decay=0.3, **options).build(model)
    assert sorted(id(p) for group in optimizer.param_groups for p in group["params"]) == sorted(
        map(id, model.parameters())
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for group in optimizer.param_groups:
        assert group["weight_decay"] in (0.3, 0.0)
    return {names[id(p)] for group in optimizer.param_groups if group["weight_decay"] for p in group["params"]}


@pytest.mark.parametrize("kind", ["gpt2", "bert"])
def test_weight_decay_leaves_out_biases_and_norms_of_language_models(kind):
    from transformers import BertConfig, BertForMaskedLM, GPT2Config, GPT2LMHeadModel

    if kind == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(vocab_size=9, n_positions=4, n_embd=8, n_layer=1, n_head=1))
    else:
        sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}
        model = BertForMaskedLM(BertConfig(vocab_size=9, max_position_embeddings=4, **sizes))
    every = {name for name, _ in model.named_parameters()}
    matrices = {name for name, p in model.named_parameters() if p.ndim >= 2}  # nanoGPT's rule
    assert decayed_names(model) == decayed_names(model, decayed="matrices") == matrices
    assert not any("bias" in name or "ln_" in name or "LayerNorm" in name for name in matrices)
    assert decayed_names(model, decayed="all") == every
    hidden = decayed_names(model, decayed="hidden")
    assert hidden == {name for name in matrices if "embeddings" not in name and "wte" not in name and "wpe" not in name}
    assert [len(SGD(weight_decay=1.0, decayed=each).build(model).param_groups) for each in ("all", "hidden")] == [1, 2]


def test_weight_decay_is_on_everything_in_the_networks_of_the_xor_study():
    (model,) = networks("transformer", [(1, False)])
    assert decayed_names(model) == {name for name, _ in model.named_parameters()}
    assert "bias" not in " ".join(decayed_names(model, decayed="matrices"))


def test_groups_that_differ_in_decay_alone_have_one_learning_rate(run_cli, tmp_path):
    run_cli(
        "--steps 2 --output run cli tokenizer bpe --vocab_size 300 cli dataset babel --documents 20 --block_size 16 "
        "--batch_size 2 cli model gpt2 --layers 1 --heads 1 --embedding_size 8 --block_size 16 "
        "cli callbacks tensorboard cli optimizers adamw cli train"
    )
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (events,) = tmp_path.rglob("events*")
    accumulator = EventAccumulator(str(events))
    accumulator.Reload()
    assert "learning_rate" in accumulator.Tags()["scalars"]
