"""Properties of everything that reads what people or other programs wrote.

Valid values come back as they were, anything else is refused in words, and nothing ends in a traceback. The examples
are the same every time; HYPOTHESIS_EXAMPLES=5000 tries others, and more.
"""

import dataclasses
import functools
import itertools
import json
import shutil
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click
import numpy
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from mutations import mutated

from semeqv.cli import main
from semeqv.grammar.component import LARGEST, MOST, choices, component, to_argv, without_none
from semeqv.grammar.plugins import command
from semeqv.grammar.sentence import ComponentCommand, Segment, Sentence
from semeqv.grammar.settings import Settings
from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.logs import ArrayLog, LineLog
from semeqv.runs.reading import read_array, read_metrics, read_run
from semeqv.tying.xor.experiments import bayes_of, option, pairs_of
from tests.sentences import least

CHAIN = command()
LEAVES = {leaf.kind.__command__: leaf for leaf in CHAIN.leaves()}
SHAPE = "(records, symbols, symbols)"

# `--help` and `-h` ask for help wherever they stand, `help` where a command could.
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
WORDS = (TEXT | st.sampled_from(["-1", "--", "--x=y", "--title", "--no-show", "cli", "'", '"', "a b"])).filter(
    lambda word: word not in ("--help", "-h", "help")
)
NUMBERS = st.floats(0, 1) | st.floats(-LARGEST, LARGEST)
INTEGERS = st.integers(0, 50) | st.integers(1 - MOST, MOST - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@functools.cache  # a strategy checks itself when it first draws
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type of option."""
    parts, origin = typing.get_args(hint), typing.get_origin(hint)
    if type(None) in parts:
        return st.none() | values(without_none(hint))
    if bool in choices(hint) or origin is Literal:
        return st.sampled_from(
            [each for word in choices(hint) for each in ((True, False) if word is bool else (word,))]
        )
    if origin in (list, Sequence) or parts[1:] == (Ellipsis,):
        return st.lists(values(parts[0]), max_size=3).map(list if origin is list else tuple)
    if origin is tuple:
        return st.tuples(*map(values, parts))
    return {int: INTEGERS, float: NUMBERS, str: WORDS, Path: WORDS.map(Path)}[hint]


@functools.cache
def fields(kind: Any) -> tuple[Any, dict[str, st.SearchStrategy[Any]], st.SearchStrategy[set[str]]]:
    """A component with nothing said but what must be, values of each of its options, and up to three of their names."""
    hints, defaults = typing.get_type_hints(kind), least(kind)
    found = {}
    for name in (field.name for field in dataclasses.fields(kind)):
        found[name] = values(hints[name])
        if getattr(defaults, name) and typing.get_args(hints[name])[-1:] == (Ellipsis,):
            found[name] = found[name].filter(bool)  # an option of several words that has a default cannot be emptied
    return defaults, found, st.sets(st.sampled_from(sorted(found)), max_size=3) if found else st.just(set())


@st.composite
def options(draw: Any, kind: Any) -> Any:
    """Options of a component: up to three that are not the defaults."""
    defaults, known, names = fields(kind)
    given = {name: draw(known[name]) for name in sorted(draw(names))}
    try:
        return dataclasses.replace(defaults, **given)
    except ValueError:
        return defaults


@functools.cache
def context() -> click.Context:
    """That of a line with settings only."""
    return CHAIN.make_context("semeqv", ["--dump-config", "/dev/null", "train"])


def parsed(words: list[str]) -> Any:
    """The options that one segment says."""
    (step,) = CHAIN.parse(context(), [words], "the line")
    return step.options


def code_of(*words: str) -> int:
    """The exit code of a line."""
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    return stopped.value.code


# -- options and sentences ------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, kw_only=True)
class Everything:
    """Has an option of every type.

    Args:
        word: A word.
        words: Words.
        number: A number.
        numbers: Numbers.
        count: An integer.
        pair: An integer and a word.
        pairs: Pairs.
        path: A path.
        switch: A switch.
        both: A switch with one more word.
        choice: One of two words.
    """

    word: str | None = None
    words: list[str] = dataclasses.field(default_factory=list)
    number: float = 1.5
    numbers: tuple[float, ...] = ()
    count: int | None = None
    pair: tuple[int, str] | None = None
    pairs: list[tuple[float, str, Path]] = dataclasses.field(default_factory=list)
    path: Path | None = None
    switch: bool = True
    both: bool | Literal["both"] = False
    choice: Literal["one", "two"] = "one"

    def build(self):
        """Nothing."""


LEAVES["everything"] = ComponentCommand(component("everything")(Everything), None)
CHAIN.add_command(LEAVES["everything"])


@pytest.mark.parametrize("path", sorted(LEAVES))
@given(data=st.data())
def test_options_come_back_from_their_words(path, data):
    said = data.draw(options(LEAVES[path].kind))
    assert parsed(to_argv(said)) == said


@given(
    st.lists(st.sampled_from(sorted(LEAVES)).flatmap(lambda path: options(LEAVES[path].kind)), max_size=4),
    options(Settings),
    st.sampled_from([(), ("1", "3..5"), ("0..2",), (str(MOST - 1),)]),
)
def test_a_sentence_comes_back_from_its_file(tmp_path_factory, said, settings, seeds):
    settings = dataclasses.replace(settings, seeds=seeds, overwrite=False)
    steps = [Segment(LEAVES[each.__command__], each) for each in said]
    parts = {step.place: step for step in steps if step.leaf.slot}
    sentence = Sentence(settings, list(parts.values()), [step for step in steps if not step.leaf.slot])
    path = tmp_path_factory.getbasetemp() / "saved.json"
    path.write_text(json.dumps(sentence.to_json()))
    ctx = CHAIN.make_context("semeqv", ["--config", str(path)])
    assert CHAIN.sentence(ctx) == sentence


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=4))
def test_ranges_of_seeds_are_all_their_seeds(ranges):
    words = [f"{first}..{first + more}" if more else str(first) for first, more in ranges]
    seeds = [seed for first, more in ranges for seed in range(first, first + more + 1)]
    assume(len(seeds) == len(set(seeds)))
    assert Settings(seeds=tuple(words)).every_seed == tuple(seeds)
    assert CHAIN.make_context("semeqv", ["--seeds", *words, "cli", "train"]).params["seeds"] == tuple(words)


@given(
    st.lists(NUMBERS, min_size=1, max_size=4),
    st.sampled_from(["{}", "[{}]", "({})"]),
    st.sampled_from([",", ", ", " "]),
)
def test_several_numbers_may_be_written_as_a_list(numbers, brackets, comma):
    word = brackets.format(comma.join(map(str, numbers)))
    assert parsed(["everything", f"--numbers={word}"]).numbers == tuple(numbers)


KNOWN = [*" ".join(LEAVES).split(), *(flag for leaf in LEAVES.values() for param in leaf.params for flag in param.opts)]


@given(
    st.lists(
        st.sampled_from(["cli", "--", "-1", "=", "--seeds", "42..46", "--config", "help", "[.1,.9]", "both", "\udcff"])
        | st.sampled_from(KNOWN)
        | st.text(max_size=8),
        max_size=12,
    )
)
def test_no_line_ends_in_a_traceback(tmp_path_factory, words):
    path = tmp_path_factory.getbasetemp() / "any.json"
    assert code_of("--dump-config", str(path), *words) in (0, 2)


# -- saved sentences ------------------------------------------------------------------------------------------------

PARTS = ["xor dataset default --zero_dst 0.1 0.9", "xor model mlp --tie both", "optimizers adamw --betas 0.9 0.99"]
SAVED = {"settings": {"seed": 3, "seeds": [], "clip": None, "output": "a b"}, "parts": PARTS, "actions": ["train"]}


@given(
    mutated(json.dumps(SAVED).encode())
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.tuples(st.sampled_from(["settings", "parts", "actions"]), JSON).map(
        lambda change: json.dumps(SAVED | dict([change])).encode()
    )
    | st.tuples(st.sampled_from([field.name for field in dataclasses.fields(Settings)]), JSON).map(
        lambda change: json.dumps(SAVED | {"settings": dict([change])}).encode()
    )
)
def test_a_file_is_a_sentence_or_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("saved")
    first, second, third = (str(folder / name) for name in ("1.json", "2.json", "3.json"))
    Path(first).write_bytes(content)
    if code_of("--config", first, "--dump-config", second) == 0 and Path(second).exists():  # else it asked for help
        assert code_of("--config", second, "--dump-config", third) == 0
        assert Path(second).read_bytes() == Path(third).read_bytes()
    assert sorted(path.name for path in folder.iterdir()) in (["1.json"], ["1.json", "2.json", "3.json"])


# -- files of runs --------------------------------------------------------------------------------------------------

RECORDS = [{"epoch": 1, "split": "train", "accuracy": 0.5}, {"epoch": 2, "split": "validation", "name": "ü"}]


@given(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), min_size=1, max_size=5), st.data())
def test_records_come_back(tmp_path_factory, records, data):
    path = tmp_path_factory.getbasetemp() / "metrics.jsonl"
    lines = [json.dumps(record, ensure_ascii=data.draw(st.booleans())) for record in records]
    ends = [data.draw(st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"])) for _ in lines]
    torn = data.draw(st.sampled_from(["", '{"epo', '{"epoch": 1']))
    text = "".join(itertools.chain.from_iterable(zip(lines, ends))) + torn
    path.write_bytes(text.encode("utf-8", "replace"))
    found = read_metrics(path)
    assert (
        json.dumps([line.record for line in found], ensure_ascii=False)
        == json.dumps(records, ensure_ascii=False).encode("utf-8", "replace").decode()
    )
    assert all(text.split("\n")[line.number - 1].startswith("{") for line in found)


@given(
    mutated("".join(json.dumps(record) + "\n" for record in RECORDS).encode())
    | st.integers(1, 5000).map(lambda depth: b"[" * depth + b"\n")
    | st.integers(4000, 6000).map(lambda digits: b'{"epoch": ' + b"9" * digits + b"}\n")
)
def test_metrics_are_read_or_their_line_is_named(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "metrics.jsonl"
    path.write_bytes(content)
    try:
        lines = read_metrics(path)
        for line in lines:
            for key in line.record:
                line.number_at(key)
    except click.UsageError as error:
        assert "metrics.jsonl" in error.message  # noqa: PT017
        assert "line " in error.message  # noqa: PT017
        assert "\n" not in error.message  # noqa: PT017


@given(mutated(json.dumps(SAVED).encode()) | JSON.map(lambda value: json.dumps(value).encode()))
def test_run_json_is_an_object_or_refused(tmp_path_factory, content):
    folder = tmp_path_factory.getbasetemp()
    (folder / "run.json").write_bytes(content)
    try:
        run = read_run(folder)
    except click.UsageError as error:
        assert "run.json" in error.message  # noqa: PT017
    else:
        assert run == json.loads(content) or "NaN" in str(content)


@given(JSON, st.sampled_from(["bayes_accuracy", "pairs", "zero_dst", "x"]))
def test_facts_are_believed_or_refused(value, name):
    record = {"facts": {name: value}, "sentence": {"parts": [value, f"xor --{name} {value}"]}}
    for ask in (bayes_of, pairs_of):
        try:
            found = ask(Path("run"), record)
        except click.UsageError as error:
            assert "run.json: '" in error.message  # noqa: PT017
        else:
            assert found is None or ask is pairs_of or 0 <= found <= 1
    assert all(isinstance(word, str) for word in option(record, name))


@given(st.data())
def test_arrays_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "array.npy"
    array = numpy.arange(24, dtype=data.draw(st.sampled_from(["<f4", "<f8", ">f8", "i2", "u1"]))).reshape(2, 3, 4)
    numpy.save(path, array)
    assert numpy.array_equal(read_array(path, SHAPE), array)
    path.write_bytes(data.draw(mutated(path.read_bytes())))
    try:
        found = read_array(path, SHAPE)
    except click.UsageError as error:
        assert "array.npy" in error.message  # noqa: PT017
        assert "\n" not in error.message  # noqa: PT017
    else:
        assert found.ndim == 3
        assert found.size
        assert found.dtype == numpy.float64


# -- checkpoints ----------------------------------------------------------------------------------------------------

WHOLE = checkpoint.Checkpoint({"w": torch.arange(4.0)}, {"learner": {"m": torch.ones(2)}}, {"step": 7, "best": None})


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A checkpoint."""
    path = tmp_path_factory.mktemp("written") / checkpoint.name_of(7)
    checkpoint.write(path, WHOLE)
    return path


@given(data=st.data())
def test_a_checkpoint_is_what_was_written_or_damaged(written, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("changed")
    path = folder / written.name
    shutil.copytree(written, path)
    changed = path / data.draw(st.sampled_from(["MANIFEST.json", "trainer.json", "state.pt", "model.safetensors"]))
    content = changed.read_bytes()
    json_content = JSON.map(lambda value: json.dumps({"files": value}).encode())
    changed.write_bytes(data.draw(mutated(content) | json_content))
    try:
        checkpoint.verify(path)
    except checkpoint.Damaged as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert list(checkpoint.valid(folder)) == []
        with pytest.raises(checkpoint.Damaged):
            checkpoint.read(path)
    else:
        assert list(checkpoint.valid(folder)) == [7]
        found = checkpoint.read(path)
        assert found.trainer == WHOLE.trainer
        assert torch.equal(found.weights["w"], WHOLE.weights["w"])
        assert torch.equal(found.state["learner"]["m"], WHOLE.state["learner"]["m"])


@given(st.data())
def test_a_checkpoint_under_a_manifest_that_fits_is_read_or_damaged(written, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("sealed") / written.name
    shutil.copytree(written, path)
    changed = path / data.draw(st.sampled_from(["trainer.json", "state.pt", "model.safetensors"]))
    changed.write_bytes(data.draw(mutated(changed.read_bytes())))
    manifest = json.loads((path / "MANIFEST.json").read_text())
    manifest["files"][changed.name]["sha256"] = checkpoint.sha256(changed)
    (path / "MANIFEST.json").write_text(json.dumps(manifest))
    try:
        assert isinstance(checkpoint.read(path).trainer, dict)
    except checkpoint.Damaged as error:
        assert "\n" not in str(error)  # noqa: PT017


@given(st.binary(max_size=20) | st.sampled_from([b"step-00000007", b"step-00000007\n", b"..", b"/", b"step-7"]))
def test_a_pointer_names_a_checkpoint_or_nothing(written, content):
    (written.parent / "last").write_bytes(content)
    assert checkpoint.pointed(written.parent, "last") == (written if content.strip() == b"step-00000007" else None)


# -- files that grow ------------------------------------------------------------------------------------------------

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 3)),
        st.just(("flush", 0)),
        st.tuples(st.just("rewind"), st.integers(0, 20)),
        st.just(("reopen", 0)),
        st.tuples(st.just("tear"), st.integers(1, 3)),
    ),
    max_size=20,
)


def follow(make, read, item, operations):
    """Do the same to a log and to lists; whenever the log is flushed, its file holds what the lists say."""
    log, held, waiting, disk = make(), [], [], []
    numbers, saves = itertools.count(), [(0, [])]  # a length of the file, and what it then held
    for operation, count in operations:
        if operation == "append":
            new = [item(next(numbers)) for _ in range(count)]
            for each in new:
                log.append(each)
            waiting = waiting + new
        elif operation == "flush":
            held, disk, waiting = held + waiting, held + waiting if waiting else disk, []
            saves.append((log.flush(), held))
            assert not held or read(log.path) == held
        elif operation == "rewind":
            length, held = saves[count % len(saves)]
            log.rewind(length)
            waiting, disk = [], held or disk
        elif operation == "tear" and disk:  # what a killed run may leave behind its last flush
            with open(log.path, "ab") as file:
                file.write(b"{" * count)
        elif operation == "reopen":
            log = make()
            log.rewind(log.existing())
            held, waiting = disk, []
        saves = [(length, then) for length, then in saves if held[: len(then)] == then]


@given(OPERATIONS)
def test_lines_grow_and_shrink_as_a_list_does(tmp_path_factory, operations):
    path = tmp_path_factory.mktemp("lines") / "metrics.jsonl"
    follow(
        lambda: LineLog(path),
        lambda path: [line.record for line in read_metrics(path)],
        lambda number: {"step": number, "ü": "\n" * (number % 3)},
        operations,
    )


class Lists(ArrayLog):
    """A log of arrays given as lists, which compare."""

    def append(self, array):
        super().append(numpy.array(array, dtype="f4"))


@given(OPERATIONS, st.sampled_from([(), (3,), (2, 3)]))
def test_arrays_grow_and_shrink_as_a_list_does(tmp_path_factory, operations, shape):
    path = tmp_path_factory.mktemp("arrays") / "array.npy"
    follow(
        lambda: Lists(path),
        lambda path: numpy.load(path).tolist(),
        lambda number: numpy.full(shape, number, dtype="f4").tolist(),
        operations,
    )


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_a_line_is_json_whatever_numbers_it_holds(tmp_path_factory, record):
    log = LineLog(tmp_path_factory.mktemp("line") / "metrics.jsonl")
    log.append(record)
    log.flush()
    text = json.dumps(record, allow_nan=True)
    expected = json.loads(text, parse_constant=lambda _: None)
    assert json.loads(log.path.read_text(), parse_constant=pytest.fail) == expected


@given(st.data())
def test_an_array_that_another_wrote_is_not_continued(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("arrays") / "array.npy"
    log = ArrayLog(path)
    for _ in range(3):
        log.append(numpy.ones((2, 2), "f4"))
    log.flush()
    content = path.read_bytes()
    path.write_bytes(data.draw(mutated(content)))
    log = ArrayLog(path)
    try:
        log.rewind(2)
    except UserError as error:
        assert "array.npy" in str(error)  # noqa: PT017
    else:
        assert numpy.load(path).shape == (2, 2, 2)
    path.write_bytes(content)
    log.rewind(2)
    log.append(numpy.ones((3, 3), "f4"))
    with pytest.raises(UserError, match="holds other records"):
        log.flush()
