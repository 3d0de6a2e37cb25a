"""F15: an environment and numbers that nothing can be done with."""

import shutil

from tests.faults.long_work import GPT2, ONE_STEP, text
from tests.faults.sentences import leftovers, run
from tests.faults.trials import Row, workplace

HUGE = 2**62
VARIABLES = [
    {"WORLD_SIZE": "2"},
    {"WORLD_SIZE": "2", "RANK": "0"},
    {"WORLD_SIZE": "2", "RANK": "1"},
    {"WORLD_SIZE": "2", "RANK": "7", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"},
    {"WORLD_SIZE": "abc"},
    {"WORLD_SIZE": "-1"},
    {"WORLD_SIZE": "0"},
    {"WORLD_SIZE": ""},
    {"WORLD_SIZE": "abc", "RANK": "x"},
    {"RANK": "1.5"},
    {"RANK": "3"},
    {"LOCAL_RANK": "first"},
    {"SEMEQV_CACHE": "~nouser/cache"},
    {"SEMEQV_CACHE": "/dev/null/cache"},
    {"SEMEQV_CACHE": "/proc/cache"},
    {"SEMEQV_CACHE": "cache" * 60},
    {"SEMEQV_DATA": "~nouser/data"},
]
CHANGES = [
    ("--vocab_size 400", f"--vocab_size {HUGE}"),
    ("cli dataset plain --block_size 16", f"cli dataset plain --block_size {HUGE}"),
    ("--embedding_size 8 --block_size 16", f"--embedding_size 8 --block_size {HUGE}"),
    ("--embedding_size 8", f"--embedding_size {HUGE}"),
    ("--layers 1", f"--layers {HUGE}"),
    ("--layers 1", f"--layers {10**30}"),
    ("--steps 1", f"--steps 1 --seed {HUGE * 4}"),
    ("--threads 1", f"--threads {HUGE}"),
    ("--path corpus.txt", "--path ~nouser/corpus.txt"),
    ("--path corpus.txt", f"--path {'corpus' * 60}"),
]


def refused():
    """F15: each is refused before anything is written."""
    row = Row(
        "F15 WORLD_SIZE, RANK, ~nouser, folders that cannot be, sizes of 2**62",
        "one or two clear lines, exit 2, nothing half-written",
    )
    plain = (
        f"{ONE_STEP} --output run cli tokenizer bpe --vocab_size 400 --documents 200 cli dataset plain --block_size 16 "
        f"--path corpus.txt --batch_size 2 {GPT2.format(width=8)} cli train"
    )
    with workplace() as folder:
        place = folder / "place"
        for what in [*VARIABLES, *CHANGES]:
            place.mkdir()
            text(place / "corpus.txt", 300)
            line = plain if isinstance(what, dict) else plain.replace(*what)
            assert isinstance(what, dict) or line != plain, what
            code, said = run(line, place, what if isinstance(what, dict) else None)
            row.count(in_a_line(code, said) and not leftovers(place), f"{what}: {code} {said}")
            shutil.rmtree(place)
    return row


def in_a_line(code, said):
    """Whether a sentence was refused in a line, with the segment below it where there is one."""
    lines = [line for line in said.splitlines() if not line.startswith("Kept in ")]
    segment = len(lines) == 2 and lines[1].startswith("In segment ")
    return code == 2 and (len(lines) == 1 or segment) and lines[0].startswith("Error: ")
