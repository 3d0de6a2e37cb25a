"""Steps 2.5 and 3 of HyperOFA as actions: test a hypernetwork, and predict new coordinates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from ofa.hypernetwork.dataset import chosen, padded
from ofa.hypernetwork.folder import MappingFolder, split_of
from ofa.mapping import WordMapping
from ofa.topk_search import nearest
from ofa.vectors.word_vectors import unit
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, functional, numpy, safetensors, torch
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.files import whole_file, write_csv, write_errors
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference
from semeqv.text.tokens.batches import generator
from semeqv.train.compute import float64_device


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
        from ofa.hypernetwork.folder import read_folder

        lines = measured(self, read_folder(self.mapping), model, (device, precision, threads))
        print_measured(lines)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)


SAID = ("from", "target_tokenizer", "matrix", "matrix_hash", "new_tokens_hash")  # what predictions say of themselves

DEGREES = ("source_degree", "target_degree")


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


def predicted(
    options: Predicting,
    model: Any,
    folder: MappingFolder,
    mapping: WordMapping,
    subwords: NDArray[numpy.int64],
    *,
    regime: tuple[str, str, int | None],
) -> torch.Tensor:
    """Predict the coordinates of subwords.

    Args:
        options: How many subwords at a time, and words of one.
        model: A hypernetwork.
        folder: Of the mapping that the hypernetwork was trained on.
        mapping: The words of the subwords, old or new ones.
        subwords: `(n,)`, each with words.
        regime: Device, precision, threads.

    Returns:
        `(n, kept)`, float32 on the CPU.

    Raises:
        UserError: When the model is no hypernetwork, or was trained on another mapping.
    """
    if getattr(model.config, "model_type", None) != "ofa-hypernetwork":
        raise UserError(f"{type(model).__name__} is no hypernetwork; open one: cli model load --from RUN")
    if model.config.mapping_hash != folder.fingerprint:
        raise UserError(
            f"The hypernetwork was trained on another mapping than {options.mapping}: on other word vectors, another "
            "model or --keep_dim."
        )
    found = torch.empty(len(subwords), model.config.kept)
    order = numpy.argsort(mapping.degree[subwords], kind="stable")
    with inference(model, *regime) as running:
        for step, start in enumerate(
            Progress(range(0, len(order), options.batch_size), desc="predict", unit="batch", leave=False, disable=None)
        ):
            which = order[start : start + options.batch_size]
            draw = generator(step, 0, 7)
            sets = [chosen(mapping.word_set(subword), options.most_words, None, draw) for subword in subwords[which]]
            found[torch.from_numpy(which)] = (
                model(**running.place(padded(sets, folder.vectors))).prediction.float().cpu()
            )
    return found


def predict_new(options: Predict, folder: MappingFolder, model: Any, regime: tuple[str, str, int | None]) -> None:
    """Predict the coordinates of all new subwords with words, and write them.

    Args:
        options: What the command was told.
        folder: The mapping.
        model: A hypernetwork.
        regime: Device, precision, threads.

    """
    subwords = numpy.flatnonzero(folder.target.degree > 0)
    rows = predicted(options, model, folder, folder.target, subwords, regime=regime)
    facts = {name: str(folder.facts[name]) for name in SAID}
    tensors = {"subwords": torch.from_numpy(subwords), "coordinates": rows, **degrees_of(folder)}
    write_tensors(options.path, tensors, facts)
    click.echo(f"wrote {options.path} ({len(subwords):,} subwords)")


def degrees_of(folder: MappingFolder) -> dict[str, torch.Tensor]:
    """How many words each old and each new subword has, as a file of predictions keeps it."""
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
                **{name: facts[name] for name in SAID[1:]},
                subwords=file.get_tensor("subwords").numpy(),
                coordinates=file.get_tensor("coordinates"),
                degrees=(file.get_tensor(DEGREES[0]).numpy(), file.get_tensor(DEGREES[1]).numpy()),
            )
    except KeyError as error:
        raise UserError(f"{path} does not say its {error.args[0]}; write it anew: cli ofa predict") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise UserError(f"{path} holds no predictions; write some: cli ofa predict --path {path}") from error


REPLICATES = 10_000


def measured(
    options: Evaluate, folder: MappingFolder, model: Any, regime: tuple[str, str, int | None]
) -> list[dict[str, Any]]:
    """Measure a hypernetwork, OFA and the mean on held-out subwords.

    Args:
        options: What the command was told.
        folder: The mapping.
        model: A hypernetwork.
        regime: Device, precision, threads.

    Returns:
        A line for each.

    Raises:
        UserError: When it is not known which subwords were held out.
    """
    seed = getattr(model.config, "split_seed", 0)
    if seed < 0:
        raise UserError("It is not known which subwords this hypernetwork was trained on; none can be held out.")
    held = split_of(folder.trained, options.split, seed)
    trained = split_of(folder.trained, "train", seed)
    wanted = folder.coordinates[torch.from_numpy(held)]
    hypernetwork = predicted(options, model, folder, folder.source, held, regime=regime)
    vectors = unit(folder.source.vectors(folder.vectors))
    similar, places = nearest(vectors[held], vectors[trained], options.neighbours, float64_device(regime[0]))
    neighbours = folder.coordinates[torch.from_numpy(trained[places.numpy()])]
    weights = (similar / options.softmax_temperature).softmax(1)
    mean = folder.coordinates[torch.from_numpy(trained)].mean(0)
    guesses = {
        model.config.network: hypernetwork,
        "ofa": torch.einsum("ij,ijk->ik", weights, neighbours),
        "mean": mean.expand_as(wanted),
    }
    head = {"measure": "hypernetwork", "split": options.split, "subwords": len(held)}
    own = {name: functional.cosine_similarity(guess, wanted) for name, guess in guesses.items()}
    return [
        {**head, "by": name, **distances(guess, wanted), **above(own[name] - own["ofa"])}
        for name, guess in guesses.items()
    ]


def above(difference: torch.Tensor) -> dict[str, float]:
    """How much nearer than OFA by cosine, with a bootstrap interval over subwords, as JSON."""
    low, high = interval([difference.numpy()], REPLICATES, numpy.random.default_rng(0))
    return {"above ofa": float(difference.mean()), "above ofa_low": low, "above ofa_high": high}


def distances(guess: torch.Tensor, wanted: torch.Tensor) -> dict[str, float]:
    """How near guesses are, as JSON."""
    cosines = functional.normalize(guess, dim=1) @ functional.normalize(wanted, dim=1).T
    own = cosines.diagonal()
    better = (cosines > own[:, None]).sum(1) + (cosines == own[:, None]).sum(1) - 1
    return {
        "cosine": float(own.mean()),
        "relative distance": float((guess - wanted).abs().mean() / wanted.abs().mean()),
        "found": float(numpy.mean((better == 0).numpy())),
    }


def print_measured(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = [
        [each["by"], f"{each['cosine']:.3f}", f"{each['relative distance']:.3f}", f"{each['found']:.3f}"]
        for each in lines
    ]
    title = f"Coordinates of {lines[0]['subwords']:,} held-out subwords"
    print_table(title, ("by", "cosine", "relative distance", "found"), rows)
