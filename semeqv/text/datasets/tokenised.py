"""From a corpus and a tokenizer to batches."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from semeqv.engine.errors import UserError
from semeqv.engine.world import World
from semeqv.text.cache import made_once
from semeqv.text.datasets.reading import chosen
from semeqv.text.objectives import Causal, Masked, Objective
from semeqv.text.tokenizers.encoding import surroundings
from semeqv.text.tokenizers.spelling import WORD_END, convention_of
from semeqv.text.tokenizers.training import fingerprint
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.building import write_token_files
from semeqv.text.tokens.files import TokenFile, read_facts

if TYPE_CHECKING:
    from semeqv.text.datasets.corpus import Corpus

VERSION = 3  # of the token files
INFLATED = 4  # about how many bytes of text a byte of compressed text makes


def batches(corpus: "Corpus", tokenizer: Any, kind: str) -> TokenBatches:
    """The batches of a corpus.

    Args:
        corpus: The corpus, which also says how rows are made.
        tokenizer: A fast tokenizer of transformers.
        kind: The objective: causal, masked or translation.

    Returns:
        The data set.

    Raises:
        UserError: When the tokenizer lacks a special token that the objective needs, or the weights do not fit.
    """
    folder, facts = token_files(corpus, tokenizer, together=corpus.joined or kind == "translation")
    files = [TokenFile.open(folder, language, len(tokenizer)) for language in facts["languages"]]
    packing = kind == "causal" if corpus.packing is None else corpus.packing
    end = separator(tokenizer)
    layout = Layout(
        rows=corpus.batch_size,
        time=corpus.block_size,
        packing=packing,
        first=first_token(tokenizer, masked=kind != "causal"),
        last=end,
        pad=end if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    )
    objective = made_objective(corpus, tokenizer, kind)
    found = TokenBatches(files, objective, layout, shuffle=corpus.shuffle and corpus.split == "train", facts=facts)
    if corpus.weights and len(corpus.weights) != len(files):
        there = ", ".join(facts["languages"])
        raise UserError(f"--weights has {len(corpus.weights)} numbers for {len(files)} languages: {there}.")
    weights = corpus.weights or [size ** (1 / corpus.temperature) for size in found.sizes if corpus.temperature]
    if len(weights) > 1:
        found.mix(weights)
    found.said |= {"objective": kind, "packing": packing, "block_size": corpus.block_size, "batches": len(found)}
    return found


def token_files(corpus: "Corpus", tokenizer: Any, together: bool) -> tuple[Path, dict[str, Any]]:
    """The folder with the token files of a corpus, made when they are not there, and what they were made from.

    Languages are in the order of --languages; others, and those that are joined, in that of the alphabet.
    """
    facts = {
        "version": VERSION,
        "source": corpus.source_facts(),
        "tokenizer": fingerprint(tokenizer),
        "together": together,
    }
    expected = sum(size_of(path) for path in corpus.sources().values())

    def make(folder: Path) -> None:
        write_token_files(
            folder,
            chosen(corpus),
            tokenizer.backend_tokenizer.to_str(),
            vocabulary=len(tokenizer),
            separator=separator(tokenizer),
            together=together,
            bytes_expected=expected,
        )

    folder = World.here().by_first(partial(made_once, "tokens", facts, make))
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
        tokenizer itself puts it before texts, as Llama's does; else the separator, which is what stands before a
        document in packed text, and the same token in GPT-2.
    """
    begin = tokenizer.cls_token_id if masked else tokenizer.bos_token_id
    if begin is not None and (masked or surroundings(tokenizer)[0][:1] == [begin]):
        return int(begin)
    return separator(tokenizer)


def made_objective(corpus: "Corpus", tokenizer: Any, kind: str) -> Objective:
    """What is predicted.

    Args:
        corpus: Has the options.
        tokenizer: Has the mask.
        kind: causal, masked or translation.

    Returns:
        The objective.

    Raises:
        UserError: When the tokenizer has no mask, and one is needed.
    """
    if kind == "causal":
        return Causal()
    if tokenizer.mask_token_id is None:
        raise UserError(f"The tokenizer has no mask token, which --objective {kind} needs; choose another tokenizer.")
    begins = word_beginnings(tokenizer) if corpus.whole_word else None
    special: Sequence[int] = tokenizer.all_special_ids
    return Masked(corpus.mask_probability, tokenizer.mask_token_id, special, len(tokenizer), begins)


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
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return numpy.array([convention.split(token)[1] == convention.whole for token in tokens])
