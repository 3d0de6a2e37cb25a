"""Adds the tokens of a new tokenizer to an old one of the same kind."""

import itertools
import json
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer

from ofa.merging import continued
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.bars import Progress

if TYPE_CHECKING:
    from ofa.extended_tokenizer import Extended

KINDS = ("WordPiece", "BPE", "Unigram")
PIECE = 1000  # documents handed over at a time

Model = dict[str, Any]


def extended(options: "Extended", corpora: Sequence[Any]) -> Any:
    """Extend a tokenizer.

    Args:
        options: Which, and by how much.
        corpora: Data sets that have a `corpus`.

    Returns:
        A tokenizer of transformers; text is neither cut nor padded by itself.

    Raises:
        UserError: When there is no text, or the tokenizer is of a kind that cannot be extended.
    """
    corpora = [each for each in corpora if hasattr(each, "corpus")]
    if not corpora:
        raise UserError("New tokens are learnt on text; add: cli dataset europarl --languages fr")
    old = opened(options.source)
    old.backend_tokenizer.no_truncation()
    old.backend_tokenizer.no_padding()
    said = json.loads(old.backend_tokenizer.to_str())
    kind = said["model"]["type"]
    if kind not in KINDS:
        raise UserError(f"The tokenizer of {options.source} is of the kind {kind}; {', '.join(KINDS)} can be extended.")
    if (size := rows_needed(old)) > len(old):
        raise UserError(
            f"The {len(old):,} tokens of {options.source} have ids up to {size - 1:,}; a tokenizer with such gaps "
            "cannot be written. Number its tokens anew."
        )
    new = old.train_new_from_iterator(texts(corpora, options.documents), options.tokens, show_progress=False)
    model = json.loads(new.backend_tokenizer.to_str())["model"]
    vocabulary, before = model["vocab"], old.get_vocab()
    learnt = sorted(vocabulary, key=vocabulary.__getitem__) if kind != "Unigram" else [token for token, _ in vocabulary]
    fresh = [token for token in learnt if token not in before]
    if fresh and kind == "BPE":
        fresh = merged_on(old, said, model, fresh, texts(corpora, options.documents))
    if not fresh:
        raise UserError("The text has no token that the tokenizer lacks; say more --tokens.")
    if kind == "Unigram":
        if len(said["model"]["vocab"]) < size:
            raise UserError("The tokenizer has tokens behind those of its model; it cannot be extended.")
        said["model"]["vocab"] += [[token, score] for token, score in vocabulary if token not in before]
    else:
        number(said, fresh, size)
    old._tokenizer = Tokenizer.from_str(json.dumps(said))
    return old


def texts(corpora: Sequence[Any], most: int) -> Iterator[list[str]]:
    """The documents to learn on, some at a time."""
    every = itertools.chain.from_iterable(each.corpus() for each in corpora)
    some = itertools.islice(every, most or None)
    with Progress(unit=" documents", desc="train tokenizer", leave=False, disable=None, mininterval=0.5) as bar:
        while held := [document.text for document in itertools.islice(some, PIECE)]:
            yield held
            bar.update(len(held))


def number(said: dict[str, Any], fresh: Sequence[str], first: int) -> None:
    """Put tokens into the model of a tokenizer, as JSON, from an id on.

    Added tokens are put there too, by the ids they have: these stay only where the model knows them.
    """
    added = {each["content"]: each["id"] for each in said["added_tokens"]}
    said["model"]["vocab"] |= added | {token: first + place for place, token in enumerate(fresh)}


def merged_on(
    old: Any, said: dict[str, Any], learnt: Model, fresh: list[str], documents: Iterator[list[str]]
) -> list[str]:
    """Let byte-pair encoding learn as many new tokens as a tokenizer of the text alone has.

    Args:
        old: The old tokenizer, which is given the letters that it lacks.
        said: The same as JSON; letters and merges are put into its model.
        learnt: The model of the tokenizer of the text alone, as JSON.
        fresh: Its tokens that the old one lacks.
        documents: The text, some documents at a time.

    Returns:
        The new tokens, letters first.
    """
    inside = len(learnt.get("continuing_subword_prefix") or "")
    made = {one + other[inside:] for one, other in learnt["merges"]}
    letters = [token for token in fresh if token not in made]
    number(said, letters, rows_needed(old))
    old._tokenizer = Tokenizer.from_str(json.dumps(said))
    merges = continued(old, documents, len(fresh) - len(letters))
    return letters + add_merges(said["model"], merges, old.get_vocab())


def add_merges(model: Model, merges: Sequence[tuple[str, str]], known: Container[str]) -> list[str]:
    """Put merges behind those of a model of byte-pair encoding.

    Args:
        model: The model, as its JSON; its merges are added to.
        merges: Pairs of tokens.
        known: The tokens that there are.

    Returns:
        The tokens that are new, in the order of the merges.
    """
    inside = len(model.get("continuing_subword_prefix") or "")
    there = {tuple(pair) for pair in model["merges"]}
    model["merges"] += [[*pair] for pair in merges if pair not in there]
    made = dict.fromkeys(one + other[inside:] for one, other in merges)
    return [token for token in made if token not in known]
