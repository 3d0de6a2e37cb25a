"""Text and a tokenizer become batches, by token files that are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.text.archives import COMPRESSED
from semeqv.text.cache import made_once, made_together
from semeqv.text.objectives import Causal, Masked, Objective
from semeqv.text.tokenizers.encoding import first_token, separator
from semeqv.text.tokenizers.spelling import WORD_END, convention_of, rows_needed, spellings, tokens_by_id
from semeqv.text.tokenizers.trained import tokenizer_fingerprint
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import (
    Piece,
    TokenFile,
    read_facts,
    read_shares,
    tokenised,
    write_share,
    write_token_files,
)

VERSION = 3  # of the token files
AT_ONCE = 2**24  # tokens counted
ALONE = 2**24  # bytes of text below which other processes do not pay
MOST_HELPERS = 16
INFLATED = 4  # about how many bytes of text a byte of compressed text makes


@dataclass(frozen=True)
class Text:
    """What is tokenised.

    Args:
        facts: What it depends on, as JSON: options, and the SHA-256 of each file.
        documents: Yields what each document says in each language.
        bytes: About how many bytes it has.
        languages: The order of its languages; others follow in that of the alphabet.
    """

    facts: Mapping[str, Any]
    documents: Callable[[], Iterator[Mapping[str, str]]]
    bytes: int = 0
    languages: Sequence[str] = ()


@dataclass(frozen=True)
class RowOptions:
    """How rows of tokens are made, and what is predicted in them; see `Corpus`, whose options these are.

    Args:
        objective: causal, masked or translation.
        packing: Whether rows are cut from running text.
        batch_size: Rows of a batch.
        block_size: The most tokens of a row.
        shuffle: Whether rows are drawn in a new order in every epoch.
        weights: The share of each language in every batch.
        temperature: In place of weights.
        mask_probability: Share of tokens that are hidden.
        whole_word: Whether whole words are hidden.
    """

    objective: str
    packing: bool
    batch_size: int = 32
    block_size: int = 128
    shuffle: bool = False
    weights: Sequence[float] = ()
    temperature: float | None = None
    mask_probability: float = 0.15
    whole_word: bool = False

    @property
    def masked(self) -> bool:
        """Return whether the model sees both sides of a token."""
        return self.objective != "causal"


def batches(text: Text, rows: RowOptions, tokenizer: Any, *, together: bool = False) -> TokenBatches:
    """Return a text as batches, tokenised once.

    Args:
        text: The text.
        rows: How rows are made of it.
        tokenizer: A fast tokenizer of transformers.
        together: Whether a text and its translations are one document.

    Returns:
        The data set. `batches_of_files` raises `UserError` when the tokenizer lacks a special token that the objective
        needs, or the weights do not fit.
    """
    first = first_token(tokenizer, masked=rows.masked)
    begin = first if rows.packing and not rows.masked and first != separator(tokenizer) else None
    folder, facts = token_files(text, tokenizer, together=together, begin=begin)
    files = [TokenFile.open(folder, language, rows_needed(tokenizer)) for language in facts["languages"]]
    return batches_of_files(files, rows, tokenizer, facts)


def batches_of_tokens(
    path: Path, rows: RowOptions, tokenizer: Any, *, bits: int, language: str, source: Mapping[str, Any]
) -> TokenBatches:
    """Return the batches of a file of tokens.

    Args:
        path: The file: numbers, one after the other.
        rows: How rows are made.
        tokenizer: The tokenizer that made it.
        bits: Of each number.
        language: What it is in.
        source: What the tokens depend on, as JSON.

    Returns:
        The data set.

    Raises:
        UserError: When the file is compressed or no whole number of tokens, or has one that the tokenizer lacks.
    """
    size, end = bits // 8, separator(tokenizer)
    if not path.is_file() or not path.stat().st_size or path.stat().st_size % size or path.suffix in COMPRESSED[1:]:
        raise UserError(f"{path} holds no numbers of {bits} bits, one after the other; unpack it, or say --bits.")
    tokens = numpy.memmap(path, numpy.dtype(f"<u{size}"), "r")
    vocabulary, places = rows_needed(tokenizer), list[NDArray[numpy.int64]]()
    counts = numpy.zeros(vocabulary, numpy.int64)
    for start in range(0, len(tokens), AT_ONCE):
        some = tokens[start : start + AT_ONCE]
        if (most := int(some.max())) >= vocabulary:
            raise UserError(
                f"{path} has token {most}, and the tokenizer {vocabulary} tokens; name the one that made it."
            )
        counts += numpy.bincount(some, minlength=vocabulary)
        places.append(start + 1 + numpy.flatnonzero(some == end))
    ends = numpy.concatenate(places)
    ends = ends if len(ends) and ends[-1] == len(tokens) else numpy.append(ends, len(tokens))
    lengths = {number: len(said) for number, said in spellings(tokenizer).items() if number < len(counts)}
    bytes_said = sum(int(counts[number]) * length for number, length in lengths.items())
    known = {"documents": len(ends), "tokens": len(tokens), "bytes": bytes_said}
    facts = {"source": source, "tokenizer": tokenizer_fingerprint(tokenizer), "together": False}
    facts |= {"languages": {language: known}, "begin": None}
    return batches_of_files([TokenFile(language, tokens, ends)], rows, tokenizer, facts)


def batches_of_files(
    files: Sequence[TokenFile], rows: RowOptions, tokenizer: Any, facts: dict[str, Any]
) -> TokenBatches:
    """Return the batches of token files.

    Args:
        files: One for each language.
        rows: How rows are made.
        tokenizer: Has the special tokens.
        facts: What is known of the files.

    Returns:
        The data set.

    Raises:
        UserError: When the weights do not fit, or (from `objective_of`) a special token is lacking.
    """
    begin, end = facts["begin"], separator(tokenizer)
    layout = Layout(
        rows=rows.batch_size,
        time=rows.block_size,
        packing=rows.packing,
        first=first_token(tokenizer, masked=rows.masked),
        last=end,
        pad=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        begin=begin,
    )
    data = TokenBatches(files, objective_of(rows, tokenizer, begin), layout, shuffle=rows.shuffle, facts=facts)
    if rows.weights and len(rows.weights) != len(files):
        there = ", ".join(facts["languages"])
        raise UserError(f"--weights has {len(rows.weights)} numbers for {len(files)} languages: {there}.")
    weights = rows.weights or [size ** (1 / rows.temperature) for size in data.sizes if rows.temperature]
    if len(weights) > 1:
        data.mix(weights)
    data.said |= {"objective": rows.objective, "packing": rows.packing, "block_size": rows.block_size}
    data.said["batches"] = len(data)
    return data


def token_files(text: Text, tokenizer: Any, together: bool, begin: int | None = None) -> tuple[Path, dict[str, Any]]:
    """Return the folder with the token files of a text, made when they are not there, and what they were made from.

    Args:
        text: The text.
        tokenizer: A fast tokenizer of transformers.
        together: Whether a text and its translations are one document.
        begin: The token before every document, where it is another than the one that separates them: packed rows show a
            causal model what stands before a text.

    Returns:
        The folder, and the facts, with the languages in their order.
    """
    facts = {
        "version": VERSION,
        "source": text.facts,
        "tokenizer": tokenizer_fingerprint(tokenizer),
        "together": together,
        "begin": begin,
    }
    world = World.here()
    large = world.largest(text.bytes)[0] >= ALONE
    helpers = min(world.cores(), MOST_HELPERS) if large else 0

    def pieces(number: int, of: int) -> Iterator[Piece]:
        spelled = tokenizer.backend_tokenizer.to_str()
        used = helpers if helpers > 1 else 0
        return tokenised(text.documents(), spelled, together=together, helpers=used, share=(number, of))

    def write(folder: Path, found: Iterable[Piece]) -> None:
        write_token_files(folder, found, vocabulary=rows_needed(tokenizer), separator=separator(tokenizer), begin=begin)

    if large and world.size > 1:
        folder = made_together(
            "tokens",
            facts,
            share=lambda path, number, of: write_share(path, pieces(number, of)),
            make=lambda folder, shares: write(folder, read_shares(shares)),
        )
    else:
        folder = made_once("tokens", facts, lambda folder: write(folder, pieces(0, 1)))
    counts, first = read_facts(folder)["languages"], text.languages
    order = sorted(counts, key=lambda name: (first.index(name) if name in first else len(first), name))
    return folder, {**facts, "languages": {name: counts[name] for name in order}}


def size_of(path: Path) -> int:
    """About how many bytes of text a file holds."""
    try:
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        return INFLATED * sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def objective_of(rows: RowOptions, tokenizer: Any, begin: int | None = None) -> Objective:
    """Return what is predicted.

    Args:
        rows: Names it.
        tokenizer: Has the mask.
        begin: The token that stands before every document of a causal model, if one does.

    Returns:
        The objective.

    Raises:
        UserError: When the tokenizer has no mask, and one is needed.
    """
    if not rows.masked:
        return Causal(begin)
    if tokenizer.mask_token_id is None:
        kind = rows.objective
        raise UserError(f"The tokenizer has no mask token, which --objective {kind} needs; choose another tokenizer.")
    begins = word_beginnings(tokenizer) if rows.whole_word else None
    special: Sequence[int] = tokenizer.all_special_ids
    return Masked(rows.mask_probability, tokenizer.mask_token_id, special, rows_needed(tokenizer), begins)


def word_beginnings(tokenizer: Any) -> NDArray[numpy.bool_]:
    """Which tokens begin a word: `(vocabulary,)`.

    Args:
        tokenizer: One that marks blanks (byte-level and SentencePiece ones) or continuations (WordPiece).

    Returns:
        The truth for each token.

    Raises:
        UserError: When the tokenizer marks the ends of words.
    """
    convention = convention_of(tokenizer.get_vocab())
    if convention == WORD_END:
        raise UserError("The tokenizer marks where words end (</w>), not where they begin; choose another tokenizer.")
    tokens = tokens_by_id(tokenizer)
    return numpy.array([convention.split(token)[1] == convention.whole for token in tokens])
