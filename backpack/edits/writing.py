"""Writes what a command edits."""

from collections.abc import Sequence
from typing import Any

import click

from backpack.edits.files import check, save_edits
from backpack.edits.steps import Step
from backpack.senses.lexicon import Lexicon
from semeqv.grammar.component import words_of
from semeqv.runs.errors import UserError


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
