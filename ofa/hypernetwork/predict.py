"""Steps 2.5 and 3 of HyperOFA as actions: test a hypernetwork, and predict new coordinates."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semeqv.grammar.component import check_bounds, component


@dataclass(frozen=True, kw_only=True)
class Predicting:
    """What the actions of a hypernetwork have in common.

    Args:
        mapping: The folder that `cli ofa mapping` has written, and the hypernetwork was trained on; for `cli ofa
            predict`, that of another new vocabulary will do.
        batch_size: Subwords at a time.
        most_words: Words of a subword at most; of more, some are drawn.
    """

    mapping: Path
    batch_size: int = 256
    most_words: int = 256

    def __post_init__(self) -> None:
        check_bounds(self, batch_size=1, most_words=1)


@component("ofa predict")
@dataclass(frozen=True, kw_only=True)
class Predict(Predicting):
    """Predict the coordinates of the new subwords with the hypernetwork of the sentence (HyperOFA, step 3).

    Args:
        path: The file of predictions, which `cli ofa init hyperofa` reads.
    """

    path: Path = Path("predictions.safetensors")

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
class Evaluate(Predicting):
    """Measure how well coordinates of held-out old subwords are predicted (HyperOFA, step 2.5), beside OFA.

    OFA combines the coordinates of the ten nearest subwords that the hypernetwork was trained on; the mean of these is
    the floor. Subwords are held out as they were in the training of the hypernetwork. Cosine is a mean over subwords;
    relative distance is the mean distance of a number over the mean size of a number; the share found is that of the
    subwords whose own coordinates are the nearest to the prediction, by cosine, among all held-out ones.

    Args:
        split: The part of the subwords.
        neighbours: Of OFA.
        softmax_temperature: Of OFA.
        csv: Write the table to this file, too.
    """

    split: Literal["validation", "test"] = "test"
    neighbours: int = 10
    softmax_temperature: float = 0.1
    csv: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, neighbours=1)
        if self.softmax_temperature <= 0:
            raise ValueError(f"--softmax_temperature must be above 0, not {self.softmax_temperature}.")

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
        from semeqv.runs.files import write_csv

        lines = measured(self, read_folder(self.mapping), model, (device, precision, threads))
        print_measured(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)
