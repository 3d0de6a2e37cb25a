"""A folder for readers who have only transformers."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text


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

        refuse_existing(self.output)
        save_with_code(model, tokenizer, self.output)
        click.echo(f"wrote {self.output}")


CODE = ("configuration", "editing", "memory", "mixing", "modelling", "senses")
CLASSES = {
    "AutoConfig": "configuration.BackpackConfig",
    "AutoModel": "modelling.BackpackModel",
    "AutoModelForCausalLM": "modelling.BackpackLMHeadModel",
}


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model, and its tokenizer if it has one; `UserError` when that fails."""
    with output_folder(folder) as temporary:
        save_into(temporary, model, tokenizer)


def save_into(folder: Path, model: Any, tokenizer: Any) -> None:
    """Write into a folder that is there; the tokenizer says how many tokens the model reads, unless it says fewer."""
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.model_max_length = min(tokenizer.model_max_length, model.config.n_positions)
        tokenizer.save_pretrained(folder)


def save_with_code(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model so that transformers alone opens it, for a reader who trusts the code beside the weights.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer, or None.
        folder: Where to write.

    Raises:
        UserError: When the model is no Backpack, has edits, which no folder holds, or cannot be written.
    """
    from backpack.networks import BackpackLMHeadModel

    if not isinstance(model, BackpackLMHeadModel):
        raise UserError(f"{type(model).__name__} is no Backpack.")
    if model.backpack.sense_edits or model.backpack.weight_edits:
        raise UserError("Edits are not written with a model. Export it without: cli model load --from BACKPACK")
    with output_folder(folder) as temporary:
        save_into(temporary, model, tokenizer)
        for name in CODE:
            shutil.copyfile(Path(__file__).parents[1] / "networks" / f"{name}.py", temporary / f"{name}.py")
        path = temporary / "config.json"
        config = json.loads(path.read_text())
        write_text(path, json.dumps(config | {"auto_map": CLASSES}, indent=2, sort_keys=True) + "\n")
