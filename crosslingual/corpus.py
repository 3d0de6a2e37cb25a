"""`cli crosslingual corpus`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from semeqv.grammar.component import component


@component("crosslingual corpus")
@dataclass(frozen=True, kw_only=True)
class GatheredCorpus:
    """Gather the training sets of the sentence, each with a --name, into one file for `cli dataset multilingual`.

    Any data sets will do, corpora as well as labelled ones: of aligned corpora a line says a sentence in all its
    languages, of others in one. What is there already is left out, and so is what any validation or test set of the
    sentence says, whatever its spelling: two texts are the same when their letters and digits are.

    Args:
        output: The file; compressed names are not understood.
        call: A language as a data set spells it, and how it is to be called, `--call eng_Latn en`; may be repeated.
    """

    output: Path
    call: list[tuple[str, str]] = field(default_factory=list)

    def build(self, *, dataset_options: Mapping[tuple[str, str | None], Any]) -> None:
        """Read, compare, write, and say how much there is.

        Args:
            dataset_options: The data sets, by split and name; none is tokenised.

        Raises:
            click.UsageError: When there is no training set.
        """
        from crosslingual.gathering import Gathered, check_one_language, said_by
        from semeqv.results.tables import print_table
        from semeqv.runs.json_lines import to_lines
        from semeqv.text.files import writing

        sources = [options for (split, _), options in dataset_options.items() if split == "train"]
        tests = [options for (split, _), options in dataset_options.items() if split != "train"]
        if not sources:
            raise click.UsageError("cli crosslingual corpus: add what to gather: cli dataset ... --name pairs")
        for options in sources:
            check_one_language(options)
        gathered = Gathered(text for options in tests for said in said_by(options) for text in said.values())
        names = dict(self.call)
        with writing(self.output) as file:
            for options in sources:
                lines = ({names.get(name, name): text for name, text in said.items()} for said in said_by(options))
                for line in gathered.new(lines):
                    file.write(to_lines([line]))
        rows = [[name, f"{count:,}", f"{size / 1e6:.2f}"] for name, (count, size) in gathered.counts.items()]
        print_table("Gathered", ("languages", "lines", "million characters"), rows)
        click.echo(
            f"wrote {self.output}; left out: {gathered.repeated:,} lines that were there, {gathered.tested:,} that are "
            "in a validation or test set"
        )
