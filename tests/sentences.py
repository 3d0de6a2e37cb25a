"""Small sentences of the parity problem, in parts; and the least that a component needs to be said."""

import dataclasses
import typing
from pathlib import Path

DATA = "cli xor dataset default --size 5 --zero_dst .1 .9 --one_dst .5 .5 --batch_size 64 --drop_last False"
VALID = "cli xor dataset default --size 5 --batch_size 64 --drop_last False --split validation --draws 4"
MODEL = "cli xor model transformer --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4"
LOSS = "cli loss cross-entropy"
OPTIMIZER = "cli optimizers adamw --learning_rate 0.01"


def least(kind):
    """A component with nothing said but what must be."""
    hints = typing.get_type_hints(kind)
    one = {str: "there", int: 1, float: 0.5, Path: Path("there"), tuple[Path, ...]: (Path("there"),)}
    one[tuple[str, ...]] = ("there",)
    needed = {
        field.name: one[hints[field.name]]
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    try:
        return kind(**needed)
    except ValueError:  # one of several must be said
        return kind(**needed, path=Path("there"))
