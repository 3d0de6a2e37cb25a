"""F5 and F6: a disk that is full, and one that forgets."""

import contextlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import torch

from semeqv.runs import checkpoint
from tests.faults.trials import Row, digest, run, temporaries, workplace


def refused_cleanly(code, said):
    """Whether a run that could not write said so in a line."""
    lines = [line for line in said.strip().splitlines() if not line.startswith("Resumed")]
    return code == 2 and len(lines) == 1 and lines[0].startswith("Error: ") and "cannot be written" in lines[0]


def limited(size):
    """Let no file grow beyond a size."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def small_files(tries):
    """F5: no file may grow beyond a limit."""
    row = Row(
        "F5 disk full: a limit on file size", "one clear line, exit 2; old checkpoints intact, nothing half-written"
    )
    with workplace() as folder:
        assert run(folder, "whole", "--steps", 40)[0] == 0
        whole = digest(folder / "whole")
        assert run(folder, "first", "--steps", 20)[0] == 0
        sizes = [file.stat().st_size for file in (folder / "first/checkpoints").rglob("*") if file.is_file()]
        for i in range(tries):
            name, limit = f"limited-{i}", 1 + (i + 1) * (max(sizes) - 2) // tries
            shutil.copytree(folder / "first", folder / name)
            code, said = run(folder, name, "--steps", 40, before=partial(limited, limit))
            steps = list(checkpoint.valid(folder / name / "checkpoints"))
            right = refused_cleanly(code, said) and 20 in steps and not temporaries(folder / name)
            again, _ = run(folder, name, "--steps", 40)
            row.count(right and again == 0 and digest(folder / name) == whole, f"limit {limit}: {code} {steps} {said}")
            shutil.rmtree(folder / name)
    return row


def small_disk(tries):
    """F5: a file system of a few hundred kilobytes."""
    row = Row("F5 disk full: a small tmpfs", "one clear line, exit 2; old checkpoints intact, nothing half-written")
    with workplace() as folder, tempfile.TemporaryDirectory() as disk:
        assert run(folder, "first", "--steps", 20)[0] == 0
        used = sum(file.stat().st_size for file in (folder / "first").rglob("*") if file.is_file())
        for i in range(tries):
            kilobytes = used // 1024 + 100 + 24 * i
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", disk], capture_output=True, check=False
            )
            if mounted.returncode:
                row.notes = "not run: no leave to mount here"
                return row
            try:
                place = Path(disk) / "run"
                shutil.copytree(folder / "first", place)
                code, said = run(folder, place, "--steps", 40)
                steps = list(checkpoint.valid(place / "checkpoints"))
                row.count(
                    refused_cleanly(code, said) and 20 in steps and not temporaries(place), f"{code} {steps} {said}"
                )
            finally:
                subprocess.run(["umount", disk], check=True)
    return row


def damage(kind):
    """A function that damages bytes."""

    def flip(good, rng):
        bad = bytearray(good)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        return bytes(bad)

    def cut(good, rng):
        return good[: rng.randrange(len(good))]

    def zero(good, rng):
        at = rng.randrange(len(good))
        return good[:at] + bytes(len(good) - at)

    return {"bit flips": flip, "truncations": cut, "zeroed tails": zero}[kind]


def corruption(kind, tries):
    """F6: files of the newest checkpoint damaged, one at a time."""
    row = Row(
        f"F6 {kind} in a checkpoint", "noticed, and an earlier checkpoint taken; never loaded as if it were right"
    )
    rng, harmless = random.Random(0), 0
    with workplace() as folder:
        assert run(folder, "run", "--steps", 40)[0] == 0
        newest = checkpoint.pointed(folder / "run/checkpoints", "last")
        files = [file for file in newest.rglob("*") if file.is_file()]
        weights, state = (checkpoint.read(newest).weights, checkpoint.read(newest).state)
        while row.tried < tries:
            file = rng.choice(files)
            good = file.read_bytes()
            bad = damage(kind)(good, rng)
            if bad == good:
                continue
            file.write_bytes(bad)
            with contextlib.redirect_stderr(None):  # it says so, two hundred times
                steps = list(checkpoint.valid(folder / "run/checkpoints"))
            if 40 not in steps:
                row.count(bool(steps), f"nothing to fall back to: {file.name}")
            else:  # a byte of the manifest that says nothing: what loads must be what was written
                found = checkpoint.read(newest)
                same = file.name == checkpoint.MANIFEST and all(weights[k].equal(found.weights[k]) for k in weights)
                harmless += 1
                row.count(same and repr(found.state) == repr(state), f"silent: {file.name}")
            file.write_bytes(good)
    if harmless:
        row.notes = (
            f"{harmless} hit what means nothing in the manifest (white space, a size): all files loaded as written"
        )
    return row


def compiled_code(tries):
    """Code in torch's cache that was half written when the machine failed."""
    row = Row("F6 truncated compiled code in torch's cache", "made anew, and said so in a line")
    program = (
        "import torch\nfrom semeqv.train.compilation import compiled\n"
        "f = compiled(lambda x: (x.sin() + x.exp()).sum())\nprint(float(f(torch.ones(3000))))"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": folder}

        def go():
            command = [sys.executable, "-c", program]
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

        first, rng = go(), random.Random(0)
        for i in range(tries):
            for library in Path(folder).rglob("*.main.so" if i % 2 else "*.so"):
                size = library.stat().st_size
                os.truncate(library, min(size - 1, rng.choice([0, 3, 1000, 20_000, size // 2, size - 1])))
            again = go()
            said = "is damaged; it is made anew" in again.stderr
            row.count(said and again.stdout == first.stdout and again.returncode == 0, again.stderr)
    return row


torch.set_num_threads(1)
