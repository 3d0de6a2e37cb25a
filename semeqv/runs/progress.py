"""Signs of life: a progress bar on a terminal, a line about twice a minute elsewhere."""

import sys
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    pass


SECONDS_BETWEEN_LINES = 30.0


LINE = "{desc}: {unit} {n_fmt} of {total_fmt}, {elapsed} passed, {remaining} left, {rate_fmt}{postfix}"


OPEN_LINE = "{desc}: {unit} {n_fmt}, {elapsed} passed, {rate_fmt}{postfix}"


class Progress(tqdm):  # type: ignore[misc]
    """A bar of tqdm that shows signs of life without a terminal, too: a line about twice a minute.

    Args:
        *given: As of tqdm.
        **options: As of tqdm; `disable=None` is the same as False.
    """

    def __init__(self, *given: Any, **options: Any):
        stream = options.get("file") or sys.stderr
        self.as_lines = not getattr(stream, "isatty", bool)()
        options["disable"] = bool(options.get("disable")) or stream is None
        if self.as_lines:
            counted = options.get("total") is not None or (given and hasattr(given[0], "__len__"))
            options |= {
                "mininterval": SECONDS_BETWEEN_LINES,
                "miniters": 1,  # a look at the clock every time, so that no slow step is passed over
                "delay": SECONDS_BETWEEN_LINES / 2,
                "bar_format": LINE if counted else OPEN_LINE,
                "dynamic_ncols": False,
                "ncols": None,
            }
        super().__init__(*given, **options)

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Show the bar, or write it as a line of its own."""
        if not self.as_lines:
            return bool(super().display(msg, pos))
        print((str(self) if msg is None else msg).rstrip(), file=self.fp, flush=True)
        return True

    def close(self) -> None:
        """Remove the bar, or leave its last state; of lines there is nothing to remove."""
        if self.as_lines and not self.disable:
            self.last_print_t = float("-inf")  # as if nothing had been shown
        super().close()
