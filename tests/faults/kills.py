"""F1 and F2: SIGKILL at random moments, and at every call that makes a checkpoint last."""

import random
import time

from semeqv.runs import checkpoint
from tests.faults.trials import Row, digest, run, start, temporaries, wait, workplace


def random_kills(tries):
    """F1: killed again and again, every other time inside a save; the end must be that of a run left alone."""
    row = Row("F1 SIGKILL at a random moment", "final weights and metrics bit-identical to an uninterrupted run's")
    rng, saving = random.Random(0), 0
    steps = 400 * tries
    with workplace() as folder:
        assert run(folder, "whole", "--steps", steps, "--every", 50)[0] == 0
        whole, killed = digest(folder / "whole"), folder / "killed"
        for i in range(tries):
            process = start(folder, "killed", "--steps", steps, "--every", 50)
            before = set(killed.glob("checkpoints/step-*"))
            moved = wait(lambda before=before: set(killed.glob("checkpoints/step-*")) - before, process)
            assert moved, f"the run was over after {i} kills: {process.said()}"
            if i % 2:
                wait(lambda: temporaries(killed), process)
                time.sleep(rng.random() * 0.01)
            else:
                time.sleep(rng.random() * 0.3)
            process.kill()
            said = process.said()
            saving += bool(temporaries(killed))
            row.count("Traceback" not in said and (i == 0 or "Resumed" in said), said)
        code, said = run(folder, "killed", "--steps", steps, "--every", 50)
        if code != 0 or digest(killed) != whole:
            row.survived = 0
            row.failures.append(f"the end differs: {said[-300:]}")
    row.notes = f"{saving} of the kills were inside a save"
    return row


def kills_while_saving(calls):
    """F2: killed in place of the first, second, third ... fsync, rename, open or truncation of a run."""
    row = Row("F2 SIGKILL between write, fsync and rename", "the newest valid checkpoint loads; the end is the same")
    with workplace() as folder:
        assert run(folder, "whole", "--steps", 20)[0] == 0
        whole = digest(folder / "whole")
        for call in calls:
            name = f"killed-{call}"
            code, said = run(folder, name, "--steps", 20, "--die_at", call)
            if code == 0:
                row.notes = "every such call of a run with two saves"
                break
            steps = list(checkpoint.valid(folder / name / "checkpoints"))
            code, again = run(folder, name, "--steps", 20)
            resumed = ("Resumed" in again) == bool(steps)
            same = code == 0 and digest(folder / name) == whole and not temporaries(folder / name)
            row.count(same and resumed, said + again)
    return row
