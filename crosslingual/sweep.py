"""`cli crosslingual sweep`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from crosslingual.algebra import TaskVector
from crosslingual.body import Body, refuse_mismatch
from crosslingual.directions import NONE, OTHER, POINT, SOURCE, Direction, choices, directions, opened_vectors
from crosslingual.names import body_names
from crosslingual.safetensors_reader import Entry
from crosslingual.vocabulary import fingerprint
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, no_grad, torch
from semeqv.results.statistics import Tallied, compared
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_csv
from semeqv.runs.processes import World
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import check_trained, inference, name_of
from semeqv.text.models.source import config_folder

TENTHS = tuple(step / 10 for step in range(11))
KINDS = ("language", "analogy", "negation", "unrelated", "other")


@component("crosslingual sweep")
@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Measure a model of a task with vectors added to it, at many strengths, on data sets of several languages.

    The model is that of the sentence, `cli model token-classifier --from ...`, or one that answers in text, `cli model
    causal-lm --from ...`; its data sets are called by languages, `--split test --name de`, and validation sets of the
    same name are what strengths are chosen on. For each language
    its own vector is measured (language), that less the one of the source language (analogy), its opposite (negation),
    an unrelated one, and those of the other languages, which make the matrix of vectors and languages. What a vector
    gains is the score less that of the model without it, which is always measured; intervals of both are paired
    bootstrap ones over sentences.

    Three ways of choosing the strength stand side by side: fixed beforehand; chosen on the validation set of the source
    language (source-dev), which needs no labels of the target; and chosen on the target's own validation set (oracle),
    which no zero-shot transfer has. All that was measured goes to metrics.jsonl of the run's folder; `cli crosslingual
    report` joins several runs, `cli sweep-view` draws them. Processes that `torchrun` starts share the points.

    Args:
        vector: What to call a vector, and its folder, `--vector de vectors/de`; that of a language is called like its
            data sets. May be repeated. A model in place of a vector stands for itself less the one of --base.
        base: What models among the vectors were trained from.
        mixed: Let models and their base be stored in different precisions.
        source: The language that the model learnt its task in.
        unrelated: The vector that is a control for all languages but its own.
        kinds: Which to measure: language, analogy, negation, unrelated, other. All if left out.
        matrix: Whether vectors of other languages are measured at the fixed strength alone, or at all.
        lambdas: The strengths; 0 is always among them.
        fixed: The strength that is fixed beforehand; it is among those that are measured.
        second: A vector that is added to that of each language besides, at every strength of --mus: a grid.
        mus: The strengths of the second vector.
        metric: The score by which strengths are chosen; the first of the task if left out.
        replicates: Samples of the bootstrap.
        task: What to call the task; the command of its data set if left out.
        label: What to call the model; its folder if left out.
        csv: Write every point to this file, too.
    """

    vector: list[tuple[str, str]] = field(default_factory=list)
    base: str | None = None
    mixed: bool = False
    source: str = "en"
    unrelated: str | None = None
    kinds: tuple[str, ...] = KINDS
    matrix: Literal["fixed", "all"] = "fixed"
    lambdas: tuple[float, ...] = TENTHS
    fixed: float = 0.5
    second: str | None = None
    mus: tuple[float, ...] = ()
    metric: str | None = None
    replicates: int = 1000
    task: str | None = None
    label: str | None = None
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, replicates=0)
        names = [name for name, _ in self.vector]
        if len(set(names)) < len(names):
            raise ValueError("--vector calls two vectors by one name.")
        if strange := sorted(set(self.kinds) - set(KINDS)):
            raise ValueError(f"--kinds are {', '.join(KINDS)}, not {strange[0]!r}.")
        if missing := [name for name in (self.unrelated, self.second) if name is not None and name not in names]:
            raise ValueError(f"There is no --vector {missing[0]!r}; there is {', '.join(names) or 'none'}.")
        if bool(self.mus) != (self.second is not None):
            raise ValueError("--second and --mus go together: a vector, and its strengths.")

    @property
    def strengths(self) -> tuple[float, ...]:
        """All strengths of one vector, in their order."""
        return tuple(sorted({0.0, self.fixed, *self.lambdas}))

    def build(
        self,
        *,
        model: Any,
        dataset: Any,
        dataset_options: Any,
        seed: int,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        world: Any,
    ) -> None:
        """Measure, print the tables, and write them.

        Args:
            model: Of a task.
            dataset: By split and name.
            dataset_options: The same, not built.
            seed: Of the bootstrap; it also tells this run from others of the same sentence.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            world: The processes of the run, which share the points.
        """
        from crosslingual.results import joined, told
        from crosslingual.sweep_tables import print_tables, tables

        check_trained(model)
        sets = {key: (each, dataset_options[key]) for key, each in dataset.items()}
        points, choices = measure(self, model, sets, seed=seed, regime=(device, precision, threads), world=world)
        print_tables(tables(joined(told([*points, *choices]))))
        record([*points, *choices])
        if self.csv is not None and world.first:
            write_csv(self.csv, points)


@no_grad
def swept(
    base: Any, vectors: Sequence[TaskVector], lambdas: Sequence[float | Sequence[float]]
) -> Iterator[tuple[tuple[float, ...], Any]]:
    """Set a model to base + lambda_1 * vector_1 + ..., point after point.

    The body of the model and the vectors are kept apart once, and each point is computed from them, never from the
    point before: what one yields does not depend on which came earlier. Afterwards the model is what it was.

    Args:
        base: A `PreTrainedModel`; its head stays as it is. Its parameters are overwritten at every step.
        vectors: Of the same body.
        lambdas: Points: a number for each vector, or one number where there is one vector.

    Yields:
        The point, and the model, which is the same object every time.

    Raises:
        UserError: When a vector is of other tensors, shapes or tokens, or a point has another number of numbers.
    """
    points = [tuple(each) if isinstance(each, Sequence) else (each,) for each in lambdas]
    if wrong := [point for point in points if len(point) != len(vectors)]:
        raise UserError(f"There are {len(vectors)} vectors, and {len(wrong[0])} numbers for them.")
    parameters = dict(base.named_parameters(remove_duplicate=False))
    names = body_names(parameters, base.config.model_type)
    bodies = {name: parameters[stored].detach() for name, stored in names.items()}
    entries = {name: Entry("F32", tuple(each.shape)) for name, each in bodies.items()}
    body = Body(entries, vocabulary_of(base), base.config.model_type)
    taus = [dict[str, torch.Tensor]() for _ in vectors]
    for vector, tau in zip(vectors, taus):
        refuse_mismatch(body, vector.body, ("the model", vector.formula))
        for name, numbers in vector.tensors():
            tau[name] = torch.from_numpy(numbers).to(bodies[name].device)
    theta = {name: bodies[name].clone() for name in bodies if any(name in tau for tau in taus)}
    largest = max((each.numel() for each in theta.values()), default=0)
    device = next(iter(bodies.values())).device
    step, total = (torch.empty(largest, device=device) for _ in range(2))
    try:
        for point in points:
            for name, start in theta.items():
                moved, summed = (each[: start.numel()].view(start.shape) for each in (step, total))
                here = start.float()
                for factor, tau in zip(point, taus):
                    if name in tau:
                        torch.mul(tau[name], factor, out=moved)
                        here = torch.add(here, moved, out=summed)
                bodies[name].copy_(here)
            torch.clear_autocast_cache()  # it has low-precision copies of the point before
            yield point, base
    finally:
        for name, start in theta.items():
            bodies[name].copy_(start)
        torch.clear_autocast_cache()


def vocabulary_of(model: Any) -> str | None:
    """What `fingerprint` says of the tokens of the folder that a model was opened from; None when it has none."""
    source = getattr(model, "source", None) or getattr(model, "name_or_path", None)
    return fingerprint(config_folder(source)) if source and Path(source).expanduser().exists() else None


Set = tuple[str, str]  # the part, validation or test, and the language
Place = tuple[Direction, tuple[float, ...]]  # a direction, and a point on it
Line = dict[str, Any]
PARTS = ("validation", "test")


class Sets:
    """The data sets that a model is measured on; any whose scorer is `Tallied` can be.

    Args:
        sets: By split and name: the data set, and its options.
        metric: The score by which strengths are chosen; the first if None.

    Attributes:
        data: By part and language.
        scorers: By part and language, one that knows the scores of the set.
        metric: The name of the score.

    Raises:
        UserError: When a set has no name, or is not counted sentence by sentence, or there is no test set.
    """

    def __init__(self, sets: Mapping[tuple[str, str | None], tuple[Any, Any]], metric: str | None):
        self.data, self.scorers = dict[Set, Any](), dict[Set, Any]()
        for (part, name), (data, options) in sets.items():
            if part not in PARTS:
                continue
            if name is None:
                raise UserError("A sweep knows data sets by their languages: say --name de, after --split.")
            scorer = data.scorer() if hasattr(data, "scorer") else None
            if not isinstance(scorer, Tallied):
                said = getattr(type(options), "__command__", "this data set")
                raise UserError(f"`cli {said}` is not counted sentence by sentence, so it has no paired intervals.")
            self.data[part, name], self.scorers[part, name] = data, scorer
        if not self.languages:
            raise UserError("A sweep needs test sets, called by languages: cli dataset ... --split test --name de.")
        self.metric = metric or ""

    @property
    def languages(self) -> list[str]:
        """Those that have a test set."""
        return [language for part, language in self.data if part == "test"]

    def needed(self, options: Sweep, direction: Direction, point: tuple[float, ...]) -> list[Set]:
        """The sets that a point is measured on: those of its languages, and what strengths are chosen on."""
        every = options.matrix == "all" or point == (options.fixed,)
        languages = [language for language, kind in direction.kinds.items() if kind != OTHER or every]
        judge = ("validation", options.source)
        return [
            key
            for key in self.data
            if key[1] in languages or (key == judge and set(direction.kinds.values()) != {OTHER})
        ]

    def tally(self, key: Set, model: Any, running: Any) -> NDArray[Any]:
        """What is counted in each sentence of a set in one pass, `(sentences, ...)`."""
        scorer = self.data[key].scorer()
        for batch in self.data[key].batches():
            placed = running.place(batch)
            scorer.take(model(**placed), placed, model=model)
        found: NDArray[Any] = scorer.tally()
        return found

    def scores(self, key: Set, tally: NDArray[Any], none: NDArray[Any], replicates: int, seed: int) -> dict[str, float]:
        """The scores of a set, what they gain over those without a vector, and the intervals of a test set."""
        found = compared(tally, none, self.scorers[key].measures, replicates if key[0] == "test" else 0, seed)
        self.metric = self.metric or next(iter(found))
        if self.metric not in found:
            there = ", ".join(name for name in found if not name.endswith(("_low", "_high", "_gain")))
            raise UserError(f"There is no --metric {self.metric!r} of these sets; there is {there}.")
        return found


def measure(
    options: Sweep,
    model: Any,
    sets: Mapping[tuple[str, str | None], tuple[Any, Any]],
    *,
    seed: int,
    regime: tuple[str, str, int | None],
    world: World,
) -> tuple[list[Line], list[Line]]:
    """Measure a model with vectors at all strengths.

    Args:
        options: What the command was told.
        model: Of the task; it is as before afterwards.
        sets: By split and name: the data set, and its options.
        seed: Of the run, and of the bootstrap.
        regime: Device, precision, threads.
        world: The processes that share the points, each with the model on a device of its own.

    Returns:
        A line for each point (kind, vector, strengths, part, language), the model without vectors first; and one for
        each choice of the strength.
    """
    studied = Sets(sets, options.metric)
    vectors = opened_vectors(options)
    ways = directions(options, vectors, studied.languages)
    if options.source not in {*vectors, *(language for _, language in studied.data)}:
        click.echo(
            f"No vector and no data set is called {options.source!r}: there are no analogies, and no strength is "
            "chosen on the source language. Say --source if it is called otherwise.",
            err=True,
        )
    head = {
        "task": options.task or task_of(sets),
        "model": options.label or name_of(model),
        "seed": seed,
        "source": options.source,
    }
    places = [(way, point) for way in ways for point in way.points]
    passes = [*studied.data, *(key for way, point in places for key in studied.needed(options, way, point))]
    bar = Progress(total=len(passes) // world.size, desc="sweep", unit="set", disable=None, mininterval=0.5)
    with bar, inference(model, *regime) as running:

        def without(keys: Sequence[Set]) -> list[NDArray[Any]]:
            found = []
            for key in keys:
                found.append(studied.tally(key, model, running))
                bar.update()
            return found

        def scored(key: Set, tally: NDArray[Any], what: tuple[str, str, tuple[float, ...]]) -> Line:
            return line(head, key, what, tally, studied.scores(key, tally, none[key], options.replicates, seed))

        def moved(some: Sequence[Place]) -> list[list[Line]]:
            found = []
            for tallied, (way, point) in zip(tallies(options, studied, some, model, running), some):
                found.append(list[Line]())
                for key, tally in tallied:
                    kind = way.kinds.get(key[1], SOURCE)  # the set on which strengths are chosen
                    found[-1].append(scored(key, tally, (kind, way.name, point)))
                    bar.update()
            return found

        none = dict(zip(studied.data, world.distribute(list(studied.data), without)))
        lines = [scored(key, tally, (NONE, "", (0.0,))) for key, tally in none.items()]
        lines += itertools.chain(*world.distribute(places, moved))
    for each in lines:
        each["metric"] = studied.metric
    return lines, choices(lines, options.source, options.fixed, options.matrix == "all")


def tallies(
    options: Sweep, studied: Sets, places: Sequence[Place], model: Any, running: Any
) -> Iterator[Iterator[tuple[Set, NDArray[Any]]]]:
    """Measure a model at points of directions.

    Args:
        options: What the command was told.
        studied: The sets.
        places: The points; those of a direction stand side by side.
        model: Of the task.
        running: Puts batches where the model is.

    Yields:
        For each point: the sets that it is measured on, each with what is counted in its sentences.
    """
    for _, some in itertools.groupby(places, key=lambda place: place[0].name):
        ways, points = zip(*some)
        for point, moved in swept(model, ways[0].vectors, points):
            yield ((key, studied.tally(key, moved, running)) for key in studied.needed(options, ways[0], point))


def line(
    head: Mapping[str, Any],
    key: Set,
    what: tuple[str, str, tuple[float, ...]],
    tally: NDArray[Any],
    found: Mapping[str, float],
) -> Line:
    """The line of a point.

    Args:
        head: What all lines of the run have.
        key: The part and the language.
        what: The kind and name of the direction, and the strengths.
        tally: What was counted.
        found: Scores, gains and intervals.

    Returns:
        The line.
    """
    kind, vector, (strength, *others) = what
    said = {"measure": POINT, **head, "part": key[0], "language": key[1], "kind": kind, "vector": vector}
    return {**said, "lambda": strength, "mu": others[0] if others else None, "sentences": len(tally), **found}


def task_of(sets: Mapping[tuple[str, str | None], tuple[Any, Any]]) -> str:
    """The word of the data set, such as `conllu`."""
    kind = next(type(options) for (part, _), (_, options) in sets.items() if part == "test")
    return str(getattr(kind, "__command__", kind.__name__)).split()[-1]
