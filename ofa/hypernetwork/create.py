"""Step 1 of HyperOFA: the data that a hypernetwork is trained on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from ofa.conversion.matrices import read_mapping
from ofa.factorisation import factorise
from ofa.hypernetwork.folder import MappingFolder
from ofa.mapping import map_subwords
from ofa.vectors.word_vectors import read_vectors
from ofa.vocabulary import Vocabulary, vocabulary_hash
from semeqv.grammar.action import AtLeast, Spelled, Written, action
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice
from semeqv.text.files import fingerprint
from semeqv.text.models.embeddings import embedding_weights, is_tied
from semeqv.text.models.opening import named, open_model, open_tokenizer
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed


@dataclass(frozen=True)
class WrittenMapping(Written):
    """A mapping that was written.

    Args:
        mapping: The mapping.
        path: Its folder.
    """

    mapping: MappingFolder
    path: Path

    def show(self) -> None:
        """Print how many subwords have words, and where it is."""
        facts = self.mapping.facts
        click.echo(f"{facts['old subwords']:,} old and {facts['new subwords']:,} new subwords are part of words.")
        click.echo(f"wrote {self.path}")


def refuse_pickles(options: Any) -> None:
    """Refuse pickles that are not allowed; raises `ValueError`."""
    if options.mapping_data is not None and not options.allow_pickle:
        raise ValueError(
            f"--mapping_data {options.mapping_data} holds pickles. Say --allow_pickle to open them, by an unpickler "
            "that runs no code."
        )


@action("ofa mapping", check=refuse_pickles)
def create_mapping(
    *,
    source: Annotated[str, Spelled("from")],
    target_tokenizer: str,
    vectors: Path,
    keep_dim: Annotated[int | None, AtLeast(1)] = None,
    matrix: Literal["input", "output"] = "input",
    most_words: Annotated[int, AtLeast(0)] = 0,
    mapping_data: Path | None = None,
    allow_pickle: bool = False,
    path: Path = Path("mapping"),
) -> WrittenMapping:
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

    Returns:
        The mapping.

    Raises:
        UserError: When something cannot be opened or does not fit.
    """
    model = open_model(source)
    matrices = matrices_of(model)
    name = "input" if matrix == "output" and is_tied(model) else matrix
    if name not in matrices:
        raise UserError(f"{source} predicts no tokens; it has no output embedding.")
    embedding = matrices[name]
    old = Vocabulary(open_tokenizer(source), len(embedding))
    with named("--target_tokenizer"):
        tokenizer = opened(target_tokenizer)
    new = Vocabulary(tokenizer, rows_needed(tokenizer))
    kept = keep_dim or embedding.shape[1]
    coordinates = coordinates_of(embedding, torch.from_numpy(old.used), kept, source)
    word_vectors = read_vectors(Path(vectors), most_words)
    words = word_vectors.plain()
    of_old, of_new = (
        map_subwords(vocabulary.tokenizer, words, vocabulary.rows)
        if mapping_data is None
        else read_mapping(mapping_data, side, vocabulary.rows, len(words))
        for side, vocabulary in (("source", old), ("target", new))
    )
    trained = numpy.flatnonzero((of_old.degree > 0) & old.used)
    facts = {
        "from": source,
        "target_tokenizer": target_tokenizer,
        "vectors": fingerprint(Path(vectors)),
        "words": len(words),
        "keep_dim": kept,
        "matrix": name,
        "matrix_hash": matrix_hash(embedding),
        "old_tokens_hash": vocabulary_hash(old.tokenizer),
        "new_tokens_hash": vocabulary_hash(new.tokenizer),
        "old subwords": len(trained),
        "new subwords": int((of_new.degree > 0).sum()),
    }
    mapping = MappingFolder(of_old, of_new, word_vectors.matrix, coordinates, trained, facts)
    mapping.write(Path(path))
    if name != matrix:
        notice("The two embeddings are one matrix; the mapping is of it: --matrix input.")
    return WrittenMapping(mapping, Path(path))


def matrices_of(model: Any) -> dict[str, torch.Tensor]:
    """Return the embeddings of a model by name, `(rows, width)`: input, and output where that is another matrix."""
    reads, predicts = embedding_weights(model)
    matrices = {"input": reads.detach()}
    return matrices if predicts is None or is_tied(model) else matrices | {"output": predicts.detach()}


def matrix_hash(matrix: torch.Tensor) -> str:
    """Hash the numbers of a matrix, as float32: 64 hexadecimal digits."""
    return hashlib.sha256(matrix.float().contiguous().numpy().data).hexdigest()


def coordinates_of(matrix: torch.Tensor, used: torch.Tensor, kept: int, source: str) -> torch.Tensor:
    """Return the coordinates of an embedding, or at full width its rows.

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
    coordinates = torch.zeros(len(matrix), kept)
    whole = kept == matrix.shape[1]
    rows = matrix[used].float()
    coordinates[used] = rows if whole else factorise(rows, kept).coordinates
    return coordinates
