"""Encodes text as text: what looks like a special token in it never becomes one.

`encode_special_tokens` of the library `tokenizers` keeps special tokens from being cut out of a text, but the model of
a tokenizer may still have them as pieces: a unigram model (as of XLM-R) scores `<s>` best of all segmentations of
`<s>`, and models that look up whole words find `[MASK]`. SentencePiece itself never matches its control symbols; here
they get spellings that no text has, so that their ids stay and text does not reach them. The pieces that stand for a
byte, `<0x41>`, must keep theirs, by which a tokenizer finds them for characters that it lacks: text that spells one is
cut behind its `<` instead, so that no piece spans it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence
from typing import Any

from semeqv.lazy import tokenizers
from semeqv.runs.errors import UserError

UNREACHABLE = "\0{}\0"  # no text holds a NUL
BYTE = re.compile("<0x[0-9A-Fa-f]{2}>")
INSIDE = {  # a pre-tokenizer that cuts what looks like the piece of a byte
    "type": "Split",
    "pattern": {"Regex": "<(?=0x[0-9A-Fa-f]{2}>)"},
    "behavior": "MergedWithPrevious",
    "invert": False,
}
REPLACEMENT = "\ufffd"


def encode(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Return the tokens of each text, without special ones.

    Args:
        tokenizer: A tokenizer of transformers, fast or slow.
        texts: The texts; `<s>`, `[MASK]` and the like are characters in them, whatever the tokenizer.

    Returns:
        The ids of each text; none of them is that of a special token but the unknown one.
    """
    if getattr(tokenizer, "is_fast", False):
        return [each.ids for each in literal(tokenizer).encode_batch_fast(list(texts), add_special_tokens=False)]
    return [encode_slowly(tokenizer, text) for text in texts]


def literal(tokenizer: Any) -> tokenizers.Tokenizer:
    """Return the backend of a fast tokenizer, as it reads text without special tokens in it.

    Args:
        tokenizer: A fast tokenizer of transformers.

    Returns:
        A tokenizer that neither cuts nor pads. It is shared: change nothing of it.
    """
    backend = tokenizer.backend_tokenizer
    around = [backend.num_special_tokens_to_add(is_pair=pair) for pair in (False, True)]
    state = (backend, [backend.get_vocab_size(with_added_tokens=True), *around])
    known = vars(tokenizer).get("_literal")
    if known is None or known[0][0] is not state[0] or known[0][1] != state[1]:
        # Written out once: the definition of XLM-R's tokenizer takes a third of a second.
        known = tokenizer._literal = (state, opened(backend.to_str()))
    found: tokenizers.Tokenizer = known[1]
    return found


@functools.lru_cache(maxsize=4)
def opened(definition: str) -> tokenizers.Tokenizer:
    """Open a tokenizer from its JSON, as `literal` returns it."""
    found = tokenizers.Tokenizer.from_str(literal_definition(definition))
    found.no_truncation()
    found.no_padding()
    found.encode_special_tokens = True
    return found


def literal_definition(definition: str) -> str:
    """Rename the special tokens of a tokenizer, so that no text reaches them, and let text spell no piece of a byte.

    Args:
        definition: The tokenizer, as the JSON that `Tokenizer.to_str` writes.

    Returns:
        The same with other spellings for special tokens; every token keeps its id.
    """
    said = json.loads(definition)
    model, added = said["model"], said["added_tokens"]
    special = {token["content"] for token in added if token["special"]}
    unknown = model.get("unk_token")
    if unknown is not None:
        special.add(unknown)
        model["unk_token"] = UNREACHABLE.format(unknown)
    if isinstance(model["vocab"], list):  # unigram: pairs of a piece and its score, in the order of the ids
        if model.get("unk_id") is not None:
            special.add(model["vocab"][model["unk_id"]][0])
        model["vocab"] = [[renamed(piece, special), score] for piece, score in model["vocab"]]
    else:
        model["vocab"] = {renamed(piece, special): number for piece, number in model["vocab"].items()}
    pieces = (piece for piece, _ in model["vocab"]) if isinstance(model["vocab"], list) else iter(model["vocab"])
    if any(map(BYTE.fullmatch, pieces)):
        before = said.get("pre_tokenizer")
        said["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [before, INSIDE]} if before else INSIDE
    if "merges" in model:
        model["merges"] = [merge for merge in model["merges"] if not special & parts_of(merge)]
    for token in added:
        token["content"] = renamed(token["content"], special)
    return json.dumps(said, ensure_ascii=False)


def renamed(piece: str, special: set[str]) -> str:
    """Return the unreachable spelling of a special token, and any other piece as it is."""
    return UNREACHABLE.format(piece) if piece in special else piece


def parts_of(merge: str | Sequence[str]) -> set[str]:
    """Return what a merge of BPE names: its two parts, and what they become."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return {left, right, left + right}


def encode_slowly(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of a text by a tokenizer written in Python, which are not renamed but looked through."""
    if not any(token in text for token in tokenizer.all_special_tokens):
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])
    found = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    unknown = tokenizer.unk_token_id
    forbidden = set(tokenizer.all_special_ids) - {unknown}
    if forbidden.isdisjoint(found):
        return list(found)
    # A tokenizer of characters or of whole words has the token in its vocabulary.
    instead = [unknown] if unknown is not None else tokenizer(REPLACEMENT, add_special_tokens=False)["input_ids"]
    return [token for each in found for token in (instead if each in forbidden else [each])]


def surroundings(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the special tokens that a tokenizer itself puts before and after a text; both are empty where it has none.

    Args:
        tokenizer: A tokenizer of transformers.

    Returns:
        The ids before, and those after.
    """
    alone, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    start = next(place for place in range(len(whole) + 1) if whole[place : place + len(alone)] == alone)
    return list(whole[:start]), list(whole[start + len(alone) :])


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
