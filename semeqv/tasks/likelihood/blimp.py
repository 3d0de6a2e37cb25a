"""BLiMP as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("blimp")
@dataclass(frozen=True, kw_only=True)
class Blimp(Measuring):
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
        scores: Write a JSON line for each pair to this file, with the log-likelihood of both sentences.
    """

    path: Path | None = None
    paradigms: tuple[str, ...] = ()
    pairs: int = 0
    batch_size: int = 128
    replicates: int = 1000
    overlap: bool = True
    scores: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, pairs=0, batch_size=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write the scores of all pairs."""
        from semeqv.tasks.inference import inference, name_of
        from semeqv.tasks.likelihood.blimp_report import print_lines, summed_up, write_scores
        from semeqv.tasks.likelihood.minimal_pairs import read_pairs, scored
        from semeqv.tasks.training_text import report_overlap

        model, pairs = subject.model, read_pairs(self.path, self.paradigms, self.pairs)
        with inference(model, *subject.regime) as running:
            nats = scored(pairs, model, subject.tokenizer, running, self.batch_size)
        lines = summed_up(pairs, nats, self.replicates, subject.seed)
        if self.overlap:
            sentences = (pair.good for pair in pairs)
            lines[-1] |= report_overlap(sentences, model, subject.dataset_options, "grammatical sentences")
        lines = [{"measure": "blimp", **line, "model": name_of(model)} for line in lines]
        print_lines(lines)
        if self.scores is not None:
            write_scores(self.scores, pairs, nats)
        return lines
