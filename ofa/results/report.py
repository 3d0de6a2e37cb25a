"""The results of the experiments on new vocabularies, as an action."""

import json
from dataclasses import dataclass
from pathlib import Path

import click

from ofa.results.models import hypernetworks, pretraining
from ofa.results.retrieval import layers, retrieval
from semeqv.grammar.component import component
from semeqv.results.tables import write_between
from semeqv.runs.files import write_text


@component("ofa report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print what the experiments on new vocabularies have measured, on average over seeds.

    Args:
        retrieval: Folders of experiments/ofa-minilm.mk, one for each language: `measured/42-ofa` and so on.
        layers: Folders of experiments/ofa-retrieval.mk: `layers/42-ofa` and so on.
        pretraining: Folders of experiments/ofa-pretrain.mk: `before/42-ofa`, `continued/42-ofa` and so on.
        hypernetworks: Folders of experiments/ofa-hypernetwork.mk: `evaluated/42-bilstm` and so on.
        output: Write the numbers of every seed to this file too, as JSON.
        markdown: Write the tables, and what they show, into this Markdown page too, between the lines `<!-- PART -->`
            and `<!-- end -->`.
        part: Of these lines.
    """

    retrieval: tuple[Path, ...] = ()
    layers: tuple[Path, ...] = ()
    pretraining: tuple[Path, ...] = ()
    hypernetworks: tuple[Path, ...] = ()
    output: Path | None = None
    markdown: Path | None = None
    part: str = "measures"

    def build(self) -> None:
        """Read the runs, print, and write."""
        parts = [hypernetworks(path) for path in self.hypernetworks]
        parts += [retrieval(path) for path in self.retrieval]
        parts += [layers(path) for path in self.layers]
        parts += [pretraining(path) for path in self.pretraining]
        if not parts:
            raise click.UsageError("cli ofa report: say which runs, such as --retrieval runs/ofa-minilm/fr")
        for part in parts:
            for table in part.tables:
                table.print()
            for sentence in part.findings:
                click.echo(sentence)
        if self.output is not None:
            numbers = {f"{part.kind} {part.name}": part.numbers for part in parts}
            write_text(self.output, json.dumps(numbers, indent=2) + "\n")
            click.echo(f"wrote {self.output}")
        if self.markdown is not None:
            write_between(self.markdown, self.part, "\n".join(part.markdown() for part in parts))
