"""A folder for readers who have only transformers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import component


@component("backpack export")
@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a Backpack with the code of its networks beside it, for readers who have only transformers.

    They open the model by `AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)`, and the tokenizer,
    which needs no code, by `AutoTokenizer.from_pretrained(folder, trust_remote_code=False)`: without the `False`,
    transformers asks whether to run the code of the model. With this project installed, `import backpack` does
    instead of both, and no code beside weights is run.

    Args:
        output: The folder to write; it must not exist, or be empty.
    """

    output: Path

    def build(self, model: Any, tokenizer: Any = None) -> None:
        """Write the folder.

        Args:
            model: A Backpack.
            tokenizer: Of the sentence, else the one that came with the model.
        """
        import click

        from backpack.conversion.folders import save_with_code
        from semeqv.runs.files import refuse_existing

        refuse_existing(self.output)
        save_with_code(model, tokenizer, self.output)
        click.echo(f"wrote {self.output}")
