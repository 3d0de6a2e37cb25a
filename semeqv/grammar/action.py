"""Actions: functions that anyone can call, and commands made of their signatures.

    @action("backpack attribute")
    def attribute(model, tokenizer=None, *, prompt: Sequence[str], top: Annotated[int, AtLeast(1)] = 9) -> Attributions:
        '''Attribute the logits of the next token to senses and positions.

        Args:
            model: A Backpack.
            tokenizer: Its tokenizer; that of the model's folder if None.
            prompt: The text; may be repeated.
            top: How many of the largest parts to show.
        '''

Positional parameters are parts of the run, which the command asks for by name; keyword-only parameters are the options;
the docstring is the help. Options that several actions share are one keyword-only parameter whose type is a dataclass,
`style: Style = Style()`: its fields are options of the command, and its docstring is their help. What the function
returns is a `Result`: the command shows it, records it, and writes it where `--csv` and `--json` say. A function that
is there to write a file or a folder returns `Written`, which is shown, and no more. The function itself prints nothing.
"""

import dataclasses
import functools
import inspect
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import Field, dataclass
from json import dumps
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, ParamSpec, TypeAlias, TypeVar

import click

from semeqv.grammar.component import argument_helps, check_bounds, component, option_helps
from semeqv.runs.files import write_csv, write_text

P = ParamSpec("P")
R = TypeVar("R")


class Written:
    """What an action gives back that writes a file or a folder: the command shows it, and records nothing."""

    def show(self) -> None:
        """Print it."""
        raise NotImplementedError


class Result(Written):
    """What an action gives back that measures something."""

    def records(self) -> Sequence[Mapping[str, Any]]:
        """One JSON object for each measurement, for metrics.jsonl."""
        raise NotImplementedError

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The finest that it knows, as rows of one table, for `--csv`."""
        return self.records()

    def objects(self) -> Sequence[Mapping[str, Any]]:
        """The records with all that belongs to each, for `--json`."""
        return self.records()


@dataclass(frozen=True)
class AtLeast:
    """A bound of an option, and perhaps one above: `top: Annotated[int, AtLeast(1)]`."""

    least: float
    most: float | None = None


@dataclass(frozen=True)
class Spelled:
    """Another spelling of an option: `source: Annotated[str, Spelled("from")]`."""

    name: str


@dataclass(frozen=True)
class Positional:
    """An option that is written without its name, `runs: Annotated[tuple[Path, ...], Positional()]`.

    It may stand among the positional parameters, too.
    """


Options: TypeAlias = tuple[dict[str, tuple[Any, Field[Any]]], dict[str, AtLeast], dict[str, type]]

OUTPUTS = {"csv": "Also write every row to this file.", "json": "Also write the results to this file."}


def action(
    path: str, check: Callable[[Any], None] | None = None, *, record: bool = True
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Function decorator: declare the action `cli PATH`.

    The function stays as it is, but refuses options that are out of their bounds. One that cannot be an action is
    refused with `TypeError`, as `component` refuses a class.

    Args:
        path: The words of the command, such as `backpack attribute`.
        check: Is given the options as attributes; raises `ValueError` when they do not fit each other.
        record: Whether what it measures goes to the metrics.jsonl of the run.

    Returns:
        The decorator. What it gives back has the dataclass of the options as `options`.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        found = own, bounds, groups = options_of(function)
        verify = verifier(function, check, found)

        def refuse(options: Any) -> None:
            refuse_options(options, bounds, check)

        @functools.wraps(function)
        def checked(*parts: P.args, **given: P.kwargs) -> R:
            verify(*parts, **given)
            return function(*parts, **given)

        checked.options = command_of(function, path, own, groups, refuse=refuse, recorded=record)  # type: ignore[attr-defined]
        return checked

    return declare


def verifier(
    function: Callable[..., Any], check: Callable[[Any], None] | None = None, found: Options | None = None
) -> Callable[..., None]:
    """Return what takes the arguments of an action, and raises `ValueError` when an option cannot be.

    Args:
        function: The action.
        check: See `action`.
        found: What `options_of` returned, where it was called already.

    Returns:
        A function that takes what the action takes.
    """
    own, bounds, groups = found or options_of(function)
    signature = inspect.signature(function)

    def verify(*parts: Any, **given: Any) -> None:
        arguments, options = signature.bind_partial(*parts, **given).arguments, dict[str, Any]()
        for name, parameter in signature.parameters.items():
            value = arguments.get(name, parameter.default)
            options |= {name: value} if name in own else vars(value) if name in groups else {}
        refuse_options(SimpleNamespace(**options), bounds, check)

    return verify


def options_of(function: Callable[..., Any]) -> Options:
    """Return the options of a function: its keyword-only parameters, and the fields of those that are dataclasses.

    Args:
        function: The action; types may be written as text.

    Returns:
        By name: the type and the field of each option; the bounds of those that have some; and the dataclasses by the
        parameters that they are the types of.
    """
    found, bounds, groups = dict[str, tuple[Any, Field[Any]]](), dict[str, AtLeast](), dict[str, type]()
    for name, parameter in inspect.signature(function).parameters.items():
        hint, metadata = parameter.annotation, dict[str, Any]()
        if parameter.kind is not parameter.KEYWORD_ONLY and "Positional()" not in str(hint):
            continue
        if isinstance(hint, str):  # those of the parts may name what is imported for type checkers alone
            hint = eval(hint, inspect.unwrap(function).__globals__)  # type: ignore[attr-defined]
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            groups[name] = hint
            hints = typing.get_type_hints(hint, include_extras=True)
            found |= {each.name: (hints[each.name], copied(each)) for each in dataclasses.fields(hint)}
            continue
        if typing.get_origin(hint) is Annotated:
            kept = []
            for each in hint.__metadata__:
                if isinstance(each, AtLeast):
                    bounds[name] = each
                elif isinstance(each, Spelled):
                    metadata["alias"] = each.name
                elif isinstance(each, Positional):
                    metadata["positional"] = True
                else:
                    kept.append(each)
            hint = Annotated[(hint.__origin__, *kept)] if kept else hint.__origin__
        default = {} if parameter.default is parameter.empty else {"default": parameter.default}
        found[name] = hint, dataclasses.field(metadata=metadata, **default)
    return found, bounds, groups


def copied(field: Field[Any]) -> Field[Any]:
    """Return a field like another one, for a dataclass of its own."""
    given = {name: getattr(field, name) for name in ("default", "default_factory")}
    copy: Field[Any] = dataclasses.field(
        metadata=field.metadata, **{name: each for name, each in given.items() if each is not dataclasses.MISSING}
    )
    return copy


def refuse_options(options: Any, bounds: Mapping[str, AtLeast], check: Callable[[Any], None] | None) -> None:
    """Refuse options that are out of bounds, or do not fit each other; raises `ValueError`.

    Args:
        options: Has them as attributes.
        bounds: By name.
        check: See `action`.
    """
    limits = {name: each.least if each.most is None else (each.least, each.most) for name, each in bounds.items()}
    check_bounds(options, **limits)
    if check is not None:
        check(options)


def command_of(
    function: Callable[..., Any],
    path: str,
    own: Mapping[str, tuple[Any, Field[Any]]],
    groups: Mapping[str, type],
    *,
    refuse: Callable[[Any], None],
    recorded: bool,
) -> type:
    """The component that stands for an action on the command line.

    Args:
        function: The action.
        path: The words of the command.
        own: Its options.
        groups: The dataclasses of options by parameter.
        refuse: Refuses options that cannot be.
        recorded: Whether its records go to the metrics.jsonl of the run.

    Returns:
        A frozen dataclass, which is also found in the module of the function.
    """
    signature = inspect.signature(function)
    parts = [each for name, each in signature.parameters.items() if name not in own and name not in groups]
    grouped = {name: [field.name for field in dataclasses.fields(kind)] for name, kind in groups.items()}
    single = [name for name in own if name in signature.parameters]
    shows, measures = (issubclass(returned(function), kind) for kind in (Written, Result))
    outputs = {name: (Path | None, dataclasses.field(default=None)) for name in OUTPUTS} if measures else {}
    needs = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    needs += [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parts]
    needs += [inspect.Parameter("record", inspect.Parameter.KEYWORD_ONLY)] if measures and recorded else []

    def shared(self: Any) -> dict[str, Any]:
        return {name: groups[name](**{each: getattr(self, each) for each in grouped[name]}) for name in groups}

    def checked(self: Any) -> None:
        shared(self)
        refuse(self)

    def build(self: Any, *, record: Any = None, **parts: Any) -> Any:
        result = function(**parts, **shared(self), **{name: getattr(self, name) for name in single})
        if shows:
            result.show()
        if measures and recorded:
            record(result.records())
        if measures and ("world" not in parts or parts["world"].is_main):
            write(result, self.csv, self.json)
        return result

    build.__signature__ = inspect.Signature(needs)  # type: ignore[attr-defined]
    name = "".join(word.title() for word in re.split(r"[\W_]+", path)) + "Action"
    kind = dataclasses.make_dataclass(
        name,
        [(field, hint, default) for field, (hint, default) in {**own, **outputs}.items()],
        frozen=True,
        kw_only=True,
        namespace={
            "build": build,
            "__post_init__": checked,
            "__doc__": documentation(function, own, outputs, groups),
            "__module__": function.__module__,
        },
    )
    setattr(sys.modules[function.__module__], name, kind)
    return component(path)(kind)


def returned(function: Callable[..., Any]) -> type:
    """Return the class of what a function gives back; `object` when it does not say one."""
    hint = inspect.signature(function).return_annotation
    if isinstance(hint, str):
        hint = eval(hint, inspect.unwrap(function).__globals__)  # type: ignore[attr-defined]
    return hint if isinstance(hint, type) else object


def documentation(
    function: Callable[..., Any], own: Iterable[str], outputs: Iterable[str], groups: Mapping[str, type]
) -> str:
    """The docstring of an action as that of its options; `TypeError` when it does not list all parameters."""
    head, _, rest = inspect.cleandoc(function.__doc__ or "").partition("\nArgs:\n")
    helps = argument_helps(rest)
    if silent := sorted(inspect.signature(function).parameters.keys() - helps.keys()):
        raise TypeError(f"{function.__name__} says nothing under `Args:` of {', '.join(silent)}.")
    if strange := sorted(helps.keys() - inspect.signature(function).parameters.keys()):
        raise TypeError(f"{function.__name__} documents {', '.join(strange)} under `Args:`, which it does not have.")
    for kind in groups.values():
        helps |= option_helps(kind)
    lines = {name: helps[name] for name in own} | {name: OUTPUTS[name] for name in outputs}
    return (
        head + "".join(["\n\nArgs:\n"] * bool(lines)) + "\n".join(f"    {name}: {text}" for name, text in lines.items())
    )


def write(result: Result, csv: Path | None, json: Path | None) -> None:
    """Write a result to the files that were asked for."""
    if json is not None:
        write_text(json, dumps(list(result.objects()), indent=1, ensure_ascii=False) + "\n")
        click.echo(f"wrote {json}")
    if csv is not None:
        write_csv(csv, result.rows())
