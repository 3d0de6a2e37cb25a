"""The command `semeqv`."""

import os
import sys
from typing import NoReturn

import click

if __package__ in (None, ""):  # `python semeqv/cli.py`: the folder above is where the packages are
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from semeqv.engine import notices
from semeqv.engine.errors import UserError
from semeqv.engine.plugins import command
from semeqv.engine.world import World


def main(args: list[str] | None = None) -> NoReturn:
    """Run a sentence and exit: 0 when done, 2 after a mistake of the user (one clear message).

    As shells expect, 130 when interrupted and 141 when nobody reads the output any more. A training run that SIGTERM
    or SIGUSR1 asked to end saves and exits with 143 or 75 (to be requeued). Of several processes only the first speaks;
    another speaks of its error when the first has had the time to speak of the same.
    """
    world = World.here()
    world.hush()
    try:
        code = command().main(args, prog_name="semeqv", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
    except Exception as error:
        world.speak()
        if (message := for_user(error)) is None:
            raise
        notices.error(message)
        sys.exit(2)


def for_user(error: Exception) -> str | None:
    """What to tell the user of an error: nothing when it is ours."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, OSError) and error.filename is not None:  # a path too long, not theirs to write, ...
        return f"{error.filename}: {error.strerror}."
    return str(error) if isinstance(error, UserError) else None


if __name__ == "__main__":
    main()
