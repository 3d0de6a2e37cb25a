"""What a command line says once it is parsed: steps, each the options of one component, and the sentence they make."""

import dataclasses
import inspect
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from semeqv.grammar.component import normalise_argv, parameters, summary, to_argv, usual_options


@dataclass(frozen=True)
class Slot:
    """A place in a run.

    Args:
        name: The parameter by which `build` methods ask for what fills the slot.
        keys: The options that tell several fillings apart; the slot is then a dictionary.
        many: Whether fillings add up to a list.
    """

    name: str
    keys: tuple[str, ...] = ()
    many: bool = False


class ComponentCommand(click.Command):
    """A component or an action; invoking it only fills in its options."""

    def __init__(self, kind: Any, slot: Slot | None):
        text = summary(kind)
        self.made: list[click.Parameter] | None = None
        super().__init__(
            kind.__command__.split()[-1],
            help=text,
            short_help=text.splitlines()[0],
            callback=self.fill,
        )
        self.kind, self.slot = kind, slot
        self.needs = list(inspect.signature(kind.build).parameters.values())[1:]

    @property  # a word has dozens of commands, of which a sentence uses one
    def params(self) -> list[click.Parameter]:  # type: ignore[override]
        """The parameters, made when they are first looked at."""
        if self.made is None:
            self.made = parameters(self.kind)
        return self.made

    @params.setter
    def params(self, value: list[click.Parameter]) -> None:
        """Take parameters in place of those of the component; `click.Command` says it has none."""
        self.made = value or None

    def fill(self, **given: Any) -> Any:
        """The options, checked by the component itself.

        Args:
            **given: The value of each of its fields.

        Returns:
            The component.

        Raises:
            click.UsageError: When the component refuses a value.
        """
        lists = {field.name for field in dataclasses.fields(self.kind) if field.default_factory is list}
        try:
            return self.kind(**{name: list(value) if name in lists else value for name, value in given.items()})
        except ValueError as error:
            raise click.UsageError(str(error), click.get_current_context()) from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words of one segment."""
        return super().parse_args(ctx, args if ctx.resilient_parsing else normalise_argv(self.params, args))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Options, and the word that starts the next segment."""
        return super().shell_complete(ctx, incomplete) + [CompletionItem("cli")] * "cli".startswith(incomplete)


@dataclass(frozen=True)
class Segment:
    """One parsed segment: a leaf and its options."""

    leaf: ComponentCommand
    options: Any

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells the step apart from others in its slot."""
        return tuple(getattr(self.options, key, None) for key in self.leaf.slot.keys) if self.leaf.slot else ()

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it goes: two steps in one place are one too many."""
        slot = self.leaf.slot
        return (id(self),) if not slot or slot.many else (slot.name, *self.key)

    @property
    def replaces(self) -> tuple[Any, ...]:
        """What a step of a later line must share with this one to replace it."""
        slot = self.leaf.slot
        return (
            (slot.name, self.leaf.kind.__command__, getattr(self.options, "split", None))
            if slot and slot.many
            else self.place
        )

    @property
    def words(self) -> list[str]:
        """The segment that parses back into this step."""
        return to_argv(self.options)


@dataclass(frozen=True)
class Sentence:
    """A parsed command line: the settings before the first `cli`, the parts of a run, and what to do with them."""

    settings: Any
    parts: list[Segment] = field(default_factory=list)
    actions: list[Segment] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What `--config` reads back."""
        options = dataclasses.asdict(self.settings)
        del options["overwrite"]  # said of a folder once, not of the run
        return {
            "settings": {name: str(value) if isinstance(value, Path) else value for name, value in options.items()},
            "parts": [shlex.join(step.words) for step in self.parts],
            "actions": [shlex.join(step.words) for step in self.actions],
        }

    def usual(self) -> dict[str, list[str]]:
        """By the commands of the parts, the options that have their usual values."""
        return {f"cli {step.leaf.kind.__command__}": usual_options(step.options) for step in self.parts}

    def filling(self, slot: Slot) -> list[Segment]:
        """The steps that fill a slot, in the order in which they were said."""
        return [step for step in self.parts if step.leaf.slot == slot]

    def replace(self, old: Segment, options: Any) -> "Sentence":
        """The same sentence with other options in one of its parts."""
        parts = [Segment(step.leaf, options) if step is old else step for step in self.parts]
        return dataclasses.replace(self, parts=parts)
