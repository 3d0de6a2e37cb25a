"""`cli crosslingual corpus`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from semeqv.engine.component import component


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
        import json

        from crosslingual.gathering import Gathered, said_by
        from semeqv.tasks.measures.report import print_table
        from semeqv.text.files import writing

        sets = {split: [] for split, _ in dataset_options} | {"train": []}  # type: dict[str, list[Any]]
        for (split, _), options in dataset_options.items():
            sets[split].append(options)
        if not sets["train"]:
            raise click.UsageError("cli crosslingual corpus: add what to gather, such as cli dataset tsv --name tatoeba")
        tests = [options for split, each in sets.items() if split != "train" for options in each]
        gathered = Gathered(text for options in tests for said in said_by(options) for text in said.values())
        names = dict(self.call)
        with writing(self.output) as file:
            for options in sets["train"]:
                for said in gathered.new({names.get(name, name): text for name, text in each.items()} for each in said_by(options)):
                    file.write(json.dumps(said, ensure_ascii=False) + "\n")
        rows = [[name, f"{count:,}", f"{size / 1e6:.2f}"] for name, (count, size) in gathered.counts.items()]
        print_table("Gathered", ("languages", "lines", "million characters"), rows)
        click.echo(
            f"wrote {self.output}; left out: {gathered.repeated:,} lines that were there, {gathered.tested:,} that are in "
            "a validation or test set"
        )
