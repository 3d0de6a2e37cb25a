"""A package of a stranger adds a noun, a verb, a figure and results, without touching this repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = {
    "counting/__init__.py": "",
    "counting/plugin.py": '''
"""The words of the study."""


def register(chain):
    """Add a data set, and open `counting`."""
    chain.word("dataset", "What is read, one per split and name.", "counting.numbers")
    chain.word("counting", "How models count.", "counting.verbs", "counting.figures")
''',
    "counting/numbers.py": '''
"""Texts in which somebody counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from semeqv.grammar.component import component
from semeqv.text.datasets.corpus import Corpus


@component("dataset counting")
@dataclass(frozen=True, kw_only=True)
class Counting(Corpus):
    """Texts that count.

    Args:
        upto: How far.
    """

    upto: int = 9

    def sources(self) -> Mapping[str, object]:
        """None."""
        return {}

    def rows(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The texts."""
        for first in range(60):
            text = " ".join(str((first + i) % 10) for i in range(self.upto))
            yield text, {"en": text}
''',
    "counting/verbs.py": '''
"""What models make of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import torch


@dataclass(frozen=True)
class Sizes(Result):
    """How long the embeddings of the digits are."""

    lengths: dict[str, float]

    def show(self) -> None:
        """Print them."""
        print(self.lengths)

    def records(self) -> list[dict[str, Any]]:
        """One line a digit."""
        return [{"measure": "lengths", "digit": digit, "length": each} for digit, each in self.lengths.items()]


@action("counting lengths")
def lengths(model: Any, tokenizer: Any, *, digits: Annotated[int, AtLeast(1, 10)] = 3) -> Sizes:
    """Measure how long the embeddings of digits are.

    Args:
        model: Has embeddings.
        tokenizer: Knows the digits.
        digits: How many.

    Returns:
        The lengths.
    """
    rows = model.get_input_embeddings().weight.detach()
    ids = [tokenizer(str(digit), add_special_tokens=False)["input_ids"][-1] for digit in range(digits)]
    return Sizes({str(digit): float(torch.linalg.norm(rows[token])) for digit, token in enumerate(ids)})
''',
    "counting/figures.py": '''
"""Its plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from semeqv.grammar.action import Positional
from semeqv.results import average, read
from semeqv.results.figures.drawing import Drawn, Look, figure_action
from semeqv.results.figures.style import COLUMN, new_figure


@figure_action("counting view", output="figures/lengths.pdf")
def lengths_view(paths: Annotated[Sequence[Path], Positional()] = (), *, look: Look = Look()) -> Drawn:
    """Draw how long the embeddings of digits are.

    Args:
        paths: Folders of runs.
        look: How it looks.

    Returns:
        The figure.
    """
    numbers = read(*paths)
    table = average(numbers[numbers["metric"] == "length"], by=["digit"])
    figure = new_figure(COLUMN, 2.0, show=look.show)
    figure.add_subplot().plot(table["digit"], table["value"], color=look.colors(1)[0])
    return Drawn(figure)
''',
    "counting-0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: counting\nVersion: 0.1\n",
    "counting-0.1.dist-info/entry_points.txt": "[semeqv.plugins]\ncounting = counting.plugin\n",
}


@pytest.fixture
def stranger(tmp_path):
    for name, text in PACKAGE.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}

    def run(line):
        words = [sys.executable, "-m", "semeqv", *line.split()]
        done = subprocess.run(words, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_a_noun_a_verb_a_figure_and_results_of_another_package(stranger, tmp_path):
    train = "--steps 3 --output runs/42-gpt2 cli tokenizer bpe --vocab_size 300"
    train += (
        " cli dataset counting --batch_size 4 --block_size 16 cli model gpt2 --layers 1 --heads 1 --embedding_size 8"
    )
    stranger(f"{train} cli optimizers adamw cli train cli counting lengths --digits 4 --csv lengths.csv")
    lines = [json.loads(line) for line in (tmp_path / "runs/42-gpt2/metrics.jsonl").read_text().splitlines()]
    assert [line["digit"] for line in lines if line.get("measure") == "lengths"] == ["0", "1", "2", "3"]
    assert (tmp_path / "lengths.csv").read_text().splitlines()[0] == "measure,digit,length"
    stranger("cli counting view runs/42-gpt2 --output drawn")
    assert (tmp_path / "drawn.pdf").stat().st_size > 0
    assert "length" in stranger("cli results runs --metric length --by metric --by digit --markdown page.md")
    assert (tmp_path / "page.md").read_text().count("\n| ") == 6
    assert "How far." in stranger("cli dataset counting --help")
