"""From a method to a model with a new vocabulary: `initialise`, and what `cli ofa init` does beside it.

A method says where the rows of the new embedding come from (`RowSources`); the rows of every matrix of the old
vocabulary are then made by that plan, and a `Transplant` knows the new model and the origin of each row.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import click

from ofa.plan import InitContext, Kind, Plan, RowSources
from ofa.provenance import counted, print_counts, provenance, write_provenance
from ofa.resize_embeddings import rewrite
from ofa.sentence_modules import keep_modules, modules_of
from ofa.vocabulary import Vocabulary, shared
from semeqv.grammar.action import Written
from semeqv.grammar.component import check_bounds
from semeqv.lazy import torch, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text
from semeqv.runs.notices import notice
from semeqv.tasks.inference import name_of
from semeqv.text.generation import tokenizer_of
from semeqv.text.models.opening import named, open_model, open_tokenizer, quiet
from semeqv.text.models.source import config_folder
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.compute import Compute, float64_device

FACTS = "initialisation.json"


class Method(Protocol):
    """A method: a dataclass of its options."""

    name: ClassVar[str]

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Say where the rows come from that are not copied.

        Args:
            row_sources: Knows the rows that are copied; is given the origins of others.
            context: Both vocabularies, and the model; its facts may be added to.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class EmbeddingOptions:
    """What the new embedding is like.

    Args:
        keep_dim: Factorise the embeddings: so many coordinates for each token, times primitives that all share. Left
            out, or at the width of the model, they are not.
        form: Keep coordinates and primitives apart, in a model whose kind is `factorised`, or multiply them.
        ignore_case: Also copy the row of a token that differs in case alone.
        pad_to_multiple_of: Rows of the new embedding are a multiple of this.
    """

    keep_dim: int | None = None
    form: Literal["factorised", "dense"] = "factorised"
    ignore_case: bool = True
    pad_to_multiple_of: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, keep_dim=1, pad_to_multiple_of=1)


@dataclass(frozen=True, kw_only=True)
class Folders:
    """What is opened, and where the new model is written.

    Args:
        source: The model: a run folder, a checkpoint, a Hugging Face folder or a hub name; encoder or decoder, tied or
            untied, with a head or without.
        target_tokenizer: The new vocabulary: a folder, a hub name or a tokenizer.json.
        output: The folder of the new model, which `from_pretrained` opens: weights, configuration, tokenizer,
            provenance.jsonl (where each row comes from) and initialisation.json (the same, counted). A folder of
            sentence-transformers stays one: modules.json, pooling and what follows are taken over.
        overwrite: Replace the folder if it is there.
    """

    source: str = field(metadata={"alias": "from"})
    target_tokenizer: str
    output: Path
    overwrite: bool = False


@dataclass(frozen=True)
class Transplant(Written):
    """A model with a new vocabulary, and where the rows of its embedding come from.

    Args:
        model: The model.
        tokenizer: Its tokenizer.
        plan: Where each row comes from.
        source: The old vocabulary.
        target: The new one.
        facts: What is known of it, as in initialisation.json.
        old_folder: The folder that the old model was opened from; None when it was not opened from one.
        folder: Where it was saved; None when it was not.
    """

    model: Any
    tokenizer: Any
    plan: Plan
    source: Vocabulary
    target: Vocabulary
    facts: dict[str, Any]
    old_folder: Path | None = None
    folder: Path | None = None

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows come from where, such as `copied` and `combined`."""
        return counted(self.plan)

    def provenance(self) -> Iterator[dict[str, Any]]:
        """Yield for each row its `id`, `token`, `kind`, and the old tokens that it is made of with their weights."""
        return provenance(self.plan, self.source, self.target)

    def rows(self, kind: str) -> list[int]:
        """Return the rows of one kind, such as `copied`, `combined` or `drawn`."""
        rows: list[int] = (self.plan.kinds == Kind[kind.upper()]).nonzero()[0].tolist()
        return rows

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Transplant:
        """Write the model, its tokenizer, provenance.jsonl and initialisation.json.

        Args:
            folder: Where to; it appears in one piece. `UserError` is raised when it cannot be written.
            overwrite: Replace a folder that this has written.

        Returns:
            The same, which knows its folder.
        """
        refuse_existing(Path(folder), overwrite, FACTS)
        with output_folder(Path(folder)) as temporary:
            with quiet():
                self.model.save_pretrained(temporary)
                self.tokenizer.save_pretrained(temporary)
            if self.old_folder is not None:
                keep_modules(self.old_folder, temporary)
            write_provenance(temporary / "provenance.jsonl", self.provenance())
            write_text(temporary / FACTS, json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n")
        return replace(self, folder=Path(folder))

    def show(self) -> None:
        """Print where the rows come from, and where the model is."""
        print_counts(self.facts)
        if self.folder is not None:
            click.echo(f"wrote {self.folder}")


def init(method: Method, folders: Folders, embedding: EmbeddingOptions, seed: int, compute: Compute) -> Transplant:
    """Give a model a new vocabulary, and write it: what every action `cli ofa init` does.

    Args:
        method: Where new rows come from.
        folders: What is opened, and where to write.
        embedding: What the new embedding is like.
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.

    Returns:
        The new model. `UserError` is raised when something cannot be opened, does not fit, or is there already.
    """
    float64_device(compute.device or "cpu")  # refused before any work, as are these
    refuse_existing(folders.output, folders.overwrite, FACTS)
    made = initialise(
        method, folders.source, None, folders.target_tokenizer, embedding=embedding, seed=seed, compute=compute
    )
    return made.save(folders.output, overwrite=folders.overwrite)


def initialise(
    method: Method,
    source: Any,
    tokenizer: Any,
    target_tokenizer: Any,
    *,
    embedding: EmbeddingOptions = EmbeddingOptions(),
    seed: int = 42,
    compute: Compute = Compute(),
) -> Transplant:
    """Give a model a new vocabulary.

    Args:
        method: Where new rows come from.
        source: A model, which stays as it is, or what `--from` names.
        tokenizer: Its tokenizer; that of the model's folder if None.
        target_tokenizer: The new vocabulary: a tokenizer, a folder, a hub name or a tokenizer.json.
        embedding: What the new embedding is like.
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.

    Returns:
        The new model. `UserError` is raised when something cannot be opened or does not fit.
    """
    place, folder = float64_device(compute.device or "cpu"), None
    if isinstance(source, str | Path):
        model, name = open_model(source), str(source)
        folder = config_folder(source)
        modules_of(folder)  # refused before any work
    else:
        model, name = copy.deepcopy(source), name_of(source)
    if tokenizer is None:
        tokenizer = tokenizer_of(source) if folder is None else open_tokenizer(source)
    context = prepare(model, name, tokenizer, target_tokenizer, embedding)
    context = replace(context, device=place)
    row_sources = RowSources(rows_of(context.target.size, embedding.pad_to_multiple_of), context.source.used)
    row_sources.copy(*context.shared)
    row_sources.leave_out(context.target.used)
    method.fill(row_sources, context)
    plan = row_sources.plan()
    new, shares = rewrite(
        model,
        plan,
        context.target.tokenizer,
        kept=context.kept,
        factorised=embedding.form == "factorised",
        generator=torch.Generator().manual_seed(seed),
    )
    facts: dict[str, Any] = {"method": method.name, "from": name, "seed": seed}
    facts |= {"target_tokenizer": context.target_name, "keep_dim": context.kept, "kept share": shares, **context.facts}
    facts |= {"rows": len(plan), "parameters": sum(parameter.numel() for parameter in new.parameters())}
    if drawn := getattr(model, "new_weights", None):  # a head that the old folder had not
        facts["weights drawn anew"] = drawn
    facts |= {"counts": counted(plan)}
    return Transplant(new, context.target.tokenizer, plan, context.source, context.target, facts, folder)


def prepare(model: Any, name: str, tokenizer: Any, target_tokenizer: Any, embedding: EmbeddingOptions) -> InitContext:
    """Open both vocabularies, and find what they share.

    Args:
        model: The model.
        name: What it is called in messages.
        tokenizer: Its tokenizer.
        target_tokenizer: The new one, or where it is.
        embedding: What the new embedding is like.

    Returns:
        What the method works with.

    Raises:
        UserError: When a tokenizer or the model does not fit, or more coordinates are asked for than there are numbers.
    """
    if model.config.is_encoder_decoder:
        raise UserError(f"{name} is an encoder and a decoder; only the one or the other can be extended.")
    rows, width = model.get_input_embeddings().weight.shape
    if not hasattr(model.get_input_embeddings(), "padding_idx"):
        raise UserError(f"The embedding of {name} is of a kind that cannot be extended.")
    source = Vocabulary(tokenizer, rows)
    if isinstance(target_tokenizer, str | Path):
        target_name = str(target_tokenizer)
        with named("--target_tokenizer"):
            target_tokenizer = opened(target_name)
    else:
        target_name, target_tokenizer = str(target_tokenizer.name_or_path), copy.deepcopy(target_tokenizer)
    if tokenizer.model_max_length < transformers.tokenization_utils_base.VERY_LARGE_INTEGER:
        target_tokenizer.model_max_length = tokenizer.model_max_length  # how long texts may be is up to the model
    target = Vocabulary(target_tokenizer, rows_of(rows_needed(target_tokenizer), embedding.pad_to_multiple_of))
    keep_dim = embedding.keep_dim
    if keep_dim is not None and keep_dim > min(width, int(source.used.sum())):
        raise UserError(f"--keep_dim {keep_dim} is more than the {width} numbers of a row of {name}.")
    kept = None if keep_dim in (None, width) else keep_dim
    facts: dict[str, Any] = {}
    if bare := source.without_row:
        facts["tokens without a row"] = bare
        some = ", ".join(map(repr, bare[:3])) + (", ..." if len(bare) > 3 else "")
        notice(
            f"{name} has no row for {some}, which its tokenizer was given without the model; in the new "
            "vocabulary such a token is a new one."
        )
    return InitContext(model, source, target, shared(source, target, embedding.ignore_case), kept, facts, target_name)


def rows_of(tokens: int, multiple: int) -> int:
    """Return the rows of an embedding: those of the tokens, and more up to a multiple."""
    return -(-tokens // multiple) * multiple
