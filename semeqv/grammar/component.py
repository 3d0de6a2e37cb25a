"""Components: options apart from objects, each declared once.

A component is a frozen dataclass. Its fields are the options, its docstring is the help, and `build` makes the
object out of other parts of the run, which it asks for by parameter name. The parsed segment of a command line *is*
that dataclass, so it compares, serialises and works from Python too:

    @component("optimizers adamw")
    @dataclass(frozen=True, kw_only=True)
    class AdamW:
        '''Adam with decoupled weight decay.

        Args:
            learning_rate: Step size.
        '''

        learning_rate: float = 1e-4

        def build(self, model): ...

A module of components imports neither torch nor transformers; `build` does.

What earlier programs had: a component may name options or words that it no longer has in `retired`, with what to write
instead, and options of one value that change nothing any more in `obsolete`, with the reason; those are left out, and
the user is told.
"""

import dataclasses
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union

import click
from click.shell_completion import CompletionItem

from semeqv.runs.reading import LARGEST

Kind = TypeVar("Kind", bound=type)

YES = {"true", "t", "yes", "y", "on", "1"}
NO = {"false", "f", "no", "n", "off", "0"}
MOST = 2**63  # integers are below it


def component(path: str) -> Callable[[Kind], Kind]:
    """Class decorator: declare the command `cli PATH`.

    A class that cannot be one is refused with `TypeError` when it is decorated: it is no frozen dataclass, it has no
    `build` or no docstring, `Args:` does not list exactly its fields, the type of a field has no spelling, or an option
    of several words would swallow its positional words.

    Args:
        path: The words of the command, such as `optimizers adamw` or `xor model transformer`.

    Returns:
        The decorator; it gives the class back, its path in `__command__`.
    """

    def declare(kind: Kind) -> Kind:
        name = kind.__name__
        params = getattr(kind, "__dataclass_params__", None)
        if params is None or not params.frozen:
            raise TypeError(f"{name} must be a frozen dataclass: @dataclass(frozen=True, kw_only=True).")
        if not callable(getattr(kind, "build", None)):
            raise TypeError(f"{name} needs a method `build`.")
        if not summary(kind):
            raise TypeError(f"{name} needs a docstring: it is the help of `cli {path}`.")
        helps, names = option_helps(kind), {field.name for field in dataclasses.fields(kind)}
        if silent := sorted(names - helps.keys()):
            raise TypeError(f"{name} says nothing under `Args:` of {', '.join(silent)}.")
        if strange := sorted(helps.keys() - names):
            raise TypeError(f"{name} documents {', '.join(strange)} under `Args:`, which it does not have.")
        params = parameters(kind)
        arguments = [p for p in params if isinstance(p, click.Argument)]
        if arguments and any(isinstance(p, ListOption) for p in params):
            raise TypeError(f"{name} has positional words, which an option of several words would swallow.")
        kind.__command__ = path  # type: ignore[attr-defined]
        return kind

    return declare


def positional() -> Any:
    """A field that takes the command's positional words, any number of them: `tuple[Path, ...]`."""
    return dataclasses.field(default=(), metadata={"positional": True})


def alias(name: str, default: Any) -> Any:
    """A field whose option has a second spelling, `--NAME`."""
    return dataclasses.field(default=default, metadata={"alias": name})


def check_bounds(options: Any, **bounds: float | tuple[float, float]) -> None:
    """Refuse options out of bounds; for a component's `__post_init__`. None stands for what was left out.

    Args:
        options: The component.
        **bounds: By option: the least that it may be, or the least and the most.

    Raises:
        ValueError: When an option is below, or above.
    """
    for name, bound in bounds.items():
        least, most = bound if isinstance(bound, tuple) else (bound, None)
        value = getattr(options, name)
        if value is not None and (value < least or (most is not None and value > most)):
            at_most = "" if most is None else f" and at most {most}"
            raise ValueError(f"--{name} must be at least {least}{at_most}, not {value}.")


def summary(kind: type) -> str:
    """The help text of a component: its docstring up to the list of arguments."""
    return inspect.cleandoc(kind.__doc__ or "").partition("\nArgs:\n")[0].partition("\nRaises:\n")[0].strip()


def option_helps(kind: type) -> dict[str, str]:
    """What the docstrings of a component and its bases say under `Args:`."""
    helps: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        text = inspect.cleandoc(base.__dict__.get("__doc__") or "").partition("\nArgs:\n")[2]
        helps |= argument_helps(text)
    return helps


def argument_helps(text: str) -> dict[str, str]:
    """What the lines below `Args:` say of each argument."""
    text = re.split(r"^\S", text, maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^    (\w+): (.+(?:\n(?:     +.+)?)*)", text, re.MULTILINE)
    return {name: " ".join(said.split()) for name, said in found}


def parameters(kind: type) -> list[click.Parameter]:
    """The click parameters of a component, one per field."""
    hints, helps = typing.get_type_hints(kind, include_extras=True), option_helps(kind)
    return [parameter(field, hints[field.name], helps.get(field.name)) for field in in_order(kind)]


def in_order(kind: type) -> list[Field[Any]]:
    """The fields of a component, those with `last` in their metadata behind what its own class adds."""
    return sorted(dataclasses.fields(kind), key=lambda field: bool(field.metadata.get("last")))


def parameter(field: Field[Any], hint: Any, help: str | None) -> click.Parameter:
    """The click parameter of one field; `spelling` raises `TypeError` when the field's type has none.

    Args:
        field: The field of the dataclass.
        hint: Its type.
        help: What the docstring says of it.

    Returns:
        An argument for a positional field, a `Switch` for a truth value, `Several` for a tuple of any length, else a
        plain option.
    """
    if field.metadata.get("positional"):
        return click.Argument([field.name], nargs=-1, type=click.Path(path_type=Path))
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    given: dict[str, Any] = {"required": True} if default is MISSING else {"default": default, "show_default": True}
    given["help"] = help
    flags = [f"--{field.name}", *(f"--{name}" for name in [field.metadata.get("alias")] if name), field.name]
    words = choices(hint)
    if bool in words:
        extra = tuple(word for word in words if word not in (bool, type(None)))
        return BoolOption(flags, extra=extra, **given)
    hint = without_none(hint)
    repeated = typing.get_origin(hint) in (list, Sequence)  # `Sequence[str]`: the option may be given several times
    if repeated:
        (hint,) = typing.get_args(hint)
    if typing.get_origin(hint) is tuple and typing.get_args(hint)[-1] is Ellipsis:  # `tuple[str, ...]`: several words
        return ListOption(flags, type=spelling(typing.get_args(hint)[0], field.name), multiple=True, **given)
    return click.Option(flags, type=spelling(hint, field.name), multiple=repeated, **given)


def spelling(hint: Any, name: str) -> Any:
    """The click type of a type hint.

    Args:
        hint: A type without its None: `int`, `Path`, `tuple[float, float]`, `Literal["max", "min"]`, or `Annotated`
            with a click type.
        name: The field, for the message.

    Returns:
        A click type, or `str`.

    Raises:
        TypeError: When no spelling is known for the type.
    """
    if typing.get_origin(hint) is Annotated:  # the type says itself how it is written
        return next(word for word in typing.get_args(hint)[1:] if isinstance(word, click.ParamType))
    if typing.get_origin(hint) is Literal:
        return click.Choice([str(word) for word in typing.get_args(hint)], case_sensitive=False)
    if typing.get_origin(hint) is tuple:
        return click.Tuple([spelling(part, name) for part in typing.get_args(hint)])
    if hint is Path:
        return click.Path(path_type=Path)
    if hint in (str, int, float):
        return {str: str, int: Integer(), float: Number()}[hint]
    raise TypeError(f"No spelling is known for {name}: {hint}.")


def without_none(hint: Any) -> Any:
    """`int` of `int | None`."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(rest) == 1:
            return rest[0]
    return hint


def choices(hint: Any) -> list[Any]:
    """The alternatives of `bool | Literal["both"]`: [bool, "both"]."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        return [choice for part in typing.get_args(hint) for choice in choices(part)]
    return list(typing.get_args(hint)) if typing.get_origin(hint) is Literal else [hint]


class Integer(click.types.IntParamType):
    """An integer that torch and numpy have room for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a word."""
        number = super().convert(value, param, ctx)
        return number if abs(number) < MOST else self.fail(f"{value} does not fit into 64 bits.", param, ctx)


class Number(click.types.FloatParamType):
    """A number that fp32 has room for."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a word."""
        number = super().convert(value, param, ctx)
        return number if abs(number) <= LARGEST else self.fail(f"{value} is no finite number of fp32.", param, ctx)


class BoolWord(click.ParamType[Any]):
    """True, false, or one more word."""

    name = "switch"

    def __init__(self, extra: tuple[str, ...]):
        self.extra = extra

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool | str | None:
        """Read a word as a truth value, or as one of the further words; None stays None."""
        if isinstance(value, bool) or value is None:
            return value
        word = str(value).lower()
        if word in YES | NO:
            return word in YES
        if word in self.extra:
            return word
        self.fail(f"{value!r} is not True, False{''.join(f' or {extra}' for extra in self.extra)}.", param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Offer the words."""
        words = ["True", "False", *self.extra]
        return [CompletionItem(word) for word in words if word.lower().startswith(incomplete.lower())]


class BoolOption(click.Option):
    """`--x`, `--no-x`, `--x True`, `--x False`, and perhaps `--x both`."""

    def __init__(self, flags: list[str], extra: tuple[str, ...] = (), **given: Any):
        super().__init__(flags, type=BoolWord(extra), **given)
        self.extra = extra
        self.negative = [f"--no-{flag.removeprefix('--')}" for flag in self.opts]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The line of the help: the option and its opposite."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        extra = "".join(f" / {self.opts[0]} {word}" for word in self.extra)
        return f"{self.opts[0]} / {self.negative[0]}{extra}", record[1]

    def make_metavar(self, ctx: click.Context) -> str:
        """Nothing: the word of a switch is optional."""
        return ""

    def words(self, following: list[str]) -> tuple[str, list[str]]:
        """The value a bare switch takes from the words that follow it, and what is left of them."""
        known = YES | NO | set(self.extra)
        return (following[0], following[1:]) if following and following[0].lower() in known else ("True", following)


class ListOption(click.Option):
    """An option of several words: `--languages en fr`, `--distribution .1,.9` or `--distribution [.1,.9]`.

    Words that hold blanks or commas, or look like options, are said as JSON: `--labels '["-LRB-", "$,"]'`.
    """

    def words(self, following: list[str]) -> tuple[list[str], list[str]]:
        """The words up to the next option, brackets off and taken apart at commas, and what is left."""
        if following and (exact := words_in_json(following[0])) is not None:
            return exact, following[1:]
        count = next((i for i, word in enumerate(following) if is_option(word)), len(following))
        return taken_apart(following[:count]), following[count:]

    def make_metavar(self, ctx: click.Context) -> str:
        """`INTEGER...`."""
        return f"{super().make_metavar(ctx)}..."


PLAIN_LIST = re.compile(r"[\w.+/:@*-]+(\s*,\s*[\w.+/:@*-]+)*,?|[-+.\deE]+(\s+[-+.\deE]+)+")


def taken_apart(words: list[str]) -> list[str]:
    """Take lists apart: `[.1, .9]`, in one word or in several, `.1,.9`, `en,fr`.

    Words of other characters stay as they are: `$(`, `$,`, `the text (en)`.
    """
    if words and words[0][:1] in ("[", "(") and words[-1][-1:] == {"[": "]", "(": ")"}[words[0][0]]:
        inner = " ".join(words)[1:-1]
        return [part for part in re.split(r"[,\s]+", inner) if part]
    found = list[str]()
    for word in words:
        found += re.split(r"[,\s]+", word.strip(", ")) if PLAIN_LIST.fullmatch(word.strip()) else [word]
    return [part for part in found if part.strip(",")]


def words_in_json(word: str) -> list[str] | None:
    """The texts of a JSON list; None when the word is no such list."""
    if not word.startswith('["'):
        return None
    try:
        found = json.loads(word)
    except (ValueError, RecursionError):
        return None
    return found if all(isinstance(each, str) for each in found) else None


def is_option(word: str) -> bool:
    """Whether a word starts an option; `-1` and `-.5` do not."""
    return word.startswith("-") and len(word) > 1 and not re.match(r"-\.?\d", word)


def normalise_argv(params: list[click.Parameter], words: list[str]) -> list[str]:
    """Rewrite the liberties of the grammar as click knows options: spellings, switches, options of several words."""
    options = [param for param in params if isinstance(param, click.Option)]
    flags: dict[str, tuple[click.Option | None, str, str | None]]
    flags = {canonical(flag): (param, param.opts[0], None) for param in options for flag in param.opts}
    for switch in (param for param in options if isinstance(param, BoolOption)):
        flags |= {canonical(flag): (switch, switch.opts[0], "False") for flag in switch.negative}
    plain: list[str] = []
    while words:
        word, *words = words
        if word == "--":
            return [*plain, word, *words]
        spelled, equals, value = word.partition("=")
        param, flag, fixed = (
            flags.get(canonical(spelled), (None, spelled, None)) if word.startswith("--") else (None, word, None)
        )
        if fixed is not None:
            if equals:
                raise click.UsageError(f"{spelled} takes no value; write {flag} {value}.")
            plain.append(f"{flag}={fixed}")
        elif isinstance(param, BoolOption) and not equals:
            value, words = param.words(words)
            plain.append(f"{flag}={value}")
        elif isinstance(param, ListOption):
            values, words = (param.words([value])[0], words) if equals else param.words(words)
            if not values:
                raise click.UsageError(f"{flag} needs at least one value.")
            plain += [f"{flag}={value}" for value in values]
        elif param and equals:
            plain += [flag, *taken_apart([value])] if param.nargs > 1 else [f"{flag}={value}"]
        elif param:  # its values are what they are, even where they look like options; two may be one list, [.1,.9]
            parts = taken_apart(words[:1]) if param.nargs > 1 else []
            count = 1 if len(parts) == param.nargs else param.nargs
            plain, words = [*plain, flag, *(parts if count == 1 and parts else words[:count])], words[count:]
        else:
            plain.append(word)
    return plain


def canonical(name: str) -> str:
    """What two spellings of one name have in common: `--batch_size`, `--batch-size`; `AdamW`, `adamw`."""
    return name.replace("_", "").replace("-", "").lower()


def usual_options(options: Any) -> list[str]:
    """The options that have the value that they have when nothing is said."""
    found = []
    for field in dataclasses.fields(options):
        usual = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        if getattr(options, field.name) == usual:
            found.append(f"--{field.name}")
    return found


def to_argv(options: Any) -> list[str]:
    """The segment that parses back into these options, defaults included."""
    words, tail = str(type(options).__command__).split(), []
    for field, param in zip(in_order(type(options)), parameters(type(options))):
        value = getattr(options, field.name)
        if isinstance(param, click.Argument):
            tail = [str(word) for word in value]
            tail = ["--"] * any(word.startswith("-") for word in tail) + tail
        elif isinstance(param, ListOption):
            said = list(map(str, value))
            if param.words(said) != (said, []):
                said = [json.dumps(said, ensure_ascii=False)]
            words += [f"--{field.name}", *said] if value else []
        elif value is not None:
            for each in value if param.multiple else [value]:
                said = list(map(str, each)) if isinstance(each, tuple) else [str(each)]
                joined = len(said) == 1 and said[0].startswith("-")
                words += [f"--{field.name}={said[0]}"] if joined else [f"--{field.name}", *said]
    return words + tail
