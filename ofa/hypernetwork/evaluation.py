"""Measures predictions of held-out subwords."""

from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch import Tensor
from torch.nn import functional

from ofa.hypernetwork.folder import MappingFolder, split_of
from ofa.hypernetwork.prediction import predicted
from ofa.topk_search import nearest
from ofa.vectors.word_vectors import unit
from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.train.compute import float64_device

if TYPE_CHECKING:
    from ofa.hypernetwork.predict import Evaluate

REPLICATES = 10_000


def measured(
    options: "Evaluate", folder: MappingFolder, model: Any, regime: tuple[str, str, int | None]
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


def above(difference: Tensor) -> dict[str, float]:
    """How much nearer than OFA by cosine, with a bootstrap interval over subwords, as JSON."""
    low, high = interval([difference.numpy()], REPLICATES, numpy.random.default_rng(0))
    return {"above ofa": float(difference.mean()), "above ofa_low": low, "above ofa_high": high}


def distances(guess: Tensor, wanted: Tensor) -> dict[str, float]:
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
