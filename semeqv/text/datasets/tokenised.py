"""From a corpus and a tokenizer to batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semeqv.lazy import NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.text.archives import COMPRESSED
from semeqv.text.cache import made_once, made_together
from semeqv.text.datasets.corpus import chosen
from semeqv.text.objectives import Causal, Masked, Objective
from semeqv.text.tokenizers.encoding import surroundings
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

if TYPE_CHECKING:
    from semeqv.text.datasets.corpus import Corpus
    from semeqv.text.datasets.monolingual import TokenCorpus

VERSION = 3  # of the token files
AT_ONCE = 2**24  # tokens counted
ALONE = 2**24  # bytes of text below which other processes do not pay
MOST_HELPERS = 16
INFLATED = 4  # about how many bytes of text a byte of compressed text makes


def batches(corpus: Corpus, tokenizer: Any, kind: str) -> TokenBatches:
    """The batches of a corpus.

    Args:
        corpus: The corpus, which also says how rows are made.
        tokenizer: A fast tokenizer of transformers.
        kind: The objective: causal, masked or translation.

    Returns:
        The data set. `batches_of_files` raises `UserError` when the tokenizer lacks a special token that the objective
        needs, or the weights do not fit.
    """
    first = first_token(tokenizer, masked=kind != "causal")
    begin = first if packs(corpus, kind) and kind == "causal" and first != separator(tokenizer) else None
    folder, facts = token_files(corpus, tokenizer, together=corpus.joined or kind == "translation", begin=begin)
    files = [TokenFile.open(folder, language, rows_needed(tokenizer)) for language in facts["languages"]]
    return batches_of_files(corpus, tokenizer, kind, files, facts)


def packs(corpus: Corpus, kind: str) -> bool:
    """Whether rows are cut from running text, as is said, else for causal models."""
    return kind == "causal" if corpus.packing is None else corpus.packing


def batches_of_tokens(corpus: TokenCorpus, tokenizer: Any, kind: str) -> TokenBatches:
    """Return the batches of a file of tokens.

    Args:
        corpus: Names the file.
        tokenizer: The tokenizer that made it.
        kind: The objective: causal, masked or translation.

    Returns:
        The data set.

    Raises:
        UserError: When the file is compressed or no whole number of tokens, or has one that the tokenizer lacks.
    """
    path, size, end = corpus.file(), corpus.bits // 8, separator(tokenizer)
    if not path.is_file() or not path.stat().st_size or path.stat().st_size % size or path.suffix in COMPRESSED[1:]:
        raise UserError(
            f"{path} holds no numbers of {corpus.bits} bits, one after the other; unpack it, or say --bits."
        )
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
    facts = {"source": corpus.source_facts(), "tokenizer": tokenizer_fingerprint(tokenizer), "together": False}
    facts |= {"languages": {corpus.language: known}, "begin": None}
    return batches_of_files(corpus, tokenizer, kind, [TokenFile(corpus.language, tokens, ends)], facts)


def batches_of_files(
    corpus: Corpus, tokenizer: Any, kind: str, files: Sequence[TokenFile], facts: dict[str, Any]
) -> TokenBatches:
    """Return the batches of token files; arguments as of `batches`.

    Args:
        corpus: Says how rows are made.
        tokenizer: Has the special tokens.
        kind: The objective.
        files: One for each language.
        facts: What is known of them.

    Returns:
        The data set.

    Raises:
        UserError: When the weights do not fit, or (from `made_objective`) a special token is lacking.
    """
    packing, begin, end = packs(corpus, kind), facts["begin"], separator(tokenizer)
    layout = Layout(
        rows=corpus.batch_size,
        time=corpus.block_size,
        packing=packing,
        first=first_token(tokenizer, masked=kind != "causal"),
        last=end,
        pad=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        begin=begin,
    )
    objective = made_objective(corpus, tokenizer, kind, begin)
    found = TokenBatches(files, objective, layout, shuffle=corpus.shuffle and corpus.split == "train", facts=facts)
    if corpus.weights and len(corpus.weights) != len(files):
        there = ", ".join(facts["languages"])
        raise UserError(f"--weights has {len(corpus.weights)} numbers for {len(files)} languages: {there}.")
    weights = corpus.weights or [size ** (1 / corpus.temperature) for size in found.sizes if corpus.temperature]
    if len(weights) > 1:
        found.mix(weights)
    found.said |= {"objective": kind, "packing": packing, "block_size": corpus.block_size, "batches": len(found)}
    return found


def token_files(
    corpus: Corpus, tokenizer: Any, together: bool, begin: int | None = None
) -> tuple[Path, dict[str, Any]]:
    """Return the folder with the token files of a corpus, made when they are not there, and what they were made from.

    Languages are in the order of --languages; others, and those that are joined, in that of the alphabet.

    Args:
        corpus: The corpus.
        tokenizer: A fast tokenizer of transformers.
        together: Whether a text and its translations are one document.
        begin: The token before every document, where it is another than the one that separates them: packed rows show a
            causal model what stands before a text.

    Returns:
        The folder, and the facts.
    """
    facts = {
        "version": VERSION,
        "source": corpus.source_facts(),
        "tokenizer": tokenizer_fingerprint(tokenizer),
        "together": together,
        "begin": begin,
    }
    world = World.here()
    large = world.largest(sum(size_of(path) for path in corpus.sources().values()))[0] >= ALONE
    helpers = min(world.cores(), MOST_HELPERS) if large else 0

    def pieces(number: int, of: int) -> Iterator[Piece]:
        said = tokenizer.backend_tokenizer.to_str()
        share = (number, of)
        return tokenised(chosen(corpus), said, together=together, helpers=helpers if helpers > 1 else 0, share=share)

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
    counts, said = read_facts(folder)["languages"], getattr(corpus, "languages", ())
    order = sorted(counts, key=lambda name: (said.index(name) if name in said else len(said), name))
    return folder, {**facts, "languages": {name: counts[name] for name in order}}


def size_of(path: Path) -> int:
    """About how many bytes of text a file holds."""
    try:
        files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
        return INFLATED * sum(file.stat().st_size for file in files)
    except OSError:
        return 0


def separator(tokenizer: Any) -> int:
    """The token that ends documents.

    Args:
        tokenizer: The tokenizer.

    Returns:
        Its end of text, else its separator.

    Raises:
        UserError: When it has neither.
    """
    found = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
    if found is None:
        raise UserError("The tokenizer has no token that ends a text (eos_token or sep_token); documents need one.")
    return int(found)


def first_token(tokenizer: Any, masked: bool) -> int:
    """The token that starts a text; `separator` raises `UserError` when there is none.

    Args:
        tokenizer: The tokenizer.
        masked: Whether it is for a model that sees both sides of a token; else for one that predicts the next token.

    Returns:
        Of a masked model the class token, else the separator. Of a causal one the token for the beginning if the
        tokenizer itself puts it before texts, as Llama's does, and training then does too; else the separator, which is
        what stands before a document in packed text, and the same token in GPT-2.
    """
    begin = tokenizer.cls_token_id if masked else tokenizer.bos_token_id
    if begin is not None and (masked or surroundings(tokenizer)[0][:1] == [begin]):
        return int(begin)
    return separator(tokenizer)


def made_objective(corpus: Corpus, tokenizer: Any, kind: str, begin: int | None = None) -> Objective:
    """Return what is predicted.

    Args:
        corpus: Has the options.
        tokenizer: Has the mask.
        kind: causal, masked or translation.
        begin: The token that stands before every document of a causal model, if one does.

    Returns:
        The objective.

    Raises:
        UserError: When the tokenizer has no mask, and one is needed.
    """
    if kind == "causal":
        return Causal(begin)
    if tokenizer.mask_token_id is None:
        raise UserError(f"The tokenizer has no mask token, which --objective {kind} needs; choose another tokenizer.")
    begins = word_beginnings(tokenizer) if corpus.whole_word else None
    special: Sequence[int] = tokenizer.all_special_ids
    return Masked(corpus.mask_probability, tokenizer.mask_token_id, special, rows_needed(tokenizer), begins)


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
