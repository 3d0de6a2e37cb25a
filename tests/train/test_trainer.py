"""The Trainer: the loop, by command line and by builder."""

import itertools
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from semeqv.runs.errors import UserError
from semeqv.train.callbacks.callback import Callback
from semeqv.train.callbacks.log import Log
from semeqv.train.losses import cross_entropy
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import generator_states, restore_generators
from semeqv.train.saver import DefaultSaver
from semeqv.train.schedulers import Constant, Cosine
from semeqv.train.trainer import Trainer
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.models import Transformer


class Points:
    """A regression-like classification: which of 3 corners is nearest; batches are a function of (seed, step)."""

    def __init__(self, batches=4, rows=8):
        self.count, self.rows = batches, rows

    def __len__(self):
        return self.count

    def batch(self, seed, step):
        generator = torch.Generator().manual_seed(seed * 100_003 + step)
        inputs = torch.randn(self.rows, 3, generator=generator)
        return {"inputs": inputs, "labels": inputs.argmax(-1)}

    def stream(self, seed, start=0):
        return (self.batch(seed, step) for step in itertools.count(start))

    def batches(self):
        return (self.batch(999, step) for step in range(self.count))


class Line(nn.Module):
    """A linear model."""

    def __init__(self):
        super().__init__()
        self.map = nn.Linear(3, 3)

    def forward(self, inputs, **_):
        return {"logits": self.map(inputs)}


def points(**options):
    torch.manual_seed(0)
    trainer = Trainer().set_model(Line()).set_loss_fn(cross_entropy).set_optimizer(AdamW(learning_rate=0.1))
    return trainer.set_trainsplit(Points(**options)).set_bars(False, False, False, False)


def weights(path):
    return load_file(next(iter(sorted(path.glob("checkpoints/step-*"), reverse=True))) / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns():
    metrics = points().set_epochs(50).set_validsplit(Points()).train()
    assert metrics["accuracy"][0] > 0.9


def test_a_step_is_what_torch_does():
    trainer = points().set_steps(5).set_scheduler(Constant(warmup=3)).set_clip(0.5)
    trainer.train()
    torch.manual_seed(0)
    model = Line()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for step, batch in zip(range(5), Points().stream(42)):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * min(1, (step + 1) / 4)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(**batch)["logits"], batch["labels"]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
    for ours, theirs in zip(trainer.models[0].parameters(), model.parameters()):
        torch.testing.assert_close(ours, theirs)


def test_accumulated_batches_weigh_by_their_targets():
    """Four batches of 8 rows make the gradient of one batch of 32."""

    class Cut(Points):
        def stream(self, seed, start=0):
            for batch in super().stream(seed, start):
                batch["labels"][:4] = -100
                yield batch

    torch.manual_seed(0)
    trainer = points().set_trainsplit(Cut(8)).set_accumulation(4).set_steps(2)
    trainer.train()
    torch.manual_seed(0)
    model = Line()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    stream = Cut(8).stream(42)
    for _ in range(2):
        batches = [next(stream) for _ in range(4)]
        batch = {name: torch.cat([each[name] for each in batches]) for name in batches[0]}
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(**batch)["logits"], batch["labels"]).backward()
        optimizer.step()
    for ours, theirs in zip(trainer.models[0].parameters(), model.parameters()):
        torch.testing.assert_close(ours, theirs)


def test_callbacks_see_the_loop():
    seen = []

    class Watch(Callback):
        def on_begin(self, trainer):
            seen.append(("begin", trainer.step))

        def on_step(self, trainer, metrics):
            seen.append(("step", trainer.step))

        def on_epoch(self, trainer, metrics, name):
            seen.append((self.split, name, trainer.epoch, round(float(metrics["loss"][0]), 6)))

        def on_end(self, trainer):
            seen.append(("end", trainer.step))

    trainer = points(batches=2).set_epochs(3).set_epochs_to_valid(2)
    trainer.set_validsplit(Points(1), "a").set_validsplit(Points(1), "b")
    trainer.add_callback(Watch("train", steps=3, epochs=1)).add_callback(Watch("validation", epochs=1))
    trainer.train()
    kinds = [(each[0], each[2]) if len(each) == 4 else each for each in seen]
    assert kinds == [
        ("begin", 0),
        ("begin", 0),
        ("train", 1),
        ("step", 3),
        ("train", 2),
        ("validation", 2),
        ("validation", 2),
        ("step", 6),
        ("train", 3),
        ("validation", 3),
        ("validation", 3),
        ("end", 6),
        ("end", 6),
    ]


def test_validation_has_no_gradients_and_changes_nothing():
    class Checked(Line):
        def forward(self, inputs, **_):
            assert torch.is_grad_enabled() == self.training
            return super().forward(inputs)

    torch.manual_seed(0)
    alone = points().set_epochs(2)
    alone.train()
    torch.manual_seed(0)
    watched = points().set_model(Checked()).set_epochs(2).set_validsplit(Points())
    watched.models[0].load_state_dict(Line().state_dict())
    torch.manual_seed(0)
    watched.set_model(Checked()).train()
    for a, b in zip(alone.models[0].parameters(), watched.models[0].parameters()):
        assert torch.equal(a, b)


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_it_stops_before_an_update_with_numbers_that_are_not_finite(where):
    class Bad(Points):
        def batch(self, seed, step):
            batch = super().batch(seed, step)
            if step == 5:
                batch["inputs"] = batch["inputs"] * (float("nan") if where == "loss" else 1e38)
            return batch

    def loss(outputs, batch):
        found = cross_entropy(outputs, batch)
        if where == "gradient" and batch["inputs"].abs().max() > 1e30:
            root = (outputs["logits"] * 0).sum().abs().sqrt()  # a loss of 0 whose gradient is not a number
            found = found | {"loss": root}
        return found

    trainer = points().set_trainsplit(Bad()).set_loss_fn(loss).set_epochs(3)
    with pytest.raises(UserError, match=r"step 6 is not finite; stopped before the update"):
        trainer.train()
    reference = points().set_steps(5)
    reference.train()
    for a, b in zip(trainer.models[0].parameters(), reference.models[0].parameters()):
        assert torch.equal(a, b)


def test_fp16_stops_when_no_scale_makes_gradients_finite():
    def loss(outputs, batch):
        found = cross_entropy(outputs, batch)
        return found | {"loss": found["loss"] + (outputs["logits"] * 0).sum().abs().sqrt()}

    trainer = points().set_loss_fn(loss).set_precision("fp16").set_epochs(30)
    with pytest.raises(UserError, match="is not finite; stopped before the update"):
        trainer.train()


def test_fp16_goes_on_behind_a_loss_that_is_skipped():
    class Bad(Points):
        def batch(self, seed, step):
            batch = super().batch(seed, step)
            return batch | {"inputs": batch["inputs"] * (float("nan") if step == 3 else 1)}

    trainer = points().set_trainsplit(Bad()).set_precision("fp16").set_skip_nonfinite(3).set_epochs(1)
    trainer.train()
    assert trainer.step == trainer.last_step


def test_bf16_is_close_to_fp32():
    fp32, bf16 = points().set_epochs(3), points().set_epochs(3).set_precision("bf16")
    a, b = fp32.train()["loss"][0], bf16.train()["loss"][0]
    assert a != b
    assert abs(a - b) < 0.05


def test_data_that_does_not_fit_the_model_is_refused_before_step_1():
    with pytest.raises(UserError, match="does not fit the model"):
        points().set_model(nn.Linear(2, 2)).train()
    data = Default(size=5, batch_size=64, drop_last=False).build()
    model = Transformer(layers=1, heads=1, embedding_size=4, feedforward_size=4).build(data)
    model.input_embedding = nn.Embedding(4, 4)
    with pytest.raises(UserError, match="token id 6, but the model has 4 input embeddings"):
        points().set_model(model).set_trainsplit(data).train()


def test_the_cosine_is_periodic():
    model = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scheduler = Cosine(tmax=10, lrmin=0.1).build(optimizer)
    rates = []
    for _ in range(31):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert numpy.allclose([rates[0], rates[5], rates[10], rates[20], rates[30]], [1.0, 0.55, 0.1, 1.0, 0.1])


@pytest.mark.filterwarnings("ignore:Error detected in")
def test_an_anomaly_names_the_operation_and_keeps_the_batch(tmp_path):
    def loss(outputs, batch):
        return {"loss": (outputs["logits"] * 0).sum().abs().sqrt()}

    trainer = points().set_loss_fn(loss).set_detect_anomaly(True).set_output(tmp_path)
    with pytest.raises(UserError, match=r"In step 1: Function 'AbsBackward0' returned nan .* Its batch is in .*00001"):
        trainer.train()


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="--device mps: torch sees no such device here"):
        points().set_device("mps").train()
    with pytest.raises(UserError, match="--map_location cuda: torch sees"):
        DefaultSaver(map_location="cuda").build()
    with pytest.raises(ValueError, match="--map_location must be cpu, cuda, cuda:N or mps, not 'gpu'"):
        DefaultSaver(map_location="gpu")


def test_a_run_goes_on_where_there_are_fewer_devices(monkeypatch):
    restored, states = [], generator_states()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", restored.extend)
    restore_generators(states | {"cuda": ["first", "second"]})
    assert restored == ["first"]


def test_steps_that_go_nowhere_are_refused():
    with pytest.raises(ValueError, match="say where to by --step_log_path"):
        Log(epoch_log_path=Path("e"), stc=1)


def test_a_models_own_weights_are_those_it_learned(monkeypatch):
    data = Default(size=5, batch_size=64, drop_last=False).build()
    model = Transformer(layers=1, heads=1, embedding_size=4, feedforward_size=4).build(data)
    before = model.input_embedding.weight.detach().clone()
    trainer = points().set_model(model).set_trainsplit(data).set_epochs(2)
    trainer.train()
    assert not torch.equal(before, model.input_embedding.weight)
    halfway = model.input_embedding.weight.detach().clone()
    trainer.set_epochs(4).train()
    assert trainer.step == 4
    assert not torch.equal(halfway, model.input_embedding.weight)


def test_one_made_optimizer_is_not_for_several_models():
    models = [Line(), Line()]
    trainer = points().set_replicas(models, [1, 2]).set_optimizer(torch.optim.SGD(models[0].parameters(), lr=0.1))
    with pytest.raises(UserError, match="an optimizer each"):
        trainer.train()


def test_labels_beyond_the_classes_are_refused():
    class Wrong(Points):
        def batch(self, seed, step):
            return super().batch(seed, step) | {"labels": torch.full((8,), 3)}

    with pytest.raises(UserError, match="label 3, but the model tells 3 classes apart"):
        points().set_trainsplit(Wrong()).train()

    class WrongLater(Points):
        def batch(self, seed, step):
            found = super().batch(seed, step)
            return found | {"labels": torch.full((8,), 3)} if step > 1 else found

    with pytest.raises(UserError, match="not finite"):
        points().set_trainsplit(WrongLater()).train()
    torch_loss = points().set_loss_fn(
        lambda outputs, batch: {"loss": nn.functional.cross_entropy(outputs["logits"], batch["labels"])}
    )
    with pytest.raises(UserError, match=r"does not fit the model \(Target 3 is out of bounds.\). A batch is: .*labels"):
        torch_loss.set_trainsplit(WrongLater()).train()
