"""Where corpora are found, and what is fetched when they are not there."""

import gzip
import io
import threading
import zipfile
from pathlib import Path

import pytest

from semeqv.runs.errors import UserError
from semeqv.text.files import lines
from semeqv.text.location import locate

ADDRESS = "https://example.org/corpus"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """The folder that `$SEMEQV_DATA` names."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("SEMEQV_DATA", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def packed(*members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in members:
            file.writestr(name, "said\n")
    return content.getvalue()


def test_a_file_is_found_however_it_is_stored(data):
    for name in ("a.txt", "b.txt.xz", "c.tar.gz", "d.txt.tgz"):
        (data / name).write_text("x")
    (data / "e.zip").write_bytes(packed("top/a.txt"))
    assert locate("a.txt") == data / "a.txt"
    assert locate("b.txt") == data / "b.txt.xz"
    assert locate("c") == data / "c.tar.gz"
    assert locate("d.txt") == data / "d.txt.tgz"
    assert locate("e.zip/a.txt") == data / "e.zip" / "a.txt"
    assert locate("") == data


def test_a_path_goes_before_the_variable(data, tmp_path):
    (data / "a.txt").write_text("x")
    (tmp_path / "mine.txt").write_text("x")
    assert locate("a.txt", tmp_path / "mine.txt") == tmp_path / "mine.txt"
    assert locate("other", data.relative_to(tmp_path) / "a.txt").samefile(data / "a.txt")
    assert locate("other", data.relative_to(data) / "a.txt") == data / "a.txt"


@pytest.mark.bad_input("B2")
def test_folders_without_a_name_are_found(data, tmp_path, monkeypatch):
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert locate(".", Path(".")) == tmp_path / "inner"
    assert locate("..", Path("..")) == tmp_path
    assert locate("/", Path("/")) == Path("/")


def test_what_is_missing_says_what_to_fetch_from_where(data, tmp_path, monkeypatch):
    with pytest.raises(
        UserError, match=f"set/a.txt is missing: fetch it from {ADDRESS} .* let --download .*{data}/set/a"
    ):
        locate("set/a.txt", source=ADDRESS)
    with pytest.raises(UserError, match=r"mine.txt is missing: put it there .*, or say where it is with --path"):
        locate("a.txt", tmp_path / "mine.txt")
    monkeypatch.delenv("SEMEQV_DATA")
    with pytest.raises(UserError, match=r"a.txt is missing: .* \(a.txt, in a folder that SEMEQV_DATA names\)"):
        locate("a.txt", source=ADDRESS, fetch=True)


def test_a_compressed_file_keeps_its_ending(server, data):
    server.content = gzip.compress(b"said\n")
    address = f"{server.address}.gz?download=1"
    for _ in range(2):
        assert locate("set/corpus.txt", source=address, fetch=True) == data / "set" / "corpus.txt.gz"
    assert [text for _, text in lines(locate("set/corpus.txt"))] == ["said"]
    assert len(server.ranges) == 1


@pytest.mark.parametrize("members", [("top/a.txt", "top/deep/b.txt"), ("a.txt", "deep/b.txt")])
def test_an_archive_becomes_a_folder(server, data, members):
    server.content = packed(*members)
    folder = locate("set", source=f"{server.address}.zip", fetch=True)
    assert folder == locate("set") == data / "set"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.txt")) == ["a.txt", "deep/b.txt"]
    assert sorted(path.name for path in data.iterdir()) == ["set", "set.zip", "set.zip.sha256.json"]


def test_an_archive_that_is_asked_for_stays_one(server, data):
    server.content = packed("top/a.txt")
    member = locate("set.zip/a.txt", source=server.address, fetch=True)
    assert [text for _, text in lines(member)] == ["said"]
    assert locate("set.zip", source=server.address, fetch=True) == data / "set.zip"
    assert len(server.ranges) == 1


def test_many_who_ask_at_once_get_one_folder(server, data):
    server.content, found = packed("a.txt", "b.txt"), []
    threads = [
        threading.Thread(target=lambda: found.append(locate("set", source=f"{server.address}.zip", fetch=True)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [data / "set"] * 4
    assert len(server.ranges) == 1
    (data / "set").rename(data / "gone")
    assert locate("set") == data / "set.zip"
    assert locate("set", source=f"{server.address}.zip", fetch=True) == data / "set"


@pytest.mark.bad_input("B9")
def test_an_archive_that_leads_out_is_fetched_and_not_unpacked(server, data):
    server.content = packed("a.txt", "../../outside.txt")
    with pytest.raises(UserError, match="would lie outside the folder; nothing was unpacked"):
        locate("deep/set", source=f"{server.address}.zip", fetch=True)
    assert sorted(path.name for path in data.rglob("*")) == ["deep", "set.zip", "set.zip.sha256.json"]
    assert not list(data.parent.glob("outside*"))
