"""Edits in files: JSON that a person reads, compares and sends to others."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from backpack.edits.steps import Chosen, Knowledge, Project, Replace, Scale, Step, Topic
from backpack.inspection.lexicon import Lexicon
from semeqv.grammar.component import words_of
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

FORMAT, VERSION = "backpack-edits", 1
KINDS: Mapping[str, type[Step]] = {kind.kind: kind for kind in (Scale, Replace, Project, Knowledge, Topic)}


def save_edits(path: Path, steps: Sequence[Step], model: Any, tokenizer: Any = None, said: Sequence[str] = ()) -> None:
    """Write edits.

    Args:
        path: The file; `UserError` when it cannot be written.
        steps: The edits.
        model: A Backpack that they are for.
        tokenizer: Spells the tokens, so that another vocabulary is noticed.
        said: The words of the command that made them.
    """
    tokens = sorted({token for step in steps for token in step.token_fields()})
    head = {
        "format": FORMAT,
        "version": VERSION,
        "said": list(said),
        "vocabulary": model.config.vocab_size,
        "senses": model.config.num_senses,
        "tokens": {} if tokenizer is None else dict(zip(map(str, tokens), tokenizer.convert_ids_to_tokens(tokens))),
    }
    lines = [f' "{name}": {json.dumps(value, ensure_ascii=False)},' for name, value in head.items()]
    edits = ",\n".join(f"  {json.dumps(step.to_json())}" for step in steps)
    write_text(path, "\n".join(["{", *lines, ' "edits": [', edits, " ]", "}", ""]))


def open_edits(paths: Iterable[Path], model: Any, tokenizer: Any = None) -> list[Step]:
    """Read edits, file after file; `UserError` when one is none of ours, or for a model of another vocabulary.

    Args:
        paths: The files.
        model: A Backpack that they are to be applied to.
        tokenizer: Its tokenizer, if it is known.

    Returns:
        The edits.
    """
    return [step for path in paths for step in read(Path(path), model, tokenizer)]


def read(path: Path, model: Any, tokenizer: Any) -> list[Step]:
    """The edits of one file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: {(error.strerror or str(error)).lower()}; name a file of `cli backpack edit`."
        ) from None
    except (ValueError, RecursionError):
        raise UserError(f"{path} is no JSON; name a file of `cli backpack edit`.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
        raise UserError(f"{path} holds no edits (of version {VERSION}); name a file of `cli backpack edit`.")
    own = {"vocabulary": model.config.vocab_size, "senses": model.config.num_senses}
    for name, value in own.items():
        if content.get(name) != value:
            raise UserError(f"{path} is for a model of {content.get(name)} {name}; this one has {value}.")
    try:
        steps = [made(each) for each in content["edits"]]
        check(steps, own)
        spelled = {int(token): text for token, text in content["tokens"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    if tokenizer is not None:
        for token, text in spelled.items():
            if (here := tokenizer.convert_ids_to_tokens(token)) != text:
                raise UserError(f"{path} is for another vocabulary: token {token} is {text!r} there and {here!r} here.")
    return steps


def made(said: Mapping[str, Any]) -> Step:
    """An edit from its JSON object."""
    given = dict(said)
    kind = KINDS.get(str(given.pop("kind", None)))
    if kind is None:
        raise ValueError(f"no edit is called {said.get('kind')!r}")
    return kind(**{name: frozen(value) for name, value in given.items()})


def frozen(value: Any) -> Any:
    """Lists as tuples."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def check(steps: Iterable[Step], own: Mapping[str, int]) -> None:
    """Refuse tokens and senses that there are not, and fields that hold something else: `ValueError`."""
    for step in steps:
        for field in fields(step):
            value = getattr(step, field.name)
            if not fits(field.name, value, isinstance(step, Chosen)):
                raise ValueError(f"{field.name} of {step.kind} cannot be {value!r:.60}")
        if isinstance(step, Replace):
            lengths = {len(getattr(step, field.name)) for field in fields(step)}
            if len(lengths) > 1:
                raise ValueError("tokens, senses and what takes their place are of different lengths")
        for what, numbers in (("vocabulary", step.token_fields()), ("senses", step.sense_fields())):
            for number in numbers:
                if not 0 <= number < own[what]:
                    raise ValueError(f"{number} is not below {own[what]}, the {what} of the model")


def fits(name: str, value: Any, may_be_all: bool) -> bool:
    """Whether a field of an edit holds what its name says; None stands for all tokens or senses where there may be."""
    if name in ("factor", "strength", "annealing"):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
    if name in ("removed_token", "added_token"):
        return type(value) is int
    if value is None:
        return may_be_all and name in ("tokens", "senses")
    if not isinstance(value, tuple) or not value:
        return False
    if name == "token_pairs":
        return all(
            isinstance(pair, tuple) and len(pair) == 2 and all(type(each) is int for each in pair) for pair in value
        )
    return all(type(each) is int for each in value)


def write(options: Any, steps: Sequence[Step], model: Any, lexicon: Lexicon) -> None:
    """Write edits, and say what they are about.

    Args:
        options: The command; its `output` is the file.
        steps: Its edits.
        model: A Backpack.
        lexicon: Its tokens.

    Raises:
        UserError: When there is no such sense, or the file cannot be written.
    """
    try:
        check(steps, {"vocabulary": model.config.vocab_size, "senses": model.config.num_senses})
    except ValueError as error:
        raise UserError(f"{error}.") from None
    save_edits(options.output, steps, model, lexicon.tokenizer, words_of(options))
    tokens = dict.fromkeys(lexicon.shown[token] for step in steps for token in step.token_fields())
    about = f" of {', '.join(tokens)}" if tokens else " of every token"
    click.echo(f"wrote {options.output}: {', '.join(step.kind for step in steps)}{about}")
