"""The template for Slurm, beside stand-ins for `scontrol` and `srun`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER

PARTS = f"{DATA} {MODEL} {LOSS} {OPTIMIZER} cli savers default-saver --etc 5 --resume cli train"
TRAINING = f"--compile False --epochs 100000 --output {{output}} {PARTS}"
SCRIPT = Path(__file__).parent.parent / "experiments/slurm.sh"


@pytest.fixture
def start(tmp_path):
    """Start the template with a command, as a job of Slurm would."""
    programs = {
        "scontrol": f"if [ $1 = show ]; then echo 127.0.0.1; else echo $@ > {tmp_path}/asked; fi",
        "srun": f'echo $@ > {tmp_path}/started; shift; exec "$@"',
        "torchrun": f'exec {sys.executable} -m torch.distributed.run "$@"',
    }
    for name, what in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{what}\n")
        (tmp_path / name).chmod(0o755)

    def run(*command, **names):
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "17", **names}
        return subprocess.Popen(["bash", SCRIPT, *command], env=env, cwd=tmp_path, start_new_session=True)

    return run


# A run that saves itself when it is asked to end, as `semeqv` does, under a makefile.
RUN = "trap 'touch saved $$SEMEQV_STOPPED; exit 75' USR1; touch begun; while :; do sleep .05; done"


def wait_for(path):
    for _ in range(1200):
        if path.exists():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} was not made in a minute")


def wait_for_nothing(command):
    """Wait until a command prints nothing."""
    for _ in range(600):
        if not subprocess.run(command, capture_output=True, text=True, check=False).stdout:
            return
        time.sleep(0.05)
    raise AssertionError(f"{command} still prints something after half a minute")


@pytest.mark.parametrize(
    ("names", "job"),
    [({}, "17"), ({"SLURM_ARRAY_JOB_ID": "16", "SLURM_ARRAY_TASK_ID": "43"}, "16_43")],
    ids=["alone", "array"],
)
def test_a_job_that_runs_out_of_time_is_queued_again(start, tmp_path, names, job):
    (tmp_path / "runs.mk").write_text(f'all:\n\t@bash -c "{RUN}"\n')
    process = start("make", "-f", "runs.mk", **names)
    wait_for(tmp_path / "begun")
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


def test_a_job_that_failed_after_the_signal_is_not_queued_again(start, tmp_path):
    process = start("sh", "-c", "trap 'exit 2' USR1; touch begun; while :; do sleep .05; done")
    wait_for(tmp_path / "begun")
    os.kill(process.pid, signal.SIGUSR1)
    assert process.wait(20) == 2
    assert not (tmp_path / "asked").exists()
    assert not list(tmp_path.glob(".slurm*"))


def test_processes_under_torchrun_save_themselves_and_the_job_goes_on(start, tmp_path):
    words = f"--processes 2 {TRAINING.format(output='run')}"
    names = {"NPROC": "2", "OMP_NUM_THREADS": "1", "SLURM_JOB_NODELIST": "node"}
    process = start("semeqv", *words.split(), **names)
    wait_for(tmp_path / "run/checkpoints/step-00000005")
    os.kill(process.pid, signal.SIGUSR1)
    assert process.wait(60) == 0
    assert (tmp_path / "asked").read_text().split() == ["requeue", "17"]
    assert "--nproc_per_node 2" in (tmp_path / "started").read_text()
    saved = sorted((tmp_path / "run/checkpoints").glob("step-*"))
    assert (saved[-1] / "MANIFEST.json").exists()
    again = start("semeqv", *words.replace("100000", str(int(saved[-1].name[5:]) + 1)).split(), **names)
    assert again.wait(60) == 0


def test_processes_do_not_outlive_a_launcher_that_passes_no_signal_on(tmp_path):
    words = TRAINING.format(output=tmp_path / "run")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "semeqv"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SEMEQV_STOPPED": str(tmp_path / "stopped")}
    with subprocess.Popen(
        [*launcher, *words.split()], cwd=tmp_path, env=environment, start_new_session=True
    ) as process:
        wait_for(tmp_path / "run/checkpoints/step-00000005")
        os.kill(process.pid, signal.SIGKILL)
    wait_for(tmp_path / "stopped")
    last = max((tmp_path / "run/checkpoints").glob("step-*"))
    assert (last / "MANIFEST.json").exists()
    wait_for_nothing(["pgrep", "-f", str(tmp_path / "run")])
