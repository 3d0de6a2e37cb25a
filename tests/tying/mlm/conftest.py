import random

import pytest


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    """No data but what the tests make."""
    monkeypatch.delenv("SEMEQV_DATA", raising=False)


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch):
    """Draw few samples for intervals."""
    monkeypatch.setattr("semeqv.tying.mlm.findings.REPLICATES", 50)


@pytest.fixture
def text(tmp_path):
    """A file of sentences in which `house` is the most frequent word, then `tree`."""
    words = ["house"] * 5 + ["tree"] * 3 + ["a", "river", "treehouse,", "12", "(door)"]
    order = random.Random(0)
    lines = [" ".join(["so", *order.sample(words, len(words))]) for _ in range(60)]
    (tmp_path / "text.txt").write_text("\n".join(lines) + "\n")
    return tmp_path / "text.txt"
