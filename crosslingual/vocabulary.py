"""Whether two folders have the same tokens under the same ids, found without building a tokenizer.

A tokenizer.json of 250,000 tokens takes more memory as Python objects than a merge may, so that its tokens are read one
at a time, and their hashes added up.
"""

import hashlib
import json
import re
from pathlib import Path

FILES = ("vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model", "tokenizer.model", "vocab.model")
TEXT = rb'"((?:[^"\\]|\\.)*)"'
BY_NAME = re.compile(rb"\s*" + TEXT + rb"\s*:\s*(\d+)\s*(?:,|\})")
IN_ORDER = re.compile(rb"\s*\[\s*" + TEXT + rb"\s*,\s*[-+.\deE]+\s*\]\s*(?:,|\])")
VOCABULARY = re.compile(rb'"vocab"\s*:\s*([\[{])\s*')
ADDED = re.compile(rb'"added_tokens"\s*:\s*\[')
known: dict[bytes, str] = {}


def fingerprint(folder: Path) -> str | None:
    """A hash of the tokens of a folder and their ids, whatever order they are written in.

    Args:
        folder: May have a tokenizer: tokenizer.json, else a file of tokens or a SentencePiece model, which are compared
            as they are.

    Returns:
        32 hexadecimal digits; None when there is no tokenizer.
    """
    if (folder / "tokenizer.json").is_file():
        content = (folder / "tokenizer.json").read_bytes()
        whole = hashlib.sha256(content).digest()
        if whole not in known:
            known[whole] = fingerprint_of(content)
        return known[whole]
    for name in FILES:
        if (folder / name).is_file():
            return hashlib.sha256((folder / name).read_bytes()).hexdigest()[:32]
    return None


def fingerprint_of(content: bytes) -> str:
    """The hash of the tokens of a tokenizer.json; of the file itself where its tokens are laid out as none known."""
    started = VOCABULARY.search(content)
    if started is None:
        return hashlib.sha256(content).hexdigest()[:32]
    added = added_tokens(content)
    total = sum(hashed(token, place) for token, place in added)
    at, place, ordered = started.end(), 0, started[1] == b"["
    pattern = IN_ORDER if ordered else BY_NAME
    while entry := pattern.match(content, at):
        number = place if ordered else int(entry[2])
        token = json.loads(b'"' + entry[1] + b'"') if b"\\" in entry[1] else entry[1].decode(errors="replace")
        if (token, number) not in added:
            total += hashed(token, number)
        place += 1
        at = entry.end()
        if entry[0][-1:] != b",":
            return f"{total % 2**128:032x}"
    return hashlib.sha256(content).hexdigest()[:32]


def added_tokens(content: bytes) -> set[tuple[str, int]]:
    """The tokens that a tokenizer.json adds to its model's, with their ids."""
    found = ADDED.search(content)
    if found is None:
        return set()
    text = content[found.end() - 1 : VOCABULARY.search(content, found.end()).start()]  # type: ignore[union-attr]
    try:
        tokens, _ = json.JSONDecoder().raw_decode(text.decode(errors="replace"))
        return {(each["content"], each["id"]) for each in tokens}
    except (ValueError, TypeError, KeyError):
        return set()


def hashed(token: str, place: int) -> int:
    """A number for a token and its id."""
    return int.from_bytes(hashlib.blake2b(f"{place} {token}".encode(errors="replace"), digest_size=16).digest())
