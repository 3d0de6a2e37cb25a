"""The cache: what is damaged is named and made anew, and nothing half-made is left."""

import json

import pytest

from semeqv.runs.errors import UserError
from semeqv.text.cache import MANIFEST, cache_folder, made_once

FACTS = {"of": "a test"}


@pytest.fixture
def make(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_CACHE", str(tmp_path))
    calls = []

    def write(folder):
        calls.append(folder)
        (folder / "inner").mkdir()
        (folder / "inner/numbers").write_bytes(b"\x01\x02\x03\x04")

    write.calls = calls
    return write


def flip(folder):
    (folder / "inner/numbers").write_bytes(b"\x01\x02\x03\x05")


def cut(folder):
    (folder / "inner/numbers").write_bytes(b"\x01\x02")


def lose(folder):
    (folder / "inner/numbers").unlink()


def add(folder):
    (folder / "more").write_text("x")


def forget(folder):
    (folder / MANIFEST).unlink()


def spoil(folder):
    (folder / MANIFEST).write_text("{")


@pytest.mark.parametrize("damage", [flip, cut, lose, add, forget, spoil])
def test_a_damaged_entry_is_named_and_made_anew(damage, make, capsys):
    folder = made_once("things", FACTS, make)
    assert made_once("things", FACTS, make) == folder
    assert len(make.calls) == 1
    capsys.readouterr()
    damage(folder)
    assert made_once("things", FACTS, make) == folder
    err = capsys.readouterr().err
    assert f"Warning: {folder} is damaged" in err
    assert (folder / "inner/numbers").read_bytes() == b"\x01\x02\x03\x04"
    assert made_once("things", FACTS, make) == folder
    assert len(make.calls) == 2
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert json.loads((folder / MANIFEST).read_text())["facts"] == FACTS


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), RuntimeError("x")])
def test_an_entry_that_cannot_be_finished_leaves_nothing(error, make):
    def fail(folder):
        make(folder)
        raise error

    with pytest.raises(UserError if isinstance(error, OSError) else type(error)):
        made_once("things", FACTS, fail)
    assert list((cache_folder() / "things").iterdir()) == []


def test_of_two_that_make_the_same_the_first_stays(make):
    def slow(folder):
        make(folder)
        made_once("things", FACTS, make)

    folder = made_once("things", FACTS, slow)
    assert len(make.calls) == 2
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
