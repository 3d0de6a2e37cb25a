"""Word vectors as a model without layers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from ofa.topk_search import Floats
from ofa.vectors.make import word_finder
from ofa.vectors.word_vectors import WordVectors, as_vectors
from semeqv.grammar.action import AtLeast, Written, action
from semeqv.lazy import numpy, tokenizers, torch, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing
from semeqv.text.models.opening import named, quiet
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed

if TYPE_CHECKING:  # from Python, vectors that are open already will do
    Vectors = Path | WordVectors
else:
    Vectors = Path

FACTS = "bag.txt"
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")


@dataclass(frozen=True)
class WrittenBag(Written):
    """A bag of words that was written.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        folder: Where it is.
    """

    model: Any
    tokenizer: Any
    folder: Path

    def show(self) -> None:
        """Print where it is, and how many vectors it has."""
        vectors = int((self.model.get_input_embeddings().weight != 0).any(1).sum())
        click.echo(f"wrote {self.folder} ({vectors:,} vectors)")


@action("ofa bag")
def bag(
    *,
    vectors: Vectors,
    output: Path = Path("bag"),
    smoothing: Annotated[float, AtLeast(0)] = 1e-3,
    tokens_of: str | None = None,
    most_words: Annotated[int, AtLeast(0)] = 0,
) -> WrittenBag:
    """Write word vectors as a model without layers, which any action opens: a text is the mean of its words.

    It stands beside models that were given a new vocabulary by the same vectors, and tells what these know by
    themselves: `cli model load --from FOLDER cli retrieval`, `cli model token-classifier --from FOLDER`. Like OFA, it
    does not know in which language a text is: a word of several languages has the mean of their vectors. Its rows are
    never trained.

    Args:
        vectors: Word vectors, the most frequent word first.
        output: The folder of the model, which `from_pretrained` opens after `import ofa`.
        smoothing: Weigh a word by a / (a + its share of the text), a being this number (smooth inverse frequency;
            Arora, Liang & Ma, 2017, "A Simple but Tough-to-Beat Baseline for Sentence Embeddings"); the share is
            Zipf's, from the word's place in the file. 0 for equal weights.
        tokens_of: The vectors are those of the tokens of this tokenizer (`cli ofa token-vectors`), not of words; such a
            folder can be the --donor of `cli ofa init omp`.
        most_words: The first so many words; 0 for all.

    Returns:
        The model, its tokenizer, and its folder.
    """
    from ofa.bag.networks import bag_of  # which is made of modules

    output = Path(output)
    refuse_existing(output, overwrite=True, marker=FACTS)
    words = as_vectors(vectors, most_words)
    weights = frequency_weights(len(words), smoothing)
    if tokens_of is None:
        names, matrix = by_word(words, weights)
        tokenizer = word_tokenizer(names)
    else:
        with named("--tokens_of"):
            tokenizer = opened(tokens_of)
        matrix = by_token(words, weights, tokenizer)
    model = bag_of(torch.from_numpy(matrix))
    model.config.pad_token_id = tokenizer.pad_token_id
    source = "vectors in memory" if isinstance(vectors, WordVectors) else vectors
    with output_folder(output) as folder, quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / FACTS).write_text(f"{source}, --smoothing {smoothing}\n")
    return WrittenBag(model, tokenizer, output)


def frequency_weights(count: int, smoothing: float) -> Floats:
    """Return the weight of each word by its place: a / (a + p), p being the share that the place has by Zipf's law."""
    shares = 1 / numpy.arange(1, count + 1)
    shares /= shares.sum()
    weights = smoothing / (smoothing + shares) if smoothing else numpy.ones(count)
    return weights.astype(numpy.float32)


def by_word(vectors: WordVectors, weights: Floats) -> tuple[list[str], Floats]:
    """Return vectors of words, whatever their language and case.

    Args:
        vectors: The vectors.
        weights: Of each.

    Returns:
        The words, and the rows of the embedding: those of special tokens, zeros, first.
    """
    numbers: dict[str, int] = {}
    rows = numpy.array([numbers.setdefault(word.strip().lower(), len(numbers)) for word in vectors.plain()])
    matrix = numpy.zeros((len(SPECIAL) + len(numbers), vectors.width), numpy.float32)
    numpy.add.at(matrix, rows + len(SPECIAL), vectors.matrix * weights[:, None])
    matrix[len(SPECIAL) :] /= numpy.bincount(rows, minlength=len(numbers)).astype(numpy.float32)[:, None]
    return list(numbers), matrix


def by_token(vectors: WordVectors, weights: Floats, tokenizer: Any) -> Floats:
    """Return vectors of tokens: the rows of the embedding of a tokenizer, zeros where a token has none."""
    tokens = tokenizer.get_vocab()
    known = [(row, tokens[word]) for row, word in enumerate(vectors.words) if word in tokens]
    if not known:
        raise UserError("No token has a vector; are these vectors of the tokens of this tokenizer?")
    matrix = numpy.zeros((rows_needed(tokenizer), vectors.width), numpy.float32)
    places, ids = numpy.array(known).T
    matrix[ids] = vectors.matrix[places] * weights[places, None]
    return matrix


def word_tokenizer(words: list[str]) -> Any:
    """Make a tokenizer that finds words as `cli ofa vectors` does; what is none has no token."""
    backend = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({word: i for i, word in enumerate([*SPECIAL, *words])}, SPECIAL[3])
    )
    backend.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.NFC(), tokenizers.normalizers.Lowercase()]
    )
    backend.pre_tokenizer = word_finder()
    begin, end = SPECIAL[1:3]
    ends = [(token, SPECIAL.index(token)) for token in (begin, end)]
    backend.post_processor = tokenizers.processors.TemplateProcessing(f"{begin} $A {end}", None, ends)
    names = {"pad_token": SPECIAL[0], "bos_token": begin, "cls_token": begin, "eos_token": end, "sep_token": end}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, unk_token=SPECIAL[3], **names)
