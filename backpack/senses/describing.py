"""Looks at the senses of the words of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from backpack.senses.contributions import Extremes, Neighbours, extremes, neighbours
from backpack.senses.lexicon import Lexicon, Word, token_counts, token_streams
from backpack.senses.roles import Role, roles
from backpack.senses.words import check_backpack, word_vectors
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import check_tokenizer, inference, name_of
from semeqv.text.generation import tokenizer_of

if TYPE_CHECKING:
    from backpack.senses.senses import Senses


@dataclass(frozen=True)
class Described:
    """What is known of the senses of some words; all things have a row for each word.

    Args:
        model: What to call the model.
        words: The words; first those that were asked for, then the frequent ones.
        asked: How many were asked for, as their places.
        shown: How each token of the model is shown.
        norms: Norms of their senses.
        extremes: The tokens that they speak for and against.
        same: The nearest senses of the same index.
        anywhere: The nearest senses of any index.
        roles: What each index does.
        averaged: Over how many words that is: the frequent ones.
    """

    model: str
    words: list[Word]
    asked: range
    shown: list[str]
    norms: list[list[float]]
    extremes: Extremes
    same: Neighbours
    anywhere: Neighbours
    roles: list[Role]
    averaged: int


def open_lexicon(model: Any, tokenizer: Any) -> Lexicon:
    """The tokens of a Backpack.

    Args:
        model: The model; `check_backpack` raises `UserError` when it is something else.
        tokenizer: Of the sentence; that of the model's folder if None. `UserError` when they do not belong together.

    Returns:
        The lexicon.
    """
    check_backpack(model)
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    check_tokenizer(model, tokenizer)
    return Lexicon(tokenizer, model.config.vocab_size)


def describe(
    options: "Senses", model: Any, tokenizer: Any, dataset: Mapping[Any, Any] | None, place: tuple[str, int | None]
) -> Described:
    """Look at the senses of words.

    Args:
        options: Which words, and how much of them.
        model: A Backpack.
        tokenizer: Of the sentence; that of the model's folder if None.
        dataset: Data sets by split and name.
        place: Device, and threads.

    Returns:
        What was found.

    Raises:
        UserError: When the model is no Backpack, a word is unknown, or no token is a word.
    """
    lexicon = open_lexicon(model, tokenizer)
    asked = list(dict.fromkeys(lexicon.find(text) for text in options.word))
    size = len(lexicon.tokenizer)  # beyond it there are rows that were never trained
    frequent = lexicon.frequent(options.vocabulary, token_counts(dataset, model.config.vocab_size))
    if not frequent:
        raise UserError("No token of the vocabulary is a word; senses cannot be compared.")
    texts = {word.tokens for word in asked}
    words = asked + [word for word in frequent if word.tokens not in texts]
    with inference(model, place[0], threads=place[1]):
        head, embeddings = (each().weight[:size] for each in (model.get_output_embeddings, model.get_input_embeddings))
        vectors = word_vectors(model, [word.tokens for word in words]).to(head.device)
        found = extremes(vectors, head, options.top)
        own = list(range(len(words)))
        same, anywhere = (neighbours(vectors, vectors, own, options.neighbours, same=each) for each in (True, False))
        among = {word.tokens for word in frequent}
        single = [place for place, word in enumerate(words) if word.tokens in among]
        one = Extremes(*(each[single] for each in vars(found).values()))
        streams = token_streams(dataset)
        made = roles(
            [words[place] for place in single],
            vectors[single],
            one,
            embeddings=embeddings,
            shown=lexicon.shown,
            streams=streams,
        )
    norms = vectors.norm(dim=-1).tolist()
    return Described(
        model=name_of(model),
        words=words,
        asked=range(len(asked)),
        shown=lexicon.shown,
        norms=norms,
        extremes=found,
        same=same,
        anywhere=anywhere,
        roles=made,
        averaged=len(single),
    )
