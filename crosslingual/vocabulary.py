"""Whether two folders have the same tokens under the same ids, found without building a tokenizer.

A tokenizer.json of 250,000 tokens takes more memory as Python objects than a merge may, so that its tokens are read one
at a time, and their hashes added up.
"""

import hashlib
import json
import re
from pathlib import Path

MODELS = ("sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "vocab.model")
TEXT = rb'"((?:[^"\\]|\\.)*)"'
BY_NAME = re.compile(rb"\s*" + TEXT + rb"\s*:\s*(\d+)\s*(?:,|\})")
IN_ORDER = re.compile(rb"\s*\[\s*" + TEXT + rb"\s*,\s*[-+.\deE]+\s*\]\s*(?:,|\])")
VOCABULARY = re.compile(rb'"vocab"\s*:\s*([\[{])\s*')
ADDED = re.compile(rb'"added_tokens"\s*:\s*\[')
KNOWN: dict[bytes, str] = {}


def fingerprint(folder: Path) -> str | None:
    """Hash the tokens of a folder and their ids, whatever order they are written in.

    Args:
        folder: May have a tokenizer: tokenizer.json, vocab.txt or vocab.json, else a SentencePiece model.

    Returns:
        `tokens:` and 32 hexadecimal digits; another word before them where not tokens but files are compared, which
        says nothing of a folder with other files. None when there is no tokenizer.
    """
    for name, read in (("tokenizer.json", of_json), ("vocab.txt", of_lines), ("vocab.json", of_table)):
        if (folder / name).is_file():
            content = (folder / name).read_bytes()
            whole = hashlib.sha256(content).digest()
            if whole not in KNOWN:
                KNOWN[whole] = read(content)
            return KNOWN[whole]
    model = next((folder / name for name in MODELS if (folder / name).is_file()), None)
    return None if model is None else of_file(model.read_bytes())


def of_file(content: bytes) -> str:
    """Hash a file whose tokens are laid out as none that is known here."""
    return f"file:{hashlib.sha256(content).hexdigest()[:32]}"


def of_lines(content: bytes) -> str:
    """Hash tokens that stand one a line."""
    tokens = content.decode(errors="replace").removesuffix("\n").split("\n")
    return spelled(sum(hashed(token.removesuffix("\r"), place) for place, token in enumerate(tokens)))


def of_table(content: bytes) -> str:
    """Hash a JSON object, from token to id."""
    return of_json(b'{"vocab":' + content + b"}")


def spelled(total: int) -> str:
    """Write the sum of the hashes of tokens."""
    return f"tokens:{total % 2**128:032x}"


def of_json(content: bytes) -> str:
    """Hash the tokens of a tokenizer.json; the file itself where its tokens are laid out as none known."""
    started = VOCABULARY.search(content)
    if started is None:
        return of_file(content)
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
            return spelled(total)
    return of_file(content)


def added_tokens(content: bytes) -> set[tuple[str, int]]:
    """Return the tokens that a tokenizer.json adds to its model's, with their ids."""
    opening = ADDED.search(content)
    if opening is None:
        return set()
    end = VOCABULARY.search(content, opening.end())
    text = content[opening.end() - 1 : end.start() if end else None]
    try:
        tokens, _ = json.JSONDecoder().raw_decode(text.decode(errors="replace"))
        return {(each["content"], each["id"]) for each in tokens}
    except (ValueError, TypeError, KeyError):
        return set()


def hashed(token: str, place: int) -> int:
    """Hash a token and its id to a number."""
    return int.from_bytes(hashlib.blake2b(f"{place} {token}".encode(errors="replace"), digest_size=16).digest())
