"""Functions as actions: their signature is the command."""

import csv
import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from semeqv.grammar.action import AtLeast, Positional, Result, Spelled, Written, action
from semeqv.grammar.chain import Chain
from semeqv.grammar.settings import Settings

RAN = []


@dataclass(frozen=True)
class Counted(Result):
    """Words and how often each stands in a text."""

    counts: dict[str, int]

    def show(self):
        """Print them."""
        print(self.counts)

    def records(self):
        """One object."""
        return [{"measure": "words", "words": len(self.counts)}]

    def rows(self):
        """One row a word."""
        return [{"word": word, "count": count} for word, count in self.counts.items()]


def refuse(options):
    """Refuse a word that is not among those to count."""
    if options.only and options.top > len(options.only):
        raise ValueError("--top is more than --only has words.")


@action("count", check=refuse)
def count(
    seed: int = 0,
    *,
    source: Annotated[str, Spelled("from")],
    only: tuple[str, ...] = (),
    text: Sequence[str] = (),
    top: Annotated[int, AtLeast(1, 9)] = 2,
    case: Literal["keep", "lower"] = "keep",
) -> Counted:
    """Count words.

    More than one line.

    Args:
        seed: Of nothing.
        source: What the words are from.
        only: Words to count; all if left out.
        text: A text; may be repeated.
        top: The most words.
        case: What to do with capital letters.

    Returns:
        The words.
    """
    RAN.append((seed, source))
    words = [word for each in (source, *text) for word in (each.lower() if case == "lower" else each).split()]
    kept = [word for word in dict.fromkeys(words) if not only or word in only][:top]
    return Counted({word: words.count(word) for word in kept})


@dataclass(frozen=True)
class Look:
    """How it looks.

    Args:
        width: Centimetres.
        colors: Of its lines.
    """

    width: float = 4.0
    colors: tuple[str, ...] = ()

    def __post_init__(self):
        if self.width <= 0:
            raise ValueError(f"--width must be above 0, not {self.width}.")


@action("paint")
def paint(*, what: str, look: Look = Look()) -> None:
    """Paint something.

    Args:
        what: What.
        look: How it looks.
    """
    RAN.append((what, look))


@action("draw")
def draw(*, runs: Annotated[tuple[Path, ...], Positional()] = ()) -> None:
    """Draw something.

    Args:
        runs: Folders.
    """
    RAN.append(runs)


@dataclass(frozen=True)
class Page(Written):
    """A page that was written."""

    path: Path

    def show(self):
        """Print where it is."""
        print(f"wrote {self.path}")


@action("scribble")
def scribble(*, output: Path) -> Page:
    """Write a page.

    Args:
        output: Where to.
    """
    return Page(output)


@pytest.fixture
def command():
    RAN.clear()

    def run(sentence, chain):
        for step in sentence.actions:
            known = {"seed": 7, "record": RAN.append}
            step.options.build(**{need.name: known[need.name] for need in step.leaf.needs})

    chain = Chain(Settings)
    chain.run = run
    for each in (count, draw, paint, scribble):
        chain.add_component(each.options)
    return chain


def run_cli(command, line, code=0):
    with pytest.raises(SystemExit) as stopped:
        command.main(line.split(), standalone_mode=True)
    assert stopped.value.code == code


def test_a_function_is_called_as_it_is():
    assert count(source="a b a", top=1).counts == {"a": 2}
    assert count(3, source="A a", case="lower").counts == {"a": 2}


def test_the_signature_is_the_command(command, capsys):
    run_cli(command, "count --from a --text a --text b --top 1 --case lower")
    assert RAN == [(7, "a"), [{"measure": "words", "words": 1}]]
    assert capsys.readouterr().out == "{'a': 2}\n"
    run_cli(command, "count --source a --only b a")
    assert RAN[2:] == [(7, "a"), [{"measure": "words", "words": 1}]]
    run_cli(command, "draw here there")
    assert RAN[4:] == [(Path("here"), Path("there"))]


def test_options_that_actions_share_are_one_parameter(command, capsys):
    run_cli(command, "paint --what walls --width 2 --colors red blue")
    paint(what="walls")
    assert [("walls", Look(2.0, ("red", "blue"))), ("walls", Look())] == RAN
    run_cli(command, "paint --what walls --width 0", 2)
    assert "--width must be above 0, not 0.0." in capsys.readouterr().err
    run_cli(command, "paint --help")
    assert "--colors TEXT... Of its lines." in " ".join(capsys.readouterr().out.split())


def test_results_are_written_where_options_say(command, tmp_path, capsys):
    run_cli(command, f"count --from a --text b --csv {tmp_path}/a.csv --json {tmp_path}/a.json")
    with open(tmp_path / "a.csv") as file:
        assert list(csv.DictReader(file)) == [{"word": "a", "count": "1"}, {"word": "b", "count": "1"}]
    assert json.loads((tmp_path / "a.json").read_text()) == [{"measure": "words", "words": 2}]


def test_the_help_is_that_of_the_docstring(command, capsys):
    run_cli(command, "count --help")
    said = " ".join(capsys.readouterr().out.split())
    assert "Count words. More than one line. Options:" in said
    assert "--source, --from TEXT What the words are from. [required]" in said
    assert "--csv FILE" in said or "--csv PATH" in said
    assert "Of nothing" not in said


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("count --from a --top 0", "--top must be at least 1 and at most 9, not 0."),
        ("count --from a --only b --top 2", "--top is more than --only has words."),
        ("count", "Missing option '--source' / '--from'."),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(command, capsys, line, refused):
    run_cli(command, line, 2)
    assert refused in capsys.readouterr().err
    assert not RAN


def test_python_is_refused_what_a_command_is():
    with pytest.raises(ValueError, match="--top must be at least 1"):
        count(source="a", top=0)
    with pytest.raises(ValueError, match="--top is more than --only has words"):
        count(source="a", only=("b",))


def made(**said: Any) -> Any:
    """Declare an action with a docstring and types."""

    def made_up(model: Any = None, *, top: Any = 1) -> None:
        pass

    made_up.__doc__ = said["doc"]
    made_up.__annotations__["top"] = said.get("hint", int)
    return action("made up")(made_up)


@pytest.mark.parametrize(
    ("doc", "hint", "refused"),
    [
        ("Do.\n\nArgs:\n    top: How many.", int, "says nothing under `Args:` of model"),
        ("Do.\n\nArgs:\n    model: Any.\n    top: How many.\n    low: No.", int, "documents low"),
        ("Do.\n\nArgs:\n    model: Any.\n    top: How many.", dict, "No spelling is known for top"),
        (None, int, "says nothing"),
    ],
)
def test_a_function_that_cannot_be_an_action_is_refused(doc, hint, refused):
    with pytest.raises(TypeError, match=refused):
        made(doc=doc, hint=hint)


def test_heavy_libraries_are_named_without_being_imported():
    from semeqv.lazy import torch

    assert torch.nn is sys.modules["torch"].nn


def test_what_is_written_is_shown_and_not_recorded(command, capsys):
    run_cli(command, "scribble --output page.txt")
    assert capsys.readouterr().out == "wrote page.txt\n"
    assert RAN == []
    assert not {field.name for field in dataclasses.fields(scribble.options)} & {"csv", "json"}
