"""Opens tokenizers, with or without a model beside them."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import GPT2TokenizerFast, PreTrainedTokenizerFast

from semeqv.runs.errors import UserError
from semeqv.text.files import pieces
from semeqv.text.models.opening import folder_tokenizer, one_line, open_tokenizer, quiet
from semeqv.text.models.source import CONFIG, local_folder

SPECIAL = {  # how tokenizers without a configuration spell their special tokens
    "bos_token": ("<s>", "[CLS]", "<|endoftext|>"),
    "eos_token": ("</s>", "[SEP]", "<|endoftext|>"),
    "cls_token": ("<s>", "[CLS]"),
    "sep_token": ("</s>", "[SEP]"),
    "pad_token": ("<pad>", "[PAD]"),
    "unk_token": ("<unk>", "[UNK]"),
    "mask_token": ("<mask>", "[MASK]"),
}


def opened(source: str) -> Any:
    """Open a tokenizer.

    Args:
        source: See `Load`.

    Returns:
        A fast tokenizer of transformers.

    Raises:
        UserError: When there is none, or it is a slow one, written in Python.
    """
    path = Path(source).expanduser()
    if path.is_file():
        found = from_file(path)
    elif path.is_dir():
        found = from_folder(local_folder(path))
    else:
        found = open_tokenizer(source)
    if not getattr(found, "is_fast", False):
        raise UserError(f"The tokenizer of {source} is of a kind that has no tokenizer.json; convert it to one.")
    return found


def from_folder(folder: Path) -> Any:
    """Open the tokenizer of a folder.

    Args:
        folder: With `config.json`, `tokenizer.json`, or `vocab.json` and `merges.txt`.

    Returns:
        The tokenizer.

    Raises:
        UserError: When it has none of these.
    """
    if (folder / CONFIG).exists():
        return open_tokenizer(folder)
    with one_line(folder), quiet():
        if (folder / "tokenizer_config.json").exists():
            return folder_tokenizer(folder)
        if (folder / "tokenizer.json").exists():
            return from_file(folder / "tokenizer.json")
        if (folder / "vocab.json").exists() and (folder / "merges.txt").exists():
            return GPT2TokenizerFast(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
    raise UserError(f"{folder} has no tokenizer: no tokenizer.json, and no vocab.json with merges.txt.")


def from_file(path: Path) -> Any:
    """Open a `tokenizer.json`; its special tokens are those with a usual spelling.

    Args:
        path: The file, compressed or not.

    Returns:
        The tokenizer.

    Raises:
        UserError: When it is no such file.
    """
    try:
        text = b"".join(pieces(path)).decode("utf-8")
        json.loads(text)
        tokenizer = Tokenizer.from_str(text)
    except UserError:
        raise
    except Exception as error:  # the library raises bare exceptions
        raise UserError(f"{path} is no tokenizer.json: {str(error).splitlines()[0]}") from error
    known = {
        role: next((token for token in spellings if tokenizer.token_to_id(token) is not None), None)
        for role, spellings in SPECIAL.items()
    }
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{role: token for role, token in known.items() if token is not None}
    )
