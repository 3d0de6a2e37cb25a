"""Steps 2.5 and 3 of HyperOFA: test a hypernetwork, and predict new coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from ofa.hypernetwork.dataset import choose_words, pad
from ofa.hypernetwork.folder import MappingFolder, read_folder, split_of
from ofa.mapping import WordMapping
from ofa.topk_search import nearest
from ofa.vectors.word_vectors import unit
from semeqv.grammar.action import AtLeast, Result, Written, action
from semeqv.grammar.component import check_bounds
from semeqv.lazy import NDArray, functional, numpy, safetensors, torch
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file, write_errors
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference
from semeqv.text.tokens.batches import generator
from semeqv.train.compute import Compute, float64_device

FACTS = (
    "from",
    "target_tokenizer",
    "matrix",
    "matrix_hash",
    "new_tokens_hash",
)  # the metadata of a file of predictions
DEGREES = ("source_degree", "target_degree")
REPLICATES = 10_000  # of the bootstrap


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Which mapping, and how its subwords are read.

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


@dataclass(frozen=True)
class Predictions:
    """Rows of a new embedding that a hypernetwork has predicted.

    Args:
        source: The model that they are for.
        target_tokenizer: The new vocabulary.
        matrix: Which embedding, input or output.
        matrix_hash: Of the old embedding.
        new_tokens_hash: Of the new vocabulary.
        subwords: `(n,)`, the new tokens, rising.
        coordinates: `(n, kept)`.
        degrees: How many words each old and each new subword has, `(subwords,)` each.
    """

    source: str
    target_tokenizer: str
    matrix: str
    matrix_hash: str
    new_tokens_hash: str
    subwords: NDArray[numpy.int64]
    coordinates: torch.Tensor
    degrees: tuple[NDArray[numpy.int64], NDArray[numpy.int64]]


def predict_rows(
    model: Any,
    folder: MappingFolder,
    mapping: WordMapping,
    subwords: NDArray[numpy.int64],
    *,
    reading: Reading,
    compute: Compute,
) -> torch.Tensor:
    """Predict the coordinates of subwords.

    Args:
        model: A hypernetwork.
        folder: Of the mapping that the hypernetwork was trained on.
        mapping: The words of the subwords, old or new ones.
        subwords: `(n,)`, each with words.
        reading: How many subwords at a time, and words of one.
        compute: Where and how.

    Returns:
        `(n, kept)`, float32 on the CPU.

    Raises:
        UserError: When the model is no hypernetwork, or was trained on another mapping.
    """
    if getattr(model.config, "model_type", None) != "ofa-hypernetwork":
        raise UserError(f"{type(model).__name__} is no hypernetwork; open one: cli model load --from RUN")
    if model.config.mapping_hash != folder.fingerprint:
        raise UserError(
            f"The hypernetwork was trained on another mapping than {reading.mapping}: on other word vectors, another "
            "model or --keep_dim."
        )
    coordinates = torch.empty(len(subwords), model.config.kept)
    order = numpy.argsort(mapping.degree[subwords], kind="stable")
    with inference(model, compute) as regime:
        for step, start in enumerate(
            Progress(range(0, len(order), reading.batch_size), desc="predict", unit="batch", leave=False, disable=None)
        ):
            which = order[start : start + reading.batch_size]
            draw = generator(step, 0, 7)
            sets = [
                choose_words(mapping.word_set(subword), reading.most_words, None, draw) for subword in subwords[which]
            ]
            coordinates[torch.from_numpy(which)] = (
                model(**regime.place(pad(sets, folder.vectors))).prediction.float().cpu()
            )
    return coordinates


def degrees_of(folder: MappingFolder) -> dict[str, torch.Tensor]:
    """Return how many words each old and each new subword has, as a file of predictions keeps it."""
    return {name: torch.from_numpy(getattr(folder, name.partition("_")[0]).degree) for name in DEGREES}


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], facts: dict[str, str]) -> None:
    """Write a file of safetensors in one piece: aside, then renamed; `UserError` when it cannot be written.

    Args:
        path: The file; its folder is made if need be.
        tensors: What it holds.
        facts: What it says of itself.
    """
    with write_errors(path), whole_file(path) as aside:
        safetensors.torch.save_file(tensors, aside, metadata=facts)


def read_predictions(path: Path) -> Predictions:
    """Read predictions.

    Args:
        path: The file.

    Returns:
        The predictions.

    Raises:
        UserError: When there are none, or they do not say what they are for.
    """
    try:
        with safetensors.safe_open(path, "pt") as file:
            facts = file.metadata() or {}
            return Predictions(
                source=facts["from"],
                **{name: facts[name] for name in FACTS[1:]},
                subwords=file.get_tensor("subwords").numpy(),
                coordinates=file.get_tensor("coordinates"),
                degrees=(file.get_tensor(DEGREES[0]).numpy(), file.get_tensor(DEGREES[1]).numpy()),
            )
    except KeyError as error:
        raise UserError(f"{path} does not say its {error.args[0]}; write it anew: cli ofa predict") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} holds no predictions; write some: cli ofa predict --path {path}") from error


@dataclass(frozen=True)
class WrittenPredictions(Written):
    """Predictions that were written.

    Args:
        subwords: `(n,)`, the new tokens.
        coordinates: `(n, kept)`.
        path: The file.
    """

    subwords: NDArray[numpy.int64]
    coordinates: torch.Tensor
    path: Path

    def show(self) -> None:
        """Print where they are, and how many."""
        click.echo(f"wrote {self.path} ({len(self.subwords):,} subwords)")


@action("ofa predict")
def predict(
    model: Any,
    compute: Compute = Compute(),
    *,
    reading: Reading,
    path: Path = Path("predictions.safetensors"),
) -> WrittenPredictions:
    """Predict the coordinates of the new subwords with the hypernetwork of the sentence (HyperOFA, step 3).

    Args:
        model: A hypernetwork.
        compute: Where and how to compute.
        reading: Which mapping, and how it is read.
        path: The file of predictions, which `cli ofa init hyperofa` reads.

    Returns:
        The predictions.
    """
    folder = read_folder(reading.mapping)
    subwords = numpy.flatnonzero(folder.target.degree > 0)
    rows = predict_rows(model, folder, folder.target, subwords, reading=reading, compute=compute)
    facts = {name: str(folder.facts[name]) for name in FACTS}
    tensors = {"subwords": torch.from_numpy(subwords), "coordinates": rows, **degrees_of(folder)}
    write_tensors(Path(path), tensors, facts)
    return WrittenPredictions(subwords, rows, Path(path))


@dataclass(frozen=True)
class Evaluation(Result):
    """How near a hypernetwork, OFA and the mean come to coordinates of held-out subwords.

    Args:
        scores: For each of them an object with `by`, `cosine`, `relative distance`, `found` and `above ofa`.
    """

    scores: list[dict[str, Any]]

    def show(self) -> None:
        """Print the table."""
        rows = [
            [line["by"], f"{line['cosine']:.3f}", f"{line['relative distance']:.3f}", f"{line['found']:.3f}"]
            for line in self.scores
        ]
        title = f"Coordinates of {self.scores[0]['subwords']:,} held-out subwords"
        print_table(title, ("by", "cosine", "relative distance", "found"), rows)

    def records(self) -> list[dict[str, Any]]:
        """Return the scores."""
        return self.scores


def refuse_temperature(options: Any) -> None:
    """Refuse a temperature that is not above 0; raises `ValueError`."""
    if options.softmax_temperature <= 0:
        raise ValueError(f"--softmax_temperature must be above 0, not {options.softmax_temperature}.")


@action("ofa evaluate", check=refuse_temperature)
def evaluate(
    model: Any,
    compute: Compute = Compute(),
    *,
    reading: Reading,
    split: Literal["validation", "test"] = "test",
    neighbours: Annotated[int, AtLeast(1)] = 10,
    softmax_temperature: float = 0.1,
) -> Evaluation:
    """Measure how well coordinates of held-out old subwords are predicted (HyperOFA, step 2.5), beside OFA.

    OFA combines the coordinates of the ten nearest subwords that the hypernetwork was trained on; the mean of these is
    the floor. Subwords are held out as they were in the training of the hypernetwork. Cosine is a mean over subwords;
    relative distance is the mean distance of a number over the mean size of a number; the share found is that of the
    subwords whose own coordinates are the nearest to the prediction, by cosine, among all held-out ones.

    Args:
        model: A hypernetwork.
        compute: Where and how to compute.
        reading: Which mapping, and how it is read.
        split: The part of the subwords.
        neighbours: Of OFA.
        softmax_temperature: Of OFA.

    Returns:
        The scores of the hypernetwork, OFA and the mean.

    Raises:
        UserError: When it is not known which subwords were held out.
    """
    folder = read_folder(reading.mapping)
    seed = getattr(model.config, "split_seed", 0)
    if seed < 0:
        raise UserError("It is not known which subwords this hypernetwork was trained on; none can be held out.")
    held_out = split_of(folder.trained, split, seed)
    trained = split_of(folder.trained, "train", seed)
    wanted = folder.coordinates[torch.from_numpy(held_out)]
    by_network = predict_rows(model, folder, folder.source, held_out, reading=reading, compute=compute)
    vectors = unit(folder.source.vectors(folder.vectors))
    place = float64_device(compute.device or "cpu")
    similar, places = nearest(vectors[held_out], vectors[trained], neighbours, place)
    nearest_rows = folder.coordinates[torch.from_numpy(trained[places.numpy()])]
    weights = (similar / softmax_temperature).softmax(1)
    mean = folder.coordinates[torch.from_numpy(trained)].mean(0)
    guesses = {
        model.config.network: by_network,
        "ofa": torch.einsum("ij,ijk->ik", weights, nearest_rows),
        "mean": mean.expand_as(wanted),
    }
    head = {"measure": "hypernetwork", "split": split, "subwords": len(held_out)}
    cosines = {name: functional.cosine_similarity(guess, wanted) for name, guess in guesses.items()}
    return Evaluation(
        [
            {**head, "by": name, **distances(guess, wanted), **above(cosines[name] - cosines["ofa"])}
            for name, guess in guesses.items()
        ]
    )


def above(difference: torch.Tensor) -> dict[str, float]:
    """Compare with OFA by cosine: how much nearer, with a bootstrap interval over subwords, as JSON."""
    low, high = interval([difference.numpy()], REPLICATES, numpy.random.default_rng(0))
    return {"above ofa": float(difference.mean()), "above ofa_low": low, "above ofa_high": high}


def distances(guess: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    """Measure how near guesses are, as JSON."""
    cosines = functional.normalize(guess, dim=1) @ functional.normalize(wanted, dim=1).T
    own = cosines.diagonal()
    better = (cosines > own[:, None]).sum(1) + (cosines == own[:, None]).sum(1) - 1
    return {
        "cosine": float(own.mean()),
        "relative distance": float((guess - wanted).abs().mean() / wanted.abs().mean()),
        "found": float(numpy.mean((better == 0).numpy())),
    }
