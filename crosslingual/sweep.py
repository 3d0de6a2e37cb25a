"""`cli crosslingual sweep`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component

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
        from crosslingual.joined import joined, told
        from crosslingual.measuring import measure
        from crosslingual.sweep_tables import print_tables, tables
        from semeqv.runs.files import write_csv
        from semeqv.tasks.inference import check_trained

        check_trained(model)
        sets = {key: (each, dataset_options[key]) for key, each in dataset.items()}
        points, choices = measure(self, model, sets, seed=seed, regime=(device, precision, threads), world=world)
        print_tables(tables(joined(told([*points, *choices]))))
        record([*points, *choices])
        if self.csv is not None and world.first:
            write_csv(self.csv, points)
