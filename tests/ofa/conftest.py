"""Two small vocabularies, models that have the first, and word vectors of both languages."""

import numpy
import pytest
from tiny import model

from ofa.hypernetwork.folder import read_folder
from ofa.vectors.word_vectors import WordVectors, write_vectors
from semeqv.babel.dataset import Babel
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece

KINDS = {"bpe": Bpe, "wordpiece": Wordpiece, "unigram": Unigram}


@pytest.fixture(scope="session")
def tokenizers(shared_cache):
    """Tokenizers by kind and language, of 300 tokens for the first language and 400 for the second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEMEQV_CACHE", str(shared_cache))
        found = {}
        for kind, component in KINDS.items():
            for language, size in (("lume", 300), ("drask", 400)):
                corpus = Babel(documents=60, languages=(language,))
                found[kind, language] = component(vocab_size=size).build({("train", None): corpus})
        return found


@pytest.fixture
def save(tmp_path):
    """Save a model and its tokenizer."""

    def saved(made, tokenizer, name="old"):
        made.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        return tmp_path / name

    return saved


@pytest.fixture(scope="session")
def vectors(tmp_path_factory):
    """Random vectors of all words of the generated languages, as a file."""
    generator = numpy.random.default_rng(0)
    words = sorted({word for document in Babel(documents=60).corpus() for word in document.text.lower().split()})
    words = [word.strip(".,!?") for word in words if word.strip(".,!?")]
    words = list(dict.fromkeys(words))
    path = tmp_path_factory.mktemp("vectors") / "words.vec"
    write_vectors(path, WordVectors(words, generator.normal(size=(len(words), 8)).astype(numpy.float32)))
    return path


@pytest.fixture
def mapping(run_cli, save, tokenizers, vectors):
    """A mapping, beside the model that it is made of."""
    first, second = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    before = model("bert", first)
    source = save(before, first)
    second.save_pretrained(source.parent / "target")
    said = run_cli(f"cli ofa mapping --from old --target_tokenizer target --vectors {vectors} --keep_dim 6").out
    assert "new subwords are part of words" in said
    return read_folder(source.parent / "mapping"), before
