"""Folders that are there in whole or not at all."""

import os

import pytest

from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, whole


def write(folder, text):
    with whole(folder) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner/file").write_text(text)


def read(folder):
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    return (folder / "inner/file").read_text()


def test_a_folder_is_replaced_in_one_piece(tmp_path):
    write(tmp_path / "made", "one")
    write(tmp_path / "made", "two")
    assert read(tmp_path / "made") == "two"


@pytest.mark.parametrize("call", range(3))
def test_what_was_there_stays_when_a_rename_fails(tmp_path, monkeypatch, call):
    write(tmp_path / "made", "one")
    replace, count = os.replace, []

    def failing(*where):
        count.append(where)
        if len(count) == call + 1:
            raise OSError(28, "No space left on device")
        replace(*where)

    monkeypatch.setattr(os, "replace", failing)
    if call < 2:
        with pytest.raises(OSError, match="No space left"):
            write(tmp_path / "made", "two")
    else:
        write(tmp_path / "made", "two")
    assert read(tmp_path / "made") == ("two" if call == 2 else "one")


def test_a_kill_between_two_renames_loses_nothing(tmp_path):
    write(tmp_path / ".made.old.tmp", "one")
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "made"):
        raise KeyboardInterrupt
    assert read(tmp_path / "made") == "one"


def test_the_user_is_told_what_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UserError, match=r"file/made cannot be written: Not a directory\."),
        output_folder(tmp_path / "file/made"),
    ):
        pass


def test_nobody_elses_folder_is_replaced(tmp_path):
    refuse_existing(tmp_path)
    (tmp_path / "theirs").write_text("")
    for given, said in (
        ({}, "say another"),
        ({"overwrite": False}, "--overwrite"),
        ({"overwrite": True, "marker": "ours"}, "not written"),
    ):
        with pytest.raises(UserError, match=said):
            refuse_existing(tmp_path, **given)
    refuse_existing(tmp_path, overwrite=True, marker="theirs")
