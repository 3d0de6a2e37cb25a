import json
from pathlib import Path

import numpy
import pytest


@pytest.fixture
def distances(tmp_path):
    """Write files of distances, one per run, that fall to a known end."""

    def write(ends, records=4, symbols=4):
        paths = []
        for number, end in enumerate(ends):
            length = records[number] if isinstance(records, list) else records
            array = numpy.full((length, symbols, symbols), 0.5, dtype=numpy.float32)
            array[:, 0, 1] = numpy.linspace(2, end, length)
            array[:, 2, 3] = numpy.linspace(2, end / 10, length)
            paths.append(tmp_path / f"{number}.npy")
            numpy.save(paths[-1], array)
        return tuple(paths)

    return write


@pytest.fixture
def run_folder(tmp_path):
    """Write the folder of a run: a constant accuracy and what run.json says."""

    def write(name, accuracies, bayes=None, tail="", **extra) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = [
            json.dumps({"epoch": 100 * place, "step": 100 * place, "split": split, "name": None, "accuracy": value})
            for place, value in enumerate(accuracies, start=1)
            for split in ("train", "validation")
        ]
        (folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines) + tail)
        if bayes is not None:
            facts = {"dataset": {"train": {"bayes_accuracy": bayes}, "validation": {"bayes_accuracy": bayes}}}
            (folder / "run.json").write_text(json.dumps({"facts": facts, **extra}))
        return folder

    return write


@pytest.fixture
def spoken(monkeypatch):
    """Let tables be wide enough not to wrap."""
    monkeypatch.setenv("COLUMNS", "200")
