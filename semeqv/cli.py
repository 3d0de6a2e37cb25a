"""The command `semeqv`."""

import contextlib
import os
import sys
from typing import NoReturn

if __package__ in (None, ""):  # `python semeqv/cli.py`: the folder above is where the packages are
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from semeqv.grammar.plugins import command
from semeqv.runs.errors import UserError
from semeqv.runs.exits import exit_after
from semeqv.runs.processes import World


def main(args: list[str] | None = None) -> NoReturn:
    """Run a sentence and exit, with the code that `exits` describes.

    Of several processes only the first speaks; another speaks of its error when the first has had the time to speak of
    the same.
    """

    def work() -> object:
        World.here().silence_other_ranks()
        return command().main(args, prog_name="semeqv", standalone_mode=False)

    def speak() -> None:
        with contextlib.suppress(UserError):  # there may be no such World: that is the error then
            World.here().restore_output()

    exit_after(work, speak)


if __name__ == "__main__":
    main()
