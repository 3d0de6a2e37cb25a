"""A tokenizer as a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import component


@component("save-tokenizer")
@dataclass(frozen=True, kw_only=True)
class SaveTokenizer:
    """Write the tokenizer of the sentence as a folder, which `--from` and `AutoTokenizer.from_pretrained` open.

    Args:
        path: The folder.
    """

    path: Path = Path("tokenizer")

    def build(self, tokenizer: Any) -> None:
        """Write it.

        Args:
            tokenizer: Of the run, a fast one of transformers.

        Raises:
            UserError: When the folder cannot be written.
        """
        import click

        from semeqv.engine.errors import UserError

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            tokenizer.save_pretrained(self.path)
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}.") from error
        click.echo(f"wrote {self.path} ({len(tokenizer):,} tokens)")
