"""BLiMP as an action."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component


@component("blimp")
@dataclass(frozen=True, kw_only=True)
class Blimp:
    """Measure how often the model finds the grammatical sentence of a minimal pair the more probable one.

    The pairs are those of BLiMP (Warstadt et al., 2020, arXiv 1912.00582), 67 paradigms of 1,000 in 12 phenomena, or
    any in its format, JSON lines of `sentence_good`, `sentence_bad`, `UID`, `linguistics_term` and `field`: read from
    `blimp/blimp.tar.xz` or the folder `blimp` under $SEMEQV_DATA. What counts is the log-likelihood of the whole
    sentence after the token that starts a text; for a model that predicts masked tokens, its pseudo-log-likelihood,
    each token hidden by itself (Salazar et al., 2020, arXiv 1910.14659). The accuracy of a phenomenon, of a field and
    of all is the mean of those of its paradigms; intervals are those of a bootstrap of the pairs of each paradigm.
    Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A folder or an archive of such files, or one of them.
        paradigms: Only these, by their UID.
        pairs: The first so many pairs of each paradigm; 0 for all.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
        overlap: Say how many grammatical sentences occur in the training text, where that is at hand.
        csv: Write the table to this file, too.
        scores: Write a JSON line for each pair to this file, with the log-likelihood of both sentences.
    """

    path: Path | None = None
    paradigms: tuple[str, ...] = ()
    pairs: int = 0
    batch_size: int = 128
    replicates: int = 1000
    overlap: bool = True
    csv: Path | None = None
    scores: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, pairs=0, batch_size=1, replicates=1)

    def build(
        self,
        *,
        model: Any,
        dataset_options: Any,
        seed: int,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: Predicts tokens.
            dataset_options: The data sets of the sentence, not built; the training set is compared with the test.
            seed: Of the bootstrap.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from semeqv.tasks.likelihood.blimp_report import print_lines, summed_up, write_scores
        from semeqv.tasks.likelihood.minimal_pairs import read_pairs, scored
        from semeqv.tasks.measures.inference import inference, name_of
        from semeqv.tasks.measures.report import write_csv
        from semeqv.tasks.measures.training_text import report_overlap
        from semeqv.text.generation import tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        pairs = read_pairs(self.path, self.paradigms, self.pairs)
        with inference(model, device, precision, threads) as regime:
            nats = scored(pairs, model, tokenizer, regime, self.batch_size)
        lines = summed_up(pairs, nats, self.replicates, seed)
        if self.overlap:
            sentences = (pair.good for pair in pairs)
            lines[-1] |= report_overlap(sentences, model, dataset_options, "grammatical sentences")
        lines = [{"measure": "blimp", **line, "model": name_of(model)} for line in lines]
        print_lines(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
        if self.scores is not None:
            write_scores(self.scores, pairs, nats)
