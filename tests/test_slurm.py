"""The template for Slurm, beside a `scontrol` that only says what it was asked."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "experiments/slurm.sh"


@pytest.fixture
def start(tmp_path):
    """Start the template with a command, as a job of Slurm would."""
    (tmp_path / "scontrol").write_text(f"#!/bin/sh\necho $@ > {tmp_path}/asked\n")
    (tmp_path / "scontrol").chmod(0o755)

    def run(*command, **names):
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "17", **names}
        return subprocess.Popen(["bash", SCRIPT, *command], env=env, cwd=tmp_path, start_new_session=True)

    return run


# A run that saves itself when it is asked to end, as `semeqv` does, under a makefile.
RUN = "trap 'touch saved; exit 75' USR1; touch begun; while :; do sleep .05; done"


def begun(tmp_path):
    for _ in range(200):
        if (tmp_path / "begun").exists():
            return
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("names", "job"),
    [({}, "17"), ({"SLURM_ARRAY_JOB_ID": "16", "SLURM_ARRAY_TASK_ID": "43"}, "16_43")],
    ids=["alone", "array"],
)
def test_a_job_that_runs_out_of_time_is_queued_again(start, tmp_path, names, job):
    (tmp_path / "runs.mk").write_text(f'all:\n\t@bash -c "{RUN}"\n')
    process = start("make", "-f", "runs.mk", **names)
    begun(tmp_path)
    os.kill(process.pid, signal.SIGUSR1)
    assert process.wait(20) == 0
    assert (tmp_path / "saved").exists()
    assert (tmp_path / "asked").read_text().split() == ["requeue", job]


def test_a_job_that_ends_by_itself_keeps_its_exit_code(start, tmp_path):
    assert start("sh", "-c", "echo $SEEDS > seeds; exit 3", SLURM_ARRAY_TASK_ID="44").wait(20) == 3
    assert (tmp_path / "seeds").read_text() == "44\n"
    assert start("true").wait(20) == 0
    assert start().wait(20) == 2
    assert not (tmp_path / "asked").exists()
