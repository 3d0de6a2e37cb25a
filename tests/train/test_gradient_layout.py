"""The first step of a resumed run adds up the gradients of its processes in the order of the other steps."""

import json
import os
import subprocess
import sys
from pathlib import Path


def test_three_processes_resume_to_the_bit(tmp_path):
    # DistributedDataParallel lays gradients out anew after its first backward pass, which moves numbers to other
    # places of the ring in which they are added.
    program = Path(__file__).with_name("gradient_layout.py")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, program, tmp_path], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "weights.json").read_text())
    assert found["stopped"] != found["whole"]
    assert found["resumed"] == found["whole"]
