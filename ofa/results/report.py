"""The results of the experiments on new vocabularies, as an action."""

from dataclasses import dataclass, field
from pathlib import Path

import click

from semeqv.engine.component import component


@component("ofa report")
@dataclass(frozen=True, kw_only=True)
class Report:
    """Print what the experiments on new vocabularies have measured, on average over seeds, beside published numbers.

    Args:
        retrieval: Folders of experiments/ofa-minilm.mk, one for each language: `measured/42-ofa` and so on.
        pretraining: Folders of experiments/ofa-pretrain.mk: `before/42-ofa`, `continued/42-ofa` and so on.
        hypernetworks: Folders of experiments/ofa-hypernetwork.mk: `evaluated/42-bilstm` and so on.
        note: What is to be said of these runs besides, above the tables of the page; may be repeated.
        output: Write a page to this Markdown file too, and its numbers beside it as JSON. It shows the figures of the
            folder called like the file.
    """

    retrieval: tuple[Path, ...] = ()
    pretraining: tuple[Path, ...] = ()
    hypernetworks: tuple[Path, ...] = ()
    note: list[str] = field(default_factory=list)
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.output is not None and self.output.suffix != ".md":
            raise ValueError(f"--output {self.output}: the page is Markdown; write {self.output.with_suffix('.md')}")

    def build(self) -> None:
        """Read the runs, print, and write the page."""
        import json

        from ofa.results.hypernetworks import hypernetworks
        from ofa.results.page import page
        from ofa.results.pretraining import pretraining
        from ofa.results.retrieval import retrieval
        from semeqv.engine.runs import write_text

        found = [retrieval(path) for path in self.retrieval]
        found += [pretraining(path) for path in self.pretraining]
        found += [hypernetworks(path) for path in self.hypernetworks]
        if not found:
            raise click.UsageError("cli ofa report: say which runs, such as --retrieval runs/ofa-minilm/fr")
        for part in found:
            for table in part.tables:
                table.print()
            for sentence in part.said:
                click.echo(sentence)
        if self.output is not None:
            numbers = self.output.with_suffix(".json")
            write_text(self.output, page(found, self.output.stem, self.note))
            write_text(
                numbers, json.dumps({f"{part.kind} {part.name}": part.numbers for part in found}, indent=2) + "\n"
            )
            click.echo(f"wrote {self.output} and {numbers.name}")
