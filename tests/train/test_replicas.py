"""Replicas: many seeds as one program, each as if it ran alone."""

import hashlib

import pytest
import torch

from semeqv.runs.errors import UserError
from semeqv.train.compilation import own_copy
from semeqv.train.compute import ComputeConfig
from semeqv.train.losses import cross_entropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.replicas import VmappedReplicas, replica_stream, replicable
from semeqv.train.schedulers import Cosine
from semeqv.train.step import EagerStep
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.models import LSTM, MLP, Transformer
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID

OPTIONS = {
    "transformer": Transformer(layers=1, heads=1, embedding_size=4, feedforward_size=4),
    "lstm": LSTM(layers=1, embedding_size=4, hidden_size=4),
    "mlp": MLP(layers=1, embedding_size=4, tokenwise_feedforward_size=4, channelwise_feedforward_size=4),
}
RUNS = [(42, False), (42, True), (43, False)]


def data():
    return Default(size=5, zero_dst=(0.1, 0.9), one_dst=(0.5, 0.5), batch_size=64, drop_last=False).build()


def networks(name, runs):
    found = []
    for seed, tie in runs:
        seed_everything(seed)
        found.append(type(OPTIONS[name])(**{**vars(OPTIONS[name]), "tie": tie}).build(data()))
    return found


def program(name, runs, compile=False, clip=None, kind=VmappedReplicas):
    regime = ComputeConfig(torch.device("cpu"), clip=clip, compile=compile)
    optimizer, scheduler = AdamW(learning_rate=0.01, weight_decay=0.1).build, Cosine(tmax=20).build
    made = kind(networks(name, runs), optimizer, scheduler, cross_entropy, regime)
    made.names = ("loss", "accuracy")
    return made


def train(made, runs, steps, start=0):
    seeds = [seed for seed, _ in runs]
    stream = replica_stream(data(), made.lanes(seeds) if isinstance(made, VmappedReplicas) else seeds, start)
    if isinstance(made, EagerStep) and len(runs) == 1:
        stream = data().stream(seeds[0], start)
    return torch.stack([made.step([batch]).clone() for batch, _ in zip(stream, range(steps))])


@pytest.mark.parametrize("clip", [None, 0.1])
@pytest.mark.parametrize("name", OPTIONS)
def test_a_program_learns_what_ordinary_modules_learn(name, clip):
    ours = train(program(name, RUNS, clip=clip), RUNS, 30)
    theirs = train(program(name, RUNS, clip=clip, kind=EagerStep), RUNS, 30)
    torch.testing.assert_close(ours, theirs, rtol=2e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIONS)
def test_compiled_replicas_are_bit_identical_to_each_alone(name):
    runs = [(42, False), (43, True)]  # compiling is what takes the time
    together = program(name, runs, compile=True)
    metrics = train(together, runs, 150)
    batch = next(iter(Default(size=5, split="validation", batch_size=64, drop_last=False).build().batches()))
    for r, run in enumerate(runs):
        alone = program(name, [run], compile=True)
        assert torch.equal(train(alone, [run], 150)[..., 0], metrics[..., r])
        assert torch.equal(alone.evaluate(batch)[:, 0], together.evaluate(batch)[:, r])
        for name_, value in alone.module(0).state_dict().items():
            assert torch.equal(value, together.module(r).state_dict()[name_])


@pytest.mark.parametrize("rows", [5, 16, 27])
def test_batches_are_filled_up_to_whole_vectors_without_a_trace(rows):
    made = program("transformer", RUNS)
    ids, labels = torch.randint(4, (3, 6, rows)).transpose(1, 2), torch.randint(4, (3, rows))
    filled = made.filled_up({"input_ids": ids, "labels": labels}, 1)
    assert filled["input_ids"].shape == (3, -(-rows // 16) * 16, 6)
    assert filled["input_ids"].stride()[1] == 1  # rows stay innermost
    assert filled["input_ids"][:, :rows].equal(ids)
    assert (filled["labels"][:, rows:] == -100).all()
    assert filled["labels"][:, :rows].equal(labels)
    made.loss = lambda outputs, batch: {"loss": outputs["logits"].mean()}  # which would see the rows
    assert made.filled_up({"input_ids": ids, "labels": labels}, 1)["labels"] is labels


def test_a_tied_replica_keeps_one_embedding():
    made = program("transformer", RUNS)
    train(made, RUNS, 5)
    state = made.module(1).state_dict()
    assert torch.equal(state["input_embedding.weight"], state["output_embedding.weight"])
    state = made.module(0).state_dict()
    assert not torch.equal(state["input_embedding.weight"], state["output_embedding.weight"])


def test_state_moves_between_programs_of_any_size():
    whole = program("transformer", RUNS)
    first = train(whole, RUNS, 20)
    half = program("transformer", RUNS)
    train(half, RUNS, 10)
    for r, run in enumerate(RUNS):
        alone = program("transformer", [run])
        weights = {name: value.clone() for name, value in half.module(r).state_dict().items()}
        alone.load(0, weights, half.state(r))
        torch.testing.assert_close(train(alone, [run], 10, start=10)[..., 0], first[10:, :, r])


def test_a_step_that_is_not_finite_updates_no_replica():
    made = program("transformer", RUNS)
    train(made, RUNS, 3)
    made.edit(poison)
    before = [flat.clone() for flat in made.flats]
    moments = [value.clone() for value in made.optimizer.state[made.flats[0]].values()]
    metrics = train(made, RUNS, 2, start=3)
    assert metrics[:, -1].tolist() == [[1, 0, 1], [1, 0, 1]]
    assert all(torch.equal(a, b) or a.isnan().any() for a, b in zip(before, made.flats))
    assert torch.equal(before[0][0], made.flats[0][0])
    assert all(torch.equal(a, b) for a, b in zip(moments, made.optimizer.state[made.flats[0]].values()))


POISONED = []


def poison(model):
    """Spoil the second of the replicas that are edited."""
    POISONED.append(model)
    if len(POISONED) == 2:
        model.input_embedding.weight[0, 0] = float("nan")


def test_only_pure_models_with_elementwise_optimizers_are_replicable():
    network = networks("mlp", [(1, False)])[0]
    assert replicable(network, AdamW().build)
    assert not replicable(torch.nn.Linear(1, 1), AdamW().build)
    assert not replicable(network, lambda model: torch.optim.LBFGS(model.parameters()))


def test_programs_of_one_process_do_not_share_compiled_code():
    class Thing:
        def method(self):
            return self

    a, b = Thing(), Thing()
    assert own_copy(a.method)() is a
    assert own_copy(a.method).__func__.__code__ is not own_copy(b.method).__func__.__code__


LINE = f"{DATA} {VALID} {LOSS} {OPTIMIZER} cli callbacks cdists cli savers default-saver --savebest cli train"


def files(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.suffix in (".npy", ".jsonl", ".safetensors")
    }


@pytest.mark.parametrize("model", [MODEL, "cli xor model lstm --layers 1 --embedding_size 4 --hidden_size 4"])
def test_several_seeds_write_what_single_runs_write(run_cli, tmp_path, model):
    out = run_cli(f"--epochs 8 --seeds 3..4 --output many {model} --tie both {LINE}").out
    assert "many/4-" in out
    word = model.split()[3]
    for seed in (3, 4):
        for wt in ("", "wt"):
            run_cli(f"--epochs 8 --seed {seed} --output one/{seed}{wt} {model.replace(word, word + wt, 1)} {LINE}")
            assert files(tmp_path / f"one/{seed}{wt}") == files(tmp_path / f"many/{seed}-{word}{wt}")
    run_cli(f"--config many/4-{word}/run.json --output again")
    assert files(tmp_path / "again") == files(tmp_path / "one/4")
    run_cli("--config many/run.json --output all")
    assert files(tmp_path / "all") == files(tmp_path / "many")


def test_what_cannot_be_one_program_runs_one_after_the_other(run_cli, tmp_path):
    line = f"--epochs 8 --accumulation 2 {MODEL} {LINE}".replace("--batch_size 64", "--batch_size 8")
    assert "Run 2 of 2: 4-transformer" in run_cli(f"--seeds 3..4 --output parts {line}").err
    run_cli(f"--seed 4 --output one {line}")
    assert files(tmp_path / "parts/4-transformer") == files(tmp_path / "one")


def test_untying_after_some_epochs(run_cli, tmp_path):
    import numpy

    line = LINE.replace("cli callbacks cdists", "cli callbacks cdists-decouple --etd 4")
    run_cli(f"--epochs 8 --seeds 3..4 --output run {MODEL} --tie {line}")
    first, second = (numpy.load(tmp_path / f"run/3-transformerwt/{side}_cdists.npy") for side in ("input", "output"))
    assert (first[:5] == second[:5]).all()
    assert (first[5:] != second[5:]).any()


def test_an_error_names_the_replica(run_cli):
    err = run_cli(f"--seeds 3..4 --epochs 3 {MODEL} {LINE}".replace("0.01", "1e30"), code=2).err
    assert "is not finite; stopped before the update" in err
    assert "seed 3" in err


def test_both_is_for_the_command_line():
    with pytest.raises(UserError, match="--tie both is for the command line"):
        Transformer(tie="both").build(data())
