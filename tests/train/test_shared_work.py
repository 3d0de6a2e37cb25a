"""What several processes do together, and what the first one does while the others wait."""

import random

import pytest

from semeqv.text.datasets import tokenised
from semeqv.text.tokens import files as building
from tests import copies

MODEL = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8 --block_size 16 --dropout 0"
TRAIN = "cli tokenizer bpe --vocab_size 300 cli dataset plain --path text --batch_size 4 --block_size 16"
TEST = "cli dataset plain --path more --split test --batch_size 4 --block_size 16"


def cut_finely():
    """Let processes share a corpus that is small."""
    tokenised.ALONE, building.PIECE = 0, 500


def run_cli(folder, line, size, before=None):
    """Run a sentence in processes that know of each other; returns what they said."""
    known = copies.of_several(size) if size > 1 else [{}]
    started = [
        copies.start(f"--threads 1 --device cpu {line}", folder, names, before, output=f"{folder.name}-{rank}.output")
        for rank, names in enumerate(known)
    ]
    codes, said = zip(*(each.end() for each in started))
    assert set(codes) == {0}, said
    lines = "".join(said).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("[Gloo]"))  # which some versions of torch print


def files(folder):
    """What the cache holds of corpora, without what says when."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("tokens/*/*") if path.is_file()
    }


@pytest.fixture
def text(tmp_path):
    """Two folders with the same corpus."""
    draw = random.Random(0)
    words = ["the", "cat", "sat", "on", "a", "mat", "dogs", "ran"]
    for folder in ("alone", "together"):
        (tmp_path / folder).mkdir()
    for name, lines in (("text", 200), ("more", 20)):
        said = "".join(" ".join(draw.choices(words, k=8)) + "\n" for _ in range(lines))
        for folder in ("alone", "together"):
            (tmp_path / folder / name).write_text(said)
    return tmp_path


@pytest.mark.slow
def test_processes_tokenise_what_one_does_and_measure_what_one_does(text):
    line = f"--steps 3 --output run {MODEL} {TRAIN} {TEST} cli optimizers adamw cli train cli perplexity"
    alone = run_cli(text / "alone", line, 1)
    together = run_cli(text / "together", line, 2, cut_finely)
    assert files(text / "together/cache") == files(text / "alone/cache")
    assert "Perplexity of " in alone
    assert alone[alone.index("Perplexity of ") :] == together[together.index("Perplexity of ") :]
    # What only the first one does needs no answer of the others, though it tokenises something new.
    (text / "together/more").write_text("a cat sat on the mat\n" * 50)
    said = run_cli(text / "together", f"cli model load --from run {TEST} cli perplexity", 2)
    assert said.count("Perplexity of ") == 1
