"""From a parsed sentence to its parts.

Parts are built when something asks for them by parameter name: a model asks for the data set, `train` asks for the
Trainer. So the order of the segments does not matter, and nothing unneeded is built.
"""

import dataclasses
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semeqv.grammar.chain import Chain
from semeqv.grammar.plan import PlannedRun
from semeqv.grammar.sentence import Segment, Sentence
from semeqv.runs.errors import UserError
from semeqv.runs.folder import RunFolder, facts_of
from semeqv.runs.logs import LineLog
from semeqv.runs.processes import World


class RunBuilder:
    """Builds steps on demand: what they need first, and each part once.

    What runs sentences adds to `provide` the parts that no segment fills, such as a Trainer.
    """

    def __init__(self, chain: Chain, sentence: Sentence, singles: list[PlannedRun] | None = None):
        self.chain, self.sentence, self.singles = chain, sentence, singles or []
        settings = {
            field.name: getattr(sentence.settings, field.name) for field in dataclasses.fields(sentence.settings)
        }
        self.made: dict[str, Any] = {**settings, "sentence": sentence, "world": World.here()}
        self.open: list[str] = []
        self.folders: dict[Path, Any] = {}

    def __call__(self, step: Segment) -> Any:
        """Build one step."""
        return self.build(step.options, step)

    def build(self, options: Any, step: Segment) -> Any:
        """Build options, in the place of a step."""
        return options.build(**self.parts(step))

    def parts(self, step: Segment) -> dict[str, Any]:
        """Return what the `build` method of a step asks for, by name."""
        return {need.name: self.need(need, step) for need in step.leaf.needs}

    def need(self, need: inspect.Parameter, by: Segment) -> Any:
        """Return the part that a `build` method asks for by name, and build it unless it is there already.

        Args:
            need: The parameter of the method; its default stands in where no segment fills its slot.
            by: The step whose method asks, for the message.

        Returns:
            A setting, the sentence, the trainer, the model, what fills a slot, (`dataset_options`) what will, or
            (`record`) a function that adds lines to metrics.jsonl.

        Raises:
            UserError: When parts need each other, or (from `slot`) no segment provides what is needed.
        """
        name = need.name
        if name == "record":
            return self.record
        if name.endswith("_options"):
            return self.options(name.removesuffix("_options"))
        if name in self.made:
            return self.made[name]
        if name in self.open:
            raise UserError(f"These parts need each other: {' -> '.join([*self.open, name])}.")
        self.open.append(name)
        built = self.provide(need, by)
        self.open.pop()
        return self.made.setdefault(name, built)

    def provide(self, need: inspect.Parameter, by: Segment) -> Any:
        """Build what a `build` method asks for by name; see `need`."""
        return self.slot(need, by)

    def slot(self, need: inspect.Parameter, by: Segment) -> Any:
        """Build what fills a slot.

        Args:
            need: A parameter named like the slot.
            by: The step that asks, for the message.

        Returns:
            One part; a list for a slot of many; a dictionary for a slot with keys, such as (split, name) to data set.

        Raises:
            UserError: When nothing fills the slot, and the parameter has no default.
        """
        slot = next(slot for slot in self.chain.slots.values() if slot.name == need.name)
        steps = self.sentence.filling(slot)
        if not steps and not slot.many:
            for step in self.sentence.parts:  # a model that is loaded brings its tokenizer
                provide = getattr(step.options, f"provide_{slot.name}", None)
                if provide is not None and (provided := provide()) is not None:
                    return provided
            if need.default is not need.empty:
                return need.default
            spoken = {step.leaf.kind.__command__.split()[0] for step in self.sentence.parts}
            words = [word.split() for word in self.chain.slot_words(slot)]  # those of the same study, then of none
            loaded = ["cli", "model", "load"]  # what most are after, who measure
            words.sort(key=lambda word: (word[1] not in spoken - {slot.name}, word != loaded, len(word)))
            words = [[*word, "--from", "RUN"] if word == loaded else word for word in words]
            choice = " or ".join(map(" ".join, words[:4])) + (" ..." if len(words) > 4 else "")
            raise UserError(f"`cli {by.leaf.kind.__command__}` needs a {slot.name}. Add: {choice or f'a {slot.name}'}")
        built = [self(step) for step in steps]
        if slot.keys:
            return {step.key: each for step, each in zip(steps, built)}
        return built if slot.many else built[0]

    def record(self, lines: Iterable[dict[str, Any]]) -> None:
        """Add JSON objects to the metrics.jsonl of the run, after what its Trainer wrote there, if it has one."""
        lines = list(lines)
        if not lines or not World.here().is_main:
            return
        run = self.folder(self.singles[0].sentence if len(self.singles) == 1 else self.sentence)
        run.metrics.flush()
        run.measure({"dataset": facts_of(self.made.get("dataset") or {})})
        log = LineLog(run.metrics.path)
        log.length = log.existing()
        for line in lines:
            log.append(line)
        run.metrics.length = log.flush()

    def folder(self, sentence: Sentence) -> Any:
        """Return the folder of the run that a sentence asks for."""
        output = sentence.settings.output
        if output not in self.folders:
            self.folders[output] = RunFolder(
                output,
                sentence.to_json(),
                sentence.settings.overwrite,
                mute=not World.here().is_main,
                usual=sentence.usual(),
            )
        return self.folders[output]

    def options(self, name: str) -> Any:
        """Return what fills a slot, not built: a component, None, or a dictionary for a slot with keys."""
        slot = next(slot for slot in self.chain.slots.values() if slot.name == name)
        steps = self.sentence.filling(slot)
        if slot.keys:
            return {step.key: step.options for step in steps}
        return steps[0].options if steps else None

    def ask(self, name: str, by: Segment) -> Any:
        """Return a part by name."""
        return self.need(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY), by)
