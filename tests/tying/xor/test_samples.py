import json
import math
import random
from itertools import chain, islice

import numpy as np
import pytest
import torch

from semeqv.runs.errors import UserError
from semeqv.tying.xor.dataset import Default
from semeqv.tying.xor.samples import STEPS, Decoder, XorSamples, random_orders, random_rows

MAIN = dict(size=7, zero_distribution=[0.1, 0.9], one_distribution=[0.5, 0.5])
FULL = dict(MAIN, batch_size=1024, drop_last=False)
SMALL = dict(MAIN, batch_size=25, drop_last=False)  # 114 strings: four batches of 25 and one of 14
DROPPED = dict(MAIN, batch_size=50)
HUGE = dict(MAIN, size=12, batch_size=20)  # more batches in an epoch than are decoded at once
STREAMS = [FULL, SMALL, DROPPED, HUGE]


def first(stream, count):
    return list(islice(stream, count))


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in ("input_ids", "labels"))


def strings_of(batch):
    """Undo the masking and read each row's string back, its first bit the most significant."""
    symbols = torch.where(batch["input_ids"] == 6, batch["labels"][..., None], batch["input_ids"])
    size = symbols.shape[-1] - 1
    return ((symbols[..., :size] >= 2).long() << torch.arange(size).flip(0)).sum(-1)


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
    bits = 400 * 114 * 7
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


def original_parts(size):
    """Divide the strings as Semantica does: its own lines, its bits most significant first."""
    samples = [list(map(int, bin(x)[2:])) for x in range(2**size - 1)]
    samples = [[0] * (size - len(x)) + x for x in samples]
    random.Random(14).shuffle(samples)
    train = samples[: int(len(samples) * 0.9)]
    validation = samples[len(train) : len(train) + int(len(samples) * 0.1)]
    return {"train": train, "validation": validation, "test": samples[len(train) + len(validation) :]}


@pytest.mark.parametrize("size", [4, 7, 10])
def test_the_usual_split_is_that_of_the_original(size):
    for part, wanted in original_parts(size).items():
        options = {"draws": 1 if part == "train" else 3}
        samples = XorSamples(size=size, batch_size=2**size * 3, drop_last=False, split=part, **options)
        written = [[int(bit) for bit in f"{string:0{size}b}"] for string in samples.strings.tolist()]
        assert written == wanted * options["draws"]
        batch = next(samples.stream(42)) if part == "train" else next(samples.batches())
        symbols = torch.where(batch["input_ids"] == 6, batch["labels"][..., None], batch["input_ids"])
        assert (symbols[:, :-1] // 2).tolist() == wanted * options["draws"]
        assert (symbols[:, -1] - 4).tolist() == [sum(bits) % 2 for bits in wanted] * options["draws"]


def test_the_strings_of_seven_bits_are_those_that_were_published():
    parts = [XorSamples(**FULL, split=part).strings.tolist() for part in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [114, 12, 1]
    assert parts[0][:12] == [106, 113, 39, 22, 100, 114, 102, 58, 42, 55, 25, 64]
    assert parts[0][-3:] == [57, 84, 9]
    assert parts[1:] == [[93, 37, 32, 94, 34, 31, 120, 67, 83, 96, 89, 78], [13]]


@pytest.mark.parametrize(
    ("options", "sizes", "strings"),
    [
        ({}, (114, 12, 1), 127),
        ({"all_ones": True}, (115, 12, 1), 128),
        ({"held_out": 0.2}, (101, 25, 1), 127),
        ({"split_seed": 3, "held_out": 0.5}, (63, 63, 1), 127),
        ({"all_ones": True, "held_out": 0.25}, (96, 32, 0), 128),
    ],
)
def test_splits_are_disjoint_and_complete(options, sizes, strings):
    parts = []
    for part, size in zip(("train", "validation", "test"), sizes):
        parts += [XorSamples(**FULL, **options, split=part).strings.tolist()] if size else [[]]
    assert tuple(map(len, parts)) == sizes
    assert sorted(chain(*parts)) == list(range(strings))
    numbers = list(range(strings))
    random.Random(options.get("split_seed", 14)).shuffle(numbers)
    assert list(chain(*parts)) == numbers


def test_another_split_seed_is_another_split():
    splits = [frozenset(XorSamples(**FULL, split_seed=seed).strings.tolist()) for seed in range(20)]
    assert len(set(splits)) == 20


@pytest.mark.parametrize(("all_ones", "strings"), [(False, 127), (True, 128)])
def test_with_nothing_held_out_every_split_has_all_strings(all_ones, strings):
    options = dict(FULL, held_out=0.0, all_ones=all_ones)
    train, validation, test = (XorSamples(**options, split=part) for part in ("train", "validation", "test"))
    for samples in (train, validation, test):
        assert sorted(samples.strings.tolist()) == list(range(strings))
    assert not same(next(validation.batches()), next(test.batches()))  # each is drawn anew


def test_strings_to_hold_out_can_be_named():
    named = ("0000111", "1010101", "1111111")
    train = XorSamples(**FULL, held_out_strings=named)
    validation = XorSamples(**FULL, held_out_strings=named, split="validation")
    assert validation.strings.tolist() == [7, 85, 127]
    assert sorted(train.strings.tolist()) == sorted(set(range(127)) - {7, 85})
    assert train.facts()["split"]["held_out_strings"] == list(named)
    with pytest.raises(UserError, match="The test split of 127 strings is empty"):
        XorSamples(**FULL, held_out_strings=named, split="test")


def test_the_replicas_of_a_program_see_the_strings_of_the_split():
    samples = XorSamples(**FULL)
    wanted = [int("".join(map(str, bits)), 2) for bits in original_parts(7)["train"]]
    for batch in first(samples.replica_stream([42, 42, 43]), STEPS + 2):
        assert (strings_of(batch) == torch.tensor(wanted)).all()


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
    assert facts["strings"] == 114
    assert facts["split"] == {
        "train": 114,
        "of": 128,
        "shuffle": "random.Random",
        "split_seed": 14,
        "all_ones": False,
        "held_out": 0.1,
    }
    assert facts["pairs"] == [[0, 1], [2, 3]]
    assert XorSamples(**FULL, split="validation", draws=3).facts()["strings"] == 12
    changes = [
        {"split_seed": 15},
        {"zero_distribution": [0.2, 0.8]},
        {"size": 8},
        {"batch_size": 20},
        {"all_ones": True},
        {"held_out": 0.2},
        {"held_out_strings": ["0000111"]},
        {"split": "test"},
    ]
    assert len({facts["hash"], *(XorSamples(**FULL | change).facts()["hash"] for change in changes)}) == 9
    assert facts["hash"] == XorSamples(**FULL | {"batch_size": 114, "drop_last": True}).facts()["hash"]


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
        ({"batch_size": 1024}, "No batch of 1024 can be made of the 114 strings of the train split."),
        ({"batch_size": 0}, "--batch_size must be at least 1, not 0."),
        ({"draws": 2}, "--draws is for sets that are drawn once"),
        ({"split_seed": -1}, "--split_seed must be at least 0, not -1."),
        ({"size": 1, "split": "validation"}, "The validation split of 1 string is empty."),
        ({"held_out": 1.0}, "--held_out must be at least 0 and below 1, not 1."),
        ({"held_out": -0.1}, "--held_out must be at least 0 and below 1, not -0.1."),
        ({"held_out": math.nan}, "--held_out must be at least 0 and below 1, not nan."),
        ({"held_out": 0.001, "split": "validation"}, "The validation split of 127 strings is empty."),
        ({"held_out_strings": ("0110",)}, "--held_out_strings 0110: write strings of 7 bits, such as 0101010."),
        ({"held_out_strings": ("000000a",)}, "--held_out_strings 000000a: write strings of 7 bits"),
        ({"held_out_strings": ("0000001", "0000001")}, "--held_out_strings names a string twice."),
        ({"size": 1, "held_out_strings": ("0",)}, "The train split of 1 string is empty."),
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


def test_validation_shares_no_string_with_a_training_set_of_another_division():
    train = Default(size=7, batch_size=10)
    for other in ({"split_seed": 15}, {"held_out": 0.2}, {"all_ones": True}, {"held_out_strings": ("0000000",)}):
        options = Default(size=7, batch_size=1024, drop_last=False, split="validation", **other)
        own, trained = set(options.build().strings.tolist()), set(train.build().strings.tolist())
        if shared := own & trained:
            with pytest.raises(UserError, match=f"{len(shared)} of the {len(own)} validation strings are training st"):
                options.build({("train", None): train})
        else:
            options.build({("train", None): train})
    # The same division has no string twice, unless it was asked to; other sizes are other strings.
    for options in ({}, {"held_out": 0.0}):
        both = (Default(size=7, batch_size=10, split=split, **options) for split in ("train", "validation"))
        train, validation = both
        validation.build({("train", None): train})
    Default(size=8, batch_size=10, split="validation", split_seed=15).build({("train", None): train})
