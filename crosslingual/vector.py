"""`cli crosslingual vector`."""

from dataclasses import dataclass, field
from pathlib import Path

import click

from crosslingual.open import VECTOR, open_checkpoint
from crosslingual.saving import save_vector
from semeqv.grammar.component import component
from semeqv.runs.files import refuse_existing


@component("crosslingual vector")
@dataclass(frozen=True, kw_only=True)
class Vector:
    """Take a model off the one that was trained from it: what training has changed, as a folder.

    It holds the body, in fp32; heads only with --heads. Models are named as everywhere: a run folder, a
    checkpoint, a Hugging Face folder or a hub name.

    Args:
        source: The model after training.
        base: The model before.
        output: The folder: vector.safetensors, and vector.json, which says what it is.
        heads: Take the difference of the heads, too, for `apply` and `merge` with --heads.
        mixed: Let the two be stored in different precisions, where the difference is mostly rounding.
        overwrite: Replace a vector that is there.
    """

    source: str = field(metadata={"alias": "from"})
    base: str
    output: Path
    heads: bool = False
    mixed: bool = False
    overwrite: bool = False

    def build(self) -> None:
        """Compute, and write."""

        refuse_existing(self.output, self.overwrite, VECTOR)
        vector = open_checkpoint(self.source, heads=self.heads).minus(
            open_checkpoint(self.base, heads=self.heads), mixed=self.mixed
        )
        save_vector(vector, self.output, overwrite=self.overwrite)
        count = sum(vector.body.sizes.values())
        click.echo(f"wrote {self.output}: {len(vector.body.entries)} tensors, {count / 1e6:.1f}M numbers")
