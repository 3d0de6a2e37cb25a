"""The folder of a mapping: what a hypernetwork is trained on and predicts for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ofa.mapping import WordMapping
from ofa.topk_search import Floats
from semeqv.lazy import numpy, safetensors, torch
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, write_text

TENSORS, FACTS = "mapping.safetensors", "mapping.json"
SIDES = ("source", "target")


@dataclass(frozen=True)
class MappingFolder:
    """A mapping of two vocabularies to words.

    Args:
        source: The words of the old subwords.
        target: Those of the new ones.
        vectors: `(words, width)`.
        coordinates: `(old rows, kept)`, what is to be predicted.
        trained: Old subwords that have words and belong to a token, rising.
        facts: What it was made of.
    """

    source: WordMapping
    target: WordMapping
    vectors: Floats
    coordinates: torch.Tensor
    trained: Any
    facts: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Hash what a hypernetwork learns from: the word vectors, the old tokens and their coordinates.

        Raises:
            UserError: When the mapping does not say; it was written by an earlier version.
        """
        try:
            origin = [self.facts[name] for name in ("vectors", "words", "keep_dim", "matrix_hash", "old_tokens_hash")]
        except KeyError:
            raise UserError("The mapping does not say what it was made of; write it anew: cli ofa mapping") from None
        return hashlib.sha256(json.dumps(origin).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Write the folder.

        Args:
            folder: Where; a mapping that is there is replaced.

        Raises:
            UserError: When it cannot be written, or something else is there.
        """
        tensors = {"vectors": torch.from_numpy(self.vectors), "coordinates": self.coordinates.contiguous()}
        tensors["trained"] = torch.from_numpy(self.trained)
        for side, mapping in zip(SIDES, (self.source, self.target)):
            tensors |= {f"{side}_{name}": torch.from_numpy(each) for name, each in vars(mapping).items()}
        if folder.exists() and not (folder.is_dir() and (is_empty(folder) or (folder / FACTS).is_file())):
            raise UserError(f"--path {folder} holds something else than a mapping; say another --path.")
        with output_folder(folder) as temporary:
            safetensors.torch.save_file(tensors, temporary / TENSORS)
            write_text(temporary / FACTS, json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n")


def is_empty(folder: Path) -> bool:
    """Return whether nothing is in a folder."""
    return not any(folder.iterdir())


def read_folder(folder: Path) -> MappingFolder:
    """Read the folder of a mapping.

    Args:
        folder: What `cli ofa mapping` has written.

    Returns:
        The mapping.

    Raises:
        UserError: When there is none, or it is damaged.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        tensors = safetensors.torch.load_file(folder / TENSORS)
        source, target = (
            WordMapping(*(tensors[f"{side}_{name}"].numpy() for name in ("starts", "words", "counts")))
            for side in SIDES
        )
        vectors, coordinates, trained = tensors["vectors"].numpy(), tensors["coordinates"], tensors["trained"].numpy()
    except FileNotFoundError:
        raise UserError(f"{folder} holds no mapping; write one: cli ofa mapping --path {folder}") from None
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise UserError(f"The mapping in {folder} is damaged ({type(error).__name__}); write it anew.") from error
    return MappingFolder(source, target, vectors, coordinates, trained, facts)


def split_of(trained: Any, split: str, seed: int) -> Any:
    """Return the subwords of a split: 97% are trained on, 2.5% validate, .5% test, as in HyperOFA.

    Args:
        trained: All subwords.
        split: train, validation or test.
        seed: Of the split; the same in all runs.

    Returns:
        Subwords, rising.
    """
    order = numpy.random.default_rng(seed).permutation(len(trained))
    test, validation = max(round(0.005 * len(order)), 1), max(round(0.025 * len(order)), 1)
    parts = {"test": order[:test], "validation": order[test : test + validation], "train": order[test + validation :]}
    return numpy.sort(trained[parts[split]])
