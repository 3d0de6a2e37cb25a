"""The reader and the writer of safetensors, beside those of the format's own library; and files that are damaged."""

import json
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from safetensors import safe_open
from safetensors.torch import load_file, save, save_file
from vector_models import model_of, saved

from crosslingual import Checkpoint, TaskVector
from crosslingual.safetensors_reader import WIDTHS, Entry, lay_out, open_tensors, read_header
from crosslingual.safetensors_writer import rounded, write_tensors
from crosslingual.vocabulary import fingerprint
from semeqv.runs.errors import UserError

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16), "c": torch.tensor(3)}
SHAPES = st.lists(st.integers(0, 3), max_size=3).map(tuple)
ENTRIES = st.dictionaries(st.text(max_size=5), st.builds(Entry, st.sampled_from(sorted(WIDTHS)), SHAPES), max_size=5)


@given(entries=ENTRIES.filter(lambda found: "__metadata__" not in found))
def test_what_is_laid_out_is_read_back_and_opens_elsewhere(tmp_path, entries):
    before, ordered = lay_out(entries.items())
    path = tmp_path / "file.safetensors"
    path.write_bytes(before + bytes(sum(entry.size for entry in entries.values())))
    assert len(before) % 8 == 0
    assert read_header(path) == ordered
    with safe_open(path, "numpy") as file:
        assert set(file.keys()) == set(entries)
        assert all(tuple(file.get_slice(name).get_shape()) == entry.shape for name, entry in entries.items())


@given(content=mutated(save(TENSORS)))
def test_a_damaged_file_is_refused_or_read_as_it_is(tmp_path, content):
    path = tmp_path / "file.safetensors"
    path.write_bytes(content)
    try:
        found = read_header(path)
    except UserError:
        return
    ends = [entry.start + entry.size for entry in found.values()]
    starts = [entry.start for entry in found.values()]
    assert starts[1:] == ends[:-1]
    assert (ends or [len(content)])[-1] == len(content)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "does not lie where"),
        ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}', "damaged header"),
        ('{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,4]}}', "damaged header"),
        ('{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', "damaged header"),
        ('{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}', "damaged header"),
        ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}', "damaged header"),
        ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', "bytes where its header says"),
        ("[]", "damaged header"),
        ("[" * 100_000, "damaged header"),
        ("", "bytes where|damaged"),
    ],
)
def test_headers_that_lie_are_refused(tmp_path, header, said):
    path = tmp_path / "file.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(8))
    with pytest.raises(UserError, match=said):
        read_header(path)


@pytest.mark.parametrize("left", [0, 7, 8, 40, -1])
def test_files_cut_short_are_refused(tmp_path, left):
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(UserError, match="again"):
        read_header(path)
    path.unlink()
    with pytest.raises(UserError, match="no such file"):
        open_tensors(tmp_path)


@pytest.fixture
def shards(tmp_path):
    """A folder of a model in shards, its files and its index."""
    folder = saved(model_of("bert"), tmp_path / "model", max_shard_size="8KB")
    return folder, sorted(folder.glob("*.safetensors")), folder / "model.safetensors.index.json"


def test_shards_that_are_missing_or_cut_short_are_refused(shards):
    folder, files, _ = shards
    content = files[1].read_bytes()
    files[1].write_bytes(content[:-5])
    with pytest.raises(UserError, match=rf"{files[1].name} has .* bytes where its header says"):
        Checkpoint.open(folder)
    files[1].unlink()
    with pytest.raises(UserError, match=f"{files[1].name} cannot be read: no such file"):
        Checkpoint.open(folder)
    files[1].write_bytes(files[2].read_bytes())
    with pytest.raises(UserError, match="does not fit its files"):
        Checkpoint.open(folder)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"weight_map": []}', '{"weight_map": {"a": "../x"}}', '{"weight_map": {"a": 1}}']
)
def test_an_index_that_is_damaged_is_refused(shards, text):
    folder, _, index = shards
    index.write_text(text)
    with pytest.raises(UserError, match="is damaged"):
        Checkpoint.open(folder)


def test_a_vector_that_is_damaged_is_refused(tmp_path):
    (Checkpoint.open(saved(model_of("bert"), tmp_path / "a")) - Checkpoint.open(tmp_path / "a")).save(tmp_path / "v")
    said = json.loads((tmp_path / "v/vector.json").read_text())
    assert TaskVector.open(tmp_path / "v").norm() == 0
    said["tensors"]["embeddings.LayerNorm.bias"]["shape"] = [3]
    (tmp_path / "v/vector.json").write_text(json.dumps(said))
    with pytest.raises(UserError, match=r"does not fit its tensors: look for 'embeddings.LayerNorm.bias'"):
        TaskVector.open(tmp_path / "v")
    (tmp_path / "v/vector.json").write_text("{}")
    with pytest.raises(UserError, match="is damaged"):
        TaskVector.open(tmp_path / "v")
    with pytest.raises(UserError, match="is no vector"):
        TaskVector.open(tmp_path / "a")


@given(values=st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_rounding_is_that_of_torch(values):
    numbers = torch.tensor(values, dtype=torch.float32)
    found = torch.from_numpy(rounded(numbers.numpy().copy(), "BF16").view("int16")).view(torch.bfloat16)
    wanted = numbers.bfloat16()
    assert torch.equal(found.isnan(), wanted.isnan())
    assert torch.equal(found.nan_to_num(), wanted.nan_to_num())
    within = numbers[numbers.abs() <= 65504]
    assert torch.equal(torch.from_numpy(rounded(within.numpy().copy(), "F16")), within.half())


def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    base = Checkpoint.open(saved(model_of("bert"), tmp_path / "base"))
    base.save(tmp_path / "new")
    before = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    for place in ("crosslingual.safetensors_writer.write_all", "semeqv.runs.files.sync"):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            with pytest.raises(UserError, match="No space left on device"):
                base.save(tmp_path / "new", overwrite=True)
        assert before == {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
        assert sorted(each.name for each in tmp_path.iterdir()) == ["base", "new"]
    base.save(tmp_path / "new", overwrite=True)
    assert before == {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}


def test_a_program_that_was_killed_leaves_the_last_good_folder(tmp_path, monkeypatch):
    base = Checkpoint.open(saved(model_of("bert"), tmp_path / "base"))
    base.save(tmp_path / "new")
    before = {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    (tmp_path / "new").rename(tmp_path / ".new.old.tmp")
    (tmp_path / ".new.0.tmp").mkdir()
    (tmp_path / ".new.0.tmp/model.safetensors").write_text("half")
    with monkeypatch.context() as patch:
        patch.setattr(
            "crosslingual.safetensors_writer.write_all", lambda *_: (_ for _ in ()).throw(OSError(28, "full"))
        )
        with pytest.raises(UserError, match="full"):
            base.save(tmp_path / "new")
    assert before == {file.name: file.read_bytes() for file in (tmp_path / "new").iterdir()}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["base", "new"]


def test_a_large_tensor_has_a_file_of_its_own_and_integers_are_copied(tmp_path):
    save_file(TENSORS, tmp_path / "old.safetensors")
    entries, pieces = read_header(tmp_path / "old.safetensors"), open_tensors(tmp_path, "old").pieces
    write_tensors(tmp_path, "new", entries, pieces, shard=5)
    assert len(list(tmp_path.glob("new-*-of-00003.safetensors"))) == 3
    index = json.loads((tmp_path / "new.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 24 + 4 + 8
    for name, file in index["weight_map"].items():
        assert torch.equal(load_file(tmp_path / file)[name], TENSORS[name])
    assert set(open_tensors(tmp_path, "new").entries) == set(TENSORS)


def test_tokens_and_not_their_order_or_settings_make_a_vocabulary(tmp_path):
    saved(model_of("bert"), tmp_path)
    path = tmp_path / "tokenizer.json"
    content = json.loads(path.read_text())
    first = fingerprint(tmp_path)
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = dict(reversed(vocabulary.items()))
    content["truncation"] = {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0}
    for dump in (lambda: json.dumps(content), lambda: json.dumps(content, indent=7)):
        path.write_text(dump())
        assert fingerprint(tmp_path) == first
    content["model"]["vocab"] |= {"w3": 4, "w4": 3}
    path.write_text(json.dumps(content))
    assert fingerprint(tmp_path) != first
    pairs = [['é,"}', -1.5], ["b", -2], ["c]", -3e-5]]
    content["model"] = {"type": "Unigram", "vocab": pairs}
    content["added_tokens"] = [{"id": 0, "content": pairs[0][0]}]
    found = set()
    for dump in (json.dumps(content), json.dumps(content, ensure_ascii=False, indent=2)):
        path.write_text(dump)
        found.add(fingerprint(tmp_path))
    pairs[1], pairs[2] = pairs[2], pairs[1]
    path.write_text(json.dumps(content))
    assert len(found) == 1
    assert fingerprint(tmp_path) not in found
    path.unlink()
    assert fingerprint(tmp_path) is None
    (tmp_path / "vocab.txt").write_text("a\nb\n")
    lines = fingerprint(tmp_path)
    assert re.fullmatch("tokens:[0-9a-f]{32}", lines)
    (tmp_path / "vocab.txt").rename(tmp_path / "other.txt")
    (tmp_path / "vocab.json").write_text('{"b": 1, "a": 0}')
    assert fingerprint(tmp_path) == lines
    (tmp_path / "tokenizer.json").write_text('{"added_tokens": [], "model": {"vocab": {"a": 0, "b": 1}}}')
    assert fingerprint(tmp_path) == lines
    (tmp_path / "tokenizer.json").write_text('{"added_tokens": [], "model": {"vocab": {"a": 0, "b": 1.5}}}')
    assert fingerprint(tmp_path).startswith("file:")
