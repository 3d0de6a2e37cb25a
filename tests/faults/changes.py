"""F7, F9 and F10: numbers that are not finite, data that has changed, runs that are no longer the same."""

import contextlib
import io

import torch
from safetensors.torch import load_file

from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from tests.faults.long_work import GPT2, text
from tests.faults.sentences import results, timed
from tests.faults.sentences import run as sentence
from tests.faults.training_subject import Bytes, trainer
from tests.faults.trials import Row, run, workplace


def quietly(act):
    """Do something, and return the `UserError` it ended with."""
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            act()
        except UserError as error:
            return str(error)
    return ""


def not_finite(tries):
    """F7: NaN or infinity in the loss, or in a gradient only, at several steps."""
    row = Row(
        "F7 NaN or Inf in the loss, or in a gradient only", "stops before the update, its batch saved; may be skipped"
    )
    with workplace() as folder:
        data = folder / "data.bin"
        for i in range(tries):
            kind, step, name = ("loss", "gradient")[i % 2], 2 + i, f"run-{i}"
            before = trainer(folder / f"{name}-before", data, steps=step - 1)
            quietly(before.train)
            made = trainer(folder / name, data, poison=f"{kind}:{step}")
            said = quietly(made.train)
            weights = zip(before.models[0].parameters(), made.models[0].parameters())
            batch = load_file(folder / name / f"nonfinite/step-{step:08d}.safetensors")
            same_batch = batch["input_ids"].equal(next(Bytes(data).stream(1, step - 1))["input_ids"])
            unmoved = all(torch.equal(a, b) for a, b in weights)
            skipping = trainer(folder / f"{name}-skips", data, poison=f"{kind}:{step}", skip=1)
            passed = quietly(skipping.train) == "" and skipping.skipped == [step]
            row.count(f"step {step} is not finite" in said and same_batch and unmoved and passed, said)
    return row


def changed_data(tries):
    """F9: one byte of the data changed between two sessions of a run."""
    row = Row("F9 one byte of a data file changed", "resuming is refused, the file named")
    with workplace() as folder:
        data = folder / "data.bin"
        assert run(folder, "run", "--steps", 20)[0] == 0
        for i in range(tries):
            good = data.read_bytes()
            at = i * len(good) // tries
            data.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            code, said = run(folder, "run", "--steps", 40)
            intact = next(checkpoint.valid(folder / "run/checkpoints")) == 20
            row.count(code == 2 and str(data) in said and "has changed" in said and intact, said)
            data.write_bytes(good)
        code, said = run(folder, "run", "--steps", 40)
        row.count(code == 0 and "Resumed" in said, said)
    row.notes = "the last try puts the byte back, and is resumed"
    return row


def changed_validation(tries):
    """F16: other validation data between two sessions of a run that keeps its best weights."""
    row = Row(
        "F16 one byte of the validation data changed, with --savebest",
        "resuming is refused, the file named; the best weights stay",
    )
    with workplace() as folder:
        train, valid = text(folder / "train.txt", 200), text(folder / "valid.txt", 60, seed=2)
        line = (
            f"--threads 1 --steps {{steps}} --output run cli tokenizer bpe --vocab_size 300 cli dataset plain --path "
            f"{train} --block_size 16 --batch_size 2 cli dataset plain --path {valid} --block_size 16 --batch_size 8 "
            f"--split validation {GPT2.format(width=8)} cli savers default-saver --resume --savebest --metric loss "
            "--mode min --etc 1 cli train"
        )
        place = folder / "place"
        timed(line.format(steps=4), place)
        before, good = results(place / "run"), valid.read_bytes()
        places = [at for at in range(len(good)) if good[at : at + 1] in b"bcdefghi"]
        for i in range(tries):
            at = places[i * len(places) // tries]
            valid.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            code, said = sentence(line.format(steps=8), place)
            intact = results(place / "run") == before
            row.count(code == 2 and valid.name in said and "changed" in said and intact, said)
            valid.write_bytes(good)
        code, said = sentence(line.format(steps=8), place)
        row.count(code == 0 and "Resumed" in said, said)
    row.notes = "the last try puts the byte back, and is resumed"
    return row


def changed_runs(tries):
    """F10: resumed as something else."""
    row = Row(
        "F10 resumed with another model, seed, precision, accumulation, clipping, data", "refused, the difference shown"
    )
    changes = {
        "model": lambda made, folder: made.set_model(trainer(folder / "other", folder / "data.bin", size=48).models[0]),
        "seed was 1, is 2": lambda made, folder: made.set_seed(2),
        "precision was fp32, is bf16": lambda made, folder: made.set_precision("bf16"),
        "accumulation was 1, is 2": lambda made, folder: made.set_accumulation(2),
        "clip was 1.0, is 0.5": lambda made, folder: made.set_clip(0.5),
        "data": lambda made, folder: made.set_trainsplit(Bytes(folder / "other.bin")),
    }
    with workplace() as folder:
        (folder / "other.bin").write_bytes((folder / "data.bin").read_bytes() + b"!")
        quietly(trainer(folder / "run", folder / "data.bin", steps=20).train)
        for difference, change in list(changes.items())[:tries]:
            made = trainer(folder / "run", folder / "data.bin")
            change(made, folder)
            said = quietly(made.train)
            row.count(
                "cannot be resumed, for the run has changed" in said and difference in said, f"{difference}: {said}"
            )
        made = trainer(folder / "run", folder / "data.bin").set_bars(False, False, False, False).set_epochs_to_valid(2)
        row.count(quietly(made.train) == "", "bars and steps may change")
    row.notes = "world size: tests/train/test_distributed.py; components: tests/train/test_trainer.py; bars may change"
    return row
