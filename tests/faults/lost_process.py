"""F8: one of two processes dies."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.trials import Row, wait, workplace

LIMIT = 35  # seconds: what torchrun allows the others after its own signal


def lost_process(tries):
    """F8: one of two processes killed at a random moment, either of them, DDP or FSDP2."""
    row = Row("F8 one of two processes killed", f"both end within {LIMIT} s; no process is left; resumed afterwards")
    rng, longest = random.Random(0), 0.0
    with workplace() as folder:
        for i in range(tries):
            name = f"run-{i}"
            strategy = ("ddp", "fsdp")[i // 2 % 2]
            line = f"""--compile False --steps 1000000 --timeout .5 --strategy {strategy} --output {name}
                cli xor dataset default --size 5 --batch_size 16 cli xor model transformer --embedding_size 4 --heads 1
                cli loss cross-entropy cli optimizers adamw cli savers default-saver --etc 10 --resume cli train"""
            launch = [
                sys.executable,
                "-m",
                "torch.distributed.run",
                "--nproc_per_node",
                "2",
                "--standalone",
                "-m",
                "semeqv",
            ]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
            process = subprocess.Popen([*launch, *line.split()], cwd=folder, env=environment, **streams)
            assert wait((folder / name / "checkpoints/last").exists, process), process.communicate()[0]
            listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
            children = listed.stdout.split()
            time.sleep(rng.random())
            os.kill(int(children[i % 2]), signal.SIGKILL)
            at = time.monotonic()
            said = process.communicate(timeout=120)[0]
            seconds = time.monotonic() - at
            longest = max(longest, seconds)
            gone = not any(Path(f"/proc/{child}").exists() for child in children)
            row.count(process.returncode and seconds < LIMIT and gone and len(children) == 2, said)
    row.notes = f"the longest took {longest:.1f} s"
    return row
