"""F12 to F14: the cache that all runs share: damaged entries, two makers of one entry, processes left alone."""

import ctypes
import os
import random
import shutil
import signal
import time
from functools import partial
from pathlib import Path

from tests.faults.long_work import GPT2, ONE_STEP, text
from tests.faults.sentences import leftovers, results, run, start, timed
from tests.faults.storage import damage, limited
from tests.faults.trials import Row, wait, workplace

ENDS = {signal.SIGTERM: 143, signal.SIGUSR1: 75, signal.SIGHUP: 129}
NEW_USERS, NEW_PIDS = 0x10000000, 0x20000000  # unshare(2)


def sentence(corpus, output="run"):
    """A run of one step, whose tokenizer and token files are kept in the cache."""
    return (
        f"{ONE_STEP} --output {output} --overwrite cli tokenizer bpe --vocab_size 400 --documents 2000 "
        f"cli dataset plain --path {corpus} --block_size 16 --batch_size 2 {GPT2.format(width=8)} cli train"
    )


def changed_half(good, rng):
    """Every other byte from a random place on is another one: the size is right, the contents are not."""
    start = rng.randrange(len(good) // 2 + 1)
    bad = bytearray(good)
    bad[start::2] = bytes(byte ^ 1 for byte in bad[start::2])
    return bytes(bad)


def damaged_entries(kind, tries):
    """F12: a file of a tokenizer or of tokens in the cache, damaged between two runs."""
    row = Row(f"F12 {kind} in the cache", "named and made anew, with the same bytes; the run is that of a sound cache")
    change = changed_half if kind == "a changed half" else damage(kind)
    rng = random.Random(0)
    with workplace() as folder:
        line, place = sentence(text(folder / "corpus.txt", 3000)), folder / "place"
        timed(line, place)
        whole = results(place)
        files = sorted(path for path in (place / "cache").rglob("*") if path.is_file())
        while row.tried < tries:
            file = files[row.tried % len(files)]
            good = file.read_bytes()
            if (bad := change(good, rng)) == good:
                continue
            file.write_bytes(bad)
            code, said = run(line, place)
            entry = file.relative_to(place / "cache").parts[1]
            named = any(entry in each and "is damaged (" in each for each in said.splitlines())
            harmless = file.name == "made-from.json" and file.read_bytes() == bad  # a byte of what says nothing
            same = (
                {**results(place), str(file.relative_to(place)): ""} == {**whole, str(file.relative_to(place)): ""}
                if harmless
                else results(place) == whole
            )
            row.count(code == 0 and (named or harmless) and same, f"{file.name}: {code} {same} {said}")
            if harmless:
                file.write_bytes(good)
    row.notes = f"{len(files)} files of two entries in turn"
    return row


def full_disk(tries):
    """F5: no file may grow beyond a limit while a tokenizer is trained and a corpus tokenised."""
    row = Row("F5 disk full: the cache, a limit on file size", "one clear line, exit 2, nothing half-written")
    with workplace() as folder:
        line, place = sentence(text(folder / "corpus.txt", 3000)), folder / "place"
        timed(line, place)
        largest = max(path.stat().st_size for path in (place / "cache").rglob("*") if path.is_file())
        for i in range(tries):
            shutil.rmtree(place)
            limit = int(1000 * (largest / 1000) ** (i / tries))  # what is said must fit, too
            code, said = run(line, place, before=partial(limited, limit))
            errors = [each for each in said.splitlines() if not each.startswith("Kept in ")]
            clear = len(errors) == 1 and errors[0].startswith("Error: ") and "cannot be written" in errors[0]
            row.count(code == 2 and clear and not leftovers(place), f"limit {limit}: {code} {said}")
    return row


def asked_while_preparing(tries):
    """F3: asked to end while a tokenizer is trained or a corpus tokenised."""
    row = Row(
        "F3 SIGTERM, SIGUSR1, SIGHUP while a run prepares its data",
        "ends with 143, 75 or 129, and leaves nothing half-written; said again, it ends with the same bytes",
    )
    rng = random.Random(0)
    with workplace() as folder:
        line = sentence(text(folder / "corpus.txt", 30_000))
        timed(line, folder / "first")
        seconds = timed(line, folder / "whole")
        whole = results(folder / "whole")
        for i in range(tries):
            place, number = folder / f"asked-{i}", list(ENDS)[i % 3]
            work = start(line, place)
            wait(lambda place=place: leftovers(place), work, 600)
            work.process.join(rng.random() * seconds / 4)
            over = not leftovers(place)
            os.kill(work.process.pid, number)
            code, said = work.end()
            left = leftovers(place)
            again, more = run(line, place)
            right = (code == ENDS[number] or over) and "Traceback" not in said and not left
            row.count(right and again == 0 and results(place) == whole, f"{code} {left} {said} {more}")
            shutil.rmtree(place)
    return row


def same_pid(line, folder):
    """Run a sentence as the first process of a namespace, as in a container; else pretend to have its number."""
    from tests.copies import spoken

    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(NEW_PIDS) and library.unshare(NEW_USERS | NEW_PIDS):
        os.getpid = lambda: 1
        spoken(line)
    if child := os.fork():
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert os.getpid() == 1
    (folder / "namespaces").touch()
    spoken(line)


def two_makers(tries):
    """F13: two processes with one number make the same entries of one cache, one a moment after the other."""
    row = Row(
        "F13 two makers of one entry, with the same process id", "both end well, and so does a third; one sound entry"
    )
    rng = random.Random(0)
    with workplace() as folder:
        corpus = text(folder / "corpus.txt", 20_000)
        seconds = timed(sentence(corpus), folder / "first")
        seconds = timed(sentence(corpus), folder / "whole")
        whole = results(folder / "whole" / "cache")
        for i in range(tries):
            place = folder / f"shared-{i}"
            cache = {"SEMEQV_CACHE": str(place / "cache")}
            one = start(partial(same_pid, sentence(corpus), folder), place / "one", cache)
            time.sleep(rng.random() * seconds)
            other = start(partial(same_pid, sentence(corpus), folder), place / "other", cache)
            ends = [each.end() for each in (one, other)]
            ends.append(run(sentence(corpus), place / "third", cache))
            same, left = results(place / "cache") == whole, leftovers(place)
            right = all(code == 0 and "damaged" not in said for code, said in ends)
            row.count(right and same and not left, f"{ends} {same} {left}")
            shutil.rmtree(place)
        apart = (folder / "namespaces").exists()
    row.notes = "process 1 of a namespace each" if apart else "pretended: no leave to make namespaces here"
    return row


def pooled(line):
    """Tokenise in several processes, however small the corpus."""
    from semeqv.runs.processes import World
    from semeqv.text.datasets import tokenised
    from semeqv.text.tokens import files as building
    from tests.copies import spoken

    tokenised.ALONE, building.PIECE = 0, 2**14
    World.cores = lambda self: 2
    spoken(line)


def descendants(process):
    """The processes that a process has started, and those that these have."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def lost_parent(tries):
    """F14: the process that others tokenise for, killed."""
    row = Row(
        "F14 SIGKILL of a process while others tokenise for it",
        "within 10 s no process is left; said again, it ends with the same bytes",
    )
    rng, longest = random.Random(0), 0.0
    with workplace() as folder:
        line = partial(pooled, sentence(text(folder / "corpus.txt", 40_000)))
        timed(line, folder / "whole")
        whole = results(folder / "whole")
        for i in range(tries):
            place = folder / f"killed-{i}"
            work = start(line, place)
            while len(children := descendants(work.process.pid)) < 2 and work.poll() is None:  # and what tracks them
                time.sleep(0.01)
            work.process.join(rng.random() * 3)
            children = {*children, *descendants(work.process.pid)}
            killed_in_time = work.poll() is None
            work.process.kill()
            at = time.monotonic()
            work.end()
            while (alive := [each for each in children if running(each)]) and time.monotonic() < at + 10:
                time.sleep(0.01)
            longest = max(longest, time.monotonic() - at)
            for each in alive:
                os.kill(each, signal.SIGKILL)
            code, said = run(line, place)
            same, left = results(place) == whole, leftovers(place)
            row.count(
                not alive and code == 0 and same and not left and (killed_in_time or len(children) >= 2),
                f"{alive} {code} {same} {left} {said}",
            )
            shutil.rmtree(place)
    row.notes = f"the longest took {longest:.1f} s"
    return row


def running(process):
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
