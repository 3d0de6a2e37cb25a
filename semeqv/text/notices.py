"""What a reader has decided by itself, said to the user once."""

import functools

import click


@functools.cache
def say_once(message: str) -> None:
    """Say something on stderr, the first time that it is so."""
    click.echo(message, err=True)
