"""What the tests share: running sentences in this process, and small ones to run."""

import functools
import os
import shlex

# One thread a process, before anything starts threads: the tests run side by side, and threads that wait burn time.
# The processes that tests start inherit it.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from semeqv.cli import main  # noqa: E402
from semeqv.grammar import plugins  # noqa: E402
from tests import emulated_device  # noqa: E402

torch.set_num_threads(1)
plugins.entry_points = functools.cache(plugins.entry_points)  # every sentence would read those of all packages again

# The same examples every time, unless one asks for more of them: HYPOTHESIS_EXAMPLES=5000 make test
more = int(os.environ.get("HYPOTHESIS_EXAMPLES", "0"))
fixtures = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
settings.register_profile(
    "semeqv", derandomize=not more, max_examples=more or 60, deadline=None, suppress_health_check=fixtures
)
settings.load_profile("semeqv")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(shared_cache, monkeypatch):
    """A cache that the tests of a process share."""
    monkeypatch.setenv("SEMEQV_CACHE", str(shared_cache))
    return shared_cache


class Outcome:
    """What a sentence printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def pytest_addoption(parser):
    """Let every sentence of a test compute elsewhere: `--device cuda`, or `emulated` (see emulated_device.py)."""
    parser.addoption("--device", help="where the sentences compute that name no device; the usual one if left out")


@pytest.fixture
def run_cli(capsys, tmp_path, monkeypatch, request):
    """Run a sentence in an empty folder; returns its outcome."""
    monkeypatch.chdir(tmp_path)
    device = request.config.getoption("--device")
    before = ["--device", device] if device else []
    if device == "emulated":
        request.getfixturevalue("emulated")

    def run(line, code=0):
        words = shlex.split(line)
        with pytest.raises(SystemExit) as stopped:
            main([*before, *words] if before and "--device" not in words else words)
        out, err = capsys.readouterr()
        assert stopped.value.code == code, err or out
        assert "Traceback" not in err
        return Outcome(stopped.value.code, out, err)

    return run


@pytest.fixture
def emulated(monkeypatch):
    """Let sentences compute on the device `emulated`; returns the module that describes it."""
    if not emulated_device.REGISTERED:
        pytest.skip("this version of torch has no devices written in Python")
    # Moving a module keeps its parameters the same objects, and so what is tied, as for CUDA.
    monkeypatch.setattr(torch.__future__, "_swap_module_params_on_conversion", True)
    monkeypatch.setattr("semeqv.grammar.settings.ACCELERATORS", ("cuda", "mps", "xpu", emulated_device.NAME))
    return emulated_device


def pytest_make_parametrize_id(val):
    """Name bytes by nothing in them: an archive holds the time it was made, and every worker makes its own."""
    return "bytes" if isinstance(val, bytes) else None
