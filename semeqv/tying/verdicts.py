"""What a theory says, held against what was measured, and how a study tells it: on the screen, as Markdown, as JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import click

from semeqv.grammar.component import positional
from semeqv.lazy import rich
from semeqv.results.tables import Table, console
from semeqv.runs.files import write_text

RUN_NAME = re.compile(r"(\d+)-(.+)")
OUTCOMES = {
    True: ("met", "green", "holds"),
    False: ("not met", "bold red", "**does not hold**"),
    None: ("not measured", "yellow", "not measured"),
    "undecided": ("not decided", "yellow", "not decided"),
}


@dataclass(frozen=True)
class Finding:
    """What the theory says, what that means for one number, and whether it was met.

    `met` is None when it was not measured; or when it was, but the runs are too few to decide, and then `undecided`
    is true.
    """

    theory: str
    claim: str
    measured: str
    met: bool | None
    undecided: bool = False

    @property
    def outcome(self) -> bool | str | None:
        """The key of its words in `OUTCOMES`."""
        return "undecided" if self.undecided else self.met

    def bullet(self) -> str:
        """The statement and its outcome, in a Markdown list."""
        verdict = OUTCOMES[self.outcome][2]
        return f"- {verdict}: {self.theory}. Expected: {self.claim}. Measured: {self.measured}."


@dataclass(frozen=True, kw_only=True)
class StudyReport:
    """Tables, verdicts, and a page of the experiments of a study.

    Args:
        paths: Folders of experiments.
        check: Exit with 1 when a statement is not met, or cannot be measured or decided.
        output: Write the report to this Markdown file too, and its numbers beside it as JSON.
    """

    example: ClassVar[str]  # the folder of an experiment

    paths: tuple[Path, ...] = positional()
    check: bool = False
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the report is Markdown; write {self.output.with_suffix('.md')}")

    def read(self, folder: Path) -> Any:
        """Read the folder of an experiment, which has a `name`."""
        raise NotImplementedError

    def tables(self, experiment: Any) -> Sequence[Table]:
        """What to print of it."""
        raise NotImplementedError

    def findings(self, experiment: Any) -> Sequence[Finding]:
        """What the theory says of it."""
        raise NotImplementedError

    def line(self, finding: Finding) -> str:
        """A statement on the screen, after its outcome."""
        return f"{finding.claim}; measured {finding.measured}"

    def page(self, experiments: Sequence[Any]) -> tuple[str, Any]:
        """The Markdown of all of them, and the numbers behind it."""
        raise NotImplementedError

    def build(self) -> None:
        """Read the experiments, print them, and write the page.

        Raises:
            click.UsageError: When there are no folders.
            SystemExit: With 1, when `check` asks for it.
        """
        if not self.paths:
            raise click.UsageError(f"give folders of experiments, such as {self.example}")
        experiments = [self.read(path) for path in self.paths]
        screen = console()
        for experiment in experiments:
            screen.rule(experiment.name, align="left")
            for table in self.tables(experiment):
                table.print()
                screen.print()
            print_findings(screen, self.findings(experiment), self.line)
            screen.print()
        if self.output is not None:
            text, numbers = self.page(experiments)
            beside = self.output.with_suffix(".json")
            write_text(self.output, text)
            write_text(beside, json.dumps(numbers, indent=2, ensure_ascii=False) + "\n")
            click.echo(f"wrote {self.output} and {beside.name}")
        missed = sum(finding.met is not True for experiment in experiments for finding in self.findings(experiment))
        if self.check and missed:
            click.echo(f"{missed} statements are not met", err=True)
            raise SystemExit(1)


def print_findings(console: Any, findings: Iterable[Finding], say: Callable[[Finding], str]) -> None:
    """Print statements and their outcomes.

    Args:
        console: A `rich.console.Console`.
        findings: The statements.
        say: What to print of one, after its outcome.
    """
    verdicts = rich.table.Table.grid(padding=(0, 2, 0, 0))
    verdicts.add_column(no_wrap=True)
    for finding in findings:
        word, style, _ = OUTCOMES[finding.outcome]
        verdicts.add_row(rich.text.Text(word, style=style), say(finding))
    console.print(verdicts)


def overall(findings: Sequence[Finding]) -> str:
    """How many of the statements of a page were met, before any detail."""
    met, failed = (sum(finding.met is outcome for finding in findings) for outcome in (True, False))
    text = f"Of the {len(findings)} statements below, {met} hold and {failed} do not"
    undecided = sum(finding.undecided for finding in findings)
    left = len(findings) - met - failed - undecided
    text += f"; {undecided} are not decided by so few runs" if undecided else ""
    return text + (f"; {left} could not be measured.\n" if left else ".\n")


def harmless(text: str) -> str:
    """Return a text from a file or a folder's name as one line that Markdown shows as it is, HTML too."""
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", html.escape(" ".join(text.split()), quote=False))


def run_folders(folder: Path, example: str) -> list[Path]:
    """The folders of the runs of an experiment, by their names.

    Args:
        folder: The folder of the experiment.
        example: What one is called, and a run in it, such as `runs/mlm-babel/42-encoder`.

    Returns:
        The folders that are called like `42-encoder`.

    Raises:
        click.UsageError: When there are none.
    """
    experiment, run = example.rsplit("/", 1)
    if not folder.is_dir():
        raise click.UsageError(f"{folder}: no such folder; give the folder of an experiment, such as {experiment}")
    found = sorted(path for path in folder.iterdir() if path.is_dir() and RUN_NAME.fullmatch(path.name))
    if not found:
        raise click.UsageError(f"{folder}: holds no runs; its folders should be called like {run}")
    return found


def seed_and_model(folder: Path) -> tuple[int, str]:
    """What the name of a run's folder says."""
    seed, model = RUN_NAME.fullmatch(folder.name).groups()  # type: ignore[union-attr]
    return int(seed), model
