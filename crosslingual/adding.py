"""The options of actions that add vectors to a model."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from crosslingual.open import opened
from crosslingual.saving import MERGE
from semeqv.runs.errors import UserError
from semeqv.runs.files import refuse_existing

if TYPE_CHECKING:
    from crosslingual.algebra import Checkpoint, TaskVector


@dataclass(frozen=True, kw_only=True)
class Adding:
    """A model, vectors, and where the sum goes.

    Args:
        add: A factor and the folder of a vector, `--add 0.5 vectors/es`; may be repeated. A model in place of a vector
            stands for itself less the one of --base.
        base: What models among the vectors were trained from.
        heads: Merge the heads of the models, too, when all have the same; else the head stays that of the model which
            is added to.
        mixed: Let models and their base be stored in different precisions.
        dtype: Precision of all that is written; that of the model which is added to, if left out. Sums are computed in
            fp32, and rounded to the nearest.
        shard_size: The most bytes of a file of weights.
        output: The folder of the new model, which `from_pretrained` opens; merge.json in it says how it came about.
        overwrite: Replace a model that this has written.
    """

    add: list[tuple[float, str]] = field(default_factory=list)
    base: str | None = None
    heads: bool = False
    mixed: bool = False
    dtype: Literal["float32", "bfloat16", "float16"] | None = None
    shard_size: int = 5_000_000_000
    output: Path
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.shard_size < 1:
            raise ValueError(f"--shard_size must be at least 1, not {self.shard_size}.")

    def check(self) -> None:
        """Refuse to add nothing, or to write where something is, before anything is opened.

        Raises:
            UserError: When that is so.
        """

        if not self.add:
            raise UserError("Say what to add: --add FACTOR VECTOR.")
        refuse_existing(self.output, self.overwrite, MERGE)

    def vectors(self, base: "Checkpoint | None") -> "list[TaskVector]":
        """Open what is added, in the order given."""

        return [opened(source, base, mixed=self.mixed, heads=self.heads) for _, source in self.add]

    def write(self, model: "Checkpoint") -> None:
        """Compute the new model, write it, and say what it is."""

        model.save(self.output, overwrite=self.overwrite, shard=self.shard_size, dtype=self.dtype)
        click.echo(f"wrote {self.output}: {model.formula}")
        if copied := model.frame.copied():
            click.echo(f"Its head ({len(copied)} tensors, such as {copied[0]}) is that of {model.frame.folder}.")
