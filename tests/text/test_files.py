"""Text files in every form that they lie in: what is read, what is refused, and how much memory it takes."""

import bz2
import gzip
import io
import lzma
import os
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from mutations import mutated

from semeqv.runs.errors import UserError
from semeqv.text import files
from semeqv.text.archives import find, is_archive, names
from semeqv.text.files import fingerprint, lines, one_line, writing
from semeqv.text.location import locate

TEXT = "one\ntwo \u2028 \x85 \x0c\n\nfour ü €\r\n\u4e94"
SAID = ["one", "two \u2028 \x85 \x0c", "", "four ü €", "\u4e94"]


def read(path):
    return [text for _, text in lines(path)]


def tar_of(members, mode="w"):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return content.getvalue()


def zip_of(members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return content.getvalue()


STORED = {
    "plain": ("a.txt", TEXT.encode()),
    "gzip": ("a.gz", gzip.compress(TEXT.encode())),
    "xz": ("a.xz", lzma.compress(TEXT.encode())),
    "bzip2": ("a.bz2", bz2.compress(TEXT.encode())),
    "two gzips": ("a.gz", gzip.compress(TEXT[:9].encode()) + gzip.compress(TEXT[9:].encode())),
    "misnamed": ("a.txt", lzma.compress(TEXT.encode())),
    "zip": ("a.zip", zip_of({"README": b"about", "deep/a.txt": TEXT.encode()})),
    "tar": ("a.tar", tar_of({"./LICENSE": b"about", "./deep/a.txt": TEXT.encode()})),
    "tar.gz": ("a.tar.gz", tar_of({"deep/a.txt": TEXT.encode()}, "w:gz")),
    "tar.xz": ("a.txz", tar_of({"deep/a.txt.gz": gzip.compress(TEXT.encode())}, "w:xz")),
    "tar.bz2": ("a.tbz2", tar_of({"deep/a.txt": TEXT.encode()}, "w:bz2")),
}


@pytest.mark.parametrize(("name", "content"), STORED.values(), ids=STORED)
def test_a_file_is_read_however_it_is_stored(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    assert list(lines(path)) == list(enumerate(SAID, 1))
    if is_archive(path):
        member = next(each for each in names(path) if "deep" in each)
        assert read(path / member) == read(path / member.removeprefix("deep/")) == SAID
        assert fingerprint(path / member) == fingerprint(path / member.removeprefix("deep/"))
        others = [path / each for each in names(path) if each != member]
        assert len({fingerprint(each) for each in (path, path / member, *others)}) == 2 + len(others)


def reference(content):
    """The lines of a file, or the line and the byte of its first fault, by the definition."""
    found = []
    pieces = content.removesuffix(b"\n").split(b"\n") if content else []
    for number, piece in enumerate(pieces, 1):
        if b"\0" in piece:
            return number, piece.index(0) + 1
        try:
            text = piece.decode()
        except UnicodeDecodeError as error:
            return number, error.start + 1
        found.append((text.removeprefix("\ufeff") if number == 1 else text).removesuffix("\r"))
    return found


MARKS = st.sampled_from([b"\n", b"\r\n", b"\r", b"\xef\xbb\xbf", b"a", "ü€".encode(), b"\xc3", b"\0", b"\xe2\x80\xa8"])


@given(st.lists(MARKS, max_size=12).map(b"".join) | st.binary(max_size=40), st.sampled_from([1, 2, 3, 5, 2**18]))
@example(b"\xef\xbb\xbf\xef\xbb\xbfa\r\r\n", 2**18)
def test_lines_are_what_is_between_line_feeds(tmp_path_factory, content, size):
    assume(not content.startswith((b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh")))
    path = tmp_path_factory.getbasetemp() / "a.txt"
    path.write_bytes(content)
    expected, found = reference(content), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "PIECE", size)
        try:
            for number, text in lines(path):
                found.append(text)
                assert number == len(found)
        except UserError as error:
            line, byte = expected
            assert f"a.txt, line {line}, byte {byte}:" in str(error)  # noqa: PT017
            assert len(found) == line - 1
        else:
            assert found == expected


@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 9), st.sampled_from([1, 4, 2**18]))
def test_a_line_has_at_most_so_many_bytes(tmp_path_factory, lengths, longest, size):
    path = tmp_path_factory.getbasetemp() / "a.txt"
    path.write_text("".join("x" * length + "\n" for length in lengths))
    too_long = next((number for number, length in enumerate(lengths, 1) if length > longest), None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "PIECE", size)
        if too_long:
            with pytest.raises(UserError, match=f"a.txt, line {too_long}, byte {longest + 1}: the line is longer"):
                list(lines(path, longest))
        else:
            assert [len(text) for _, text in lines(path, longest)] == lengths


@given(st.lists(st.text(max_size=8), max_size=5))
def test_what_is_written_is_read(tmp_path_factory, texts):
    path = tmp_path_factory.getbasetemp() / "a.txt"
    sayable = []
    for text in texts:
        try:
            sayable.append(one_line(text))
        except (ValueError, UnicodeEncodeError):
            assert set("\n\0\r\ufeff") & set(text)
    with writing(path) as file:
        file.writelines(f"{text}\n" for text in sayable)
    assert read(path) == sayable


@pytest.mark.parametrize(("name", "content"), STORED.values(), ids=STORED)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, name, content, data):
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data.draw(mutated(content)))
    try:
        read(path)
    except UserError as error:
        assert name in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_file_that_was_cut_short_is_refused(tmp_path, pack):
    content = pack(TEXT.encode())
    for end in range(12, len(content)):
        (tmp_path / "a").write_bytes(content[:end])
        with pytest.raises(UserError, match="a is damaged or cut short"):
            read(tmp_path / "a")


@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
@pytest.mark.bad_input("B5")
def test_a_line_of_100_megabytes_takes_little_memory(tmp_path, pack):
    path = tmp_path / "a.txt"
    path.write_bytes(pack(b"short\n" + b"x" * 100_000_000))
    tracemalloc.start()
    try:
        stream = lines(path)
        assert next(stream) == (1, "short")
        with pytest.raises(UserError, match=r"line 2, byte 16777217: the line is longer than 16,777,216 bytes"):
            next(stream)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.bad_input("B9")
def test_a_bomb_is_read_a_piece_at_a_time(tmp_path):
    bomb = bz2.compress(b"\n" * 30_000_000)  # a few hundred bytes
    (tmp_path / "a.tar.bz2").write_bytes(bz2.compress(tar_of({"a.txt": b"\n" * 30_000_000})))
    (tmp_path / "a.bz2").write_bytes(bomb)
    (tmp_path / "a.zip").write_bytes(zip_of({"a.txt.bz2": bomb}))
    for name in ("a.bz2", "a.tar.bz2", "a.zip"):
        tracemalloc.start()
        try:
            assert next(lines(tmp_path / name)) == (1, "")
            assert tracemalloc.get_traced_memory()[1] < 24_000_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
@pytest.mark.bad_input("B9")
def test_a_tar_with_an_endless_name_is_refused(tmp_path, kind):
    info = tarfile.TarInfo("a")
    info.type, info.size = kind, 50_000_000
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(info.size), 1))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="is damaged, or no archive"):
            read(tmp_path / "a.tar.gz")
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.bad_input("B9")
def test_a_link_in_an_archive_leads_nowhere(tmp_path, kind):
    (tmp_path / "secret").write_text("secret")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("a.txt", "../secret"):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, str(tmp_path / "secret")
            tar.addfile(info)
    for member in ("a.txt", "../secret"):
        with pytest.raises(UserError, match=f"a.tar holds no '{member}'; it has nothing"):
            read(tmp_path / "a.tar" / member)


def test_a_member_of_any_name_stays_a_name(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a.zip").write_bytes(zip_of({"../secret": b"from the archive", "/etc/passwd": b"mine", "b\nc": b"x"}))
    assert read(tmp_path / "a.zip" / "../secret") == ["from the archive"]
    assert read(tmp_path / "a.zip" / "passwd") == ["mine"]
    with pytest.raises(UserError, match=r"holds no 'd'; it has '\.\./secret', '/etc/passwd', 'b\\nc'"):
        read(tmp_path / "a.zip" / "d")
    with pytest.raises(UserError, match="more than one file to read"):
        read(tmp_path / "a.zip")


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match=r"missing.txt: no such file"):
        read(tmp_path / "missing.txt")
    with pytest.raises(UserError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(UserError, match="no folder and no archive"):
        names(tmp_path / "missing.txt")
    (tmp_path / "a.txt").write_bytes("text".encode("utf-16"))
    with pytest.raises(UserError, match=r"a.txt, line 1, byte 4: a NUL; this is no text, or text in UTF-16"):
        read(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes("caf\u00e9".encode("latin-1"))
    with pytest.raises(UserError, match=r"a.txt, line 1, byte 4: 0xe9 is not UTF-8 here; convert the file: iconv"):
        read(tmp_path / "a.txt")
    content = bytearray(zip_of({"a.txt": b"text"}))
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(header) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"a.zip/a.txt is encrypted; unpack it"):
        read(tmp_path / "a.zip")


def test_a_file_is_found_plain_or_compressed(tmp_path):
    (tmp_path / "b.txt.xz").write_bytes(lzma.compress(b"x"))
    (tmp_path / "a.zip").write_bytes(zip_of({"deep/b.txt.gz": gzip.compress(b"x"), "b.text": b""}))
    assert find(tmp_path, ["a.txt", "b.txt"]) == tmp_path / "b.txt.xz"
    assert find(tmp_path / "a.zip", ["a.txt", "b.txt"]) == tmp_path / "a.zip" / "deep" / "b.txt.gz"
    assert find(tmp_path, ["a.txt"]) is None
    assert find(tmp_path / "a.zip", ["xb.txt"]) is None


def test_a_folder_has_a_fingerprint(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_text("1")
    first = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == first
    (tmp_path / "deep" / "a").rename(tmp_path / "deep" / "b")
    assert fingerprint(tmp_path) != first
    with pytest.raises(UserError, match="missing: no such file"):
        fingerprint(tmp_path / "missing")


def test_a_file_that_cannot_be_written_is_named_and_nothing_left(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(UserError, match="cannot be written"), writing(tmp_path / "a" / "b"):
        pass
    with pytest.raises(UnicodeEncodeError), writing(tmp_path / "a") as file:
        file.write("new \ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


def test_zstd_is_read_by_what_the_data_extra_brings(tmp_path, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow", reason="reads zstd; it comes with the extra `data`")
    content = (TEXT + "\n").encode() * 1000
    with pyarrow.CompressedOutputStream(str(tmp_path / "a.txt.zst"), "zstd") as file:
        file.write(content)
    packed = (tmp_path / "a.txt.zst").read_bytes()
    assert read(tmp_path / "a.txt.zst") == SAID * 1000
    assert find(tmp_path, ["a.txt"]) == tmp_path / "a.txt.zst"
    (tmp_path / "twice").write_bytes(packed * 2)
    assert len(read(tmp_path / "twice")) == 10_000
    (tmp_path / "cut").write_bytes(packed[:-9])
    with pytest.raises(UserError, match="cut is damaged or cut short"):
        read(tmp_path / "cut")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"a.txt.zst is compressed by zstd, which pyarrow reads: pip install"):
        read(tmp_path / "a.txt.zst")


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for reading in (read, fingerprint, lambda path: locate("x", path)):
        for path in (tmp_path / "pipe", Path("/dev/null")):
            with pytest.raises(UserError, match=f"{path} is a pipe or a device, which can be read only once"):
                reading(path)
