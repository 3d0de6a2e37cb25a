"""Makes the model of word vectors, and its tokenizer."""

from typing import TYPE_CHECKING, Any

import click
import numpy
import torch
from tokenizers import Tokenizer, models, normalizers, processors
from transformers import PreTrainedTokenizerFast

from ofa.bag.networks import bag_of
from ofa.vectors.making import WORDS
from ofa.vectors.reading import read_vectors
from ofa.vectors.word_vectors import Floats, WordVectors
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing
from semeqv.text.models.naming import named
from semeqv.text.models.opening import quiet
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed

if TYPE_CHECKING:
    from ofa.bag.bag import Bag

FACTS = "bag.txt"
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")


def write_bag(options: "Bag") -> None:
    """Write the folder of a bag of words; `UserError` is raised when that cannot be.

    Args:
        options: What the command was told.
    """
    refuse_existing(options.output, overwrite=True, marker=FACTS)
    vectors = read_vectors(options.vectors, options.most_words)
    weights = frequency_weights(len(vectors), options.smoothing)
    if options.tokens_of is None:
        words, matrix = by_word(vectors, weights)
        tokenizer = word_tokenizer(words)
    else:
        with named("--tokens_of"):
            tokenizer = opened(options.tokens_of)
        matrix = by_token(vectors, weights, tokenizer)
    model = bag_of(torch.from_numpy(matrix))
    model.config.pad_token_id = tokenizer.pad_token_id
    with output_folder(options.output) as folder, quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / FACTS).write_text(f"{options.vectors}, --smoothing {options.smoothing}\n")
    click.echo(f"wrote {options.output} ({int((matrix != 0).any(1).sum()):,} vectors)")


def frequency_weights(count: int, smoothing: float) -> Floats:
    """The weight of each word by its place: a / (a + p), p being the share that Zipf's law gives to the place."""
    shares = 1 / numpy.arange(1, count + 1)
    shares /= shares.sum()
    found = smoothing / (smoothing + shares) if smoothing else numpy.ones(count)
    return found.astype(numpy.float32)


def by_word(vectors: WordVectors, weights: Floats) -> tuple[list[str], Floats]:
    """Vectors of words, whatever their language and case.

    Args:
        vectors: The vectors.
        weights: Of each.

    Returns:
        The words, and the rows of the embedding: those of special tokens, zeros, first.
    """
    numbers: dict[str, int] = {}
    rows = numpy.array([numbers.setdefault(word.strip().lower(), len(numbers)) for word in vectors.plain()])
    found = numpy.zeros((len(SPECIAL) + len(numbers), vectors.width), numpy.float32)
    numpy.add.at(found, rows + len(SPECIAL), vectors.matrix * weights[:, None])
    found[len(SPECIAL) :] /= numpy.bincount(rows, minlength=len(numbers)).astype(numpy.float32)[:, None]
    return list(numbers), found


def by_token(vectors: WordVectors, weights: Floats, tokenizer: Any) -> Floats:
    """Vectors of tokens: the rows of the embedding of a tokenizer, zeros where a token has none."""
    tokens = tokenizer.get_vocab()
    known = [(row, tokens[word]) for row, word in enumerate(vectors.words) if word in tokens]
    if not known:
        raise UserError("No token has a vector; are these vectors of the tokens of this tokenizer?")
    found = numpy.zeros((rows_needed(tokenizer), vectors.width), numpy.float32)
    places, ids = numpy.array(known).T
    found[ids] = vectors.matrix[places] * weights[places, None]
    return found


def word_tokenizer(words: list[str]) -> Any:
    """A tokenizer that finds words as `cli ofa vectors` does; what is none has no token."""
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate([*SPECIAL, *words])}, SPECIAL[3]))
    backend.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    backend.pre_tokenizer = WORDS
    begin, end = SPECIAL[1:3]
    ends = [(token, SPECIAL.index(token)) for token in (begin, end)]
    backend.post_processor = processors.TemplateProcessing(f"{begin} $A {end}", None, ends)
    names = {"pad_token": SPECIAL[0], "bos_token": begin, "cls_token": begin, "eos_token": end, "sep_token": end}
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token=SPECIAL[3], **names)
