"""F11: SIGKILL at random moments of the long work that is not training."""

import contextlib
import functools
import http.server
import random
import shutil
import threading
import time
from pathlib import Path

from tests.faults.sentences import leftovers, results, run, start, timed
from tests.faults.trials import Row, wait, workplace

GPT2 = "cli model gpt2 --layers 1 --heads 2 --embedding_size {width} --block_size 16 cli optimizers adamw"
ONE_STEP = "--threads 1 --steps 1"


def word(number, mark):
    """The word of a number: the mark, and a letter for each digit."""
    return mark + "".join("abcdefghij"[int(digit)] for digit in str(number))


def text(path, lines, seed=1, words=3000, mark="w"):
    """Write lines of nine words each."""
    draw = random.Random(seed)
    sentences = (" ".join(word(draw.randrange(words), mark) for _ in range(9)) for _ in range(lines))
    path.write_text("".join(f"{sentence}\n" for sentence in sentences))
    return path


def prepared(line, folder):
    """Run a sentence that makes what others need."""
    code, said = run(line, folder)
    assert code == 0, (code, said)


def tokenising(folder):
    """A run whose tokenizer and token files are made first, in one process."""
    corpus = text(folder / "corpus.txt", 50_000)
    return (
        f"{ONE_STEP} --output run cli tokenizer bpe --vocab_size 400 --documents 5000 cli dataset plain "
        f"--path {corpus} --block_size 16 --batch_size 2 {GPT2.format(width=8)} cli savers default-saver --resume "
        "cli train"
    )


def trained(folder, name, width=64, vocabulary=2000, seed=1):
    """Train a small model for a step, and return its folder."""
    corpus = text(folder / "small.txt", 1500)
    prepared(
        f"--seed {seed} {ONE_STEP} --output {folder / name} cli tokenizer bpe --vocab_size {vocabulary} "
        f"cli dataset plain --path {corpus} --block_size 16 --batch_size 2 {GPT2.format(width=width)} cli train",
        folder,
    )
    return folder / name


def initialising(folder):
    """A model that is given the tokens of another language by OFA."""
    base, other = trained(folder, "base", vocabulary=600), text(folder / "other.txt", 1500, seed=2, mark="v")
    prepared(
        f"cli tokenizer bpe --vocab_size 700 cli dataset plain --path {other} "
        f"cli save-tokenizer --path {folder / 'tokenizer'}",
        folder,
    )
    draw = random.Random(3)
    rows = [word(number, mark) for mark in "wv" for number in range(800)]
    lines = [f"{row} {' '.join(f'{draw.gauss(0, 1):.4f}' for _ in range(30))}\n" for row in rows]
    (folder / "vectors.vec").write_text(f"{len(rows)} 30\n{''.join(lines)}")
    return (
        f"cli ofa init ofa --from {base} --target_tokenizer {folder / 'tokenizer'} --vectors {folder / 'vectors.vec'} "
        "--keep_dim 20 --output new --overwrite"
    )


def merging(folder):
    """Two models merged by TIES."""
    base, *others = (trained(folder, f"model-{seed}", width=256, seed=seed) for seed in range(3))
    added = " ".join(f"--add 1 {other}" for other in others)
    return f"cli crosslingual merge --method ties --base {base} {added} --output merged --overwrite"


def sweeping(folder):
    """A tagger at several strengths of a vector."""
    tags = "cli dataset babel-tags --sentences 60 --max_length 32 --replicates 20"
    encoder = "cli model encoder --layers 1 --heads 2 --embedding_size 16 --block_size 32"
    tokenizer = "cli tokenizer bpe --vocab_size 300"
    for name, seed in (("base", 1), ("lume", 2)):
        prepared(
            f"--seed {seed} {ONE_STEP} --output {folder / name} {tokenizer} cli dataset babel --documents 40 "
            f"--objective masked --block_size 32 --batch_size 4 {encoder} cli optimizers adamw cli train",
            folder,
        )
    prepared(
        f"{ONE_STEP} --output {folder / 'task'} {tags} cli model token-classifier --from {folder / 'base'} "
        "cli optimizers adamw cli train",
        folder,
    )
    sets = " ".join(f"{tags} --languages lume --split {split} --name lume" for split in ("validation", "test"))
    return (
        f"--threads 1 --output swept {sets} cli model token-classifier --from {folder / 'task'} cli crosslingual sweep "
        f"--base {folder / 'base'} --vector lume {folder / 'lume'} --source lume --kinds language negation "
        "--replicates 50 --label task"
    )


def mapped(folder):
    """A hypernetwork of HyperOFA and what it predicts of, in two folders."""
    words = initialising(folder).split("--from ")[1].split(" --keep_dim")[0]
    prepared(f"cli ofa mapping --from {words} --keep_dim 20 --path {folder / 'mapping'}", folder)
    prepared(
        f"{ONE_STEP} --output {folder / 'network'} cli ofa dataset mapping --mapping {folder / 'mapping'} "
        "cli ofa model bilstm --hidden_size 16 cli ofa optimizers adam cli train",
        folder,
    )
    return (
        f"--threads 1 cli model load --from {folder / 'network'} "
        f"cli ofa predict --mapping {folder / 'mapping'} --path predicted.safetensors"
    )


def vectors(folder):
    """Word vectors of two languages."""
    for language, mark in (("en", "w"), ("fr", "v")):
        text(folder / f"pairs.{language}", 6000, seed=4, mark=mark)
    return (
        f"--threads 1 cli dataset moses --path {folder / 'pairs'} --languages en fr "
        "cli ofa vectors --dimensions 40 --path vectors.vec"
    )


class Slow(http.server.BaseHTTPRequestHandler):
    """Sends a file in small parts, from where it is asked to."""

    content = random.Random(5).randbytes(2**21)

    def do_GET(self):
        start = 0
        if (asked := self.headers["Range"]) and self.headers["If-Range"] == '"one"':
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        else:
            self.send_response(200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked is no more
            for place in range(start, len(self.content), 2**15):
                self.wfile.write(self.content[place : place + 2**15])
                time.sleep(0.005)

    def log_message(self, *_):
        pass


def fetched(address):
    """Fetch a file here."""
    from semeqv.text.download import download

    download(address, Path("fetched.bin"))


@contextlib.contextmanager
def serving():
    """The address of a slow server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/file"
        server.shutdown()


WORK = {
    "tokenising": ("a tokenizer is trained and a corpus tokenised", tokenising),
    "init": ("`ofa init` writes a model", initialising),
    "merge": ("`crosslingual merge` writes a model", merging),
    "sweep": ("`crosslingual sweep` measures", sweeping),
    "vectors": ("`ofa vectors` makes word vectors", vectors),
    "predict": ("`ofa predict` predicts coordinates", mapped),
}
AT_ONCE = {"sweep"}  # add lines to a file in the end, and never have anything half-written


def killed_work(name, tries):
    """F11: killed at a random moment from beginning to end, and said again."""
    what, make = WORK[name]
    with workplace() as folder:
        return killed(what, make(folder), folder, tries, at_once=name in AT_ONCE)


def killed_download(tries):
    """F11: a download, by the same."""
    with workplace() as folder, serving() as address:
        return killed("a file is downloaded", functools.partial(fetched, address), folder, tries)


def killed(what, line, folder, tries, at_once=False):
    """Kill a sentence at random moments; said again, it must end as one that was left alone, and leave nothing more."""
    row = Row(f"F11 SIGKILL while {what}", "said again, it ends with the same bytes, and nothing half-written is left")
    rng, halves, late = random.Random(0), 0, False
    timed(line, folder / "first")
    seconds = timed(line, folder / "whole")
    whole = results(folder / "whole")
    while row.tried < tries:
        place, began = folder / f"killed-{row.tried}", time.monotonic()
        work = start(line, place)
        if row.tried % 2 and not at_once and not late:  # every other time once something is half-written
            wait(lambda place=place: leftovers(place) or results(place), work, 600)
            work.process.join(rng.random() * seconds / 4)
        else:
            work.process.join(rng.random() * seconds)
        if late := work.poll() is not None:  # the machine is faster than it was, and this is no try
            seconds = min(seconds, time.monotonic() - began)
            shutil.rmtree(place)
            continue
        work.process.kill()
        work.end()
        halves += bool(leftovers(place))
        code, said = run(line, place)
        same, left = results(place) == whole, leftovers(place)
        row.count(code == 0 and same and not left and "Traceback" not in said, f"{code} {same} {left} {said}")
        shutil.rmtree(place)
    row.notes = f"{halves} of the kills left something half-written"
    return row
