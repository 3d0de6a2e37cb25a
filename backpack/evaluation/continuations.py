"""BLEU of continuations, as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("backpack continuations")
@dataclass(frozen=True, kw_only=True)
class Continuations(Measuring):
    """Let a model go on with held-out text, and compare with how that goes on, by BLEU.

    The running text of the validation and test sets of the sentence is cut into pieces of --prompt and --new tokens;
    the model reads the former and writes as many tokens as the latter, the most probable one each time. BLEU (Papineni
    et al., 2002) is that of sacrebleu (`pip install -e '.[eval]'`), over all pieces; beside it stands that of the
    continuations of other pieces, which says what any text of this kind reaches. Lines go to metrics.jsonl of the run's
    folder.

    Args:
        prompt: Tokens to read.
        new: Tokens to write.
        pieces: So many pieces at most, from the beginning of each set.
        batch_size: Pieces at a time.
        output: Write a JSON line for each piece to this file, with both texts.
    """

    prompt: int = 32
    new: int = 32
    pieces: int = 200
    batch_size: int = 16
    output: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, prompt=1, new=1, pieces=2, batch_size=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write the texts."""
        from backpack.evaluation.continuing import measure, print_lines, write_texts

        lines, texts = measure(self, subject)
        print_lines(lines)
        if self.output is not None:
            write_texts(self.output, texts)
        return lines
