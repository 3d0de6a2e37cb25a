"""From text to token files and from those to batches, beside what one would use instead.

The corpus is Europarl English and French, where `$SEMEQV_DATA` has it, else the generated one. Peers: `datasets.map`
over a fast tokenizer, batched, as many processes as cores (the recipe of transformers' `run_clm.py`), and torch's
`DataLoader` over the same token file.
"""

import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy
import torch

from benchmarks.paired import Row, pairs, summary
from semeqv.babel.dataset import Babel
from semeqv.runs.processes import World
from semeqv.text.datasets.corpus import chosen
from semeqv.text.datasets.parallel import Europarl
from semeqv.text.objectives import Causal
from semeqv.text.tokenizers.trained import Bpe
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import TokenFile, tokenised, write_token_files

ROUNDS, ROWS, TIME = 3, 32, 256


def corpus():
    """The corpus, and what to call it."""
    if (Path(os.environ.get("SEMEQV_DATA", "")) / "europarl").is_dir():
        return Europarl(), "Europarl English and French, 186,599 pairs"
    return Babel(documents=20_000), "20,000 generated documents"


def plain(folder: Path) -> int:
    """Write the corpus as a plain text file for each language, so that no side waits for a decompressor."""
    rows = list(chosen(corpus()[0]))
    for language in rows[0]:
        text = "".join(row[language] + "\n" for row in rows if language in row)
        (folder / f"text.{language}").write_text(text, encoding="utf-8")
    return sum(file.stat().st_size for file in folder.glob("text.*"))


def tokenizer():
    """A byte-level tokenizer of 10,000 tokens, trained on a part of the corpus."""
    data, _ = corpus()
    return Bpe(vocab_size=10_000, documents=20_000).build({("train", None): data})


def ours(folder: str, json_text: str, end: int) -> None:
    """The token files of semeqv."""
    from semeqv.text.readers.plain import read_documents

    files = sorted(Path(folder).glob("text.*"))
    rows = ({file.suffix[1:]: document.text} for file in files for document in read_documents(file))
    shutil.rmtree(out := Path(folder) / "ours", ignore_errors=True)
    out.mkdir()
    pieces = tokenised(rows, json_text, helpers=World().cores())
    write_token_files(out, pieces, vocabulary=10_000, separator=end)


def peer(folder: str, json_text: str, end: int) -> None:
    """The tokens of the same lines by `datasets.map`."""
    import datasets
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    datasets.disable_progress_bars()
    shutil.rmtree(out := Path(folder) / "peer", ignore_errors=True)
    fast = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json_text))
    files = {file.suffix[1:]: str(file) for file in sorted(Path(folder).glob("text.*"))}
    for language, file in files.items():
        lines = datasets.load_dataset("text", data_files=file, split="train", cache_dir=str(out / "cache"))
        tokens = lines.map(
            lambda batch: {"ids": [[*ids, end] for ids in fast(batch["text"], add_special_tokens=False)["input_ids"]]},
            batched=True,
            num_proc=os.cpu_count(),
            remove_columns=["text"],
        )
        tokens.save_to_disk(str(out / language))


def measured(work: str, *given) -> dict:
    """CPU seconds, wall seconds and peak memory (MB, of the largest process) of a function in a process of its own."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=timed, args=(queue, work, given))
    process.start()
    found = queue.get()
    process.join()
    return found


def timed(queue, work: str, given) -> None:
    """Time a function, its processes included."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    import datasets  # noqa: F401 (both sides have imported it, and transformers)
    import transformers  # noqa: F401

    before = [resource.getrusage(kind) for kind in kinds]
    started = time.perf_counter()
    globals()[work](*given)
    wall = time.perf_counter() - started
    after = [resource.getrusage(kind) for kind in kinds]
    cpu = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(before, after))
    queue.put({"cpu": cpu, "wall": wall, "memory": max(each.ru_maxrss for each in after) / 1000})


def building() -> list[Row]:
    """Rows of the building of token files."""
    made, (_, name) = tokenizer(), corpus()
    text, end = made.backend_tokenizer.to_str(), made.eos_token_id
    folder = Path(tempfile.mkdtemp())
    megabytes = plain(folder) / 1e6
    found = {"ours": [], "peer": []}
    for _ in range(ROUNDS):
        for side, each in found.items():
            each.append(measured(side, str(folder), text, end))
    same_tokens(folder)
    shutil.rmtree(folder)
    cpu = summary([each["cpu"] for each in found["ours"]], [each["cpu"] for each in found["peer"]])
    memory = summary([each["memory"] for each in found["ours"]], [each["memory"] for each in found["peer"]])
    walls = {side: min(each["wall"] for each in rounds) for side, rounds in found.items()}
    how = (
        f"{name} ({megabytes:.0f} MB) to token files, {os.cpu_count()} processes; peer: datasets.map, batched, "
        "save_to_disk; tokens equal"
    )
    rates = {f"{side}_mb_per_wall_second": megabytes / wall for side, wall in walls.items()}
    said = f"CPU; {rates['ours_mb_per_wall_second']:.1f} against {rates['peer_mb_per_wall_second']:.1f} MB/s of wall"
    return [
        Row("text to tokens", *cpu, "s", f"{said}; {how}", None, rates),
        Row("text to tokens, memory", *memory, "MB", f"peak of the largest process; {how}", None),
    ]


def same_tokens(folder: Path) -> None:
    """Refuse to report on results that differ."""
    import datasets

    for language in json.loads((folder / "ours/facts.json").read_text())["languages"]:
        tokens = TokenFile.open(folder / "ours", language, 10_000).tokens
        theirs = datasets.load_from_disk(str(folder / "peer" / language)).with_format("numpy")["ids"]
        assert numpy.array_equal(tokens, numpy.concatenate(list(theirs))), "the tokens differ"


class Blocks(torch.utils.data.Dataset):
    """The same blocks, one at a time, for a DataLoader."""

    def __init__(self, tokens):
        self.tokens = tokens

    def __len__(self):
        return (len(self.tokens) - 1) // (TIME - 1)

    def __getitem__(self, place):
        ids = torch.from_numpy(self.tokens[place * (TIME - 1) : place * (TIME - 1) + TIME].astype(numpy.int64))
        return {"input_ids": ids, "labels": ids}


def fetching() -> list[Row]:
    """Rows of the fetching of batches."""
    made, (data, _) = tokenizer(), corpus()
    batches = data.build(made)
    file = max((part.tokens for part in batches.parts), key=len)
    layout = Layout(rows=ROWS, time=TIME, packing=True, first=None, last=0, pad=0)
    own = TokenBatches([TokenFile("en", file, numpy.array([len(file)]))], Causal(), layout)
    shuffled = torch.utils.data.DataLoader(Blocks(file), ROWS, shuffle=True, drop_last=True)
    streams, seen = {"own": own.stream(0), "peer": iter(shuffled)}, {"own": 0, "peer": 0}

    def fetch(side: str) -> None:
        for _ in range(50):
            seen[side] += next(streams[side])["input_ids"].numel()

    found = pairs(lambda: fetch("own"), lambda: fetch("peer"), 7)
    assert seen["own"] == seen["peer"]
    values = summary([each[0] / 50 * 1e6 for each in found], [each[2] / 50 * 1e6 for each in found])
    how = f"CPU for a shuffled batch of {ROWS} rows of {TIME} tokens from a mapped file; peer: DataLoader, no workers"
    return [Row("batch", *values, "us", how, None)]


def run() -> list[Row]:
    """All rows."""
    return [*fetching(), *building()]


if __name__ == "__main__":
    print(run(), file=sys.stderr)
