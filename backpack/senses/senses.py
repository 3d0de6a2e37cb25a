"""The senses of words as an action."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("backpack senses")
@dataclass(frozen=True, kw_only=True)
class Senses:
    """Show what the senses of words do: as tables, as JSON, and as a page to search.

    A sense C(x)_l of a word adds alpha E C(x)_l to the logits of the next token, and alpha is never negative. So each
    sense is shown by the tokens that it speaks for most, those that it speaks against most, and the senses of other
    words that are nearest by cosine, of the same index and of any. The roles of an index are averages over words.
    Senses are those of the model as it is, so edits count. A word is looked up as it stands after a blank; where it has
    several tokens, their senses are averaged. Data sets of the sentence tell which words are frequent, and which tokens
    follow which. The roles go to metrics.jsonl of the run's folder.

    Args:
        word: A word to show; may be repeated.
        top: How many tokens to name on either side.
        neighbours: How many of the nearest senses to name.
        vocabulary: So many of the most frequent words are averaged over, searched for neighbours, and on the page; 0
            for all. Work grows with its square. Without a data set, the order of the vocabulary stands for frequency.
        json: Write what is known of the words that were asked for, and the roles, to this file.
        html: Write a page with all words to this file. It needs no network and nothing beside it.
    """

    word: list[str] = field(default_factory=list)
    top: int = 10
    neighbours: int = 5
    vocabulary: int = 2000
    json: Path | None = None
    html: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, top=1, neighbours=0, vocabulary=0)

    def build(
        self,
        *,
        model: Any,
        device: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
        dataset: Any = None,
    ) -> None:
        """Look at the senses, print them, and write them.

        Args:
            model: A Backpack.
            device: Where to compute.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
            dataset: By split and name, if the sentence has any.
        """
        import json

        import click

        from backpack.senses.describing import describe
        from backpack.senses.page import page
        from backpack.senses.report import asked_for, print_roles, print_word, size_of
        from semeqv.runs.files import write_text

        found = describe(self, model, tokenizer, dataset, (device, threads))
        for word in found.asked:
            print_word(found, word)
        print_roles(found)
        record(
            [{"measure": "senses", "model": found.model, "words": found.averaged, **role.to_json()}
             for role in found.roles]
        )  # fmt: skip
        if self.json is not None:
            write_text(self.json, json.dumps(asked_for(found), indent=1, ensure_ascii=False) + "\n")
            click.echo(f"wrote {self.json}")
        if self.html is not None:
            text = page(found)
            write_text(self.html, text)
            click.echo(f"wrote {self.html}: {len(found.words)} words, {size_of(text)}")
