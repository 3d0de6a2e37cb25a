"""Batches that a thread makes ahead."""

import threading

import pytest
import torch

from semeqv.train.batches import AHEAD, prefetched


def numbered(count, error=None):
    for i in range(count):
        yield {"input_ids": torch.tensor([i])}
    if error:
        raise error


def read(batches, count):
    return [int(next(batches)["input_ids"]) for _ in range(count)]


def test_batches_come_in_their_order_and_the_thread_ends():
    before = threading.active_count()
    with prefetched(numbered(10**9), pinned=False) as batches:
        assert read(batches, 20) == list(range(20))
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with prefetched(numbered(5), pinned=False) as batches:
        assert [int(batch["input_ids"]) for batch in batches] == list(range(5))


def test_no_more_than_a_few_are_made_ahead():
    made = []

    def counted():
        for batch in numbered(100):
            made.append(batch)
            yield batch

    with prefetched(counted(), pinned=False) as batches:
        read(batches, 2)
    assert len(made) <= 2 + AHEAD + 1


def test_what_goes_wrong_is_raised_where_the_batch_is_missing():
    with prefetched(numbered(3, OSError("gone")), pinned=False) as batches:
        assert read(batches, 3) == [0, 1, 2]
        with pytest.raises(OSError, match="gone"):
            next(batches)
