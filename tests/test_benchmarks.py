"""Benchmarks are run by hand; here, that all can be, and that two compute the same at a small size."""

import dataclasses
import importlib

import pytest

from benchmarks import merge, parity, sweep
from benchmarks.names import NAMES

SMALL = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_run(name):
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_a_sweep_of_a_small_model_is_that_of_the_peer(monkeypatch):
    monkeypatch.setattr(sweep, "ROUNDS", 1)
    rows = sweep.run(dataclasses.replace(merge.XLMR, sizes=merge.XLMR.sizes | SMALL))
    assert [row.unit for row in rows] == ["s", "s"]


def row(**changed):
    """A row of the table of parity, as JSON."""
    found = parity.Agreement("peer", "1.0", "a number", 3, 0.5, 0.5, 0.0, 1e-6, agree=True)
    return dataclasses.asdict(dataclasses.replace(found, **changed))


@pytest.mark.parametrize(
    ("theirs", "tolerance", "relative", "agree"),
    [(2.0, 0.0, True, True), (2.0015, 1e-3, True, True), (2.0015, 1e-4, True, False), (2.0015, 1e-3, False, False)],
)
def test_numbers_agree_within_a_tolerance(theirs, tolerance, relative, agree):
    peer = parity.Peer("gensim", None, None)
    found = parity.compared(peer, "a number", (2.0, theirs), 1, tolerance, relative=relative)
    assert found.agree is agree
    assert found.difference == pytest.approx((theirs - 2) / (theirs if relative else 1))


def test_a_peer_that_cannot_be_installed_is_a_row_that_disagrees(monkeypatch):
    def refuse(name, folder):
        raise RuntimeError(f"pip cannot install {name}")

    monkeypatch.setattr(parity, "installed", refuse)
    rows = parity.run(["gensim", "udtools"])
    assert [row.note for row in rows] == ["pip cannot install gensim", "pip cannot install udtools"]
    assert not any(row.agree for row in rows)


def test_what_disagrees_is_seen_in_the_table():
    lines = parity.page([row(), row(agree=False, note="why", difference=None)], {"python": "3"}).splitlines()
    assert "| peer 1.0 | a number | 3 | 0.5 | 0.5 | 0.0e+00 | 1.0e-06 | yes |" in lines
    assert "| peer 1.0 | a number | 3 | 0.5 | 0.5 |  | 1.0e-06 | **no** (why) |" in lines


def test_every_peer_has_a_version_and_work():
    assert set(parity.PEERS) == set(parity.WORK)
    assert all("==" in requirement for requirement in parity.PEERS.values())
