"""Downloads: resumed, checked, refused; archives unpacked into their folder and nowhere else."""

import contextlib
import hashlib
import io
import json
import stat
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from serving import CONTENT, Server

from semeqv.runs.errors import UserError
from semeqv.text import download as module
from semeqv.text.archives import extract
from semeqv.text.download import Origin, beside, check, download, record
from semeqv.text.location import locate


def folder(path):
    return sorted(each.name for each in path.iterdir())


def test_a_file_is_fetched_once_and_its_hash_recorded(server, tmp_path):
    path = tmp_path / "new" / "corpus.bin"
    assert download(server.address, path) == download(server.address, path) == path
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None]
    assert folder(path.parent) == ["corpus.bin", "corpus.bin.sha256.json"]
    assert json.loads(beside(path).read_text())["sha256"] == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("breaks_at", [1, 5000, len(CONTENT) - 1])
def test_a_broken_download_goes_on_where_it_was(server, tmp_path, breaks_at):
    path, server.breaks_at = tmp_path / "corpus.bin", breaks_at
    with pytest.raises(UserError, match=f"broke off at {breaks_at:,} of 10,240 bytes"):
        download(server.address, path)
    assert folder(tmp_path) == ["corpus.bin.part", "corpus.bin.part.sha256.json"]
    server.breaks_at = None
    assert download(server.address, path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={breaks_at - 1}-" if breaks_at > 1 else None]
    assert folder(tmp_path) == ["corpus.bin", "corpus.bin.sha256.json"]


def test_a_part_whose_record_is_damaged_is_fetched_anew(server, tmp_path):
    path = tmp_path / "corpus.bin"
    (tmp_path / "corpus.bin.part").write_bytes(b"something else")
    (tmp_path / "corpus.bin.part.sha256.json").write_text("")
    assert download(server.address, path).read_bytes() == server.content
    assert server.ranges == [None]
    assert {each.name for each in tmp_path.iterdir()} == {"corpus.bin", "corpus.bin.sha256.json"}


def test_a_record_that_is_being_written_is_not_there(tmp_path, monkeypatch):
    def killed(self, *args, **kwargs):
        self.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path / "corpus.bin", Origin("there"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("etag", ['"two"', "", 'W/"one"'])
def test_a_part_of_another_version_is_dropped(server, tmp_path, etag):
    path, server.breaks_at = tmp_path / "corpus.bin", 5000
    with pytest.raises(UserError):
        download(server.address, path)
    server.breaks_at, server.etag, server.content = None, etag, CONTENT[::-1] + b"more"
    assert download(server.address, path).read_bytes() == CONTENT[::-1] + b"more"


def test_a_part_that_was_whole_is_finished(server, tmp_path):
    path, server.breaks_at = tmp_path / "corpus.bin", 5000
    with pytest.raises(UserError):
        download(server.address, path)
    (tmp_path / "corpus.bin.part").write_bytes(CONTENT)
    server.breaks_at = None
    assert download(server.address, path).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_nothing_kept(server, tmp_path):
    path = tmp_path / "corpus.bin"
    with pytest.raises(UserError, match=f"not {'0' * 64}; nothing was kept"):
        download(server.address, path, "0" * 64)
    assert folder(tmp_path) == []
    download(server.address, path, hashlib.sha256(CONTENT).hexdigest())
    path.unlink()
    server.content = CONTENT[1:]
    with pytest.raises(UserError, match=r"published anew, remove .*corpus.bin.sha256.json"):
        download(server.address, path)


def test_a_changed_file_is_noticed(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_DATA", str(tmp_path))
    path = locate("set/corpus.bin", source=server.address, fetch=True)
    assert path == tmp_path / "set" / "corpus.bin"
    assert locate("set/corpus.bin") == path
    path.write_bytes(CONTENT[:-1] + b"x")
    for look in (check, lambda path: download(server.address, path), lambda _: locate("set/corpus.bin")):
        with pytest.raises(UserError, match="changed or damaged"):
            look(path)
    beside(path).write_text("{")
    with pytest.raises(UserError, match=r"corpus.bin.sha256.json is damaged"):
        check(path)


def test_only_http_is_spoken(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    root = server.address.removesuffix("/corpus.bin")
    for address in (
        secret.as_uri(),
        "ftp://127.0.0.1/x",
        "data:,x",
        "http://[",
        "x",
        f"{root}/elsewhere:{secret.as_uri()}",
    ):
        with pytest.raises(UserError):
            download(address, tmp_path / "corpus.bin")
    with pytest.raises(UserError, match="cannot be reached: unknown url type: ftp"):
        download(f"{root}/elsewhere:ftp://127.0.0.1/x", tmp_path / "corpus.bin")
    with pytest.raises(UserError, match="the server says 404"):
        download(f"{root}/missing", tmp_path / "corpus.bin")
    assert not (tmp_path / "corpus.bin").exists()
    assert download(f"{root}/elsewhere:{server.address}", tmp_path / "corpus.bin").read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_named(tmp_path):
    server = Server()
    server.server_close()
    with pytest.raises(UserError, match=f"{server.address} cannot be reached: .*refused"):
        download(server.address, tmp_path / "corpus.bin")


def test_a_connection_that_breaks_is_named(server, tmp_path, monkeypatch):
    class Breaking:
        headers, status = {}, 200

        def read(self, _):
            raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(module, "answer", lambda *_: contextlib.nullcontext(Breaking()))
    with pytest.raises(UserError, match=r"broke off \(reset by peer\); what came is kept"):
        download(server.address, tmp_path / "corpus.bin")


def test_many_who_ask_at_once_get_one_file(server, tmp_path):
    path = tmp_path / "corpus.bin"
    threads = [threading.Thread(target=download, args=(server.address, path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.ranges == [None]
    assert folder(tmp_path) == ["corpus.bin", "corpus.bin.sha256.json"]


# -- archives -------------------------------------------------------------------------------------------------------


def tar_of(*members, kind=tarfile.REGTYPE, mode="w:gz"):
    """A tar whose members hold four bytes each."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as tar:
        for name in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../../outside"
            info.size = 4 if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(b"text"))
    return content.getvalue()


def zip_of(*members, attributes=stat.S_IFREG | 0o644):
    """A zip whose members hold four bytes each."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes << 16
            file.writestr(info, b"text")
    return content.getvalue()


GOOD = ("set/a.txt", "set/deep/b.txt", "c.txt")
BAD = ("../outside", "/outside", "set/../../outside", "..\\outside", "C:/outside", "set/..")


@pytest.mark.parametrize(("name", "content"), [("set.tar.gz", tar_of(*GOOD)), ("set.zip", zip_of(*GOOD, "empty/"))])
def test_an_archive_is_unpacked(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    found = extract(tmp_path / name, tmp_path / "out")
    assert {str(path.relative_to(found)) for path in found.rglob("*.txt")} == set(GOOD)
    assert all(path.read_bytes() == b"text" for path in found.rglob("*.txt"))
    with pytest.raises(UserError, match="out exists"):
        extract(tmp_path / name, tmp_path / "out")
    for limit in ({"most_bytes": 11}, {"most_members": 2}):
        with pytest.raises(UserError, match="if you trust it"):
            extract(tmp_path / name, tmp_path / "other", **limit)
    assert folder(tmp_path) == ["out", name]


@pytest.mark.parametrize("content", [pack("a.txt", bad) for pack in (tar_of, zip_of) for bad in BAD])
@pytest.mark.bad_input("B9")
def test_a_member_that_leads_out_is_refused(tmp_path, content):
    refused(tmp_path, content, "would lie outside the folder")


@pytest.mark.parametrize(
    "content",
    [
        *(tar_of("a", kind=kind) for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)),
        *(zip_of("a", attributes=kind | 0o777) for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO)),
    ],
)
@pytest.mark.bad_input("B9")
def test_a_link_or_a_device_is_refused(tmp_path, content):
    refused(tmp_path, content, "a link or a device, 'a'")


def refused(tmp_path, content, match):
    """Unpacking ends in words, and leaves nothing anywhere."""
    base = tmp_path / "base"
    base.mkdir()
    archive = base / ("set.zip" if content.startswith(b"PK") else "set.tar")
    archive.write_bytes(content)
    with pytest.raises(UserError, match=match):
        extract(archive, base / "in" / "out")
    assert folder(tmp_path) == ["base"]
    assert [name for name in folder(base) if name != "in"] == [archive.name]
    assert not (base / "in").exists() or folder(base / "in") == []


@pytest.mark.bad_input("B9")
def test_a_bomb_is_stopped_while_it_grows(tmp_path):
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(2**24))
    with pytest.raises(UserError, match=r"over 1,000,000 bytes"):
        extract(archive, tmp_path / "out", most_bytes=10**6)


@pytest.mark.parametrize("content", [tar_of(*GOOD), tar_of(*GOOD, mode="w:xz"), tar_of(*GOOD, mode="w"), zip_of(*GOOD)])
@given(data=st.data())
@pytest.mark.bad_input("B9")
def test_a_damaged_archive_is_unpacked_or_refused(tmp_path_factory, content, data):
    base = tmp_path_factory.mktemp("archives")
    archive = base / ("set.zip" if content.startswith(b"PK") else "set.tar")
    archive.write_bytes(data.draw(mutated(content)))
    try:
        extract(archive, base / "out")
    except UserError as error:
        assert "set." in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
        assert folder(base) == [archive.name]
    else:
        assert folder(base) == ["out", archive.name]
