"""Data sets of the hub, of which none is fetched here: a folder on the disk, and a stand-in for the package."""

import sys
from types import SimpleNamespace

import huggingface_hub
import pytest

from semeqv.runs.errors import UserError
from semeqv.text.datasets.monolingual import Hub
from semeqv.text.readers import hub
from semeqv.text.records import Row

EXAMPLES = [{"id": 1, "translation": {"en": "one", "fr": "une"}}, {"id": 2, "translation": {"en": "two", "fr": "deux"}}]
ROWS = [Row(1, ("one", "1")), Row(2, ("two", "2"))]


@pytest.fixture
def fake(monkeypatch):
    """A stand-in that streams examples, breaks where it is told, and remembers what it was asked."""
    asked = []

    def load_dataset(*names, **options):
        asked.append((names, options))
        if isinstance(package.examples, Exception):
            raise package.examples
        return stream()

    def stream():
        yield from package.examples
        if package.breaks:
            raise package.breaks

    package = SimpleNamespace(
        __version__="4.1.0", load_dataset=load_dataset, asked=asked, examples=EXAMPLES, breaks=None
    )
    monkeypatch.setitem(sys.modules, "datasets", package)
    return package


def test_a_data_set_is_streamed(fake):
    assert list(hub.read_rows("some/name", ["translation.en", "id"], "test", "fr-en", "a1b2")) == ROWS
    assert fake.asked == [(("some/name", "fr-en"), {"split": "test", "revision": "a1b2", "streaming": True})]


def test_a_data_set_is_known_by_its_commit(fake, monkeypatch):
    commits = {None: "a" * 40, "v2": "b" * 40}
    monkeypatch.setattr(
        huggingface_hub, "dataset_info", lambda name, revision: SimpleNamespace(sha=commits.pop(revision))
    )
    for revision, commit in {None: "a" * 40, "v2": "b" * 40, "c" * 40: "c" * 40}.items():
        data = Hub(of="my/texts", field="id", revision=revision)
        assert data.source_facts()["options"]["revision"] == commit
        assert [each.text for each in data.corpus()] == ["1", "2"]
        assert fake.asked.pop()[1]["revision"] == commit
    with pytest.raises(UserError, match=r"^Data set 'my/texts' of the hub: 'v3'. Without .* say --revision COMMIT.$"):
        Hub(of="my/texts", revision="v3").source_facts()


def test_a_folder_of_the_disk_is_known_by_its_files(tmp_path):
    (tmp_path / "train.jsonl").write_text("{}")
    first = Hub(of=str(tmp_path)).source_facts()
    (tmp_path / "train.jsonl").write_text("{} {}")
    assert Hub(of=str(tmp_path)).source_facts() != first


def test_examples_come_one_at_a_time(fake):
    fake.breaks = ConnectionError("reset by peer\nand more")
    read = hub.read_rows("some/name", ["id"])
    assert [next(read).values for _ in range(2)] == [("1",), ("2",)]
    with pytest.raises(UserError, match=r"^Data set 'some/name' of the hub, split 'train', row 3: reset by peer$"):
        next(read)


@pytest.mark.parametrize(
    ("examples", "match"),
    [
        ([], "split 'train' is empty"),
        ([{"b": "x"}], "row 1: no field 'a', or null; the object has 'b'"),
        ([{"a": ["x"]}], r"row 1: field 'a' should be text, not \['x'\]"),
        (FileNotFoundError("Couldn't find it\nanywhere"), "^Data set 'some/name' of the hub: Couldn't find it$"),
        (RuntimeError(), "^Data set 'some/name' of the hub: RuntimeError$"),
    ],
)
@pytest.mark.bad_input("B2")
def test_what_cannot_be_had_is_named(fake, examples, match):
    fake.examples = examples
    with pytest.raises(UserError, match=match):
        list(hub.read_rows("some/name", ["a"]))


def test_the_package_must_be_there_and_run_no_code_of_a_repository(fake, monkeypatch):
    fake.__version__ = "3.6.0"
    with pytest.raises(UserError, match=r"datasets 3.6.0 is too old: pip install -e '.\[data\]'"):
        list(hub.read_rows("some/name", ["a"]))
    assert fake.asked == []
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"need the package `datasets`: pip install -e '.\[data\]'"):
        list(hub.read_rows("some/name", ["a"]))


@pytest.fixture
def real(monkeypatch, tmp_path):
    """The package itself, which is to leave the network and the user's cache alone."""
    for name, value in (("HF_HUB_OFFLINE", "1"), ("HF_DATASETS_OFFLINE", "1"), ("HF_HOME", str(tmp_path / "cache"))):
        monkeypatch.setenv(name, value)
    return pytest.importorskip("datasets", reason="needs the extra [data]")


def test_a_folder_is_a_data_set(real, tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    text = '{{"id": {}, "translation": {{"en": "{}", "fr": "{}"}}}}\n'
    (folder / "train.jsonl").write_text(text.format(1, "one", "une") + text.format(2, "two", "deux"))
    (folder / "test.jsonl").write_text(text.format(3, "three", "trois"))
    fields = ["translation.en", "id"]
    assert list(hub.read_rows(str(folder), fields)) == ROWS
    assert list(hub.read_rows(str(folder), fields, "test")) == [Row(1, ("three", "3"))]
    with pytest.raises(UserError, match=r"hub: .*dev"):
        list(hub.read_rows(str(folder), fields, "dev"))
    (folder / "train.jsonl").write_bytes(b'{"id": 1}\n{"id": \xff}\n')
    with pytest.raises(UserError, match="split 'train', row 1: "):
        list(hub.read_rows(str(folder), ["id"]))


@pytest.mark.bad_input("B10")
def test_a_folder_that_wants_to_run_code_is_refused(real, tmp_path):
    folder = tmp_path / "script"
    folder.mkdir()
    (folder / "script.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="scripts are no longer supported"):
        list(hub.read_rows(str(folder), ["a"]))
    assert not (tmp_path / "ran").exists()
