"""How a process ends: exit codes, one line, plain text, nothing left behind."""

import errno
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from semeqv.runs.errors import UserError
from semeqv.runs.exits import PlainStream, exit_after, message_of
from semeqv.runs.files import scratch, whole, whole_file
from semeqv.runs.processes import World
from tests.sentences import DATA, LOSS, MODEL, OPTIMIZER

ROOT = Path(__file__).parents[2]


class PanicException(BaseException):  # as pyo3 calls what a library in Rust raises
    pass


class Library(Exception):
    pass


def ended(work, capsys):
    with pytest.raises(SystemExit) as stopped:
        exit_after(work)
    return stopped.value.code, capsys.readouterr().err


def raising(error):
    def work():
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UserError("no"), "Error: no\n"),
        (click.UsageError("not so"), "Error: not so\n"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a/b"), "Error: a/b: No such file.\n"),
        (OSError(errno.ENOSPC, "No space left on device"), "The output cannot be written: No space left on device."),
        (Library("Full (os error 28)"), "A file cannot be read or written: No space left on device."),
        (MemoryError(), "There is not enough memory for this (MemoryError)."),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not enough memory"),
        (OverflowError("Python int too large to convert to C long"), "A number of the line is too large"),
        (RuntimeError("Could not determine home directory."), "no home directory here"),
        (PanicException("capacity overflow\nat src/lib.rs"), "A library gave up (capacity overflow)."),
    ],
)  # fmt: skip
def test_what_the_machine_or_the_user_did_is_one_line(error, words, capsys):
    code, err = ended(raising(error), capsys)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_our_own_faults_keep_their_traceback():
    with pytest.raises(KeyError):
        exit_after(raising(KeyError("x")))
    assert message_of(OSError("no number")) is None


def test_codes(capsys):
    assert ended(lambda: 3, capsys)[0] == 3
    assert ended(lambda: "done", capsys)[0] == 0
    assert ended(raising(KeyboardInterrupt()), capsys)[0] == 130
    assert ended(raising(SystemExit(7)), capsys)[0] == 7


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGUSR1", 75)])
def test_a_signal_ends_any_action_and_leaves_nothing(name, code, tmp_path, capsys):
    handler = signal.getsignal(signal.Signals[name])

    def work():
        with whole(tmp_path / "made") as temporary:
            (temporary / "half").write_text("x")
            os.kill(os.getpid(), signal.Signals[name])
            time.sleep(5)

    assert ended(work, capsys)[0] == code
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.Signals[name]) == handler


HOLD = """
import sys, time
from pathlib import Path
from semeqv.runs.files import scratch
with scratch(Path(sys.argv[1])) as temporary:
    (temporary / "half").write_text("x")
    print(temporary, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", HOLD, tmp_path / "made"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        alive, dead = (Path(each.stdout.readline().strip()) for each in processes)
        processes[1].kill()
        processes[1].wait()
        (tmp_path / ".made.4711.tmp").write_text("of an earlier version")
        (tmp_path / ".other.tmp").write_text("another's")
        with scratch(tmp_path / "made") as ours:
            assert {path.name for path in tmp_path.iterdir()} == {alive.name, ours.name, ".other.tmp"}
            assert not dead.exists()
    finally:
        for each in processes:
            each.kill()
            each.wait()


def test_files_have_the_mode_of_new_files(tmp_path):
    old = os.umask(0o027)
    try:
        with whole(tmp_path / "folder") as temporary:
            os.close(os.open(temporary / "weights", os.O_CREAT | os.O_WRONLY, 0o600))
            (temporary / "script").touch(0o755)
        with whole_file(tmp_path / "file") as path:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    finally:
        os.umask(old)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {"weights": 0o640, "script": 0o750, "file": 0o640}


def test_a_file_stays_when_its_successor_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("one")
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "file"):
        pass
    assert [each.read_text() for each in tmp_path.iterdir()] == ["one"]


def test_no_text_steers_the_terminal():
    out = io.StringIO()
    PlainStream(out).write("\x1b]0;title\x07 \x1b[31mred\x1b[0m\r\t\n\x9b2J \x1b[2J \x1b[A\x1b[K \x00")
    assert out.getvalue() == "\\x1b]0;title\\x07 \x1b[31mred\x1b[0m\r\t\n\\x9b2J \\x1b[2J \x1b[A\x1b[K \\x00"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_the_encoding_cannot_say_is_escaped(encoding):
    code = "from semeqv.runs.exits import exit_after; exit_after(lambda: print('gåk ←'))"
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding) == ("g\\xe5k \\u2190\n" if encoding == "ascii" else "gåk \\u2190\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "print_", ["print('x' * 9)", "from semeqv.results.tables import console; console().print('x')"]
)
def test_output_that_nobody_can_take(print_):
    code = f"from semeqv.runs.exits import exit_after\ndef work():\n  {print_}\nexit_after(work)"
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr == b"Error: The output cannot be written: No space left on device.\n"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("environment", "words"),
    [({"WORLD_SIZE": "2", "RANK": "0"}, "WORLD_SIZE=2"), ({"WORLD_SIZE": "abc"}, "WORLD_SIZE=abc, which is no number"),
     ({"RANK": "-1"}, "RANK=-1"), ({"LOCAL_RANK": ""}, "LOCAL_RANK=,"), ({"RANK": "3"}, "RANK=3 and WORLD_SIZE=1, but"),
     ({"WORLD_SIZE": "0"}, "WORLD_SIZE=0"), ({"WORLD_SIZE": "2", "RANK": "7", "MASTER_ADDR": "127.0.0.1"}, "RANK=7")],
)  # fmt: skip
def test_an_environment_that_describes_no_processes(environment, words, monkeypatch, run_cli):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="The environment says"):
        World.here().join(False, 1)
    assert words in run_cli(f"{DATA} {MODEL} {LOSS} {OPTIMIZER} cli train", code=2).err
