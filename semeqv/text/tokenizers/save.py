"""A tokenizer as a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import component


@component("save-tokenizer")
@dataclass(frozen=True, kw_only=True)
class SaveTokenizer:
    """Write the tokenizer of the sentence as a folder, which `--from` and `AutoTokenizer.from_pretrained` open.

    Args:
        path: The folder.
    """

    path: Path = Path("tokenizer")

    def build(self, tokenizer: Any) -> None:
        """Write it; `UserError` when the folder cannot be written.

        Args:
            tokenizer: Of the run, a fast one of transformers.
        """
        import click

        from semeqv.runs.files import write_errors, written_into

        with write_errors(self.path), written_into(self.path) as folder:
            tokenizer.save_pretrained(folder)
        click.echo(f"wrote {self.path} ({len(tokenizer):,} tokens)")
