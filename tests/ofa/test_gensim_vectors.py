"""Vectors that gensim has saved."""

import os
import pickle
import sys
import types

import numpy
import pytest

from ofa.vectors.pickled import read_pickle
from ofa.vectors.reading import read_vectors
from semeqv.engine.errors import UserError

MATRIX = numpy.random.default_rng(0).normal(size=(3, 4)).astype(numpy.float32)
WORDS = ["fr:chien", "en:dog", "chat"]


@pytest.fixture
def classes(monkeypatch):
    """Classes with the names of gensim's, as they are when something is saved."""
    module = types.ModuleType("gensim.models.keyedvectors")
    made = {name: type(name, (), {"__module__": module.__name__}) for name in ("KeyedVectors", "Word2Vec")}
    vars(module).update(made)
    for name in ("gensim", "gensim.models"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


def saved(path, found, **values):
    vars(found).update(values)
    path.write_bytes(pickle.dumps(found))
    return path


@pytest.mark.parametrize("names", [("index_to_key", "vectors"), ("index2word", "syn0")])
def test_vectors_become_text(say, tmp_path, classes, names):
    saved(tmp_path / "x.kv", classes["KeyedVectors"](), **dict(zip(names, (WORDS, MATRIX))))
    line = "cli ofa convert-vectors --from x.kv --path x.vec"
    assert "--allow_pickle" in say(line, code=2).err
    assert "3 words" in say(f"{line} --allow_pickle").out
    found = read_vectors(tmp_path / "x.vec")
    assert found.words == WORDS
    numpy.testing.assert_allclose(found.matrix, MATRIX, rtol=1e-5)


def test_models_have_theirs_inside_and_large_arrays_beside(tmp_path, classes):
    inner = classes["KeyedVectors"]()
    vars(inner).update(index_to_key=WORDS, vectors=None)
    path = saved(tmp_path / "x.model", classes["Word2Vec"](), wv=inner, random=numpy.random.RandomState(0))
    with pytest.raises(UserError, match="holds no word vectors"):
        read_pickle(path)
    numpy.save(tmp_path / "x.model.wv.vectors.npy", MATRIX)
    assert (read_pickle(path).matrix == MATRIX).all()
    (tmp_path / "x.model.wv.vectors.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UserError, match="damaged or cut short"):
        read_pickle(path)


class Evil:
    def __reduce__(self):
        return os.system, ("touch stolen",)


@pytest.mark.parametrize("content", [pickle.dumps(Evil()), b"", b"\x80\x04", b"no pickle", pickle.dumps([1])])
def test_nothing_is_run(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.wv").write_bytes(content)
    with pytest.raises(UserError):
        read_pickle(tmp_path / "x.wv")
    assert not (tmp_path / "stolen").exists()


def test_what_gensim_itself_saves_is_read(tmp_path):
    keyed = pytest.importorskip("gensim.models", reason="needs pip install -e '.[vectors]'").KeyedVectors(4)
    keyed.add_vectors(WORDS, MATRIX)
    keyed.save(str(tmp_path / "small.kv"))
    keyed.save(str(tmp_path / "large.kv"), sep_limit=1)
    for name in ("small.kv", "large.kv"):
        found = read_pickle(tmp_path / name)
        assert found.words == WORDS
        numpy.testing.assert_allclose(found.matrix, MATRIX)
