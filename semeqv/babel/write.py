"""Writes the generated corpus to files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.grammar.component import component

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@component("babel write")
@dataclass(frozen=True, kw_only=True)
class Write(GrammarOptions):
    """Write a generated corpus in two invented languages, Lume and Drask, and measure what can be learned from it.

    Each split, train, validation and test, gets documents as plain text (train.lume.txt, blank lines between), the
    sentences that are in both languages line by line (train.lume, train.drask) and everything that is known of every
    word as CoNLL-U (train.lume.conllu). The sizes, and the least perplexity that a model can reach, go to facts.json.

    Args:
        path: The folder.
        sentences: Sentences of the train split, both languages together, up to the end of a document; validation and
            test get a tenth of them each.
        seed: Which corpus in these languages; `lexicon_seed` chooses the languages.
    """

    path: Path = Path("babel")
    sentences: int = 20_000
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sentences < 1:
            raise ValueError(f"--sentences {self.sentences}: write 1 or more")
        if self.seed < 0:
            raise ValueError(f"--seed {self.seed}: write 0 or more")

    def build(self) -> None:
        """Write the files, and print what they hold."""
        from rich.console import Console

        from semeqv.babel.folder import write_corpus
        from semeqv.babel.grammar import Grammar

        facts = write_corpus(self.path, Grammar(self.grammar), self.sentences, self.seed)
        console = Console(markup=False, highlight=False, soft_wrap=True)
        print_facts(console, facts)
        console.print(f"wrote {self.path}")


def print_facts(console: Console, facts: dict[str, Any]) -> None:
    """Print the tables of a corpus."""
    words = ", ".join(
        f"{facts['languages'][language]['types']} forms of {language.capitalize()}, "
        f"{facts['languages'][language]['homonym_share']:.0%} of its content words homonyms"
        for language in LANGUAGES
    )
    console.print(f"{facts['concepts']} senses; {words}")
    console.print(sizes(facts))
    console.print(senses(facts))


def sizes(facts: dict[str, Any]) -> Table:
    """What the files hold, and how well it can be predicted."""
    counts = ("sentences", "tokens")
    table = blank("Best possible language model", (*counts, "nats/token", "ppl", "bits/byte"))
    for split, language, found in rows(facts):
        bounds = ["-"] * 3
        if found["tokens"]:
            spread = f"{found['nats_per_token']:.3f} ± {found['standard_error']:.3f}"
            bounds = [spread, f"{found['perplexity']:.2f}", f"{found['bits_per_byte']:.3f}"]
        table.add_row(split, language, *(f"{found[name]:,}" for name in counts), *bounds)
    return table


def senses(facts: dict[str, Any]) -> Table:
    """How well the senses of homonyms can be told apart."""
    contexts = {"usual": "usual sense", "left": "words so far", "sentence": "sentence", "document": "document"}
    title = "Best possible accuracy on the senses of homonyms, by what is known"
    table = blank(title, ("homonyms", *contexts.values()))
    for split, language, found in rows(facts):
        accuracies = [found["sense_accuracy"][context] for context in contexts]
        said = ["-" if accuracy is None else f"{accuracy:.3f}" for accuracy in accuracies]
        table.add_row(split, language, f"{found['homonyms']:,}", *said)
    return table


def blank(title: str, headings: tuple[str, ...]) -> Table:
    """A table with a row for each split and language."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("split", "language"):
        table.add_column(heading, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def rows(facts: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """The measurements of each split and language."""
    splits = facts["splits"]
    return [(split, language, splits[split][language]) for split in splits for language in LANGUAGES]
