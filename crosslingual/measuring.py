"""What `cli crosslingual sweep` measures."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click
from numpy.typing import NDArray

from crosslingual.choosing import POINT, SOURCE, choices
from crosslingual.directions import NONE, OTHER, Direction, directions, opened_vectors
from crosslingual.sweeping import swept
from semeqv.results.bootstrap import Tallied, compared
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.tasks.inference import inference, name_of
from semeqv.train.bars import Progress

if TYPE_CHECKING:
    from crosslingual.sweep import Sweep

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

    def needed(self, options: "Sweep", direction: Direction, point: tuple[float, ...]) -> list[Set]:
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
    options: "Sweep",
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
    options: "Sweep", studied: Sets, places: Sequence[Place], model: Any, running: Any
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
