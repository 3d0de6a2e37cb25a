import json
import math
from itertools import chain, islice

import numpy as np
import pytest
import torch

from semeqv.problem.xor.datasets.decoding import Decoder
from semeqv.problem.xor.datasets.default import Default
from semeqv.problem.xor.datasets.randomness import random_orders, random_rows
from semeqv.problem.xor.datasets.samples import STEPS, XorSamples

MAIN = dict(size=7, zero_distribution=[0.1, 0.9], one_distribution=[0.5, 0.5])
FULL = dict(MAIN, batch_size=1024, drop_last=False)
SMALL = dict(MAIN, batch_size=25, drop_last=False)  # 115 strings: four batches of 25 and one of 15
DROPPED = dict(MAIN, batch_size=50)
HUGE = dict(MAIN, size=12, batch_size=20)  # more batches in an epoch than are decoded at once
STREAMS = [FULL, SMALL, DROPPED, HUGE]


def first(stream, count):
    return list(islice(stream, count))


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in ("input_ids", "labels"))


def strings_of(batch):
    """Undo the masking and read each row's string back."""
    symbols = torch.where(batch["input_ids"] == 6, batch["labels"][..., None], batch["input_ids"])
    size = symbols.shape[-1] - 1
    return ((symbols[..., :size] >= 2).long() << torch.arange(size)).sum(-1)


@pytest.mark.parametrize("options", STREAMS)
def test_a_batch_is_what_it_says(options):
    samples = XorSamples(**options)
    for batch in first(samples.replica_stream([3, 4]), len(samples)):
        ids, labels = batch["input_ids"], batch["labels"]
        assert ids.dtype == labels.dtype == torch.int32
        assert ids.shape == (*labels.shape, samples.sequence_size)
        assert ids.stride(-2) == 1  # samples innermost
        assert ((ids == samples.mask).sum(-1) == 1).all()
        assert (ids[..., -1] != samples.mask).all()
        assert ((labels >= 0) & (labels < 4)).all()
        bits = torch.where(ids == 6, labels[..., None], ids)[..., :-1] >= 2
        assert torch.equal(ids[..., -1], 4 + bits.sum(-1).int() % 2)


@pytest.mark.parametrize("options", STREAMS)
def test_an_epoch_holds_every_string_once(options):
    samples = XorSamples(**options)
    seen = torch.cat([strings_of(batch) for batch in first(samples.stream(1), len(samples))])
    assert len(seen) == len(set(seen.tolist()))
    assert set(seen.tolist()) <= set(samples.strings.tolist())
    if not options.get("drop_last", True):
        assert len(seen) == len(samples.strings)


def test_symbols_and_masks_are_as_frequent_as_they_should_be():
    batches = first(XorSamples(**FULL).stream(0), 400)
    ids = torch.stack([batch["input_ids"] for batch in batches])
    labels = torch.stack([batch["labels"] for batch in batches])
    count = torch.bincount(ids.flatten(), minlength=7).double()
    bits = 400 * 115 * 7
    for symbols, probability in (((0, 1), 0.1), ((2, 3), 0.5)):
        total = count[list(symbols)].sum()
        deviation = math.sqrt(probability * (1 - probability) / total)
        assert abs(count[symbols[0]] / total - probability) < 5 * deviation
    assert count[6] == labels.numel()
    assert count[:4].sum() + labels.numel() == bits
    masked = torch.bincount((ids == 6).int().argmax(-1).flatten(), minlength=8).double() / labels.numel()
    assert (masked[:7] - 1 / 7).abs().max() < 5 * math.sqrt(6 / 49 / labels.numel())
    zeros = labels[labels < 2]
    assert abs((zeros == 0).double().mean() - 0.1) < 5 * math.sqrt(0.09 / len(zeros))


def test_probabilities_are_honoured_to_the_last_word():
    strings = np.array([[0, 1]])
    words = np.array([[0, 0, 0, 0], [2**30 - 1, 2**30 - 1, 0, 0], [2**30, 2**30, 0, 0], [2**32 - 1] * 4], np.uint32)
    expected = {0.25: ([0, 0, 1, 1], [2, 2, 3, 3]), 1.0: ([0] * 4, [2] * 4), 0.0: ([1] * 4, [3] * 4)}
    for probability, (zeros, ones) in expected.items():
        _, labels = Decoder(1, ((probability, 1 - probability),) * 2).decode(words, strings)
        assert labels.T.tolist() == [zeros, ones]


@pytest.mark.parametrize(
    ("distributions", "absent", "pairs", "bayes"),
    [
        (([0.1, 0.9], [0.5, 0.5]), [], [(0, 1), (2, 3)], (0.70, 0.509)),
        (([1, 0], [0.5, 0.5]), [1], [(2, 3)], (0.75, 0.347)),
        (([1, 0], [0.1, 0.9]), [1], [(2, 3)], (0.95, 0.163)),
        (([1], [1]), [1, 3], [], (1.0, 0.0)),
        (([0, 1], [1]), [0, 3], [], (1.0, 0.0)),
    ],
)
def test_distributions_decide_symbols_pairs_and_bounds(distributions, absent, pairs, bayes):
    samples = XorSamples(size=7, zero_distribution=distributions[0], one_distribution=distributions[1])
    emitted = {symbol for batch in first(samples.stream(0), 50) for symbol in batch["labels"].unique().tolist()}
    assert emitted == {0, 1, 2, 3} - set(absent)
    assert samples.pairs() == pairs
    assert samples.bayes_accuracy == pytest.approx(bayes[0])
    assert samples.bayes_loss == pytest.approx(bayes[1], abs=5e-4)


@pytest.mark.parametrize(("every_string", "sizes"), [(True, (115, 12, 1)), (False, (114, 12, 1))])
def test_splits_are_disjoint_and_complete(every_string, sizes):
    options = dict(FULL, every_string=every_string)
    parts = [XorSamples(**options, split=split).strings.tolist() for split in ("train", "validation", "test")]
    assert tuple(map(len, parts)) == sizes
    assert sorted(chain(*parts)) == list(range(128 - (not every_string)))
    assert parts[0] != sorted(parts[0])
    assert XorSamples(**options, seed=15).strings.tolist() != parts[0]


@pytest.mark.parametrize("options", STREAMS)
def test_a_stream_is_entered_at_any_step(options):
    samples = XorSamples(**options)
    whole = first(samples.stream(9), 3 * STEPS)
    for start in (0, 1, 4, 5, STEPS - 1, STEPS, STEPS + 7, 2 * STEPS + 3):
        for batch, wanted in zip(first(samples.stream(9, start), 12), whole[start:]):
            assert same(batch, wanted)


@pytest.mark.parametrize("options", STREAMS)
def test_replicas_see_what_each_would_alone(options):
    samples = XorSamples(**options)
    seeds = [42, 42, 7, 2**70, 0]
    streams = [samples.stream(seed, 3) for seed in seeds]
    for batch in first(samples.replica_stream(seeds, 3), 70):
        for replica, stream in enumerate(streams):
            assert same({name: tensor[replica] for name, tensor in batch.items()}, next(stream))


def test_replicas_of_one_seed_share_no_memory():
    batch = next(XorSamples(**FULL).replica_stream([1, 1]))
    batch["input_ids"][0] = 0
    assert (batch["input_ids"][1] == 6).any()


def test_seeds_and_steps_differ():
    samples = XorSamples(**FULL)
    batches = [*first(samples.stream(1), 3), *first(samples.stream(2), 3), next(samples.stream(2**64 + 1))]
    assert len({batch["input_ids"].numpy().tobytes() for batch in batches}) == len(batches)
    ordered, shuffled = XorSamples(**SMALL, shuffle=False), XorSamples(**SMALL)
    epochs = [[strings_of(batch).tolist() for batch in first(data.stream(1), 10)] for data in (ordered, shuffled)]
    assert epochs[0][:5] == epochs[0][5:]
    assert epochs[1][:5] != epochs[1][5:]


def test_rows_have_an_address():
    rows = random_rows(5, "stream", 0, 10, 13)
    assert np.array_equal(rows[3:7], random_rows(5, "stream", 3, 4, 13))
    assert not np.array_equal(rows, random_rows(5, "order", 0, 10, 13))
    orders = random_orders(5, "order", 0, 6, 11)
    assert np.array_equal(np.sort(orders), np.tile(np.arange(11), (6, 1)))
    assert np.array_equal(orders[4:], random_orders(5, "order", 4, 2, 11))
    # The words themselves are fixed, so that runs of different versions compare.
    assert random_rows(42, "stream", 3, 1, 4).tolist() == [[2221105185, 3717808216, 879962321, 485795218]]


def test_other_splits_are_drawn_once():
    samples = XorSamples(**dict(MAIN, batch_size=5, drop_last=False), split="validation")
    passes = [list(samples.batches()) for _ in range(2)]
    assert [len(batch["labels"]) for batch in passes[0]] == [5, 5, 2]
    assert len(samples) == 3
    assert all(same(*pair) for pair in zip(*passes))
    drawn = XorSamples(**FULL | {"batch_size": 1200}, split="validation", draws=100)
    (batch,) = drawn.batches()
    assert batch["input_ids"].shape == (1200, 8)
    assert torch.equal(strings_of(batch).bincount(minlength=128) > 0, torch.tensor(np.isin(range(128), drawn.strings)))
    assert len(batch["input_ids"].unique(dim=0)) > 300
    assert len(list(XorSamples(**HUGE).batches())) == len(XorSamples(**HUGE))


def test_facts_are_json_and_their_hash_follows_the_data():
    facts = XorSamples(**FULL).facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["vocabulary_size"] == 7
    assert facts["strings"] == 115
    assert facts["pairs"] == [[0, 1], [2, 3]]
    assert XorSamples(**FULL, split="validation", draws=3).facts()["strings"] == 12
    changes = [
        {"seed": 15},
        {"zero_distribution": [0.2, 0.8]},
        {"size": 8},
        {"batch_size": 20},
        {"every_string": False},
        {"split": "test"},
    ]
    assert len({facts["hash"], *(XorSamples(**FULL | change).facts()["hash"] for change in changes)}) == 7
    assert facts["hash"] == XorSamples(**FULL | {"batch_size": 115, "drop_last": True}).facts()["hash"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "--size must be at least 1 and at most 24, not 0."),
        ({"size": 64}, "--size must be at least 1 and at most 24, not 64."),
        ({"zero_dst": (0.1, 0.8)}, "--zero_dst 0.1 0.8 sums to 0.9; probabilities sum to 1."),
        ({"one_dst": (-0.5, 1.5)}, "--one_dst -0.5 1.5: a probability cannot be negative."),
        ({"one_dst": (math.nan, 1)}, "--one_dst nan 1: a probability cannot be negative."),
        ({"one_dst": (0.2, 0.3, 0.5)}, "--one_dst takes one or two probabilities"),
        ({"one_dst": ()}, "--one_dst takes one or two probabilities"),
        ({"batch_size": 1024}, "No batch of 1024 can be made of the 115 strings of the train split."),
        ({"batch_size": 0}, "--batch_size must be at least 1, not 0."),
        ({"draws": 2}, "--draws is for sets that are drawn once"),
        ({"seed": -1}, "--seed must be at least 0, not -1."),
        ({"size": 1, "split": "validation"}, "The validation split of 2 strings is empty."),
    ],
)
def test_wrong_options_are_explained(options, message):
    with pytest.raises(ValueError) as caught:
        Default(**{"size": 7, "batch_size": 10} | options).build()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_distributions_may_be_off_by_rounding():
    assert sum(XorSamples(**dict(MAIN, zero_distribution=[1 / 3, 0.6666667])).distributions[0]) == pytest.approx(
        1, abs=1e-15
    )


def test_streams_are_of_the_train_split_only():
    with pytest.raises(ValueError, match="the test split is drawn once: read it with batches"):
        XorSamples(**FULL, split="test").stream(1)
    for seeds, start in (([-1], 0), ([1], -1), ([], 0)):
        with pytest.raises(ValueError, match="a stream needs seeds and a start that are not negative"):
            XorSamples(**FULL).replica_stream(seeds, start)
