"""Benchmarks are run by hand; here, that all can be, and that two compute the same at a small size."""

import dataclasses
import importlib

import pytest

from benchmarks import merge, sweep
from benchmarks.names import NAMES

SMALL = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_run(name):
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_a_sweep_of_a_small_model_is_that_of_the_peer(monkeypatch):
    monkeypatch.setattr(sweep, "ROUNDS", 1)
    rows = sweep.run(dataclasses.replace(merge.XLMR, sizes=merge.XLMR.sizes | SMALL))
    assert [row.unit for row in rows] == ["s", "s"]
