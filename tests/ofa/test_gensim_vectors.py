"""Vectors that gensim has saved."""

import os
import pickle
import sys
import types

import numpy
import pytest

from ofa.vectors.gensim import buckets, fnv1a, read_pickle
from ofa.vectors.word_vectors import read_vectors
from semeqv.runs.errors import UserError

MATRIX = numpy.random.default_rng(0).normal(size=(3, 4)).astype(numpy.float32)
WORDS = ["fr:chien", "en:dog", "chat"]


@pytest.fixture
def classes(monkeypatch):
    """Classes with the names of gensim's, as they are when something is saved."""
    module = types.ModuleType("gensim.models.keyedvectors")
    names = ("KeyedVectors", "Word2Vec", "FastTextKeyedVectors")
    made = {name: type(name, (), {"__module__": module.__name__}) for name in names}
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
def test_vectors_become_text(run_cli, tmp_path, classes, names):
    saved(tmp_path / "x.kv", classes["KeyedVectors"](), **dict(zip(names, (WORDS, MATRIX))))
    line = "cli ofa convert-vectors --from x.kv --path x.vec"
    assert "--allow_pickle" in run_cli(line, code=2).err
    assert "3 words" in run_cli(f"{line} --allow_pickle").out
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


def test_words_of_fasttext_hold_their_ngrams(tmp_path, classes):
    draw = numpy.random.default_rng(1)
    own, ngrams = (draw.normal(size=(rows, 4)).astype(numpy.float32) for rows in (2, 7))
    state = {"index_to_key": ["été", "a"], "vectors_vocab": own, "vectors_ngrams": ngrams, "min_n": 2, "max_n": 3}
    state |= {"bucket": 7, "compatible_hash": True}
    path = saved(tmp_path / "x.kv", classes["FastTextKeyedVectors"](), **state)
    pieces = {"été": ["<é", "<ét", "ét", "été", "té", "té>", "é>"], "a": ["<a", "<a>", "a>"]}
    for word, vector, found in zip(pieces, own, read_pickle(path).matrix):
        places = [fnv1a(piece.encode()) % 7 for piece in pieces[word]]
        assert sorted(buckets(word, 2, 3, 7)) == sorted(places)
        numpy.testing.assert_allclose(found, (vector + ngrams[places].sum(0)) / (len(places) + 1), rtol=1e-5)
    assert (fnv1a(b"a"), fnv1a(b"foobar")) == (0xE40C292C, 0xBF9CF968)  # of the authors of the hash
    with pytest.raises(UserError, match=r"before 3\.8"):
        read_pickle(saved(path, classes["FastTextKeyedVectors"](), **state | {"compatible_hash": False}))
    with pytest.raises(UserError, match="holds no word vectors"):
        read_pickle(saved(path, classes["FastTextKeyedVectors"](), **state | {"vectors_ngrams": None}))


class Callback:
    """What a user may have left in a model."""


def test_classes_of_a_user_are_neither_imported_nor_called(tmp_path, classes):
    inner = classes["KeyedVectors"]()
    vars(inner).update(index_to_key=WORDS, vectors=MATRIX)
    path = saved(tmp_path / "x.model", classes["Word2Vec"](), wv=inner, callbacks=[Callback()], hashfxn=hash)
    assert read_pickle(path).words == WORDS


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


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Models that gensim has trained and saved, with and without large arrays beside them, and their vectors."""
    models = pytest.importorskip("gensim.models", reason="needs pip install -e '.[vectors]'")
    folder, draw = tmp_path_factory.mktemp("gensim"), numpy.random.default_rng(0)
    words = [*(f"word{i}" for i in range(40)), "été", "日本", "US$"]
    text, found = [[words[i] for i in draw.integers(len(words), size=9)] for _ in range(60)], {}
    sizes = {"vector_size": 8, "min_count": 1, "workers": 1, "seed": 1, "epochs": 1}
    for name, kind, more in (("word2vec", models.Word2Vec, {}), ("fasttext", models.FastText, {"bucket": 50})):
        model = kind(text, **sizes, **more)
        found[name] = {word: model.wv[word] for word in model.wv.index_to_key}
        for ending, saved_one in (("model", model), ("kv", model.wv)):
            saved_one.save(str(folder / f"{name}.{ending}"))
            saved_one.save(str(folder / f"{name}-large.{ending}"), sep_limit=1)
    return folder, found


@pytest.mark.parametrize("ending", [".model", ".kv", "-large.model", "-large.kv"])
@pytest.mark.parametrize("kind", ["word2vec", "fasttext"])
def test_what_gensim_itself_saves_is_read(run_cli, tmp_path, trained, kind, ending):
    folder, vectors = trained
    line = f"cli ofa convert-vectors --from {folder}/{kind}{ending} --path x.vec"
    assert "43 words" in run_cli(f"{line} --allow_pickle").out
    found = read_vectors(tmp_path / "x.vec")
    assert list(found.words) == list(vectors[kind])
    numpy.testing.assert_allclose(found.matrix, numpy.stack(list(vectors[kind].values())), rtol=1e-4, atol=1e-6)
