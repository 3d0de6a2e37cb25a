"""The checks, in order, each in a process with a time limit."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.gpu.backpack import backpack
from benchmarks.gpu.compiled import compiled
from benchmarks.gpu.device import DRY
from benchmarks.gpu.errors import errors
from benchmarks.gpu.machine import machine
from benchmarks.gpu.masked import masked
from benchmarks.gpu.measures import measures
from benchmarks.gpu.processes import ranks, sharded
from benchmarks.gpu.replicas import replicas
from benchmarks.gpu.rows import Row
from benchmarks.gpu.speed import speed

MINUTES = 8  # for the checks of one call together
DRY_LIMIT = 600  # seconds for each check of a dry run

CHECKS = {
    each.__name__: (each, limit)
    for each, limit in (
        (machine, 15), (replicas, 80), (masked, 65), (backpack, 60), (sharded, 50), (ranks, 45), (compiled, 60),
        (measures, 45), (speed, 45), (errors, 15),
    )
}  # fmt: skip


def attempt(name: str, limit: float) -> dict[str, Any]:
    """Do a check in a process and a folder of its own; returns its rows, its seconds and the date.

    Args:
        name: The check.
        limit: Seconds after which it is ended, with all that it started.

    Returns:
        What goes into the file; what was found until it was ended, too.
    """
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="semeqv-gpu-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "benchmarks.gpu", "--check", name]
        paths = f"{Path(__file__).parents[2]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        own = {"PYTHONPATH": paths, "SEMEQV_CACHE": f"{folder}/cache", "HF_HUB_OFFLINE": "1"}
        own |= {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor", "TRITON_CACHE_DIR": f"{folder}/triton"}
        if not DRY:
            own["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        code, printed, said = ended(command, limit, folder, os.environ | own)
        rows = [json.loads(line) for line in printed.splitlines() if line.startswith('{"what"')]
        if code is None:
            rows.append(asdict(Row(name, "too long", f"within {limit:.0f} s", False)))
        elif code:
            wrong = said.strip().splitlines() or [f"exit code {code}"]
            rows.append(asdict(Row(name, " | ".join(wrong[-3:])[-300:], "ends without an error", False)))
    return {"rows": rows, "seconds": round(time.monotonic() - start, 1), "date": time.strftime("%Y-%m-%d")}


def ended(
    command: Sequence[str], limit: float, folder: str, environment: Mapping[str, str]
) -> tuple[int | None, str, str]:
    """Run a command, which is ended after some seconds with all that it has started.

    Args:
        command: Its words.
        limit: The seconds.
        folder: Where it runs.
        environment: Its variables.

    Returns:
        The exit code, None if it was ended; what it printed, and what it printed as errors.
    """
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams)
    try:
        printed, said = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, *process.communicate()
    except BaseException:  # Ctrl-C does not reach it
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, printed, said
