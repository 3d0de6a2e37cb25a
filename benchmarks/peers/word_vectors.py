"""Write and read word vectors by gensim: `python word_vectors.py CASE.json RESULT.json`.

With `sentences`, train Word2Vec and FastText on them and write the vectors in every format of gensim; with `read`,
read files of word2vec text into arrays.
"""

import json
import sys
from pathlib import Path

import gensim
import numpy
from gensim.models import FastText, KeyedVectors, Word2Vec


def main() -> None:
    """Write, or read."""
    case = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(case["folder"])
    if "sentences" in case:
        sentences = [line.split() for line in Path(case["sentences"]).read_text().splitlines()]
        model = Word2Vec(sentences, vector_size=50, min_count=2, epochs=2, workers=1, seed=1)
        model.save(str(folder / "word2vec.model"))
        model.wv.save(str(folder / "word2vec.kv"))
        model.wv.save_word2vec_format(str(folder / "word2vec.txt"))
        model.wv.save_word2vec_format(str(folder / "word2vec.bin"), binary=True)
        keep(folder, "word2vec", model.wv)
        model = FastText(sentences, vector_size=50, min_count=2, epochs=2, workers=1, seed=1, bucket=2000)
        model.save(str(folder / "fasttext.model"))
        model.wv.save(str(folder / "fasttext.kv"))
        keep(folder, "fasttext", model.wv)
    for name in case.get("read", ()):
        keep(folder, name, KeyedVectors.load_word2vec_format(str(folder / name)))
    Path(sys.argv[2]).write_text(json.dumps({"version": gensim.__version__}))


def keep(folder: Path, name: str, vectors: KeyedVectors) -> None:
    """Write what gensim has, as an array and a list of words."""
    numpy.save(folder / f"{name}.as-gensim.npy", numpy.array([vectors[word] for word in vectors.index_to_key]))
    (folder / f"{name}.as-gensim.json").write_text(json.dumps(vectors.index_to_key))


if __name__ == "__main__":
    main()
