"""Adds the tokens of a new tokenizer to an old one of the same kind."""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer
from tqdm import tqdm

from semeqv.engine.errors import UserError
from semeqv.text.tokenizers.opening import opened

if TYPE_CHECKING:
    from ofa.tokenizers.extended import Extended

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
    if kind not in JOINED:
        raise UserError(
            f"The tokenizer of {options.source} is of the kind {kind}; {', '.join(JOINED)} can be extended."
        )
    new = old.train_new_from_iterator(texts(corpora, options.documents), options.tokens, show_progress=False)
    model = json.loads(new.backend_tokenizer.to_str())["model"]
    taken = {each["content"] for each in said["added_tokens"]}
    JOINED[kind](said["model"], model, taken, size := len(old))
    backend = Tokenizer.from_str(json.dumps(said))
    if backend.get_vocab_size() == size:
        raise UserError("The text has no token that the tokenizer lacks; say more --tokens.")
    old._tokenizer = backend
    return old


def texts(corpora: Sequence[Any], most: int) -> Iterator[list[str]]:
    """The documents to learn on, some at a time."""
    every = itertools.chain.from_iterable(each.corpus() for each in corpora)
    some = itertools.islice(every, most or None)
    with tqdm(unit=" documents", desc="train tokenizer", leave=False, disable=None, mininterval=0.5) as bar:
        while held := [document.text for document in itertools.islice(some, PIECE)]:
            yield held
            bar.update(len(held))


def join_words(old: Model, new: Model, taken: set[str], size: int) -> None:
    """WordPiece: the longest token that fits is taken, so that tokens are all there is."""
    add(old["vocab"], new["vocab"], taken, size)


def join_merges(old: Model, new: Model, taken: set[str], size: int) -> None:
    """Byte-pair encoding: new merges come after the old ones, each of tokens that are there by then."""
    add(old["vocab"], new["vocab"], taken, size)
    known = {tuple(pair) for pair in old["merges"]}
    old["merges"] += [pair for pair in new["merges"] if tuple(pair) not in known]


def join_scores(old: Model, new: Model, taken: set[str], size: int) -> None:
    """The unigram model: new tokens with the scores that they have in the new text."""
    known = {token for token, _ in old["vocab"]} | taken
    if len(old["vocab"]) < size:
        raise UserError("The tokenizer has tokens behind those of its model; it cannot be extended.")
    old["vocab"] += [[token, score] for token, score in new["vocab"] if token not in known]


def add(old: dict[str, int], new: dict[str, int], taken: set[str], size: int) -> None:
    """Number the new tokens from behind the old ones, in the order in which they were learnt."""
    fresh = [token for token in sorted(new, key=new.__getitem__) if token not in old and token not in taken]
    old |= {token: size + place for place, token in enumerate(fresh)}


JOINED = {"WordPiece": join_words, "BPE": join_merges, "Unigram": join_scores}
