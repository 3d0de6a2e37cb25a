"""Debiasing by a fitted scalar, as an action."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import component


@component("backpack edit debias")
@dataclass(frozen=True, kw_only=True)
class Debias:
    """Scale one sense of words for occupations so that what follows depends less on gender; or project all of them.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before; its words for occupations are edited where they are
    one token, or, with `--pieces`, in all their tokens. The factor, from 0 to 1, has the least bias on the development
    sentences, as has the sense when none is named; what it reaches is told on those test sentences that are no
    development ones. Weights of senses do not depend on senses, so that one pass over the texts tells the bias for
    every sense and every factor. With `--by projection` nothing is fitted: all senses of the words lose what they say
    for one word of the pair and against the other (nullspace projection, Ravfogel et al., 2020, arXiv 2004.07667, with
    a direction that is given). `cli perplexity` with `cli model edited` tells what the edit costs. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word to edit; may be repeated. Those of WinoBias if left out.
        pieces: Edit words of several tokens, too: all their tokens, which other words may have as well.
        by: Scale one sense by a fitted factor, or project all senses.
        sense: Which of its senses to scale; the best one if left out.
        pair: The two words that should be as probable.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.
    """

    output: Path
    word: list[str] = field(default_factory=list)
    pieces: bool = False
    by: Literal["factor", "projection"] = "factor"
    sense: int | None = None
    pair: tuple[str, str] = ("he", "she")
    path: Path | None = None

    def __post_init__(self) -> None:
        if self.by == "projection" and self.sense is not None:
            raise ValueError("--sense is of one that is scaled; a projection is of all senses.")

    def build(
        self, *, model: Any, device: str, threads: int | None, record: Callable[..., None], tokenizer: Any = None
    ) -> None:
        """Fit, print what is reached, and write the edit.

        Args:
            model: A Backpack.
            device: Where to compute.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.edits.fitting import debiased, print_bias
        from backpack.edits.writing import write
        from backpack.senses.describing import open_lexicon
        from semeqv.tasks.inference import inference, name_of

        lexicon = open_lexicon(model, tokenizer)
        with inference(model, device, threads=threads):
            found = debiased(self, model, lexicon)
        print_bias(found)
        record([{"measure": "debias", "model": name_of(model), **line} for line in found.lines])
        write(self, [found.step], model, lexicon)
