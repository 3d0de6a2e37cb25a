"""F17: two machines of several processes each, which share no disk; processes die, a machine is lost, one is slow."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import time

from tests.faults.sentences import leftovers, run, start
from tests.faults.trials import Row, wait, workplace

MACHINES = ("a", "b")
STEPS = 60
LINE = f"""--device cpu --threads 1 --compile False --timeout .5 --steps {STEPS} --stv 20 --record_steps 10 --output run
    cli xor dataset default --size 5 --batch_size 16 --drop_last False
    cli xor dataset default --size 5 --batch_size 16 --drop_last False --split validation
    cli xor model transformer --layers 1 --heads 1 --embedding_size 4 cli loss cross-entropy
    cli optimizers adamw --learning_rate .01 cli savers default-saver --minutes .0005 --savebest --resume cli train"""


def started(folder, processes):
    """Start the processes of both machines; each machine has a folder and a cache of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = []
    for rank in range(len(MACHINES) * processes):
        place = folder / MACHINES[rank // processes]
        names = {"RANK": rank, "LOCAL_RANK": rank % processes, "WORLD_SIZE": len(MACHINES) * processes}
        names |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "SEMEQV_CACHE": place / "cache"}
        found.append(start(LINE, place, {name: str(value) for name, value in names.items()}, output=f"{rank}.output"))
    return found


def ended(work, seconds=60):
    """Wait for all processes; returns their exit codes and what they said."""
    codes, said = zip(*(each.end(seconds) for each in work))
    return list(codes), " | ".join(said)


def outcome(folder):
    """The weights at the end, and all that was measured."""
    last = folder / f"a/run/checkpoints/step-{STEPS:08d}/model.safetensors"
    return last.read_bytes() if last.exists() else None, (folder / "a/run/metrics.jsonl").read_text()


def losses(text):
    """The losses of a run, in their order."""
    return [json.loads(line)["loss"] for line in text.splitlines()]


def trial(kind, tries, processes=4):
    """F17: what happens to the processes of two machines.

    Args:
        kind: `kill` one of them at a random moment, `lose` all of a machine, or `slow`: stop one for two seconds.
        tries: How often.
        processes: Of each machine.
    """
    what = {
        "kill": "one process killed",
        "lose": "all processes of one machine killed",
        "slow": "one process stopped for two seconds",
    }[kind]
    resumed = "the others end within 35 s, and the resumed run ends"
    passes = f"{'the run ends' if kind == 'slow' else resumed} with the bytes of an undisturbed one"
    row = Row(f"F17 two machines of {processes} processes without a shared disk: {what}", passes)
    rng, longest, over = random.Random(0), 0.0, 0
    with workplace() as folder:
        for name in ("first", "whole"):
            whole, begun = folder / name, time.monotonic()
            codes, said = ended(started(whole, processes))
            seconds = time.monotonic() - begun
            assert set(codes) == {0}, said
        expected = outcome(whole)
        code, said = run(LINE, folder / "alone")
        assert code == 0, said
        alone = losses((folder / "alone/run/metrics.jsonl").read_text())
        furthest = max(abs(a - b) / b for a, b in zip(losses(expected[1]), alone, strict=True))
        for i in range(tries):
            place = folder / f"try-{i}"
            work = started(place, processes)
            if i % 2:  # every other time once there is something to go on from
                wait((place / "a/run/checkpoints/last").exists, work[0])
                time.sleep(rng.random() * seconds / 4)
            else:
                time.sleep(rng.random() * seconds)
            first = rng.randrange(len(work))
            start_of = first // processes * processes
            chosen = work[start_of : start_of + processes] if kind == "lose" else [work[first]]
            over += any(each.process.exitcode is not None for each in chosen)
            if kind == "slow":
                with contextlib.suppress(ProcessLookupError):  # it has ended already
                    os.kill(chosen[0].process.pid, signal.SIGSTOP)
                    time.sleep(2)
                    os.kill(chosen[0].process.pid, signal.SIGCONT)
                codes, said = ended(work)
                row.count(set(codes) == {0} and outcome(place) == expected, said)
            else:
                for each in chosen:
                    each.process.kill()
                at = time.monotonic()
                _, said = ended(work, 40)
                waited = time.monotonic() - at
                longest = max(longest, waited)
                codes, again = ended(started(place, processes))
                left = [each for name in MACHINES for each in leftovers(place / name)]
                right = set(codes) == {0} and outcome(place) == expected and not left
                row.count(right and waited < 35 and "Traceback" not in said, f"{codes} {left} {said} || {again}")
            shutil.rmtree(place)
    wait_of_others = "" if kind == "slow" else f"; the longest wait was {longest:.1f} s"
    row.notes = f"losses within {furthest:.0e} of those of one process{wait_of_others}"
    row.notes += f"; {over} of the {tries} came when a process had ended"
    return row
