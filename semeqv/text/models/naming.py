"""Lets errors name the option that was said."""

from collections.abc import Iterator
from contextlib import contextmanager

from semeqv.runs.errors import UserError

OPENING = ("--from ", "Say which model: --from ")  # how errors of `source` begin


@contextmanager
def named(option: str) -> Iterator[None]:
    """Let what goes wrong while a model or tokenizer is opened name its option, where that is not `--from`.

    Args:
        option: The option, such as `--target_tokenizer`.

    Yields:
        Nothing.

    Raises:
        UserError: The same error, with the option in place of `--from` before what was named.
    """
    try:
        yield
    except UserError as error:
        said = str(error)
        raise UserError(said.replace("--from", option, 1) if said.startswith(OPENING) else said) from error
