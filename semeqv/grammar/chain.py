"""The sentence: a command line that is a chain of segments.

    semeqv --seed 42 cli model backpack --layers 4 cli dataset europarl cli optimizers adamw cli train

The word `cli` cuts argv into segments, plain click parses each one into the options of its component, and nothing is
built before the whole line has parsed: order does not matter, and a typo in the last segment costs nothing. This
module never imports torch.
"""

import dataclasses
import difflib
import importlib
import itertools
import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from semeqv.grammar.component import BoolOption, ListOption, canonical, is_option, normalise_argv, parameters, summary
from semeqv.grammar.declared import declared
from semeqv.grammar.sentence import ComponentCommand, Segment, Sentence, Slot
from semeqv.runs.notices import notice
from semeqv.runs.versions import compare_versions

WIDTH = 110


class CommandGroup(click.Group):
    """A word of the grammar, `optimizers` or `xor model`; the modules of its commands are imported when it is used."""

    def __init__(self, root: "Chain", path: str, help: str):
        super().__init__(
            path.rsplit(maxsplit=1)[-1] if path else None,
            help=help,
            short_help=help.splitlines()[0],
            context_settings={"max_content_width": WIDTH},
            subcommand_metavar="COMMAND [OPTIONS] [cli ...]",
        )
        self.root, self.path = root, path
        self.modules: list[str] = []

    @property  # plugins may open a word before the one that says what it fills
    def slot(self) -> Slot | None:
        """What its commands fill; None when they are actions."""
        return self.root.slots.get(self.path.split(" ")[-1])

    def load(self) -> None:
        """Import the modules that hold this word's commands."""
        while self.modules:
            self.root.register(self.modules.pop(0))

    def announced(self) -> dict[str, tuple[str, str]]:
        """Return the commands whose modules are not imported yet: by name, the module and the first line of the help.

        Modules whose text does not tell what they declare are imported.
        """
        found = dict[str, tuple[str, str]]()
        for module in [*self.modules]:
            commands = declared(module)
            if commands is None:
                self.modules.remove(module)
                self.root.register(module)
                continue
            for path, help in commands.items():
                group, _, name = path.rpartition(" ")
                if group == self.path:
                    found[name] = (module, help)
        return {name: each for name, each in found.items() if name not in self.commands}

    def list_commands(self, ctx: click.Context | None = None) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted({*self.announced(), *self.commands})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands and the first lines of their help."""
        helps = {name: help for name, (_, help) in self.announced().items()}
        helps |= {name: command.get_short_help_str() for name, command in self.commands.items() if not command.hidden}
        if helps:
            with formatter.section("Commands"):
                formatter.write_dl(sorted(helps.items()))

    def get_command(self, ctx: click.Context | None, name: str) -> click.Command | None:
        """Return a command by any spelling of its name; only the module that declares it is imported."""
        if (command := self.known(name)) is None:
            modules = {module for each, (module, _) in self.announced().items() if canonical(each) == canonical(name)}
            for module in modules:
                self.modules.remove(module)
                self.root.register(module)
            command = self.known(name)
        return command

    def known(self, name: str) -> click.Command | None:
        """Return the command of that name among those that were imported."""
        return next((command for each, command in self.commands.items() if canonical(each) == canonical(name)), None)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command, list[str]]:
        """The command that the first word names.

        Args:
            ctx: The context of this word.
            args: The words that follow, at least one.

        Returns:
            The command's name, the command, and the words left for it.

        Raises:
            click.UsageError: When no command has that name; the closest ones are offered.
        """
        if command := self.get_command(ctx, args[0]):
            return command.name, command, args[1:]
        place = f"`{self.path}`" if self.path else "this program"
        raise click.UsageError(f"{args[0]!r} is no command of {place}. {self.suggestion(args[0])}", ctx)

    def suggestion(self, word: str) -> str:
        """What may have been meant: a close name here, or the same name elsewhere."""
        names = {canonical(name): name for name in self.list_commands()}
        if elsewhere := [path for path in self.root.paths() if canonical(path.split()[-1]) == canonical(word)]:
            return f"Did you mean {' or '.join(f'`cli {path}`' for path in elsewhere[:3])}?"
        if close := difflib.get_close_matches(canonical(word), names, n=3, cutoff=0.5):
            return f"Did you mean {' or '.join(repr(names[name]) for name in close)}?"
        return f"Write one of: {', '.join(names.values())}."


class Chain(CommandGroup):
    """The root command.

    Args:
        settings: Dataclass of what is said once, before the first `cli`; its docstring is the help of the program.

    Attributes:
        run: Is called with the parsed sentence and this chain; a plugin sets it.
    """

    run: Callable[[Sentence, "Chain"], Any]

    def __init__(self, settings: Any):
        super().__init__(self, "", summary(settings))
        self.settings = settings
        self.slots: dict[str, Slot] = {}
        self.registered: set[str] = set()
        self.invoke_without_command, self.no_args_is_help = True, False
        self.subcommand_metavar = "[cli COMPONENT [OPTIONS]]... cli ACTION [OPTIONS]"
        file = click.Path(dir_okay=False, path_type=Path)
        self.params += [
            *parameters(settings),
            click.Option(["--config"], type=file, help="Replay a saved run; later segments replace saved ones."),
            click.Option(["--dump-config"], type=file, help="Save the sentence as JSON, and stop before building."),
        ]

    def word(self, path: str, help: str, *modules: str, slot: Slot | None = None) -> None:
        """Open a word of the grammar.

        Args:
            path: The word, or words: `optimizers`, `xor dataset`.
            help: One line.
            *modules: The modules that declare its commands, imported when the word is used.
            slot: What its commands fill. If left out, the slot known by the last part of the path: `xor dataset` fills
                what `dataset` fills.

        Raises:
            TypeError: When the word that it stands in, `xor` of `xor dataset`, is not open.
        """
        *outer, last = path.split()
        group: CommandGroup = self
        for part in outer:
            found = group.commands.get(part)
            if not isinstance(found, CommandGroup):
                raise TypeError(f"Open the word {part!r} before {path!r}.")
            group = found
        if slot:
            self.slots[last] = slot
        existing = group.commands.get(last)
        if not isinstance(existing, CommandGroup):
            existing = CommandGroup(self, path, help)
            group.add_command(existing)
        existing.modules += modules

    def register(self, module: str) -> None:
        """Import a module and take in the components it declares, once."""
        if module in self.registered:
            return
        self.registered.add(module)
        imported = importlib.import_module(module)
        for kind in list(vars(imported).values()):
            if isinstance(kind, type) and "__command__" in kind.__dict__ and kind.__module__ == module:
                self.add_component(kind)

    def add_component(self, kind: Any) -> None:
        """Take in one component.

        Args:
            kind: A class decorated with `@component`.

        Raises:
            TypeError: When its word is not open, its name is taken, or `build` asks for what nothing provides.
        """
        *outer, name = kind.__command__.split()
        group: CommandGroup = self
        for part in outer:
            found = group.commands.get(part)
            if not isinstance(found, CommandGroup):
                raise TypeError(f"{kind.__name__} is `{kind.__command__}`, but no plugin opens the word {part!r}.")
            group = found
        if name in group.commands:
            raise TypeError(f"{kind.__name__}: `{kind.__command__}` is taken.")
        leaf = ComponentCommand(kind, group.slot)
        slots = {slot.name for slot in self.slots.values()}
        known = slots | {f"{name}_options" for name in slots} | {f.name for f in dataclasses.fields(self.settings)}
        known |= {"trainer", "sentence", "last_step", "record", "world", "compute"}
        if strange := [need.name for need in leaf.needs if need.name not in known]:
            raise TypeError(f"{kind.__name__}.build asks for {', '.join(strange)}, which nothing provides.")
        group.add_command(leaf)

    def paths(self) -> list[str]:
        """The path of every component and action there is."""
        return sorted(leaf.kind.__command__ for leaf in self.leaves())

    def leaves(self) -> Iterator[ComponentCommand]:
        """Every component and action."""
        groups: list[CommandGroup] = [self]
        while groups:
            group = groups.pop()
            group.load()
            for command in group.commands.values():
                if isinstance(command, CommandGroup):
                    groups.append(command)
                elif isinstance(command, ComponentCommand):
                    yield command

    def slot_words(self, slot: Slot) -> list[str]:
        """The commands that fill a slot, as a user would write them."""
        return sorted(f"cli {leaf.kind.__command__}" for leaf in self.leaves() if leaf.slot == slot)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Cut argv into segments; the settings are parsed here, the segments once all is known."""
        if ctx.resilient_parsing:  # completion concerns the segment being typed
            cut = max((i for i, word in enumerate(args) if word == "cli"), default=-1)
            return super().parse_args(ctx, args[cut + 1 :])
        if strange := [word for word in args if not is_text(word)]:
            raise click.UsageError(f"A word of the line holds a NUL character, or is not UTF-8: {strange[0]!r}.", ctx)
        cuts = [i for i, word in enumerate(args) if word == "cli"] + [len(args)]
        first, segments = args[: cuts[0]], [args[a + 1 : b] for a, b in itertools.pairwise(cuts)]
        if first in (["help"], []) and not segments:
            first = ["--help"]
        first = normalise_argv(self.params, first)
        with click.Context(self, info_name=ctx.info_name) as said:
            rest = click.Command.parse_args(self, said, list(first))
        saved = self.saved(ctx, said.params["config"])
        written = {name for name in said.params if is_written(said, name)}
        for together in self.settings.either:
            if len(written & set(together)) > 1:
                raise click.UsageError(f"Write --{' or --'.join(together)}, not both.", ctx)
            written |= set(together) if written & set(together) else set()
        ctx.meta["written"] = written
        kept = {name: value for name, value in saved["settings"].items() if name not in written}
        words = [word for name, value in kept.items() for word in setting_words(name, value)]
        try:
            click.Command.parse_args(self, ctx, [*words, *first])
        except click.UsageError as error:  # the line itself has been parsed above
            raise click.UsageError(f"--config {said.params['config']}: {error.format_message()}", ctx) from error
        ctx.meta["output"] = "output" in written
        ctx.meta["saved"] = [shlex.split(words) for words in saved["parts"] + saved["actions"]]
        ctx.meta["segments"] = [rest] * bool(rest) + segments  # the first `cli` may be left out
        ctx.args, ctx._protected_args = [], []
        return []

    def invoke(self, ctx: click.Context) -> Any:
        """Parse every segment, then hand the sentence over."""
        dump = ctx.params["dump_config"]
        sentence = self.sentence(ctx)
        if dump:
            return write_config(dump, sentence)
        if not sentence.actions:
            self.load()
            names = ", ".join(
                name for name, each in sorted(self.commands.items()) if isinstance(each, ComponentCommand)
            )
            raise click.UsageError(f"Nothing to do: end the line with an action, such as `cli train` (or {names}).")
        if "versions" in ctx.meta:
            compare_versions(ctx.meta["versions"], ctx.params["config"])
        return self.run(sentence, self)

    def sentence(self, ctx: click.Context) -> Sentence:
        """The sentence of a line, laid over a saved one: a later segment replaces the saved one in its place."""
        old, line = (
            self.parse(ctx, ctx.meta["saved"], "the saved run"),
            self.parse(ctx, ctx.meta["segments"], "the line"),
        )
        given = {field.name: ctx.params[field.name] for field in dataclasses.fields(self.settings)}
        try:
            settings = self.settings(**given)
        except ValueError as error:
            raise click.UsageError(str(error), ctx) from error
        places = [step.place for step in line]
        for name, *key in (place for place in places if places.count(place) > 1):
            which = " ".join(str(part) for part in key if part)
            tell = "Tell them apart by --split and --name." if key else "Leave one out."
            raise click.UsageError(f"The {name} is given twice{which and f', for {which}'}. {tell}", ctx)
        parts, actions = [step for step in line if step.leaf.slot], [step for step in line if not step.leaf.slot]
        replaced = {step.replaces for step in parts}
        kept = [step for step in old if step.leaf.slot and step.replaces not in replaced]
        if ctx.meta["output"]:  # the line's folder, by either word, goes before the saved one
            kept = [dataclasses.replace(step, options=unnamed(step.options)) for step in kept]
        elif any(unnamed(step.options) is not step.options for step in parts):
            settings = dataclasses.replace(settings, output=None)
        return Sentence(settings, kept + parts, actions or [step for step in old if not step.leaf.slot])

    def saved(self, ctx: click.Context, path: Path | None) -> dict[str, Any]:
        """A saved sentence: a `--dump-config` file or the run.json of a run."""
        if path is None:
            return {"settings": {}, "parts": [], "actions": []}
        try:
            whole = json.loads(path.read_text(encoding="utf-8-sig"))
            saved = {"actions": []} | whole.get("sentence", whole)
            kinds = {"settings": dict, "parts": list, "actions": list}
            segments = saved["parts"] + saved["actions"]
            if not all(isinstance(saved[key], kind) for key, kind in kinds.items()):
                raise TypeError
            if not all(isinstance(words, str) and all(map(is_text, shlex.split(words))) for words in segments):
                raise ValueError
        except OSError as error:
            raise click.UsageError(f"--config {path}: {error.strerror}.", ctx) from error
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise click.UsageError(
                f"--config {path} is no saved sentence (a run.json, or --dump-config).", ctx
            ) from error
        several = {param.name: param.multiple for param in parameters(self.settings) if isinstance(param, click.Option)}
        for name, value in saved["settings"].items():
            fits = name in several and isinstance(value, list) == several[name] and not isinstance(value, dict)
            if not (fits and all(map(is_text, setting_words(name, value)))):
                raise click.UsageError(f"--config {path}: {name} {json.dumps(value)} is no setting.", ctx)
        if isinstance(versions := whole.get("versions"), dict):
            ctx.meta["versions"] = versions
        return dict(saved)

    def parse(self, ctx: click.Context, segments: Sequence[list[str]], source: str) -> list[Segment]:
        """Let click parse each segment; an error gains the segment it is in."""
        steps = []
        for i, words in enumerate(segments, start=1):
            try:
                steps.append(self.parse_segment(ctx, list(words)))
            except click.UsageError as error:
                message = error.format_message()
                if i < len(segments) and "requires an argument" in message and words[-1:] and words[-1].startswith("-"):
                    message += f" To give it the word cli itself, write {words[-1]}=cli."
                where = f"In segment {i} of {len(segments)} of {source}: {shlex.join(['cli', *words])}"
                raise click.UsageError(f"{message}\n{where}", error.ctx) from error
        return steps

    def parse_segment(self, ctx: click.Context, words: list[str]) -> Segment:
        """One segment to one step; `--help` or `help` anywhere shows the help of the place reached."""
        if not words:
            raise click.UsageError(f"A command must follow the word `cli`: {', '.join(self.list_commands())}.", ctx)
        group: CommandGroup = self
        parent, path = ctx, f"{ctx.info_name} cli"
        while True:
            if not words or words[0].lower() in ("--help", "-h", "help"):
                show_help(parent)
            _, command, words = group.resolve_command(parent, words)
            path = f"{path} {command.name}"
            if isinstance(command, ComponentCommand):
                if any(word in ("--help", "-h") for word in words) or words[:1] == ["help"]:
                    show_help(click.Context(command, info_name=path, max_content_width=WIDTH))
                words = drop_obsolete(command, self.move_settings(ctx, command, words))
                with click.Context(command, info_name=path, max_content_width=WIDTH) as context:
                    try:
                        command.parse_args(context, words)
                    except click.UsageError as error:
                        raise explain(error, command) from error
                    return Segment(command, command.fill(**context.params))
            assert isinstance(command, CommandGroup)
            group, parent = command, click.Context(command, info_name=path, max_content_width=WIDTH)

    def move_settings(self, ctx: click.Context, leaf: ComponentCommand, words: list[str]) -> list[str]:
        """Take settings that were said in a segment for what they are: `cli train --device cpu`.

        Args:
            ctx: The context of the line; its settings are changed.
            leaf: The command of the segment.
            words: The words of the segment.

        Returns:
            The words without the settings.

        Raises:
            click.UsageError: When the setting has another value elsewhere, or has no such value.
        """
        known = {
            canonical(flag) for param in leaf.params if isinstance(param, click.Option) for flag in spellings(param)
        }
        ours = {
            canonical(flag): param
            for param in self.params
            if isinstance(param, click.Option) and param.name in ctx.params and hasattr(self.settings, str(param.name))
            for flag in spellings(param)
        }
        place = 0
        while place < len(words):
            flag = words[place].partition("=")[0]
            param = ours.get(canonical(flag)) if flag.startswith("--") and canonical(flag) not in known else None
            if param is None or param.name is None:
                place += 1
                continue
            later = words[place + 1 :]
            if isinstance(param, BoolOption | ListOption):
                count = 0 if "=" in words[place] else len(later) - len(param.words(list(later))[1])
                count = (
                    0 if isinstance(param, BoolOption) and canonical(flag) in map(canonical, param.negative) else count
                )
            else:
                count = 0 if "=" in words[place] else param.nargs
            said = words[place : place + 1 + count]
            rivals = {name for group in self.settings.either if param.name in group for name in group} - {param.name}
            with click.Context(self, info_name=ctx.info_name) as own:
                click.Command.parse_args(self, own, normalise_argv(self.params, said))
            values = {name: own.params[name] for name in (param.name, *rivals)}
            if not ctx.meta["written"] & values.keys():
                ctx.params |= values
                ctx.meta["written"] |= values.keys()
                notice(f"{flag} belongs before the first `cli`; it is taken as if it stood there.")
            elif any(ctx.params[name] != value for name, value in values.items()):  # the same again does no harm
                raise click.UsageError(
                    f"{flag} is said twice: here, and before the first `cli` or in another segment. Leave one out.", ctx
                )
            words = [*words[:place], *words[place + 1 + count :]]
        return words


def drop_obsolete(leaf: ComponentCommand, words: list[str]) -> list[str]:
    """Leave out the options of earlier programs that no longer change anything, and say so.

    Args:
        leaf: The command of the segment; its component may name such options in `obsolete`, with the reason.
        words: The words of the segment; such an option has one value, or none before another option.

    Returns:
        The words without them.
    """
    obsolete = {canonical(flag): reason for flag, reason in getattr(leaf.kind, "obsolete", {}).items()}
    kept: list[str] = []
    while words:
        flag, equals, _ = words[0].partition("=")
        if flag.startswith("--") and canonical(flag) in obsolete:
            notice(f"{flag} is left out: {obsolete[canonical(flag)]}")
            words = words[1 if equals or is_option("".join(words[1:2])) else 2 :]
        else:
            kept, words = [*kept, words[0]], words[1:]
    return kept


def spellings(param: click.Option) -> list[str]:
    """Return the flags of an option, those that say no among them."""
    return [*param.opts, *param.secondary_opts, *(param.negative if isinstance(param, BoolOption) else [])]


def show_help(ctx: click.Context) -> NoReturn:
    """Print the help of a place, and stop."""
    click.echo(ctx.get_help())
    raise click.exceptions.Exit(0)


def explain(error: click.UsageError, leaf: ComponentCommand) -> click.UsageError:
    """A parse error, with what to write instead where that is known."""
    message = error.format_message()
    if isinstance(error, click.NoSuchOption):
        flags = [param.opts[0] for param in leaf.params if isinstance(param, click.Option)]
        message = f"`cli {leaf.kind.__command__}` has no option {error.option_name}."
        retired = {canonical(flag): hint for flag, hint in getattr(leaf.kind, "retired", {}).items()}
        if hint := retired.get(canonical(error.option_name)):
            message += f" {hint}"
        elif close := meant(error.option_name, flags):
            message += f" Did you mean {' or '.join(close)}?"
    elif message.startswith("Got unexpected extra argument"):
        words = re.findall(r"[\w-]+", message.partition("(")[2])
        message = f"{message.rstrip('.')}; `cli {leaf.kind.__command__}` takes only options. "
        retired = getattr(leaf.kind, "retired", {})
        hints = [retired[word] for word in words if word in retired]
        message += hints[0] if hints else "Does a word `cli` lack before it?"
    return click.UsageError(message, error.ctx)


def meant(flag: str, flags: Sequence[str]) -> list[str]:
    """Return the flags that a wrong one may stand for: `--lr` for `--learning_rate`, `--rate`, `--lerning_rate`.

    Args:
        flag: What was written.
        flags: What there is.

    Returns:
        At most three, the likeliest first: those of the same initials, of the same words, of like spelling.
    """
    word = canonical(flag)
    initials = [each for each in flags if "".join(part[:1] for part in each.strip("-").split("_")) == word]
    inside = [each for each in flags if len(word) > 2 and (word in canonical(each) or canonical(each) in word)]
    spelled = {canonical(each): each for each in flags}
    close = [spelled[each] for each in difflib.get_close_matches(word, spelled, n=3, cutoff=0.6)]
    return list(dict.fromkeys([*initials, *inside, *close]))[:3]


def is_written(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the line."""
    return ctx.get_parameter_source(name) not in (None, click.core.ParameterSource.DEFAULT)


def unnamed(options: Any) -> Any:
    """A component's options without the folder of the run, `dirpath`, which a saver may name."""
    return options if getattr(options, "dirpath", None) is None else dataclasses.replace(options, dirpath=None)


def is_text(word: str) -> bool:
    """Whether a word can be written down: it has no NUL, and nothing that was not UTF-8."""
    return not re.search("[\0\ud800-\udfff]", word)


def setting_words(name: str, value: Any) -> list[str]:
    """The words that parse back into a saved setting."""
    return [f"--{name}={each}" for each in (value if isinstance(value, list) else [value]) if each is not None]


def write_config(path: Path, sentence: Sentence) -> None:
    """Save a sentence as JSON."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sentence.to_json(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--dump-config {path}: {error.strerror}.") from error
