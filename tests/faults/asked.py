"""F3 and F4: signals that ask a run to end."""

import random
import re
import signal
import time

from semeqv.runs import checkpoint
from tests.faults.trials import Row, digest, run, start, temporaries, wait, workplace

CODES = {signal.SIGTERM: 143, signal.SIGUSR1: 75, signal.SIGINT: 130}


def signals(tries):
    """F3: asked to end at a random moment."""
    row = Row(
        "F3 SIGTERM, SIGUSR1, SIGINT", "finishes the step, saves, exits 143, 75 or 130; resumed, the end is the same"
    )
    rng = random.Random(0)
    with workplace() as folder:
        assert run(folder, "whole", "--steps", 600, "--every", 100)[0] == 0
        whole = digest(folder / "whole")
        for i in range(tries):
            name, number = f"asked-{i}", list(CODES)[i % 3]
            process = start(folder, name, "--steps", 600, "--every", 100)
            wait((folder / name / "checkpoints/last").exists, process)
            time.sleep(rng.random() * 0.1)
            process.signal(number)
            ended, said = process.end()
            found = re.search(r"Stopped after step (\d+), saved\.", said)
            saved = found and (folder / name / "checkpoints" / checkpoint.name_of(int(found[1]))).exists()
            right = ended == CODES[number] and saved and "Traceback" not in said
            code, again = run(folder, name, "--steps", 600, "--every", 100)
            row.count(right and code == 0 and digest(folder / name) == whole, said + again)
    return row


def second_signal(tries):
    """F4: asked again, while it saves because it was asked."""
    row = Row("F4 a second SIGTERM during the save", "ends at once; the old checkpoint is intact, nothing half-written")
    with workplace() as folder:
        for i in range(tries):
            name = f"asked-{i}"
            process = start(folder, name, "--steps", 100_000, "--every", 500)
            wait((folder / name / "checkpoints/last").exists, process)
            process.kill()
            before = checkpoint.pointed(folder / name / "checkpoints", "last")
            process = start(folder, name, "--steps", 100_000, "--every", 100_000, "--slow_save", 10)
            assert wait(lambda process=process: process.said().startswith("Resumed"), process), process.said()
            time.sleep(0.2)
            process.signal(signal.SIGTERM)
            wait(lambda name=name: temporaries(folder / name), process)
            time.sleep(1.2)
            asked = time.monotonic()
            process.signal(signal.SIGTERM)
            code, said = process.end()
            soon = time.monotonic() - asked < 6
            left = temporaries(folder / name)
            checkpoint.verify(before)
            right = code == 143 and soon and not left and "Traceback" not in said
            row.count(right, f"{code} {soon} {left} {said}")
    return row
