"""The plain edits as actions: suppress, scale, replace, swap, project, exchange a fact, prefer a topic.

Each writes its edit to a file; the model that it is made with stays as it is. `cli model edited` and `backpack.edit`
apply the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from backpack.edits.files import EditFile, command_words, write_edits
from backpack.edits.steps import Knowledge, Project, Replace, Scale, Topic
from backpack.inspection.lexicon import TokenLexicon, open_lexicon
from semeqv.grammar.action import AtLeast, action
from semeqv.runs.errors import UserError


def chosen(lexicon: TokenLexicon, words: Sequence[str], senses: Sequence[int]) -> dict[str, Any]:
    """Return the tokens and the senses that a step takes; raises `UserError` when neither is named."""
    if not words and not senses:
        raise UserError("Say what to edit: --word, --sense, or both.")
    tokens = tuple(dict.fromkeys(token for text in words for token in lexicon.find(text).tokens))
    return {"tokens": tokens or None, "senses": tuple(senses) or None}


@action("backpack edit suppress")
def suppress(
    model: Any, tokenizer: Any = None, *, output: Path, word: Sequence[str] = (), sense: Sequence[int] = ()
) -> EditFile:
    """Suppress senses: they become 0.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word, as it stands after a blank, whose tokens are edited; may be repeated. Every token if left out.
        sense: The index of a sense; may be repeated. All senses if left out.

    Returns:
        The file, and the edit in it.
    """
    lexicon = open_lexicon(model, tokenizer)
    step = Scale(**chosen(lexicon, word, sense), factor=0.0)
    return write_edits(output, [step], model, lexicon, command_words(suppress, output=output, word=word, sense=sense))


@action("backpack edit scale")
def scale(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: Sequence[str] = (),
    sense: Sequence[int] = (),
    factor: float,
) -> EditFile:
    """Multiply senses, so that they add more to logits, less, or the contrary.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word, as it stands after a blank, whose tokens are edited; may be repeated. Every token if left out.
        sense: The index of a sense; may be repeated. All senses if left out.
        factor: By what.

    Returns:
        The file, and the edit in it.
    """
    lexicon = open_lexicon(model, tokenizer)
    step = Scale(**chosen(lexicon, word, sense), factor=factor)
    command = command_words(scale, output=output, word=word, sense=sense, factor=factor)
    return write_edits(output, [step], model, lexicon, command)


@action("backpack edit project")
def project(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: Sequence[str] = (),
    sense: Sequence[int] = (),
    pair: Sequence[tuple[str, str]] = (),
) -> EditFile:
    """Project senses, so that they add the same to the logits of both words of a pair.

    They are projected onto what is orthogonal to the differences of the pairs' output embeddings (nullspace projection,
    Ravfogel et al., 2020, arXiv 2004.07667, with directions that are given).

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word, as it stands after a blank, whose tokens are edited; may be repeated. Every token if left out.
        sense: The index of a sense; may be repeated. All senses if left out.
        pair: Two words of one token each, such as he she; may be repeated.

    Returns:
        The file, and the edit in it.

    Raises:
        UserError: When no pair is named.
    """
    lexicon = open_lexicon(model, tokenizer)
    if not pair:
        raise UserError("Say between which words senses shall not choose: --pair he she.")
    pairs = tuple((lexicon.single(first), lexicon.single(second)) for first, second in pair)
    step = Project(**chosen(lexicon, word, sense), token_pairs=pairs)
    command = command_words(project, output=output, word=word, sense=sense, pair=pair)
    return write_edits(output, [step], model, lexicon, command)


@action("backpack edit replace")
def replace(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: str,
    sense: int,
    by: str,
    by_sense: int | None = None,
) -> EditFile:
    """Replace a sense of a word by a sense of another one.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: The word, of one token.
        sense: Which of its senses is replaced.
        by: The other word, of one token.
        by_sense: Which of its senses takes the place; that of the same index if left out.

    Returns:
        The file, and the edit in it.
    """
    lexicon = open_lexicon(model, tokenizer)
    step = Replace(
        tokens=(lexicon.single(word),),
        senses=(sense,),
        source_tokens=(lexicon.single(by),),
        source_senses=(sense if by_sense is None else by_sense,),
    )
    command = command_words(replace, output=output, word=word, sense=sense, by=by, by_sense=by_sense)
    return write_edits(output, [step], model, lexicon, command)


@action("backpack edit swap")
def swap(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: str,
    sense: int,
    other: str,
    other_sense: int | None = None,
) -> EditFile:
    """Swap two senses.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word of one token.
        sense: One of its senses.
        other: Another word of one token, or the same.
        other_sense: One of its senses; that of the same index if left out.

    Returns:
        The file, and the edit in it: either sense replaces the other.
    """
    lexicon = open_lexicon(model, tokenizer)
    tokens = lexicon.single(word), lexicon.single(other)
    senses = sense, sense if other_sense is None else other_sense
    step = Replace(tokens=tokens, senses=senses, source_tokens=tokens[::-1], source_senses=senses[::-1])
    command = command_words(swap, output=output, word=word, sense=sense, other=other, other_sense=other_sense)
    return write_edits(output, [step], model, lexicon, command)


@action("backpack edit knowledge")
def knowledge(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: Sequence[str] = (),
    sense: Sequence[int] = (),
    remove: str,
    add: str,
) -> EditFile:
    """Exchange a fact: what the senses of a word add to the logit of one word, they add to that of another.

    A sense C becomes C + (C . E_r / |E_r|^2) (E_a / phi - E_r), where E are output embeddings, r is the word to remove,
    a the one to add, and phi = |E_a|^2 / |E_r|^2 (Hewitt et al., 2023, arXiv 2305.16765). `cli backpack
    effects` measures what it does to texts that it is meant for, and to others.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word, as it stands after a blank, whose tokens are edited; may be repeated. Every token if left out.
        sense: The index of a sense; may be repeated. All senses if left out.
        remove: A word of one token.
        add: Another.

    Returns:
        The file, and the edit in it.
    """
    lexicon = open_lexicon(model, tokenizer)
    removed, added = lexicon.single(remove), lexicon.single(add)
    step = Knowledge(**chosen(lexicon, word, sense), removed_token=removed, added_token=added)
    command = command_words(knowledge, output=output, word=word, sense=sense, remove=remove, add=add)
    return write_edits(output, [step], model, lexicon, command)


@action("backpack edit topic")
def topic(
    model: Any,
    tokenizer: Any = None,
    *,
    output: Path,
    word: Sequence[str] = (),
    strength: Annotated[float, AtLeast(0)] = 1.0,
    annealing: Annotated[float, AtLeast(0, 1)] = 0.9,
) -> EditFile:
    """Increase the weights of senses that favour a topic.

    Weights are multiplied by 1 + strength * max(0, z) * annealing^n: z is how much a sense favours the words of the
    topic, in standard deviations of its logits over the vocabulary; n is how many words of the topic have been read.
    The idea is that of Hewitt et al. (2023, arXiv 2305.16765); these formulas are this project's.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word of the topic, of one token; may be repeated.
        strength: How much more; 0 changes nothing.
        annealing: From 0 to 1: what is left of the strength after each word of the topic; 1 for no annealing.

    Returns:
        The file, and the edit in it.

    Raises:
        UserError: When no word is named.
    """
    lexicon = open_lexicon(model, tokenizer)
    if not word:
        raise UserError("Say the words of the topic: --word.")
    step = Topic(
        tokens=tuple(dict.fromkeys(lexicon.single(text) for text in word)), strength=strength, annealing=annealing
    )
    command = command_words(topic, output=output, word=word, strength=strength, annealing=annealing)
    return write_edits(output, [step], model, lexicon, command)
