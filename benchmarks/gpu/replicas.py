"""Two seeds, tied and untied, side by side: compiled as one program, and eager."""

from collections.abc import Iterator

from benchmarks.gpu.device import DRY, UNMEASURED
from benchmarks.gpu.rows import Row, close, losses, seconds_of
from benchmarks.gpu.sentences import counted, say
from benchmarks.gpu.ways import WATCHED

INCLUDED = {"--compile": ", compiling included", "--no-compile": ""}


def replicas() -> Iterator[Row]:
    """Two seeds, tied and untied: losses, seconds, and how often the device is waited for."""
    steps, compiles = (10, ["--no-compile"]) if DRY else (2000, ["--compile", "--no-compile"])
    data = "cli xor dataset default --size 7 --batch_size 1024 --drop_last False"
    parts = (
        f"{data} cli xor model transformer --layers 2 --heads 1 --embedding_size 4 --tie both cli loss cross-entropy"
    )
    line = f"--seeds 42 43 --record_steps {steps // 10} {parts} cli optimizers adamw --learning_rate 5e-4 cli train"
    say(f"--steps {steps} --no-compile --threads 4 --output cpu {line}", device="cpu")
    for how in compiles:
        said = say(f"--steps {steps} {how} --output device{how} {line}", way="waits")
        for name in ("42-transformer", "43-transformerwt"):
            one, other = losses(f"device{how}/{name}"), losses(f"cpu/{name}")
            yield close(f"{how}, {name}: losses against the CPU's", one[:3], other[:3], 1e-3)
        yield Row(
            f"{how}: seconds for {steps:,} steps of four replicas{INCLUDED[how]}",
            seconds_of(f"device{how}/42-transformer"),
        )
        (waits,) = counted(said)
        what = f"{how}: synchronisations in {WATCHED} steps of four replicas"
        yield Row(what, UNMEASURED) if DRY else Row(what, str(waits), "fewer than steps", waits < WATCHED)
