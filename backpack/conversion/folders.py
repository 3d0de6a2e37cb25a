"""Writes folders that `from_pretrained` opens."""

import json
import shutil
from pathlib import Path
from typing import Any

from backpack.networks import BackpackLMHeadModel
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, write_text

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
