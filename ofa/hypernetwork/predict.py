"""Steps 2.5 and 3 of HyperOFA as actions: test a hypernetwork, and predict new coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.engine.component import component


@component("ofa predict")
@dataclass(frozen=True, kw_only=True)
class Predict:
    """Predict the coordinates of the new subwords with the hypernetwork of the sentence (HyperOFA, step 3).

    Args:
        mapping: The folder that `cli ofa mapping` has written.
        path: The file of predictions, which `cli ofa init hyperofa` reads.
        batch_size: Subwords at a time.
        most_words: Words of a subword at most; of more, some are drawn.
    """

    mapping: Path
    path: Path = Path("predictions.safetensors")
    batch_size: int = 256
    most_words: int = 256

    def __post_init__(self) -> None:
        for name in ("batch_size", "most_words"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1, not {getattr(self, name)}.")

    def build(self, *, model: Any, device: str, precision: str, threads: int | None) -> None:
        """Predict, and write the file.

        Args:
            model: A hypernetwork.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
        """
        from ofa.hypernetwork.folder import read_folder
        from ofa.hypernetwork.prediction import predict_new

        predict_new(self, read_folder(self.mapping), model, (device, precision, threads))


@component("ofa evaluate")
@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Measure how well coordinates of held-out old subwords are predicted (HyperOFA, step 2.5), beside OFA.

    OFA combines the coordinates of the ten nearest subwords that the hypernetwork was trained on; the mean of these is
    the floor. Cosine and relative distance are means over subwords; the share found is that of the subwords whose own
    coordinates are the nearest to the prediction, by cosine, among all held-out ones.

    Args:
        mapping: The folder that `cli ofa mapping` has written.
        split: The part of the subwords: validation or test.
        seed: Of the split, as `cli ofa dataset mapping` was told.
        neighbours: Of OFA.
        softmax_temperature: Of OFA.
        batch_size: Subwords at a time.
        most_words: Words of a subword at most; of more, some are drawn.
        csv: Write the table to this file, too.
    """

    mapping: Path
    split: str = "test"
    seed: int = 14
    neighbours: int = 10
    softmax_temperature: float = 0.1
    batch_size: int = 256
    most_words: int = 256
    csv: Path | None = None

    def __post_init__(self) -> None:
        if self.split not in ("validation", "test"):
            raise ValueError(f"--split must be validation or test, not {self.split!r}.")
        for name in ("batch_size", "most_words", "neighbours"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1, not {getattr(self, name)}.")

    def build(
        self, *, model: Any, device: str, precision: str, threads: int | None, record: Callable[..., None]
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: A hypernetwork.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
        """
        from ofa.hypernetwork.evaluation import measured, print_measured
        from ofa.hypernetwork.folder import read_folder
        from semeqv.tasks.measures.report import write_csv

        lines = measured(self, read_folder(self.mapping), model, (device, precision, threads))
        print_measured(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
