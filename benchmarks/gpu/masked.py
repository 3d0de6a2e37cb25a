"""A small masked language model: precisions, accumulation, clipping; stopped and resumed; a loss that is NaN."""

import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.gpu.device import DEVICE, DRY
from benchmarks.gpu.rows import Row, close, losses
from benchmarks.gpu.sentences import ADAMW, ENCODER, MASKED, SEMEQV, say, side_by_side


def masked() -> Iterator[Row]:
    """A small masked language model, whole, stopped, and with a NaN."""
    steps = 20 if DRY else 200
    settings = f"--steps {steps} --accumulation 2 --clip 1 --record_steps {steps // 20}"
    rest = f"{MASKED} {ENCODER} {ADAMW} cli savers default-saver --minutes 1000 --resume cli train"
    deterministic, others = f"{settings} --deterministic", () if DRY else ("tf32", "bf16", "fp16")
    side_by_side(
        partial(say, f"{settings} --output reference {rest}", device="cpu"),
        partial(say, f"{deterministic} --output whole {rest}"),
        *(partial(say, f"{settings} --precision {each} --output {each} {rest}") for each in others),
    )
    for name in ("whole", *others):
        what = f"{name.replace('whole', 'fp32, --deterministic')}: losses against fp32 on the CPU"
        yield close(what, losses(name), losses("reference"), 0.05)
    saving = f"{deterministic} --output stopped {rest}".replace("--minutes 1000", "--minutes .0001")
    stopped = subprocess.Popen(
        [*SEMEQV, "--device", DEVICE, *saving.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while stopped.poll() is None and not Path("stopped/checkpoints/last").exists():
        time.sleep(0.01)
    stopped.send_signal(signal.SIGUSR1)
    said = stopped.communicate()[0].strip().splitlines() or [""]
    what = f"exit code {stopped.returncode}: {said[-1][:80]}"
    yield Row("USR1 after the first checkpoint", what, "75", stopped.returncode == 75)
    say(f"{deterministic} --output stopped {rest}")
    yield close("--deterministic: stopped and resumed against uninterrupted", losses("stopped"), losses("whole"), 0.0)
    yield from spoiled()


def spoiled() -> Iterator[Row]:
    """The same with a loss that is NaN, which is skipped or ends the run."""
    rest = f"{MASKED} {ENCODER} {ADAMW} cli train"
    skipping = "--steps 10 --record_steps 2 --skip_nonfinite 1"
    said, _, stopped = side_by_side(
        partial(say, f"{skipping} --output skipped {rest}", way="NaN"),
        partial(say, f"{skipping} --output skipped-cpu {rest}", device="cpu", way="NaN"),
        partial(say, f"--steps 10 --output ended {rest}", way="NaN", code=2),
    )
    lines = [line for line in said.splitlines() if "step 3 is not finite; the step is skipped" in line]
    yield Row("a NaN under --skip_nonfinite 1", " ".join(lines)[:80], "one line that names the step", len(lines) == 1)
    yield close("the same: losses against the CPU's", losses("skipped"), losses("skipped-cpu"), 0.05)
    lines = [line for line in stopped.splitlines() if line.startswith(("Error", "Traceback"))]
    right = len(lines) == 1 and "step 3 is not finite" in lines[0]
    yield Row("a NaN without --skip_nonfinite", " ".join(lines)[:80], "one line that names the step", right)
