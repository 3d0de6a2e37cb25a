"""What the figures of new vocabularies have in common: the names of methods, and what each is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

NOTHING, TEXT, ALIGNED, CONTROL, OLD = "nothing", "text", "aligned text", "aligned text, old tokens", "old tokens"
METHODS = {
    "original": ("its own tokenizer", OLD),
    "random": ("random", NOTHING),
    "mean": ("mean", NOTHING),
    "subword-mean": ("mean of pieces", NOTHING),
    "focus": ("FOCUS", TEXT),
    "omp": ("OMP", TEXT),
    "wechsel": ("WECHSEL", ALIGNED),
    "hyperofa": ("HyperOFA", ALIGNED),
    "hyperofa-setformer": ("HyperOFA, SetFormer", ALIGNED),
    "ofa": ("OFA", ALIGNED),
    "pairs": ("mean of pieces, then pairs", CONTROL),
    "map-orthogonal": ("orthogonal map", CONTROL),
    "map-linear": ("linear map", CONTROL),
    "bag": ("word vectors alone", CONTROL),
}
GIVEN = {
    OLD: "the model as it is",
    NOTHING: "a method that is given nothing",
    TEXT: "text of the new language",
    ALIGNED: "aligned text (word vectors)",
    CONTROL: "the same aligned text, without new rows made of it",
}
SHADES = {OLD: "#555555", NOTHING: "#2F9BD8", TEXT: "#009E73", ALIGNED: "#D55E00", CONTROL: "#B0508B"}


def parted(folder: Path) -> tuple[str, str]:
    """Return the seed and the method that the name of a folder says, `42-ofa-100`.

    Args:
        folder: The folder.

    Returns:
        The two.

    Raises:
        click.UsageError: The name says none.
    """
    seed, _, method = folder.name.partition("-")
    if not seed.isdigit() or not method:
        raise click.UsageError(f"{folder}: its name should be a seed and a method, such as 42-ofa")
    return seed, method


def called(method: str) -> str:
    """Return what to call a method; `ofa-100` is OFA with 100 coordinates."""
    base, _, rest = method.rpartition("-")
    if rest.isdigit() and base in METHODS:
        return f"{METHODS[base][0]}, {rest} coordinates"
    return METHODS[method][0] if method in METHODS else method


def given(method: str) -> str:
    """Return what a method is given."""
    base, _, rest = method.rpartition("-")
    return METHODS.get(base if rest.isdigit() else method, (method, NOTHING))[1]


def ordered(methods: Any) -> list[str]:
    """Methods in the order of `METHODS`, those with fewer coordinates first; unknown ones last."""
    known = list(METHODS)

    def place(method: str) -> tuple[int, int, str]:
        base, _, rest = method.rpartition("-")
        if rest.isdigit() and base in METHODS:
            return known.index(base), int(rest), method
        return known.index(method) if method in known else len(known), 10**9, method

    return sorted(methods, key=place)


def folders(path: Path, inside: str, file: str) -> list[Path]:
    """Return the folders of methods of a run that hold a file.

    Args:
        path: The folder of the run.
        inside: Where in it the folders of the methods are.
        file: What each holds.

    Returns:
        The folders, by name.

    Raises:
        click.UsageError: There is none.
    """
    methods = sorted(each.parent for each in (path / inside).glob(f"*/{file}"))
    if not methods:
        raise click.UsageError(
            f"{path}: there is no {inside}/SEED-METHOD/{file}; make -f experiments/ofa-minilm.mk figs"
        )
    return methods
