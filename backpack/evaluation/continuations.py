"""BLEU of continuations, as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("backpack continuations")
@dataclass(frozen=True, kw_only=True)
class Continuations:
    """Let a model go on with held-out text, and compare with how that goes on, by BLEU.

    The running text of the validation and test sets of the sentence is cut into pieces of --prompt and --new tokens;
    the model reads the former and writes as many tokens as the latter, the most probable one each time. BLEU (Papineni
    et al., 2002) is that of sacrebleu (`pip install 'semeqv[eval]'`), over all pieces; beside it stands that of the
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

    def build(
        self,
        *,
        model: Any,
        dataset_options: Any,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: Predicts the next token.
            dataset_options: The data sets of the sentence, not built.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.evaluation.continuing import measure, print_lines, write_texts
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        lines, texts = measure(self, model, tokenizer, dataset_options, (device, precision, threads))
        print_lines(lines)
        record(lines)
        if self.output is not None:
            write_texts(self.output, texts)
