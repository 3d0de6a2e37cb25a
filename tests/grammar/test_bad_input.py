"""Bad input, row by row of the specification: named in a line, exit 2, nothing written, nothing executed.

Nothing reads text, word vectors or archives yet; B6 and B9 stand for what the readers there are may meet of them.
"""

import json
import os
import pickle
import shutil
import tracemalloc

import click
import numpy
import pytest

from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.reading import read_metrics
from semeqv.train.losses import CrossEntropy
from semeqv.train.optimizers import AdamW
from semeqv.train.trainer import Trainer
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.models import Transformer
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER, VALID

NAME = "42-transformer"
PARTS = f"{DATA} {VALID} {MODEL} {LOSS} {OPTIMIZER} cli callbacks cdists cli savers default-saver"
TRAINED = f"--output {NAME} {PARTS} cli train"
RESUMED = f"--epochs 3 --output {NAME} {PARTS} --resume cli train"
TESTED = f"--output {NAME} {PARTS} {VALID.replace('validation', 'test')} cli test"
LINE = b'{"epoch": 1, "split": "validation", "accuracy": 0.5}\n'
PLOT = "cli accplot --path figure metrics.jsonl"
VIEW = "cli view --indexes 0 1 pair --path figure array.npy"
PATHS = "cli view-embeddings --path figure array.npy"
CONFIG = "--config saved.json"
STEP = f"{NAME}/checkpoints/step-00000002"
DEEP = b"[" * 100_000


class Evil:
    """Leaves a file behind where it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


PICKLE = pickle.dumps({"learner": Evil()})


def file(name, *content):
    """Write a file."""
    return lambda folder: (folder / name).write_bytes(b"".join(content))


def metrics(*lines):
    return file("metrics.jsonl", *lines)


def array(numbers):
    return lambda folder: numpy.save(folder / "array.npy", numbers, allow_pickle=True)


def saved(**changes):
    sentence = {"settings": {"seed": 1}, "parts": ["optimizers adamw"], "actions": []}
    return file("saved.json", json.dumps(sentence | changes).encode())


def half(name):
    """Cut a file of the run in two."""
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def listed(change):
    """Change what the manifest of a checkpoint lists."""

    def write(folder):
        path = folder / STEP / checkpoint.MANIFEST
        manifest = json.loads(path.read_text())
        change(manifest["files"])
        path.write_text(json.dumps(manifest))

    return write


def sealed(name, content):
    """Put another file into a checkpoint, under a manifest that fits."""

    def write(folder):
        path = folder / STEP / name
        path.write_bytes(content)
        listed(lambda files: files[name].update(sha256=checkpoint.sha256(path)))(folder)

    return write


def pointers(folder):
    """Let the pointers of a run name a folder outside."""
    for name in ("best", "last"):
        (folder / NAME / "checkpoints" / name).write_text(f"../../{NAME}")


nothing = metrics()

CASES = [
    ("B1 flag", nothing, f"{DATA} cli optimizers adamw --learning_rat 1 cli train", "Did you mean --learning_rate"),
    ("B1 type", nothing, "cli optimizers adamw --learning_rate fast", "'fast' is not a valid float"),
    ("B1 sign", nothing, "cli optimizers adamw --learning_rate -1", "--learning_rate must be 0 or more, not -1.0"),
    ("B1 NaN", nothing, "cli optimizers adamw --learning_rate nan", "nan is no finite number"),
    ("B1 infinity", nothing, "cli optimizers adamw --learning_rate 1e999", "1e999 is no finite number"),
    ("B1 64 bits", nothing, f"{DATA} --draws {10**30}", "does not fit into 64 bits"),
    ("B1 range", nothing, "--seeds 1..99999999999 cli train", "no range longer than 100,000"),
    ("B1 seed", nothing, f"--seeds {2**63} cli train", "a seed is below 2^63"),
    ("B1 threads", nothing, "--threads 99999999 cli train", "--threads must be at most 1024"),
    ("B1 limits", metrics(LINE), f"{PLOT} --ylim -1e308 1e308", "is no finite number"),
    ("B1 word", nothing, "--output 'r\udcff' cli train", "is not UTF-8"),
    ("B1 output", nothing, f"--output {'r' * 300} {PARTS} cli train", "File name too long"),
    ("B1 restorepath", nothing, f"{PARTS} --restorepath {'r' * 300} cli train", "File name too long"),
    ("B1 setting", saved(settings={"dump_config": "x"}), CONFIG, 'saved.json: dump_config "x" is no setting'),
    ("B1 saved type", saved(settings={"seed": "x"}), CONFIG, "saved.json: Invalid value for '--seed'"),
    ("B1 saved list", saved(settings={"seed": [1, 2]}), CONFIG, "seed [1, 2] is no setting"),
    ("B1 saved NUL", saved(settings={"output": "\0"}), CONFIG, r'output "\u0000" is no setting'),
    ("B1 saved word", saved(parts=["optimizers adamm"]), CONFIG, "In segment 1 of 1 of the saved run"),
    ("B1 saved null", saved(parts=[None]), CONFIG, "is no saved sentence"),
    ("B2 split", metrics(LINE), f"{PLOT} --split test", "splits there: validation"),
    ("B2 column", metrics(LINE), f"{PLOT} --metric f1", "numbers there: accuracy"),
    ("B2 test set", nothing, f"{PARTS} cli test", "Add a data set with --split test"),
    ("B2 symbol", array(numpy.zeros((1, 2, 2))), VIEW.replace("0 1", "0 2"), "has symbols 0 to 1"),
    ("B2 file", nothing, VIEW, "array.npy: no such file"),
    ("B3 empty", metrics(), PLOT, "metrics.jsonl: holds no record"),
    ("B3 blank", metrics(b"\n  \n\t\n"), PLOT, "metrics.jsonl: holds no record"),
    ("B3 report", file(f"{NAME}/metrics.jsonl"), "cli xor report .", "metrics.jsonl: holds no record"),
    ("B3 array", file("array.npy"), VIEW, "array.npy: cut short"),
    ("B3 no records", array(numpy.zeros((0, 2, 2))), VIEW, "at least one record"),
    ("B3 config", file("saved.json"), CONFIG, "is no saved sentence"),
    ("B4 UTF-8", metrics(LINE, b'{"name": "\xff"}\n'), PLOT, "(byte 11 is not UTF-8)"),
    ("B4 NUL", metrics(LINE, b'{"epoch": 2, \0}\n'), PLOT, "(wrong at character 14)"),
    ("B4 depth", metrics(DEEP, b"\n"), PLOT, "line 1: expected a JSON object"),
    ("B4 config", file("saved.json", b"\xff"), CONFIG, "is no saved sentence"),
    ("B4 deep config", file("saved.json", DEEP), CONFIG, "is no saved sentence"),
    ("B5 line", metrics(b'"' + b"a" * 10_000_000), PLOT, "line 1: longer than 8,388,608 bytes"),
    ("B6 NaN", array(numpy.full((2, 2, 2), numpy.nan)), PATHS, "record 0 holds what is no number"),
    ("B6 width", array(numpy.zeros((2, 2, 3))), VIEW, "as many rows as columns"),
    ("B6 size", array(numpy.full((2, 2, 2), 1e300)), PATHS, "holds numbers beyond 1e+38"),
    ("B7 vocabulary", nothing, TRAINED.replace("--heads", "--src_vocab_size 9 --heads"), "which has 7 symbols"),
    ("B7 width", nothing, TESTED.replace("ding_size 4", "ding_size 8"), "step-00000002 is of another model"),
    ("B7 layers", nothing, TESTED.replace("--layers 1", "--layers 2"), "step-00000002 is of another model"),
    ("B8 array", half(f"{NAME}/input_cdists.npy"), f"cli view --indexes 0 1 a {NAME}/input_cdists.npy", "cut short"),
    ("B8 objects", array(numpy.array([[[Evil()]]])), VIEW, "array.npy: cut short, or not a plain .npy"),
    ("B8 pickled array", file("array.npy", PICKLE), PATHS, "array.npy: cut short, or not a plain .npy"),
    ("B8 pickled metrics", metrics(PICKLE), PLOT, "line 1: expected a JSON object"),
    ("B8 pickled config", file("saved.json", PICKLE), CONFIG, "is no saved sentence"),
    ("B8 resumed array", half(f"{NAME}/input_cdists.npy"), RESUMED, "input_cdists.npy is damaged"),
    ("B8 resumed pickle", file(f"{NAME}/input_cdists.npy", PICKLE), RESUMED, "input_cdists.npy is damaged"),
    ("B8 resumed metrics", half(f"{NAME}/metrics.jsonl"), RESUMED, "metrics.jsonl is shorter than the checkpoint"),
    ("B8 tested array", half(f"{NAME}/input_cdists.npy"), TESTED, "input_cdists.npy is damaged"),
    ("B8 weights", half(f"{STEP}/model.safetensors"), TESTED, "model.safetensors is damaged"),
    ("B8 manifest", file(f"{STEP}/MANIFEST.json", b'{"files": []}'), TESTED, "is no complete checkpoint"),
    ("B8 deep manifest", file(f"{STEP}/MANIFEST.json", DEEP), TESTED, "is no complete checkpoint"),
    ("B8 unlisted", listed(lambda files: files.pop("state.pt")), TESTED, "state.pt is damaged"),
    ("B8 pickled state", sealed("state.pt", PICKLE), RESUMED, "is not what this program writes (UnpicklingError"),
    ("B8 pickled weights", sealed("model.safetensors", PICKLE), TESTED, "is not what this program writes (Safetens"),
    ("B8 trainer", sealed("trainer.json", b"{}"), RESUMED, "does not say best, callbacks, definition"),
    ("B8 no trainer", sealed("trainer.json", b"3"), RESUMED, "is not what this program writes"),
    ("B9 manifest", listed(lambda files: files.update({"/dev/zero": {"sha256": ""}})), TESTED, "is damaged"),
    ("B9 pointer", pointers, TESTED, "has no checkpoint to test"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small run."""
    from semeqv.cli import main

    folder = tmp_path_factory.mktemp("trained") / NAME
    with pytest.raises(SystemExit):
        main(["--epochs", "2", *TRAINED.replace(NAME, str(folder)).split()])
    return folder


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case[0], marks=pytest.mark.bad_input(case[0].split()[0])) for case in CASES]
)
def test_it_is_refused(trained, run_cli, tmp_path, case):
    _, prepare, line, words = case
    shutil.copytree(trained, tmp_path / NAME)
    prepare(tmp_path)
    before = contents(tmp_path)
    err = run_cli(line, code=2).err
    assert err.startswith("Error: ")
    assert words in err
    assert len(err.strip().splitlines()) <= 2, "one line, and the segment it is about"
    assert contents(tmp_path) == before


@pytest.mark.parametrize("change", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"\n", b"\r\n")])
@pytest.mark.bad_input("B4")
def test_b4_a_byte_order_mark_and_other_line_ends_are_read(tmp_path, run_cli, change):
    file("metrics.jsonl", change(LINE))(tmp_path)
    assert "0.500" in run_cli(PLOT).out
    file("saved.json", change(b'{"settings": {"seed": 3},\n"parts": []}'))(tmp_path)
    run_cli(f"{CONFIG} --dump-config again.json")
    assert json.loads((tmp_path / "again.json").read_text())["settings"]["seed"] == 3


@pytest.mark.bad_input("B5")
def test_b5_a_line_of_100_megabytes_takes_little_memory(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with open(path, "wb") as sparse:
        sparse.truncate(100_000_000)
    tracemalloc.start()
    with pytest.raises(click.UsageError, match="line 1: longer than"):
        read_metrics(path)
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


class Shifted:
    """The parity data, but with every symbol, or every label, 7 higher."""

    def __init__(self, data, name):
        self.data, self.name = data, name

    def batches(self):
        return ({**batch, self.name: batch[self.name] + 7} for batch in self.data.batches())


@pytest.mark.parametrize(
    ("name", "words"),
    [("input_ids", "In the validation set en: The data has token id 1"), ("labels", "The data has label")],
)
@pytest.mark.bad_input("B7")
def test_b7_a_validation_set_beyond_the_vocabulary_is_refused_before_step_1(name, words):
    data, wrong = Default(size=5, drop_last=False).build(), Default(size=5, drop_last=False, split="validation").build()
    trainer = Trainer().set_model(Transformer(layers=1, heads=1, embedding_size=4).build(data)).set_trainsplit(data)
    trainer.set_optimizer(AdamW()).set_loss_fn(CrossEntropy().build()).set_validsplit(Shifted(wrong, name), "en")
    with pytest.raises(UserError, match=words):
        trainer.train()
    assert trainer.step == 0


@pytest.mark.bad_input("B10")
def test_b10_a_name_with_markup_is_escaped_in_a_report(trained, run_cli, tmp_path):
    folder = tmp_path / "<script>|*x*"
    shutil.copytree(trained, folder / NAME)
    run = json.loads((folder / NAME / "run.json").read_text())
    run["sentence"]["parts"] = ["optimizers adamw --learning_rate '<img src=x>'"]
    (folder / NAME / "run.json").write_text(json.dumps(run))
    run_cli("cli xor report --output report.md '<script>|*x*'")
    text = (tmp_path / "report.md").read_text()
    assert r"## &lt;script&gt;\|\*x\*" in text
    assert "<script" not in text
    assert "<img" not in text
