"""Edits in files: JSON that a person can read, compare and send to others."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from backpack.edits.steps import Chosen, Knowledge, Project, Replace, Scale, Step, Topic
from backpack.inspection.lexicon import TokenLexicon
from semeqv.grammar.action import Written
from semeqv.grammar.component import to_argv
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text

FORMAT, VERSION = "backpack-edits", 1
KINDS: Mapping[str, type[Step]] = {kind.kind: kind for kind in (Scale, Replace, Project, Knowledge, Topic)}


def save_edits(
    path: Path, steps: Sequence[Step], model: Any, tokenizer: Any = None, command: Sequence[str] = ()
) -> None:
    """Write edits.

    Args:
        path: The file; `UserError` when it cannot be written.
        steps: The edits.
        model: A Backpack that they are for.
        tokenizer: Spells the tokens, so that another vocabulary is noticed.
        command: The words of the command that makes them.
    """
    tokens = sorted({token for step in steps for token in step.token_fields()})
    head = {
        "format": FORMAT,
        "version": VERSION,
        "said": list(command),
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
    """Return the edits of one file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: {(error.strerror or str(error)).lower()}; name a file of `cli backpack edit`."
        ) from None
    except (ValueError, RecursionError):
        raise UserError(f"{path} is not JSON; name a file of `cli backpack edit`.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != VERSION:
        raise UserError(f"{path} holds no edits (of version {VERSION}); name a file of `cli backpack edit`.")
    sizes = sizes_of(model)
    for name, value in sizes.items():
        if content.get(name) != value:
            raise UserError(f"{path} is for a model of {content.get(name)} {name}; this one has {value}.")
    try:
        steps = [step_of(each) for each in content["edits"]]
        check(steps, sizes)
        spelled = {int(token): text for token, text in content["tokens"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    if tokenizer is not None:
        for token, text in spelled.items():
            if (here := tokenizer.convert_ids_to_tokens(token)) != text:
                raise UserError(f"{path} is for another vocabulary: token {token} is {text!r} there and {here!r} here.")
    return steps


def sizes_of(model: Any) -> dict[str, int]:
    """Return how many tokens and senses a model has."""
    return {"vocabulary": model.config.vocab_size, "senses": model.config.num_senses}


def step_of(content: Mapping[str, Any]) -> Step:
    """Make an edit of its JSON object."""
    values = dict(content)
    kind = KINDS.get(str(values.pop("kind", None)))
    if kind is None:
        raise ValueError(f"no edit is called {content.get('kind')!r}")
    return kind(**{name: frozen(value) for name, value in values.items()})


def frozen(value: Any) -> Any:
    """Make tuples of lists."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


def check_steps(steps: Iterable[Step], model: Any) -> None:
    """Refuse edits that name tokens or senses which a model lacks, or that are of wrong types: `UserError`."""
    try:
        check(steps, sizes_of(model))
    except ValueError as error:
        raise UserError(f"{error}.") from None


def check(steps: Iterable[Step], sizes: Mapping[str, int]) -> None:
    """Refuse edits that name tokens or senses beyond some sizes, or that are of wrong types: `ValueError`."""
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
                if not 0 <= number < sizes[what]:
                    raise ValueError(f"{number} is not below {sizes[what]}, the {what} of the model")


def fits(name: str, value: Any, may_be_all: bool) -> bool:
    """Return whether a field of an edit has the type that its name says; None stands for all tokens, or senses."""
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


@dataclass(frozen=True)
class EditFile(Written):
    """A file of edits that was written.

    Args:
        path: The file.
        steps: The edits.
        tokens: How the tokens that they name are shown; none where they are of every token.
    """

    path: Path
    steps: tuple[Step, ...]
    tokens: tuple[str, ...]

    def show(self) -> None:
        """Print which edits of which tokens were written."""
        tokens = f" of {', '.join(self.tokens)}" if self.tokens else " of every token"
        click.echo(f"wrote {self.path}: {', '.join(step.kind for step in self.steps)}{tokens}")


def write_edits(
    path: Path, steps: Sequence[Step], model: Any, lexicon: TokenLexicon, command: Sequence[str] = ()
) -> EditFile:
    """Check edits, and write them.

    Args:
        path: The file; `UserError` is raised when it cannot be written.
        steps: The edits; `UserError` is raised when the model has no such token or sense.
        model: A Backpack that they are for.
        lexicon: Its tokens.
        command: The words of the command that makes them.

    Returns:
        The file.
    """
    check_steps(steps, model)
    save_edits(path, steps, model, lexicon.tokenizer, command)
    tokens = dict.fromkeys(lexicon.shown[token] for step in steps for token in step.token_fields())
    return EditFile(path, tuple(steps), tuple(tokens))


def command_words(function: Any, **options: Any) -> list[str]:
    """Return the words of the command that calls an action with some options, as a file of edits tells them."""
    return to_argv(function.options(**options))
