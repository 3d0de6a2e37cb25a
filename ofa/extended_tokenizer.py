"""A tokenizer that keeps the tokens of another."""

from __future__ import annotations

import itertools
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import tokenizers
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.tokenizers.encoding import literal
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import BYTE, SENTENCE_PIECE, rows_needed


@component("ofa tokenizer extended")
@dataclass(frozen=True, kw_only=True)
class Extended:
    """The tokenizer of a model with more tokens, learnt on the training set of the sentence.

    As the tokenizer of Glot500 extends that of XLM-R (ImaniGooghari et al., 2023, arXiv 2305.12182): a tokenizer of the
    same kind and rules is trained on the text, and the tokens that the old one lacks are put behind its own, which keep
    their ids. Byte-pair encoding then learns as many new tokens anew, merging on from the tokens that the old one cuts
    the text into: merges of the tokenizer of the text alone, put behind the old ones, would hardly ever apply. `cli
    save-tokenizer` writes it.

    Args:
        source: Whose tokenizer: a run folder, a checkpoint, a Hugging Face folder, a hub name or a tokenizer.json.
        tokens: How many tokens a tokenizer of the text alone would have; those of them that are new are added.
        documents: Learn on so many documents at most; 0 for all.
    """

    source: str = field(metadata={"alias": "from"})
    tokens: int = 10_000
    documents: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, tokens=8, documents=0)

    def build(self, dataset_options: Mapping[tuple[str, str | None], Any]) -> Any:
        """Make the tokenizer, a fast one of transformers.

        Args:
            dataset_options: The data sets of the sentence; the training sets among them that have a `corpus` are read.

        Returns:
            The tokenizer.
        """
        return extend(self, [each for (split, _), each in dataset_options.items() if split == "train"])


FIRST = 0x10000  # a token is written as one character from here on, of which none is a blank
LEAST = 2  # a pair that occurs once tells nothing


def continued(tokenizer: Any, texts: Iterable[list[str]], count: int) -> list[tuple[str, str]]:
    """Learn the next merges: the pairs of the tokens that text is cut into, the most frequent first.

    Args:
        tokenizer: A fast tokenizer of transformers, of byte-pair encoding; it neither cuts texts off nor pads them.
        texts: Texts, some at a time.
        count: How many, at most; fewer where no pair occurs twice.

    Returns:
        Pairs of tokens, old and new, as the tokenizer writes them.
    """
    tokens = {number: token for token, number in tokenizer.get_vocab().items()}
    alphabet = [chr(FIRST + number) for number in tokens]
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=len(alphabet) + count, min_frequency=LEAST, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(spell(tokenizer, tokens, texts), trainer)
    inside = len(getattr(tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None) or "")
    spelled = {character: tokens[ord(character) - FIRST] for character in alphabet}
    merges = []
    for one, other in json.loads(backend.to_str())["model"]["merges"]:
        merges.append((spelled[one], spelled[other]))
        spelled[one + other] = spelled[one] + spelled[other][inside:]
    return merges


def spell(tokenizer: Any, tokens: dict[int, str], texts: Iterable[list[str]]) -> Iterator[str]:
    """Texts with a character for each token, and a blank where no merge may reach.

    Args:
        tokenizer: The tokenizer.
        tokens: Its tokens, by id.
        texts: Texts, some at a time.

    Yields:
        A line for each text.
    """
    backend = tokenizer.backend_tokenizer
    alone = {*tokenizer.all_special_ids, *backend.get_added_tokens_decoder()}
    alone |= {number for number, token in tokens.items() if BYTE.fullmatch(token)}
    begins = {number for number, token in tokens.items() if token.startswith(SENTENCE_PIECE.mark)}
    whole = backend.pre_tokenizer is None  # then a text is one word, and its words begin with a mark
    for some in texts:
        for encoded in literal(tokenizer).encode_batch(some, add_special_tokens=False):
            line, last = list[str](), None
            for number, word in zip(encoded.ids, encoded.word_ids):
                if word != last or number in alone or (whole and number in begins):
                    line.append(" ")
                line.append(" " if number in alone else chr(FIRST + number))
                last = word
            yield "".join(line)


KINDS = ("WordPiece", "BPE", "Unigram")
PIECE = 1000  # documents handed over at a time

Model = dict[str, Any]


def extend(options: Extended, corpora: Sequence[Any]) -> Any:
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
    description = json.loads(old.backend_tokenizer.to_str())
    kind = description["model"]["type"]
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
        fresh = merged_on(old, description, model, fresh, texts(corpora, options.documents))
    if not fresh:
        raise UserError("The text has no token that the tokenizer lacks; say more --tokens.")
    if kind == "Unigram":
        if len(description["model"]["vocab"]) < size:
            raise UserError("The tokenizer has tokens behind those of its model; it cannot be extended.")
        description["model"]["vocab"] += [[token, score] for token, score in vocabulary if token not in before]
    else:
        number(description, fresh, size)
    old._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(description))
    return old


def texts(corpora: Sequence[Any], most: int) -> Iterator[list[str]]:
    """Yield the documents to learn on, some at a time."""
    every = itertools.chain.from_iterable(each.corpus() for each in corpora)
    some = itertools.islice(every, most or None)
    with Progress(unit=" documents", desc="train tokenizer", leave=False, disable=None, mininterval=0.5) as bar:
        while batch := [document.text for document in itertools.islice(some, PIECE)]:
            yield batch
            bar.update(len(batch))


def number(description: dict[str, Any], fresh: Sequence[str], first: int) -> None:
    """Put tokens into the model of a tokenizer, as JSON, from an id on.

    Added tokens are put there too, by the ids they have: these stay only where the model knows them.
    """
    added = {each["content"]: each["id"] for each in description["added_tokens"]}
    description["model"]["vocab"] |= added | {token: first + place for place, token in enumerate(fresh)}


def merged_on(
    old: Any, description: dict[str, Any], learnt: Model, fresh: list[str], documents: Iterator[list[str]]
) -> list[str]:
    """Let byte-pair encoding learn as many new tokens as a tokenizer of the text alone has.

    Args:
        old: The old tokenizer, which is given the letters that it lacks.
        description: The same as JSON; letters and merges are put into its model.
        learnt: The model of the tokenizer of the text alone, as JSON.
        fresh: Its tokens that the old one lacks.
        documents: The text, some documents at a time.

    Returns:
        The new tokens, letters first.
    """
    inside = len(learnt.get("continuing_subword_prefix") or "")
    made = {one + other[inside:] for one, other in learnt["merges"]}
    letters = [token for token in fresh if token not in made]
    number(description, letters, rows_needed(old))
    old._tokenizer = tokenizers.Tokenizer.from_str(json.dumps(description))
    merges = continued(old, documents, len(fresh) - len(letters))
    return letters + add_merges(description["model"], merges, old.get_vocab())


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
