"""Sentence retrieval as an action."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.evaluation import Measuring, Subject


@component("retrieval")
@dataclass(frozen=True, kw_only=True)
class Retrieval(Measuring):
    """Measure how often the nearest sentences of the other language hold the translation, in both directions.

    A sentence is a vector: the states of its tokens in a layer of the model (of any kind; of an encoder and a decoder,
    the encoder), pooled. Accuracy at k is the share of the sentences whose translation is among the k most similar
    ones; those that are equally similar share the place, so that vectors that are all alike score as chance does, which
    stands beside the accuracies. Intervals are those of a bootstrap of the pairs of each language. Lines go to
    metrics.jsonl of the run's folder; `cli retrieval-view` draws accuracy by layer from them.

    Args:
        corpus: Where the pairs are from: the Tatoeba sets of LASER, FLORES, Bibles, line-aligned files, or the
            generated corpus.
        path: The folder or archive, if not in its usual place under $SEMEQV_DATA; for moses, what the names of the
            files have in common.
        languages: Each is compared with the pivot. All that there are if left out, of tatoeba and babel.
        pivot: The other language; English if left out, lume for babel.
        split: Of flores (validation is dev, test is devtest) and babel.
        sentences: The first so many pairs; 0 for all, and for 1,000 of babel.
        layer: Layers by number, 0 being the input embedding, `last`, or `all`.
        pooling: The mean or the maximum over tokens, the first (cls) or the last.
        special: Let mean, maximum and last take special tokens too, as sentence-transformers do.
        map: A file of `cli retrieval-map`, by which all sentences are moved but those of the pivot.
        score: Cosine; cosine less the mean cosine of both to their neighbours (CSLS; Conneau et al., 2018, arXiv
            1710.04087); or cosine over that mean (margin; Artetxe & Schwenk, 2019, arXiv 1811.01136).
        neighbours: Of CSLS and margin; 10 and 4 if left out, as there.
        k: The sizes of the lists of nearest sentences.
        subsets: A JSON file of lists of languages, `{"head": ["deu", "fra"], "tail": ["kab"]}`; each gets an average.
        max_length: The most tokens of a sentence; what is beyond is cut off.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
        outcomes: Write to this file, as JSON lines, for every pair whether its translation is found (in part, where
            equals share the place), so that runs on the same pairs can be compared pair by pair.
    """

    corpus: Literal["tatoeba", "flores", "bible", "moses", "babel"] = "tatoeba"
    path: Path | None = None
    languages: tuple[str, ...] = ()
    pivot: str | None = None
    split: Literal["validation", "test"] = "test"
    sentences: int = 0
    layer: tuple[str, ...] = ("last",)
    pooling: Literal["mean", "max", "cls", "last"] = "mean"
    special: bool = False
    map: Path | None = None
    score: Literal["cosine", "csls", "margin"] = "cosine"
    neighbours: int | None = None
    k: tuple[int, ...] = (1, 5, 10)
    subsets: Path | None = None
    max_length: int = 512
    batch_size: int = 64
    replicates: int = 1000
    overlap: bool = True
    outcomes: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, sentences=0, max_length=3, batch_size=1, replicates=1, neighbours=1)
        if min(self.k, default=0) < 1:
            raise ValueError("--k takes one or more sizes, each at least 1.")
        if strange := [word for word in self.layer if word not in ("last", "all") and not word.isdecimal()]:
            raise ValueError(f"--layer takes numbers of layers, last or all, not {strange[0]!r}.")
        if self.corpus == "tatoeba" and self.pivot not in (None, "eng"):
            raise ValueError("--pivot of tatoeba is eng.")
        if self.corpus == "moses" and self.path is None:
            raise ValueError("--corpus moses needs --path: what the names of the files have in common.")
        if self.corpus in ("flores", "bible", "moses") and not self.languages:
            raise ValueError(f"--corpus {self.corpus} needs --languages.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""
        from semeqv.tasks.retrieval.measured import measure
        from semeqv.tasks.retrieval.report import print_lines

        lines = measure(self, subject)
        print_lines(lines, self.k)
        return lines
