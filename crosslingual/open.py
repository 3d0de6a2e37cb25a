"""Opens models and vectors: folders whose headers are read, and nothing else yet."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from crosslingual.algebra import Checkpoint, TaskVector
from crosslingual.body import MASK, Body, body_of
from crosslingual.expressions import Leaf
from crosslingual.names import unwrapped
from crosslingual.safetensors_reader import FLOATING, Entry, Stored, stored
from crosslingual.vocabulary import fingerprint
from semeqv.runs.errors import UserError
from semeqv.text.models.source import model_folder, read_config

VECTOR = "vector.json"


@dataclass(frozen=True)
class Frame:
    """The folder that a model was opened from.

    Args:
        folder: Has its configuration and tokenizer.
        weights: All its tensors.
        names: From canonical name to the name under which a tensor of the body is stored.
        config: What its config.json says.
    """

    folder: Path
    weights: Stored
    names: dict[str, str]
    config: dict[str, Any]

    def copied(self) -> list[str]:
        """The tensors of the head that a model computed from this one has as they are."""
        taken = set(self.names.values()) | self.copies()
        return [
            name
            for name, entry in self.weights.entries.items()
            if name not in taken and entry.dtype in FLOATING and not re.search(MASK, name)
        ]

    def copies(self) -> set[str]:
        """The tensors of the head that are a copy of an embedding they are tied to.

        They are not written: transformers ties them again, and would not where the embedding has become another.
        """
        if self.config.get("tie_word_embeddings") is False:
            return set()
        entries, body = self.weights.entries, set(self.names.values())
        found = set()
        for name, entry in entries.items():
            if name in body or len(entry.shape) != 2 or not name.endswith("weight"):
                continue
            alike = (each for each in body if (entries[each].dtype, entries[each].shape) == (entry.dtype, entry.shape))
            vocabulary = entry.shape[0] == self.config.get("vocab_size", entry.shape[0])
            if vocabulary and any(self.equal(name, each) for each in alike):
                found.add(name)
        return found

    def equal(self, first: str, second: str) -> bool:
        """Whether two tensors have the same bytes."""
        pairs = zip(self.weights.pieces(first), self.weights.pieces(second))
        return all(one.tobytes() == other.tobytes() for one, other in pairs)


def open_checkpoint(source: str | Path, *, heads: bool = False) -> Checkpoint:
    """Open a model: see `Checkpoint.open`."""
    folder = model_folder(source)
    config, weights = read_config(folder), stored(folder).renamed(unwrapped)
    body, names = body_of(weights, config, fingerprint(folder), source, heads=heads)
    if heads:
        tied = Frame(folder, weights, {n: s for n, s in names.items() if not n.startswith("head.")}, config).copies()
        names = {name: stored for name, stored in names.items() if stored not in tied}
        body = replace(body, entries={name: body.entries[name] for name in sorted(names)})
    return Checkpoint(Leaf(weights, names), body, Frame(folder, weights, names, config), str(source))


def is_vector(folder: Path) -> bool:
    """Whether a folder is one of a vector."""
    return (folder / VECTOR).is_file()


def open_vector(folder: Path) -> TaskVector:
    """Open a vector.

    Args:
        folder: What `TaskVector.save` has written.

    Returns:
        The vector.

    Raises:
        UserError: When it is none, or damaged.
    """
    if not is_vector(folder):
        raise UserError(f"{folder} is no vector: it has no {VECTOR}. Make one: cli crosslingual vector")
    try:
        said = json.loads((folder / VECTOR).read_bytes())
        entries = {
            str(name): Entry(str(each["dtype"]), tuple(int(size) for size in each["shape"]))
            for name, each in said["tensors"].items()
        }
        vocabulary, kind, count = said["vocabulary"], said["model_type"], said["stored"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise UserError(f"{folder / VECTOR} is damaged: make the vector again.") from None
    weights = stored(folder, "vector")
    for name, entry in weights.entries.items():
        if name not in entries or entry.shape != entries[name].shape or entry.dtype != "F32":
            raise UserError(f"{folder / VECTOR} does not fit its tensors: look for {name!r}; make the vector again.")
    if len(weights.entries) != count:
        raise UserError(
            f"{folder} has {len(weights.entries)} tensors, not {count}: copy all its files, or make it again."
        )
    body = Body(entries, vocabulary, kind)
    return TaskVector(Leaf(weights, {name: name for name in weights.entries}), body, str(folder))


def opened(source: str, base: Checkpoint | None, *, mixed: bool = False, heads: bool = False) -> TaskVector:
    """The vector that a path names: a vector's folder, or a model's, less its base.

    Args:
        source: A vector's folder, or what `--from` names.
        base: The base of models; None when there is none.
        mixed: Whether a model and its base may be of different precision.
        heads: Whether the head of a model counts.

    Returns:
        The vector.

    Raises:
        UserError: When it is a model, and there is no base; and when it cannot be opened.
    """
    if is_vector(Path(source).expanduser()):
        return open_vector(Path(source).expanduser())
    if base is None:
        raise UserError(f"{source} is no vector; say what it is to be compared with: --base MODEL.")
    return open_checkpoint(source, heads=heads).minus(base, mixed=mixed)
