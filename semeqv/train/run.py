"""Run a sentence: its runs together or one after the other, in all processes or in one.

Several seeds, or variants of the model, train as replicas of one program where the model allows it.
"""

import contextlib
import dataclasses
import inspect
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.build import RunBuilder
from semeqv.grammar.chain import Chain
from semeqv.grammar.plan import RUNS, PlannedRun, in_step, plan, resolve_output
from semeqv.grammar.sentence import Segment, Sentence
from semeqv.grammar.settings import Settings
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.runs.processes import World
from semeqv.runs.versions import check_versions, versions
from semeqv.train.compute import Compute, torch_device
from semeqv.train.randomness import seed_everything
from semeqv.train.replicas import program_fits, replicable
from semeqv.train.saver import DefaultSaver
from semeqv.train.trainer import Trainer


@dataclasses.dataclass
class Outcome:
    """What came of a sentence.

    Args:
        output: The folder of the run, or of all runs; None where nothing was to be written.
        trainers: The Trainers, one for each group of runs that were trained together.
        results: What the actions gave back, in their order; of runs one after the other, those of one after another.
    """

    output: Path | None = None
    trainers: list[Any] = dataclasses.field(default_factory=list)
    results: list[Any] = dataclasses.field(default_factory=list)

    @property
    def trainer(self) -> Any:
        """The last Trainer; None when nothing was trained."""
        return self.trainers[-1] if self.trainers else None

    def add(self, build: "TrainingBuilder", actions: Sequence[Segment]) -> None:
        """Do actions, and take in what comes of them."""
        self.results += act(build, actions)
        if "trainer" in build.made:
            self.trainers.append(build.made["trainer"])


def run(sentence: Sentence, chain: Chain) -> Outcome:
    """Do what a sentence says.

    Several seeds, or variants of the model, become replicas of one program where the model allows it, and runs one
    after the other where it does not; what they write is the same.
    """
    check_versions()
    world = World.here()
    world.compare(sentence.settings.processes)
    needs = {need.name for step in sentence.actions for need in step.leaf.needs}
    if not needs & {"trainer", "model", "world"}:
        if "record" in needs:  # what is measured needs a folder, too
            sentence = resolve_output(sentence)
        outcome = Outcome(sentence.settings.output)
        outcome.add(TrainingBuilder(chain, sentence), sentence.actions)
        return outcome
    if world.size > 1:
        refuse_shards(sentence)
    with world.peer_failure_as_user_error():
        if world.size > 1:
            meet(world, sentence.settings)
        return train_or_measure(sentence, chain, world)


def train_or_measure(sentence: Sentence, chain: Chain, world: World) -> Outcome:
    """Do what a sentence says that needs a model."""
    named = sentence.settings.output or any(getattr(step.options, "dirpath", None) for step in sentence.parts)
    output = world.on_main(lambda: resolve_output(sentence).settings.output)
    settings = dataclasses.replace(sentence.settings, output=output)
    sentence = resolve_output(dataclasses.replace(sentence, settings=settings))
    try:
        singles = list(plan(sentence, chain))
        build = TrainingBuilder(chain, sentence, singles)
        together = len(singles) == 1 or build.replicable()
        groups = in_step(sentence, singles) if together else [[single] for single in singles]
        outcome = Outcome(sentence.settings.output)
        if len(groups) == 1:
            outcome.add(build, sentence.actions)
        else:
            one_by_one(sentence, groups, chain, outcome)
        if len(singles) > 1 and world.is_main and any(needs_trainer(step) for step in sentence.actions):
            record(sentence, singles)
        world.leave()
        return outcome
    finally:
        if world.is_main and not named:
            for folder in (output, RUNS):
                with contextlib.suppress(OSError):
                    folder.rmdir()  # unless something was written there


def needs_trainer(step: Segment) -> bool:
    """Return whether an action is the Trainer's, which all processes do."""
    return "trainer" in {need.name for need in step.leaf.needs}


def act(build: "TrainingBuilder", actions: Sequence[Segment]) -> list[Any]:
    """Do actions in turn; of several processes, only the first does what asks for neither the Trainer nor the world.

    Where all processes do one of the actions, all build what the others need, too: parts are made once, and the
    processes tell each other of it, so that none may be missing. Otherwise the first one does everything alone.

    Args:
        build: Builds what they need.
        actions: The actions.

    Returns:
        What each gave back; None in a process that did not do it.
    """
    results: list[Any] = [None] * len(actions)
    needs = [{need.name for need in action.leaf.needs} for action in actions]
    together = any({"trainer", "world"} & each for each in needs)
    for i, (action, each) in enumerate(zip(actions, needs)):
        if {"trainer", "world"} & each:
            results[i] = build(action)
        elif together or World.here().is_main:
            with contextlib.nullcontext() if together else World.alone():
                parts = build.parts(action)
            if World.here().is_main:
                with World.alone():
                    results[i] = action.options.build(**parts)
    return results


def refuse_shards(sentence: Sentence) -> None:
    """Refuse actions that look at a whole model, of which training leaves each process a shard.

    Args:
        sentence: What several processes are to do.

    Raises:
        UserError: When there is such an action.
    """
    needs = [{need.name for need in step.leaf.needs} for step in sentence.actions]
    if sentence.settings.strategy != "fsdp" or not any("trainer" in each for each in needs):
        return
    for step, each in zip(sentence.actions, needs):
        if "model" in each and "trainer" not in each:
            raise UserError(
                f"`cli {step.leaf.kind.__command__}` looks at the whole model, of which --strategy fsdp gives each "
                "process a part. Say it afterwards, in a sentence of its own: semeqv cli model load --from RUN ..."
            )


def meet(world: World, settings: Settings) -> None:
    """Meet the other processes before anything is built, so that one can make what the others wait for."""
    world.join(torch_device(settings.device, world).type == "cuda", settings.timeout)


def record(sentence: Sentence, singles: list[PlannedRun]) -> None:
    """Write the run.json of a folder of runs, when all are done."""
    said = {"sentence": sentence.to_json(), "runs": [single.name for single in singles], "versions": versions()}
    write_text(sentence.settings.output / "run.json", json.dumps(said, indent=2, ensure_ascii=False) + "\n")


def one_by_one(sentence: Sentence, groups: list[list[PlannedRun]], chain: Chain, outcome: Outcome) -> None:
    """Do the runs of a sentence group after group, then the actions that concern no single run.

    Args:
        sentence: The sentence.
        groups: Runs that are trained together.
        chain: Knows the words.
        outcome: Takes in what comes of it.
    """
    of_run = [step for step in sentence.actions if {need.name for need in step.leaf.needs} & {"trainer", "model"}]
    for i, group in enumerate(groups, start=1):
        more = f" and {len(group) - 1} more" if len(group) > 1 else ""
        click.echo(f"Run {i} of {len(groups)}: {group[0].name}{more}", err=True)
        outcome.add(TrainingBuilder(chain, sentence if more else group[0].sentence, group), of_run)
    outcome.add(TrainingBuilder(chain, sentence), [action for action in sentence.actions if action not in of_run])


class TrainingBuilder(RunBuilder):
    """Builds the parts of a run, the models of all its seeds and its Trainer among them."""

    def __init__(self, chain: Chain, sentence: Sentence, singles: list[PlannedRun] | None = None):
        super().__init__(chain, sentence, singles)
        self.models: list[Any] = []

    def need(self, need: inspect.Parameter, by: Segment) -> Any:
        """Return what a `build` method asks for by name; `last_step` is that of the Trainer."""
        return self.made["trainer"].last_step if need.name == "last_step" else super().need(need, by)

    def provide(self, need: inspect.Parameter, by: Segment) -> Any:
        """Build the Trainer, the models of all seeds, or what fills a slot."""
        if need.name == "trainer":
            return self.trainer(by)
        if need.name == "compute":
            settings = self.sentence.settings
            return Compute(settings.device, settings.precision, settings.threads)
        return self.model(need, by) if need.name == "model" else super().provide(need, by)

    def model(self, need: inspect.Parameter, by: Segment) -> Any:
        """Build the model of every run, each from its own seed; the first one stands for all."""
        slot = self.chain.slots["model"]
        if not self.sentence.filling(slot):
            return self.slot(need, by)
        for single in self.singles or [PlannedRun("run", self.sentence)]:
            (step,) = single.sentence.filling(slot)
            inputs = {name.name: self.need(name, step) for name in step.leaf.needs}
            seed_everything(single.sentence.settings.seed)
            self.models.append(step.options.build(**inputs))
        return self.models[0]

    def replicable(self) -> bool:
        """Whether the runs can train as replicas of one program."""
        actions = self.sentence.actions
        if not program_fits(self.sentence.settings):
            return False
        if any({need.name for need in step.leaf.needs} & {"model"} for step in actions):
            return False
        if not all(callback.replicable for callback in self.ask("callbacks", actions[0])):
            return False
        return replicable(self.ask("model", actions[0]), self.optimizer())

    def optimizer(self) -> Any:
        """A function from a model to its optimizer; None when the sentence names no optimizer."""
        return self.later("optimizers", "model")

    def later(self, word: str, part: str) -> Any:
        """A function that builds a part later, once what it is built on is there; None when the part is not said.

        Args:
            word: The word of the part, `optimizers` or `schedulers`.
            part: What the function is given, by the parameter of `build`: `model` or `optimizer`.

        Returns:
            From a model to its optimizer, or from an optimizer to its scheduler; or None.
        """
        steps = self.sentence.filling(self.chain.slots[word])
        if not steps:
            return None
        (step,) = steps

        def build(given: Any) -> Any:
            asked = {need.name: given if need.name == part else self.need(need, step) for need in step.leaf.needs}
            return step.options.build(**asked)

        return build

    def trainer(self, by: Segment) -> Any:
        """A Trainer, configured by its builder methods with everything that the sentence says.

        Args:
            by: The step that asks for it.

        Returns:
            The Trainer, with a run folder for each of its replicas.

        Raises:
            UserError: When the training set has a name, or (from `slot`) there is no model or no data set.
        """
        settings = self.sentence.settings
        datasets, _ = self.ask("dataset", by), self.ask("model", by)
        trainer = (
            Trainer()
            .set_epochs(settings.epochs)
            .set_steps(settings.steps)
            .set_epochs_to_valid(settings.etv)
            .set_steps_to_valid(settings.stv)
            .set_record_steps(settings.record_steps)
            .set_device(settings.device)
            .set_precision(settings.precision)
            .set_accumulation(settings.accumulation)
            .set_clip(settings.clip)
            .set_compile(settings.compile)
            .set_threads(settings.threads)
            .set_strategy(settings.strategy, settings.timeout)
            .set_skip_nonfinite(settings.skip_nonfinite)
            .set_deterministic(settings.deterministic)
            .set_detect_anomaly(settings.detect_anomaly)
            .set_bars(train=settings.trainbar, valid=settings.validbar, test=settings.testbar, epoch=settings.epochbar)
            .set_replicas(
                self.models,
                seeds=[single.sentence.settings.seed for single in self.singles],
                runs=[self.folder(single.sentence) for single in self.singles],
            )
            .set_optimizer(self.optimizer())
            .set_scheduler(self.later("schedulers", "optimizer"))
        )
        setters = {"train": trainer.set_trainsplit, "validation": trainer.set_validsplit, "test": trainer.set_testsplit}
        for (split, name), dataset in datasets.items():
            if split == "train" and name:
                raise UserError(f"The training set is one; leave out --name {name}, or say --split validation.")
            setters[split](dataset, **({"name": name} if split != "train" else {}))
        fallback = inspect.Parameter("loss", inspect.Parameter.KEYWORD_ONLY, default=None)
        trainer.set_loss_fn(self.need(fallback, by))
        trainer.set_tokenizer(self.need(fallback.replace(name="tokenizer"), by))
        trainer.set_saver(self.need(fallback.replace(name="saver"), by) or DefaultSaver().build())
        for callback in self.ask("callbacks", by):
            trainer.add_callback(callback)
        return trainer
