"""The tensors of a model: the body, which can be computed with, and the folder that has all the rest.

Two bodies can be added when they have the same tensors, shapes, precision and tokens (`refuse_mismatch`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from crosslingual.names import PREDICTING, UNTIED, body_names, embedding_name, layer_of
from crosslingual.safetensors_reader import FLOATING, Entry, StoredTensors
from semeqv.runs.errors import UserError

MASK = r"(^|\.)attn\.bias$"  # of GPT-2: a buffer, of four axes


@dataclass(frozen=True)
class Body:
    """The tensors of a model without its head.

    Args:
        entries: What each is, by canonical name.
        vocabulary: What `vocabulary.fingerprint` says of its tokens; None when there is no tokenizer.
        kind: The `model_type` of its configuration.
    """

    entries: Mapping[str, Entry]
    vocabulary: str | None
    kind: str | None

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Return the numbers of each tensor."""
        return {name: entry.count for name, entry in self.entries.items()}

    @cached_property
    def layers(self) -> dict[str, list[str]]:
        """Return the tensors of each layer, in the order of the layers."""
        by_layer: dict[str, list[str]] = {}
        for name in self.entries:
            by_layer.setdefault(layer_of(name), []).append(name)
        return dict(sorted(by_layer.items(), key=lambda each: place_of(each[0])))

    def matching(self, *patterns: str) -> frozenset[str]:
        """Find the tensors that patterns name.

        Args:
            *patterns: Names in which `*` stands for anything, or layers, such as `layer 3` or `embeddings`.

        Returns:
            Their names.

        Raises:
            UserError: When a pattern names none.
        """
        matches = set()
        for pattern in patterns:
            names = self.layers.get(pattern) or [name for name in self.entries if fnmatchcase(name, pattern)]
            if not names:
                layers = ", ".join(self.layers)
                raise UserError(f"No tensor is called {pattern!r}; write a name with *, or one of these: {layers}.")
            matches.update(names)
        return frozenset(matches)


def place_of(layer: str) -> tuple[int, str, int]:
    """Return what layers are sorted by: embeddings, then layers by number, then the rest."""
    numbered = re.fullmatch(r"(.*?)layer (\d+)", layer)
    if numbered:
        return 1, numbered[1], int(numbered[2])
    return (0 if re.search(r"embed|^w[tp]e$|shared", layer) else 2), layer, 0


def body_of(
    weights: StoredTensors, config: Mapping[str, Any], vocabulary: str | None, where: object, *, heads: bool = False
) -> tuple[Body, dict[str, str]]:
    """Find the body of a model.

    Args:
        weights: All its tensors.
        config: Its configuration.
        vocabulary: What `vocabulary.fingerprint` says of its tokens.
        where: Where it is, for the message.
        heads: Whether its head counts as part of the body.

    Returns:
        The body, and from canonical name to the name under which a tensor is stored. Tensors of integers are not among
        them.

    Raises:
        UserError: When a precision is none that can be computed with, or there is no body, or none with an embedding.
    """
    kind = config.get("model_type")
    kind = kind if isinstance(kind, str) else None
    plain = {
        name: entry
        for name, entry in weights.entries.items()
        if entry.dtype.startswith(("F", "BF")) and not (re.search(MASK, name) and len(entry.shape) == 4)
    }
    names = body_names(plain, kind)
    add_tied_embedding(names, plain, config, where)
    if heads:
        taken = set(names.values())
        names |= {f"head.{name}": name for name in plain if name not in taken}
    entries = {name: Entry(plain[old].dtype, plain[old].shape) for name, old in sorted(names.items())}
    if strange := next((name for name, entry in entries.items() if entry.dtype not in FLOATING), None):
        raise UserError(f"{where} has {strange!r} in {entries[strange].dtype}; only fp32, bf16 and fp16 can be added.")
    if not entries:
        raise UserError(f"{where} has no tensors of a body ({kind}).")
    return Body(entries, vocabulary, kind), names


def add_tied_embedding(
    names: dict[str, str], entries: Mapping[str, Entry], config: Mapping[str, Any], where: object
) -> None:
    """Let a matrix that is stored under the name of the head alone count as the embedding that it is tied to.

    Args:
        names: From canonical to stored names of the body; the embedding is added.
        entries: All tensors of the model.
        config: Its configuration.
        where: Where it is, for the message.

    Raises:
        UserError: When the body has no matrix of a row for each token, and no head is tied to one.
    """
    tokens, kind = config.get("vocab_size"), config.get("model_type")
    if not isinstance(tokens, int) or any(tokens in entries[name].shape[:1] for name in names.values()):
        return
    name = embedding_name(kind if isinstance(kind, str) else None)
    setting = config.get("tie_word_embeddings")
    tied = kind not in UNTIED if setting is None else bool(setting)
    body = set(names.values())
    heads = [
        each
        for each, entry in entries.items()
        if each not in body and len(entry.shape) == 2 and entry.shape[0] == tokens and re.search(PREDICTING, each)
    ]
    if name is None or not tied or len(heads) != 1:
        what = repr(name) if name else "a matrix with a row for each token"
        raise UserError(
            f"{where} lacks the embedding of its {tokens} tokens ({what}): without it, sums would keep that of "
            "another model. Save the model again by its save_pretrained."
        )
    names[name] = heads[0]


def refuse_mismatch(first: Body, second: Body, names: tuple[str, str], precision: bool = False) -> None:
    """Refuse what cannot be added.

    Args:
        first: A body.
        second: Another.
        names: What they are called, for the message.
        precision: Whether the numbers must be stored alike, too.

    Raises:
        UserError: When they differ in a tensor, a shape, a precision or a token.
    """
    one, other = names
    if only := sorted(first.entries.keys() ^ second.entries.keys()):
        there, lacks = (one, other) if only[0] in first.entries else (other, one)
        if all(name.startswith("head.") for name in only):
            raise UserError(
                f"{lacks} lacks {only[0].removeprefix('head.')!r} of the head, which {there} has: heads are merged "
                "when all models have the same. Leave --heads out, or make vectors with --heads, too."
            )
        raise UserError(f"{lacks} lacks {only[0]!r}, which {there} has ({len(only)} tensors differ): another model.")
    for name, entry in first.entries.items():
        theirs = second.entries[name]
        if entry.shape != theirs.shape:
            shapes = f"{list(entry.shape)} in {one} and {list(theirs.shape)} in {other}"
            raise UserError(f"{name!r} has the shape {shapes}: they are not of one size, or not of one vocabulary.")
        if precision and entry.dtype != theirs.dtype:
            precisions = f"{entry.dtype} in {one} and {theirs.dtype} in {other}"
            raise UserError(
                f"{name!r} is {precisions}: the difference would be rounding; say --mixed if that is meant."
            )
    vocabularies = {body.vocabulary for body in (first, second) if body.vocabulary is not None}
    if len(vocabularies) == 2 and len({each.partition(":")[0] for each in vocabularies}) == 1:
        raise UserError(f"The tokenizers of {one} and {other} differ: one token would be added to another.")


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
    weights: StoredTensors
    names: dict[str, str]
    config: dict[str, Any]

    def copied(self) -> list[str]:
        """Return the tensors of the head that a model computed from this one has as they are."""
        taken = set(self.names.values()) | self.copies()
        return [
            name
            for name, entry in self.weights.entries.items()
            if name not in taken and entry.dtype in FLOATING and not re.search(MASK, name)
        ]

    def copies(self) -> set[str]:
        """Find the tensors of the head that are a copy of an embedding they are tied to.

        They are not written: transformers ties them again, and would not where the embedding has become another.
        """
        if self.config.get("tie_word_embeddings") is False:
            return set()
        entries, body = self.weights.entries, set(self.names.values())
        tied = set()
        for name, entry in entries.items():
            if name in body or len(entry.shape) != 2 or not name.endswith("weight"):
                continue
            alike = (each for each in body if (entries[each].dtype, entries[each].shape) == (entry.dtype, entry.shape))
            vocabulary = entry.shape[0] == self.config.get("vocab_size", entry.shape[0])
            if vocabulary and any(self.equal(name, each) for each in alike):
                tied.add(name)
        return tied

    def equal(self, first: str, second: str) -> bool:
        """Return whether two tensors have the same bytes."""
        pairs = zip(self.weights.pieces(first), self.weights.pieces(second))
        return all(one.tobytes() == other.tobytes() for one, other in pairs)
