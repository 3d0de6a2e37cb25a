"""A model of a task at many strengths of vectors: `with_vectors`, and the action `sweep`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from crosslingual.algebra import Checkpoint, TaskVector, open_vectors
from crosslingual.body import Body, refuse_mismatch
from crosslingual.directions import NONE, OTHER, POINT, SOURCE, Direction, choices, directions
from crosslingual.names import body_names
from crosslingual.results import joined, lines_of
from crosslingual.safetensors_reader import Entry
from crosslingual.sweep_tables import print_tables, tables
from crosslingual.vocabulary import fingerprint
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import NDArray, no_grad, torch
from semeqv.results.statistics import Tallied, compared
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice
from semeqv.runs.processes import World
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import check_trained, inference, name_of
from semeqv.text.models.source import config_folder
from semeqv.train.compute import Compute

if TYPE_CHECKING:  # from Python, what is open already will do
    Model = str | Path | Checkpoint
    Vector = str | Path | TaskVector
else:
    Model = Vector = str

TENTHS = tuple(step / 10 for step in range(11))
KINDS = ("language", "analogy", "negation", "unrelated", "other")
PARTS = ("validation", "test")
Set = tuple[str, str]  # the part, validation or test, and the language
Line = dict[str, Any]


@no_grad
def with_vectors(
    model: Any, vectors: Sequence[TaskVector], strengths: Sequence[float | Sequence[float]]
) -> Iterator[tuple[tuple[float, ...], Any]]:
    """Set a model to model + lambda_1 * vector_1 + ..., point after point.

    The body of the model and the vectors are kept apart once, and each point is computed from them, never from the
    point before: what one yields does not depend on which came earlier. Afterwards the model is what it was.

    Args:
        model: A `PreTrainedModel`; its head stays as it is. Its parameters are overwritten at every step.
        vectors: Of the same body.
        strengths: Points: a number for each vector, or one number where there is one vector.

    Yields:
        The point, and the model, which is the same object every time.

    Raises:
        UserError: When a vector is of other tensors, shapes or tokens, or a point has another number of numbers.
    """
    points = [tuple(point) if isinstance(point, Sequence) else (point,) for point in strengths]
    if wrong := [point for point in points if len(point) != len(vectors)]:
        raise UserError(f"There are {len(vectors)} vectors, and {len(wrong[0])} numbers for them.")
    parameters = dict(model.named_parameters(remove_duplicate=False))
    names = body_names(parameters, model.config.model_type)
    bodies = {name: parameters[stored].detach() for name, stored in names.items()}
    entries = {name: Entry("F32", tuple(tensor.shape)) for name, tensor in bodies.items()}
    body = Body(entries, vocabulary_of(model), model.config.model_type)
    taus = [dict[str, torch.Tensor]() for _ in vectors]
    for vector, tau in zip(vectors, taus):
        refuse_mismatch(body, vector.body, ("the model", vector.formula))
        for name, numbers in vector.tensors():
            tau[name] = torch.from_numpy(numbers).to(bodies[name].device)
    theta = {name: bodies[name].clone() for name in bodies if any(name in tau for tau in taus)}
    largest = max((tensor.numel() for tensor in theta.values()), default=0)
    device = next(iter(bodies.values())).device
    step, total = (torch.empty(largest, device=device) for _ in range(2))
    try:
        for point in points:
            for name, start in theta.items():
                moved, summed = (buffer[: start.numel()].view(start.shape) for buffer in (step, total))
                here = start.float()
                for factor, tau in zip(point, taus):
                    if name in tau:
                        torch.mul(tau[name], factor, out=moved)
                        here = torch.add(here, moved, out=summed)
                bodies[name].copy_(here)
            torch.clear_autocast_cache()  # it has low-precision copies of the point before
            yield point, model
    finally:
        for name, start in theta.items():
            bodies[name].copy_(start)
        torch.clear_autocast_cache()


def vocabulary_of(model: Any) -> str | None:
    """Return the `fingerprint` of the tokens of the folder that a model was opened from; None when it has none."""
    source = getattr(model, "source", None) or getattr(model, "name_or_path", None)
    return fingerprint(config_folder(source)) if source and Path(source).expanduser().exists() else None


class Sets:
    """The data sets that a model is measured on; any whose scorer is `Tallied` can be.

    Args:
        data: By split and name: the data set.
        options: By split and name: what the data set was built of, for messages.
        metric: The score by which strengths are chosen; the first if None.

    Attributes:
        data: By part and language.
        scorers: By part and language, one that knows the scores of the set.
        metric: The name of the score.

    Raises:
        UserError: When a set has no name, or is not counted sentence by sentence, or there is no test set.
    """

    def __init__(self, data: Mapping[tuple[str, str | None], Any], options: Mapping[Any, Any], metric: str | None):
        self.data, self.scorers = dict[Set, Any](), dict[Set, Any]()
        for (part, name), dataset in data.items():
            if part not in PARTS:
                continue
            if name is None:
                raise UserError("A sweep knows data sets by their languages: say --name de, after --split.")
            scorer = dataset.scorer() if hasattr(dataset, "scorer") else None
            if not isinstance(scorer, Tallied):
                command = getattr(type(options.get((part, name))), "__command__", "this data set")
                raise UserError(f"`cli {command}` is not counted sentence by sentence, so it has no paired intervals.")
            self.data[part, name], self.scorers[part, name] = dataset, scorer
        if not self.languages:
            raise UserError("A sweep needs test sets, called by languages: cli dataset ... --split test --name de.")
        self.metric = metric or ""

    @property
    def languages(self) -> list[str]:
        """Return those that have a test set."""
        return [language for part, language in self.data if part == "test"]

    def tally(self, key: Set, model: Any, regime: Any) -> NDArray[Any]:
        """Return what is counted in each sentence of a set in one pass, `(sentences, ...)`."""
        scorer = self.data[key].scorer()
        for batch in self.data[key].batches():
            placed = regime.place(batch)
            scorer.take(model(**placed), placed, model=model)
        counts: NDArray[Any] = scorer.tally()
        return counts

    def scores(self, key: Set, tally: NDArray[Any], none: NDArray[Any], replicates: int, seed: int) -> dict[str, float]:
        """Return the scores of a set, their gain over those without a vector, and the intervals of a test set."""
        scores = compared(tally, none, self.scorers[key].measures, replicates if key[0] == "test" else 0, seed)
        self.metric = self.metric or next(iter(scores))
        if self.metric not in scores:
            there = ", ".join(name for name in scores if not name.endswith(("_low", "_high", "_gain")))
            raise UserError(f"There is no --metric {self.metric!r} of these sets; there is {there}.")
        return scores


@dataclass(frozen=True)
class Place:
    """A point of a direction, and what it is measured on.

    Args:
        direction: The direction.
        point: A strength for each of its vectors.
        keys: The sets: those of its languages, and the one that strengths are chosen on.
    """

    direction: Direction
    point: tuple[float, ...]
    keys: tuple[Set, ...]


def places_of(ways: Sequence[Direction], sets: Sequence[Set], source: str, fixed: float, every: bool) -> list[Place]:
    """Return all points of directions, those of a direction side by side.

    Args:
        ways: The directions.
        sets: The parts and languages that there are.
        source: The language whose validation set strengths are chosen on.
        fixed: The strength at which vectors of other languages are measured.
        every: Whether these are measured at all strengths.

    Returns:
        The points.
    """
    places = []
    for way in ways:
        judged = set(way.kinds.values()) != {OTHER}
        for point in way.points:
            whole = every or point == (fixed,)
            languages = [language for language, kind in way.kinds.items() if kind != OTHER or whole]
            keys = [key for key in sets if key[1] in languages or (judged and key == ("validation", source))]
            places.append(Place(way, point, tuple(keys)))
    return places


def measure(
    model: Any,
    studied: Sets,
    places: Sequence[Place],
    *,
    head: Mapping[str, Any],
    replicates: int,
    seed: int,
    compute: Compute,
    world: World,
) -> list[Line]:
    """Measure a model with vectors at all strengths.

    Args:
        model: Of the task; it is as before afterwards.
        studied: The data sets.
        places: The points.
        head: What all lines of the run have.
        replicates: Samples of the bootstrap.
        seed: Of the bootstrap.
        compute: Where and how.
        world: The processes that share the points, each with the model on a device of its own.

    Returns:
        A line for each point (kind, vector, strengths, part, language), the model without vectors first.
    """
    passes = [*studied.data, *(key for place in places for key in place.keys)]
    bar = Progress(total=len(passes) // world.size, desc="sweep", unit="set", disable=None, mininterval=0.5)
    with bar, inference(model, compute) as regime:

        def without(keys: Sequence[Set]) -> list[NDArray[Any]]:
            tallies = []
            for key in keys:
                tallies.append(studied.tally(key, model, regime))
                bar.update()
            return tallies

        def scored(key: Set, tally: NDArray[Any], what: tuple[str, str, tuple[float, ...]]) -> Line:
            return line(head, key, what, tally, studied.scores(key, tally, none[key], replicates, seed))

        def moved(some: Sequence[Place]) -> list[list[Line]]:
            lines = []
            for place, tallies in zip(some, tallies_at(some, studied, model, regime)):
                lines.append(list[Line]())
                for key, tally in tallies:
                    kind = place.direction.kinds.get(key[1], SOURCE)  # the set on which strengths are chosen
                    lines[-1].append(scored(key, tally, (kind, place.direction.name, place.point)))
                    bar.update()
            return lines

        none = dict(zip(studied.data, world.distribute(list(studied.data), without)))
        lines = [scored(key, tally, (NONE, "", (0.0,))) for key, tally in none.items()]
        lines += itertools.chain(*world.distribute(places, moved))
    return [{**each, "metric": studied.metric} for each in lines]


def tallies_at(
    places: Sequence[Place], studied: Sets, model: Any, regime: Any
) -> Iterator[Iterator[tuple[Set, NDArray[Any]]]]:
    """Measure a model at points of directions.

    Args:
        places: The points; those of a direction stand side by side.
        studied: The sets.
        model: Of the task.
        regime: Puts batches where the model is.

    Yields:
        For each point: the sets that it is measured on, each with what is counted in its sentences.
    """
    for _, group in itertools.groupby(places, key=lambda place: place.direction.name):
        here = list(group)
        for place, (_, moved) in zip(here, with_vectors(model, here[0].direction.vectors, [p.point for p in here])):
            yield ((key, studied.tally(key, moved, regime)) for key in place.keys)


def line(
    head: Mapping[str, Any],
    key: Set,
    what: tuple[str, str, tuple[float, ...]],
    tally: NDArray[Any],
    scores: Mapping[str, float],
) -> Line:
    """Return the line of a point.

    Args:
        head: What all lines of the run have.
        key: The part and the language.
        what: The kind and name of the direction, and the strengths.
        tally: What was counted.
        scores: Scores, gains and intervals.

    Returns:
        The line.
    """
    kind, vector, (strength, *others) = what
    place = {"measure": POINT, **head, "part": key[0], "language": key[1], "kind": kind, "vector": vector}
    return {**place, "lambda": strength, "mu": others[0] if others else None, "sentences": len(tally), **scores}


def task_of(data: Mapping[tuple[str, str | None], Any], options: Mapping[Any, Any]) -> str:
    """Return the word of the data set that is tested, such as `conllu`."""
    key = next(key for key in data if key[0] == "test")
    kind = type(options.get(key, data[key]))
    return str(getattr(kind, "__command__", kind.__name__)).split()[-1]


@dataclass(frozen=True)
class Sweep(Result):
    """What was measured at each strength, and what each way of choosing the strength leads to.

    Args:
        points: An object for each point and data set: `kind`, `vector`, `lambda`, `part`, `language`, scores and gains.
        choices: The points that were chosen, with `choice`, `chosen_on` and `chosen_score`.
    """

    points: list[Line]
    choices: list[Line]

    def show(self) -> None:
        """Print the tables of gains."""
        print_tables(tables(joined(lines_of(self.records()))))

    def records(self) -> list[Line]:
        """Return the points, then the choices."""
        return [*self.points, *self.choices]

    def rows(self) -> list[Line]:
        """Return the points."""
        return self.points


def refuse_vectors(options: Any) -> None:
    """Refuse options of `sweep` that do not fit each other; raises `ValueError`."""
    names = [name for name, _ in options.vector]
    if len(set(names)) < len(names):
        raise ValueError("--vector calls two vectors by one name.")
    if strange := sorted(set(options.kinds) - set(KINDS)):
        raise ValueError(f"--kinds are {', '.join(KINDS)}, not {strange[0]!r}.")
    if missing := [name for name in (options.unrelated, options.second) if name is not None and name not in names]:
        raise ValueError(f"There is no --vector {missing[0]!r}; there is {', '.join(names) or 'none'}.")
    if bool(options.mus) != (options.second is not None):
        raise ValueError("--second and --mus go together: a vector, and its strengths.")


@action("crosslingual sweep", check=refuse_vectors)
def sweep(  # noqa: PLR0917 (parts of the run)
    model: Any,
    dataset: Mapping[tuple[str, str | None], Any],
    dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    world: World | None = None,
    *,
    vector: Sequence[tuple[str, Vector]] = (),
    base: Model | None = None,
    mixed: bool = False,
    source: str = "en",
    unrelated: str | None = None,
    kinds: tuple[str, ...] = KINDS,
    matrix: Literal["fixed", "all"] = "fixed",
    lambdas: tuple[float, ...] = TENTHS,
    fixed: float = 0.5,
    second: str | None = None,
    mus: tuple[float, ...] = (),
    metric: str | None = None,
    replicates: Annotated[int, AtLeast(0)] = 1000,
    task: str | None = None,
    label: str | None = None,
) -> Sweep:
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
        model: Of the task; it is as before afterwards.
        dataset: Data sets by split and name.
        dataset_options: What they were built of, which names the task.
        seed: Of the bootstrap; it also tells this run from others of the same sentence.
        compute: Where and how to compute.
        world: The processes that share the points; this one alone if None.
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

    Returns:
        The points, and the choices of the strength.
    """
    check_trained(model)
    options, world = dataset_options or {}, world or World()
    studied = Sets(dataset, options, metric)
    vectors, strengths = open_vectors(vector, base, mixed), tuple(sorted({0.0, fixed, *lambdas}))
    ways = directions(
        vectors,
        studied.languages,
        kinds=kinds,
        source=source,
        unrelated=unrelated,
        strengths=strengths,
        second=second,
        mus=mus,
    )
    if source not in {*vectors, *(language for _, language in studied.data)}:
        notice(
            f"No vector and no data set is called {source!r}: there are no analogies, and no strength is "
            "chosen on the source language. Say --source if it is called otherwise."
        )
    every = matrix == "all"
    points = measure(
        model,
        studied,
        places_of(ways, list(studied.data), source, fixed, every),
        head={
            "task": task or task_of(dataset, options),
            "model": label or name_of(model),
            "seed": seed,
            "source": source,
        },
        replicates=replicates,
        seed=seed,
        compute=compute,
        world=world,
    )
    return Sweep(points, choices(points, source, fixed, every))
