"""Opens tokenizers, with or without a model beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.action import action
from semeqv.grammar.component import component
from semeqv.lazy import tokenizers, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_errors, written_into
from semeqv.text.files import pieces
from semeqv.text.models.opening import folder_tokenizer, one_line, open_tokenizer, quiet
from semeqv.text.models.source import CONFIG, local_folder
from semeqv.text.tokenizers.encoding import first_token

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
            return transformers.GPT2TokenizerFast(vocab=str(folder / "vocab.json"), merges=str(folder / "merges.txt"))
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
        tokenizer = tokenizers.Tokenizer.from_str(text)
    except UserError:
        raise
    except Exception as error:  # the library raises bare exceptions
        raise UserError(f"{path} is no tokenizer.json: {str(error).splitlines()[0]}") from error
    known = {
        role: next((token for token in spellings if tokenizer.token_to_id(token) is not None), None)
        for role, spellings in SPECIAL.items()
    }
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{role: token for role, token in known.items() if token is not None}
    )


@component("tokenizer load")
@dataclass(frozen=True, kw_only=True)
class Load:
    """A tokenizer, from where it is.

    Args:
        source: A run folder or a checkpoint, a Hugging Face folder, a name on the hub, a `tokenizer.json`
            (compressed or not), or a folder with `vocab.json` and `merges.txt`.
    """

    source: str = field(metadata={"alias": "from"})

    def build(self) -> Any:
        """The tokenizer, a fast one of transformers."""
        return opened(self.source)


def fit_to_model(tokenizer: Any, positions: int | None) -> None:
    """Let a tokenizer say how many tokens its model reads, unless it says fewer.

    Args:
        tokenizer: A tokenizer of transformers, or None.
        positions: How many tokens the model reads at once, or None where there is no limit.
    """
    if tokenizer is not None and positions is not None and tokenizer.model_max_length > positions:
        tokenizer.model_max_length = positions


def start_as_trained(tokenizer: Any) -> None:
    """Let a tokenizer name the token that stands before texts in training as the one that begins them.

    Programs such as lm-evaluation-harness score a text behind it.

    Args:
        tokenizer: A tokenizer of transformers, of a causal model; one that has no token to end a text with stays as it
            is.
    """
    if tokenizer.eos_token_id is None and tokenizer.sep_token_id is None:
        return
    first = first_token(tokenizer, masked=False)
    if tokenizer.bos_token_id != first:
        tokenizer.bos_token = tokenizer.convert_ids_to_tokens(first)


def pad_with_end(tokenizer: Any) -> None:
    """Let a tokenizer without a padding token pad with the one that ends texts, as batches do: GPT-2's, Llama's."""
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token


def add_ends(tokenizer: Any, begin: tuple[int, ...], end: tuple[int, ...], between: tuple[int, ...]) -> None:
    """Let a tokenizer put the special tokens around texts that training put there; nothing changes if it puts any.

    Args:
        tokenizer: A fast tokenizer of transformers.
        begin: What stands before a text.
        end: What stands after it, or after the second of two.
        between: What stands between two.
    """
    backend = tokenizer.backend_tokenizer
    if backend.num_special_tokens_to_add(is_pair=False) or not (begin or end):
        return
    before, behind, middle = (tokenizer.convert_ids_to_tokens(list(ids)) for ids in (begin, end, between))
    ends = tokenizers.processors.TemplateProcessing(
        single=[*before, "$A", *behind],
        pair=[*before, "$A", *middle, "$B", *behind],
        special_tokens=[(tokenizer.convert_ids_to_tokens(number), number) for number in {*begin, *end, *between}],
    )
    old = backend.post_processor  # of byte-level tokenizers, which only moves offsets
    backend.post_processor = ends if old is None else tokenizers.processors.Sequence([old, ends])


@action("save-tokenizer")
def save_tokenizer(tokenizer: Any, *, path: Path = Path("tokenizer")) -> None:
    """Write the tokenizer of the sentence as a folder, which `--from` and `AutoTokenizer.from_pretrained` open.

    Args:
        tokenizer: A fast one of transformers; `UserError` is raised when the folder cannot be written.
        path: The folder.
    """
    with write_errors(path), written_into(path) as folder:
        tokenizer.save_pretrained(folder)
    click.echo(f"wrote {path} ({len(tokenizer):,} tokens)")
