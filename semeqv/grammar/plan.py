"""Which runs a sentence asks for, where each is, and which of them can train together."""

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from semeqv.grammar.chain import Chain
from semeqv.grammar.sentence import Sentence
from semeqv.runs.checkpoint import resumable
from semeqv.runs.errors import UserError

RUNS = Path("runs")  # where runs are that name no folder


@dataclass(frozen=True)
class PlannedRun:
    """One run among those that a sentence asks for: a seed and a variant of the model."""

    name: str
    sentence: Sentence


def plan(sentence: Sentence, chain: Chain) -> Iterator[PlannedRun]:
    """Every run of a sentence, each with the sentence that would run it alone."""
    seeds = sentence.settings.every_seed
    slot = chain.slots.get("model")
    models = sentence.filling(slot) if slot else []
    model = models[0] if models else None
    variants = model.options.variants() if model and hasattr(model.options, "variants") else [model and model.options]
    several = len(seeds) * len(variants) > 1
    for seed, variant in itertools.product(seeds, variants):
        name = f"{seed}-{getattr(variant, 'name', model.leaf.name if model else 'run')}"
        output = sentence.settings.output / name if several else sentence.settings.output
        settings = dataclasses.replace(sentence.settings, seed=seed, seeds=(), output=output)
        single = sentence.replace(model, variant) if model else sentence
        yield PlannedRun(name, dataclasses.replace(single, settings=settings))


def resolve_output(sentence: Sentence) -> Sentence:
    """Say the folder of the run in one place: the settings.

    Args:
        sentence: What was said, the folder by --output, by the saver's --dirpath, or not at all.

    Returns:
        The same sentence, its folder in `settings.output` alone; a free one under `runs/` when none was named.

    Raises:
        UserError: When --output and --dirpath name two folders, or --resume is said and neither names one.
    """
    settings = sentence.settings
    for step in sentence.parts:
        dirpath = getattr(step.options, "dirpath", None)
        if dirpath is None:
            continue
        if settings.output and settings.output != dirpath:
            raise UserError(f"--output {settings.output} and the saver's --dirpath {dirpath} differ; leave one out.")
        settings = dataclasses.replace(settings, output=dirpath)
        sentence = sentence.replace(step, dataclasses.replace(step.options, dirpath=None))
    if settings.output is None:
        if any(getattr(step.options, "resume", False) for step in sentence.parts):
            raise UserError("--resume needs to know the run: name its folder by --output or the saver's --dirpath.")
        settings = dataclasses.replace(settings, output=free_folder(RUNS, readable_name(sentence)))
    return dataclasses.replace(sentence, settings=settings)


def readable_name(sentence: Sentence) -> str:
    """A name for a run: its model and what it reads, else what it does."""
    paths = [step.leaf.kind.__command__.split() for step in sentence.parts if step.leaf.slot]
    words = [
        [word for word in path if word not in ("model", "dataset", "default")]
        for path in sorted(paths)
        if "model" in path or "dataset" in path
    ]
    doing = "-".join(step.leaf.kind.__command__.replace(" ", "-") for step in sentence.actions[:1])
    return "-".join(dict.fromkeys(itertools.chain.from_iterable(words))) or doing or "run"


def free_folder(parent: Path, name: str) -> Path:
    """Make a folder that did not exist yet: `name`, `name-2`, `name-3`. What starts at the same time gets another."""
    number = 1
    while True:
        path = parent / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1


def in_step(sentence: Sentence, singles: list[PlannedRun]) -> list[list[PlannedRun]]:
    """The runs that can train together: all of them, but for those to resume that have no step in common."""
    resumed = any(getattr(step.options, "resume", False) for step in sentence.parts) and not sentence.settings.overwrite
    groups: list[tuple[set[int], list[PlannedRun]]] = []
    for single in singles:
        own = set(resumable(single.sentence.settings.output / "checkpoints")) if resumed else set()
        for i, (steps, group) in enumerate(groups):
            if steps & own or not steps | own:
                groups[i] = steps & own, [*group, single]
                break
        else:
            groups.append((own, [single]))
    return [group for _, group in groups]
