"""What defines the result of a run, and what has changed in it since a checkpoint."""

import itertools
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.train.replicas import VmappedReplicas
from semeqv.train.state import TrainState

JUDGING = "validation data"
LONGEST = 120  # characters of a difference that are shown


def definition(trainer: TrainState, replica: int) -> dict[str, Any]:
    """What defines the result of a run, as JSON; epochs, bars, callbacks and savers do not.

    Validation data is part of it when they choose the best weights.
    """
    model, data = trainer.models[replica], trainer.trainsplit
    found: dict[str, Any] = {
        "seed": trainer.seeds[replica],
        "precision": trainer.precision,
        "accumulation": trainer.accumulation,
        "clip": trainer.clip,
        "world size": trainer.world.size,
        "strategy": trainer.strategy if trainer.world.size > 1 else None,
        "steps in an epoch": trainer.epoch_steps,
        "model": {name: list(parameter.shape) for name, parameter in model.named_parameters()},
        "data": json.loads(json.dumps(data.facts())) if hasattr(data, "facts") else None,
        "mode": "program" if isinstance(trainer.made, VmappedReplicas) else "eager",
    }
    sentence = trainer.runs[replica].sentence
    if sentence:
        for words in map(shlex.split, sentence["parts"]):
            command, options = words[: first_option(words)], words[first_option(words) :]
            measured = {("--split", "validation"), ("--split", "test")} & set(itertools.pairwise(options))
            if not {"callbacks", "savers"} & set(command) and not measured:
                found["cli " + " ".join(command)] = options
    if getattr(trainer.saver, "savebest", False):
        sets = {name or "": each for name, each in trainer.validsplits.items() if hasattr(each, "facts")}
        found[JUDGING] = json.loads(json.dumps({name: each.facts() for name, each in sets.items()}))
    for callback in trainer.callbacks:
        found |= callback.definition()
    return found


def first_option(words: list[str]) -> int:
    """Where the options of a segment begin."""
    return next((i for i, word in enumerate(words) if word.startswith("--")), len(words))


def refuse_changes(
    path: Path, saved: Mapping[str, Any], now: Mapping[str, Any], usual: Mapping[str, list[str]] | None = None
) -> None:
    """Refuse to resume a run that is no longer the same.

    Args:
        path: The checkpoint folder.
        saved: What defined the run when it was written.
        now: What defines it now.
        usual: By command, its options that have their usual values now: such an option is no difference where the run
            was begun by a program that did not have it yet.

    Raises:
        UserError: When they differ; it names each difference.
    """
    changes: list[str] = []
    for name in dict.fromkeys([*saved, *now]):
        old, new = saved.get(name), now.get(name)
        if old == new or (name == JUDGING and None in (old, new)):  # nothing was chosen before, or nothing is any more
            continue
        if isinstance(old, list) and isinstance(new, list):
            old, new = options_that_differ(old, new, (usual or {}).get(name, ()))
            if old == new:
                continue
        elif isinstance(old, dict) and isinstance(new, dict):
            old, new = facts_that_differ(old, new)
        changes.append(f"{name} was {shorten(old)}, is {shorten(new)}")
    if changes:
        raise UserError(
            f"{path.parent.parent} cannot be resumed, for the run has changed: {'; '.join(changes)}. "
            "Say it as it was, or start anew with --overwrite or another --output."
        )


def facts_that_differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The facts of two mappings that are not the same, without those inside them that are."""
    olds: dict[str, Any] = {}
    news: dict[str, Any] = {}
    for key in dict.fromkeys([*old, *new]):
        a, b = old.get(key), new.get(key)
        if isinstance(a, dict) and isinstance(b, dict) and a != b:
            olds[key], news[key] = facts_that_differ(a, b)
        elif a != b:
            olds[key], news[key] = a, b
    return olds, news


def shorten(value: Any) -> str:
    """A value in one line that can be read."""
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def options_that_differ(old: list[str], new: list[str], usual: Sequence[str] = ()) -> list[str]:
    """The options of two segments that are not the same, but for new ones that have their usual values."""

    def options(words: list[str]) -> dict[str, str]:
        cuts = [i for i, word in enumerate(words) if word.startswith("--")] + [len(words)]
        found: dict[str, str] = {}
        for a, b in itertools.pairwise(cuts):
            name, _, joined = words[a].partition("=")
            said = " ".join([joined] * bool(joined) + words[a + 1 : b])
            found[name] = f"{found[name]}, {said}" if name in found else said
        return found

    a, b = options(old), options(new)
    b = {name: said for name, said in b.items() if name in a or name not in usual}
    differ = [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]
    return [" ".join(f"{name} {each.get(name, '(not given)')}" for name in differ) for each in (a, b)]
