"""Write a folder for readers who have only transformers."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.action import Written, action
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text

CODE = ("configuration", "editing", "memory", "mixing", "modelling", "senses")
CLASSES = {
    "AutoConfig": "configuration.BackpackConfig",
    "AutoModel": "modelling.BackpackModel",
    "AutoModelForCausalLM": "modelling.BackpackLMHeadModel",
}


@dataclass(frozen=True)
class Exported(Written):
    """A folder that was written.

    Args:
        path: The folder.
    """

    path: Path

    def show(self) -> None:
        """Print where it is."""
        click.echo(f"wrote {self.path}")


@action("backpack export")
def export(model: Any, tokenizer: Any = None, *, output: Path) -> Exported:
    """Write a Backpack with the code of its networks beside it, for readers who have only transformers.

    They open the model by `AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)`, and the tokenizer,
    which needs no code, by `AutoTokenizer.from_pretrained(folder, trust_remote_code=False)`: without the `False`,
    transformers asks whether to run the code of the model. With this project installed, `import backpack` does
    instead of both, and no code beside weights is run.

    Args:
        model: A Backpack without edits; `UserError` is raised for another model.
        tokenizer: Its tokenizer; none is written if None.
        output: The folder to write; it must not exist, or be empty.

    Returns:
        The folder.
    """
    refuse_existing(output)
    save_with_code(model, tokenizer, output)
    return Exported(output)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model, and its tokenizer if it has one; `UserError` when that fails."""
    with output_folder(folder) as temporary:
        save_into(temporary, model, tokenizer)


def save_into(folder: Path, model: Any, tokenizer: Any) -> None:
    """Write into a folder that is there; the limit of the tokenizer is at most that of the model."""
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
        UserError: When the model is not a Backpack, has edits, which no folder holds, or cannot be written.
    """
    from backpack.networks import BackpackLMHeadModel

    if not isinstance(model, BackpackLMHeadModel):
        raise UserError(f"{type(model).__name__} is not a Backpack.")
    if model.backpack.sense_edits or model.backpack.weight_edits:
        raise UserError("Edits are not written with a model. Export it without: cli model load --from BACKPACK")
    with output_folder(folder) as temporary:
        save_into(temporary, model, tokenizer)
        for name in CODE:
            shutil.copyfile(Path(__file__).parents[1] / "networks" / f"{name}.py", temporary / f"{name}.py")
        path = temporary / "config.json"
        config = json.loads(path.read_text())
        write_text(path, json.dumps(config | {"auto_map": CLASSES}, indent=2, sort_keys=True) + "\n")
