"""Step 1 of HyperOFA as an action: the data that a hypernetwork is trained on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click

from ofa.conversion.matrices import read_mapping
from ofa.factorisation import factorise
from ofa.hypernetwork.folder import MappingFolder
from ofa.mapping import map_subwords
from ofa.vectors.word_vectors import read_vectors
from ofa.vocabulary import Vocabulary, vocabulary_hash
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.text.files import fingerprint
from semeqv.text.models.embeddings import embedding_weights, is_tied
from semeqv.text.models.opening import named, open_model, open_tokenizer
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed


@component("ofa mapping")
@dataclass(frozen=True, kw_only=True)
class CreateMapping:
    """Map the subwords of two vocabularies to words, and factorise the old embedding (HyperOFA, step 1).

    What `cli ofa dataset mapping` and `cli ofa predict` read: the words of every old and new subword, the vectors of
    the words, and the coordinates of the old subwords.

    Args:
        source: The model with the old vocabulary: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        target_tokenizer: The new vocabulary: a folder, a hub name or a tokenizer.json.
        vectors: Word vectors of all languages in one space.
        keep_dim: Numbers of a coordinate; the width of the model if left out, where nothing is factorised.
        matrix: Which embedding is to be predicted; where the two are one matrix, it is input.
        most_words: The first so many words of the vectors; 0 for all.
        mapping_data: The folder of that name that HyperOFA's own code has written: which words subwords have is read
            from its pickles, and not found anew.
        allow_pickle: Open these, by an unpickler that runs no code.
        path: The folder.
    """

    source: str = field(metadata={"alias": "from"})
    target_tokenizer: str
    vectors: Path
    keep_dim: int | None = None
    matrix: Literal["input", "output"] = "input"
    most_words: int = 0
    mapping_data: Path | None = None
    allow_pickle: bool = False
    path: Path = Path("mapping")

    def __post_init__(self) -> None:
        check_bounds(self, keep_dim=1, most_words=0)
        if self.mapping_data is not None and not self.allow_pickle:
            raise ValueError(
                f"--mapping_data {self.mapping_data} holds pickles. Say --allow_pickle to open them, by an unpickler "
                "that runs no code."
            )

    def build(self) -> None:
        """Write the folder."""

        create_mapping(self)


def create_mapping(options: CreateMapping) -> None:
    """Map subwords to words, factorise, and write.

    Args:
        options: What the command was told.

    Raises:
        UserError: When something cannot be opened or does not fit.
    """
    model = open_model(options.source)
    matrices = matrices_of(model)
    name = "input" if options.matrix == "output" and is_tied(model) else options.matrix
    if name not in matrices:
        raise UserError(f"{options.source} predicts no tokens; it has no output embedding.")
    matrix = matrices[name]
    source = Vocabulary(open_tokenizer(options.source), len(matrix))
    with named("--target_tokenizer"):
        tokenizer = opened(options.target_tokenizer)
    target = Vocabulary(tokenizer, rows_needed(tokenizer))
    kept = options.keep_dim or matrix.shape[1]
    coordinates = coordinates_of(matrix, torch.from_numpy(source.used), kept, options.source)
    vectors = read_vectors(options.vectors, options.most_words)
    words = vectors.plain()
    old, new = (
        map_subwords(each.tokenizer, words, each.rows)
        if options.mapping_data is None
        else read_mapping(options.mapping_data, side, each.rows, len(words))
        for side, each in (("source", source), ("target", target))
    )
    trained = numpy.flatnonzero((old.degree > 0) & source.used)
    facts = {
        "from": options.source,
        "target_tokenizer": options.target_tokenizer,
        "vectors": fingerprint(options.vectors),
        "words": len(words),
        "keep_dim": kept,
        "matrix": name,
        "matrix_hash": matrix_hash(matrix),
        "old_tokens_hash": vocabulary_hash(source.tokenizer),
        "new_tokens_hash": vocabulary_hash(target.tokenizer),
        "old subwords": len(trained),
        "new subwords": int((new.degree > 0).sum()),
    }
    MappingFolder(old, new, vectors.matrix, coordinates, trained, facts).write(options.path)
    if name != options.matrix:
        click.echo("The two embeddings are one matrix; the mapping is of it: --matrix input.", err=True)
    click.echo(f"{facts['old subwords']:,} old and {facts['new subwords']:,} new subwords are part of words.")
    click.echo(f"wrote {options.path}")


def matrices_of(model: Any) -> dict[str, torch.Tensor]:
    """The embeddings of a model by name, `(rows, width)` each: input, and output where that is a matrix of its own."""
    reads, predicts = embedding_weights(model)
    found = {"input": reads.detach()}
    return found if predicts is None or is_tied(model) else found | {"output": predicts.detach()}


def matrix_hash(matrix: torch.Tensor) -> str:
    """A hash of the numbers of a matrix, as float32: 64 hexadecimal digits."""
    return hashlib.sha256(matrix.float().contiguous().numpy().data).hexdigest()


def coordinates_of(matrix: torch.Tensor, used: torch.Tensor, kept: int, source: str) -> torch.Tensor:
    """The coordinates of an embedding, or at full width its rows.

    Args:
        matrix: `(rows, width)`.
        used: `(rows,)`, those that belong to a token; others are zeros.
        kept: Numbers of a coordinate.
        source: The model, for the message.

    Returns:
        `(rows, kept)`.

    Raises:
        UserError: When more is to be kept than there is.
    """
    if kept > min(matrix.shape[1], int(used.sum())):
        raise UserError(f"--keep_dim {kept} is more than the {matrix.shape[1]} numbers of a row of {source}.")
    found = torch.zeros(len(matrix), kept)
    whole = kept == matrix.shape[1]
    found[used] = matrix[used].float() if whole else factorise(matrix[used].float(), kept).coordinates
    return found
