"""What the tests of distribution run in several processes: each is a function here, called by `main`."""

import json
import time

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.train.optimizers import AdamW
from semeqv.train.randomness import seed_everything
from semeqv.train.saver import DefaultSaver
from semeqv.train.schedulers import Constant
from semeqv.train.trainer import Trainer

ROWS, LENGTH, VOCABULARY = 5, 12, 40


class Tokens:
    """Random tokens: an odd number of rows, which differ in how many of their tokens are to be predicted."""

    def __len__(self):
        return 10

    def batch(self, seed, position):
        generator = torch.Generator().manual_seed(seed * 100_003 + position)
        ids = torch.randint(VOCABULARY, (ROWS, LENGTH), generator=generator)
        labels = ids.where(torch.rand(ids.shape, generator=generator) < torch.linspace(0.3, 1, ROWS)[:, None], -100)
        return {"input_ids": ids, "labels": labels}

    def stream(self, seed, start=0):
        position = start
        while True:
            yield self.batch(seed, position)
            position += 1

    def batches(self):
        return (self.batch(10_000, i) for i in range(3))


def next_token(outputs, batch):
    """The mean over labels, each predicted where it stands: nothing is shifted, so that weights are plain to see."""
    labels = batch["labels"]
    loss = torch.nn.functional.cross_entropy(outputs["logits"].flatten(0, 1), labels.flatten(), ignore_index=-100)
    return {"loss": loss}


def gpt2():
    """A tiny GPT-2, tied, with a parameter that no loss depends on."""
    seed_everything(7)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=LENGTH,
        n_embd=16,
        n_layer=2,
        n_head=2,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
    )
    model = GPT2LMHeadModel(config)
    model.idle = torch.nn.Parameter(torch.ones(3))
    return model


class History:
    """The losses of every step."""

    split, steps, epochs, replicable = "train", 1, 0, True

    def __init__(self):
        self.losses, self.counts = [], []

    def on_start(self, trainer):
        pass

    on_begin = on_end = on_start

    def on_step(self, trainer, metrics):
        self.losses.append(float(metrics["loss"][0]))

    def definition(self):
        return {}

    state = definition


def trainer(folder, strategy="ddp", accumulation=1, steps=50, **saver):
    """A Trainer of the tiny GPT-2."""
    made = Trainer().set_model(gpt2()).set_loss_fn(next_token).set_trainsplit(Tokens()).set_validsplit(Tokens())
    made.set_optimizer(AdamW(learning_rate=3e-3)).set_scheduler(Constant(warmup=5)).set_steps(steps).set_clip(0.5)
    made.set_accumulation(accumulation).set_strategy(strategy, timeout=1).set_device("cpu").set_epochs_to_valid(2)
    return made.set_output(folder).set_saver(DefaultSaver(**saver).build())


def everything(folder):
    """The losses of 50 steps, by strategy and accumulation, and how gradients were exchanged."""
    found = {"exchanges": exchanges(folder) if World.here().size > 1 else None}
    for strategy in ("ddp", "fsdp"):
        for accumulation in (1, 3):
            name = f"{strategy}-{accumulation}"
            history = History()
            made = trainer(folder / name, strategy, accumulation).add_callback(history)
            valid = float(made.train()["loss"][0])
            found[name] = [*history.losses, valid]
    return found


def exchanges(folder):
    """How often gradients are exchanged in a step of four batches."""
    from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook

    made, count = trainer(folder / "run", accumulation=4, steps=3), [0]

    def hook(group, bucket):
        count[0] += 1
        return allreduce_hook(group, bucket)

    made.prepare()
    made.trained = True
    made.made.forwards[0].register_comm_hook(None, hook)
    made.train()
    return {"in three steps": count[0], "unused found": made.made.forwards[0].find_unused_parameters}


def patience(folder):
    """What processes have that waited for the first one longer than they wait for an answer; and who made what."""
    world = World.here()
    world.join(False, minutes=0.05)
    shared = world.shares(folder)
    found = world.on_main(lambda: (time.sleep(5), "prepared")[1])
    own = folder / f"disk-{world.rank}"
    made = world.once(own, lambda: (own.mkdir(exist_ok=True), f"made by {world.rank}")[1])
    failed = None
    try:
        world.once(own, lambda: broken(world.rank))
    except UserError as error:
        failed = str(error)
    return world.all_gather([shared, found, made, world.once(folder, lambda: world.rank), failed])


def broken(rank):
    """Fail in the second process alone."""
    if rank:
        raise UserError("no room")


def mixed(folder):
    """The types of weights and of what blocks are given, with FSDP in bf16."""
    made = trainer(folder / "run", "fsdp", steps=2).set_precision("bf16")
    made.prepare()
    model, seen = made.made.module(0), []
    model.transformer.h[0].mlp.register_forward_hook(lambda module, *_: seen.append(str(module.c_fc.weight.dtype)))
    made.trained = True
    loss = float(made.train()["loss"][0])
    kept = {str(parameter.dtype) for parameter in model.parameters()}
    steps = {str(state["step"].device) for state in made.made.optimizers[0].state.values()}
    return {"while computing": sorted(set(seen)), "kept": sorted(kept), "loss": loss, "steps": sorted(steps)}


def main(what, folder):
    """Run a function of this module; process 0 writes what it found."""
    found = globals()[what](folder)
    if World.here().is_main:
        (folder / f"{what}.json").write_text(json.dumps(found))
    World.here().leave()
