"""Topic control, measured, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack topics")
@dataclass(frozen=True, kw_only=True)
class Topics(Measuring):
    """Measure how far a Backpack can be moved to write about a topic, and what that costs.

    For each topic and strength, texts are written from nothing with `cli backpack edit topic` (Hewitt et al., 2023,
    arXiv 2305.16765, section 6.1). The edit is given a share of the words of the topic; the others, which it is never
    told, say whether the topic has been understood. A text is on topic when it has more words of the topic than of any
    other one. Beside it stands what needs no senses: a bias on the logits of the given words, of as many nats. The
    perplexity is that of the texts under another model (--judge), token by token of its own; the share of different
    pairs of words tells texts that repeat themselves. Intervals are those of a bootstrap of the texts. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        lexicon: A topic and a word of it on each line, a tab between them. Without it, the nouns of the generated
            corpus: the sentence then needs `cli dataset babel --split validation`.
        strengths: Those of the edit; 0 is the model as it is.
        annealing: Of the edit, from 0 to 1: what is left of the strength after each word of the topic.
        given: The share of the words of each topic that the edit is given; words of several tokens never are.
        judge: A model that judges the texts: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        texts: So many of each topic, at each strength.
        new: Tokens of each text.
        temperature: Of sampling.
        top_p: Sample among the tokens that have so much of the probability.
        batch_size: Texts at a time.
        replicates: Samples of the bootstrap.
        by: What is compared: the edit of senses, the bias on logits.
        output: Write the texts to this file, as JSON lines.
    """

    lexicon: Path | None = None
    strengths: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    annealing: float = 0.9
    given: float = 0.5
    judge: str
    texts: int = 20
    new: int = 50
    temperature: float = 1.0
    top_p: float = 0.95
    batch_size: int = 32
    replicates: int = 1000
    by: tuple[Literal["senses", "logits"], ...] = ("senses", "logits")
    output: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, annealing=(0, 1), given=(0, 1), texts=1, new=1, top_p=(0, 1), batch_size=1, replicates=1)
        if not self.strengths or min(self.strengths) < 0:
            raise ValueError("--strengths takes one or more numbers, each 0 or more.")
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write the texts."""
        import click

        from backpack.edits.topics_report import measure, print_lines
        from semeqv.runs.json_lines import write_lines

        lines, texts = measure(self, subject)
        print_lines(lines)
        if self.output is not None:
            write_lines(self.output, texts)
            click.echo(f"wrote {self.output}")
        return lines
