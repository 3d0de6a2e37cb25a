"""What all methods have in common: the options of `cli ofa init`, and the way from a plan to a folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from ofa.plan import Draft, Work
from ofa.provenance import counted, print_counts, write_provenance
from ofa.resize_embeddings import rewrite
from ofa.sentence_modules import keep_modules, modules_of
from ofa.vocabulary import Vocabulary, shared
from semeqv.grammar.component import check_bounds
from semeqv.lazy import torch, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.files import output_folder, refuse_existing, write_text
from semeqv.text.models.opening import named, open_model, open_tokenizer, quiet
from semeqv.text.models.source import config_folder
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.compute import float64_device

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that gives a model a new vocabulary.

    Args:
        source: The model: a run folder, a checkpoint, a Hugging Face folder or a hub name; encoder or decoder, tied or
            untied, with a head or without.
        target_tokenizer: The new vocabulary: a folder, a hub name or a tokenizer.json.
        output: The folder of the new model, which `from_pretrained` opens: weights, configuration, tokenizer,
            provenance.jsonl (where each row comes from) and initialisation.json (the same, counted). A folder of
            sentence-transformers stays one: modules.json, pooling and what follows are taken over.
        keep_dim: Factorise the embeddings: so many coordinates for each token, times primitives that all share. Left
            out, or at the width of the model, they are not.
        form: Keep coordinates and primitives apart, in a model whose kind is `factorised`, or multiply them.
        ignore_case: Also copy the row of a token that differs in case alone.
        pad_to_multiple_of: Rows of the new embedding are a multiple of this.
        overwrite: Replace the folder if it is there.
    """

    source: str = field(metadata={"alias": "from"})
    target_tokenizer: str
    output: Path
    keep_dim: int | None = None
    form: Literal["factorised", "dense"] = "factorised"
    ignore_case: bool = True
    pad_to_multiple_of: int = 1
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, keep_dim=1, pad_to_multiple_of=1)

    def draft(self, draft: Draft, work: Work) -> None:
        """Give origins to the rows that are not copied.

        Args:
            draft: Knows the rows that are.
            work: Both vocabularies, and the model.

        Raises:
            NotImplementedError: Here; every method has its own.
        """
        raise NotImplementedError

    def build(self, *, seed: int, device: str) -> None:
        """Make the new model, write it, and print where its rows come from.

        Args:
            seed: Of the rows that are drawn.
            device: Where rows are compared with each other.
        """

        initialise(self, seed, device)


FACTS = "initialisation.json"


def initialise(method: Method, seed: int, device: str = "cpu") -> None:
    """Give a model a new vocabulary, write it, and print where its rows come from.

    Args:
        method: Says which, and how. `UserError` is raised when something cannot be opened, does not fit, or the folder
            is there already.
        seed: Of the rows that are drawn.
        device: Where rows are compared with each other: auto, cpu, cuda ...
    """
    place = float64_device(device)
    refuse_existing(method.output, method.overwrite, FACTS)
    model = open_model(method.source)
    old_folder = config_folder(method.source)
    modules_of(old_folder)  # refused before any work
    work = dataclasses.replace(prepare(method, model), device=place)
    draft = Draft(rows_of(work.target.size, method.pad_to_multiple_of), work.source.used)
    draft.copy(*work.shared)
    draft.leave_out(work.target.used)
    method.draft(draft, work)
    plan = draft.plan()
    generator = torch.Generator().manual_seed(seed)
    new, shares = rewrite(
        model,
        plan,
        work.target.tokenizer,
        kept=work.kept,
        factorised=method.form == "factorised",
        generator=generator,
    )
    facts: dict[str, Any] = {
        "method": str(vars(type(method))["__command__"]).split()[-1],
        "from": method.source,
        "seed": seed,
    }
    facts |= {"target_tokenizer": method.target_tokenizer, "keep_dim": work.kept, "kept share": shares, **work.facts}
    facts |= {"rows": len(plan), "parameters": sum(each.numel() for each in new.parameters())}
    if drawn := getattr(model, "new_weights", None):  # a head that the old folder had not
        facts["weights drawn anew"] = drawn
    facts |= {"counts": counted(plan)}
    with output_folder(method.output) as folder:
        with quiet():
            new.save_pretrained(folder)
            work.target.tokenizer.save_pretrained(folder)
        keep_modules(old_folder, folder)
        write_provenance(folder / "provenance.jsonl", plan, work.source, work.target)
        write_text(folder / FACTS, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    print_counts(facts)
    click.echo(f"wrote {method.output}")


def prepare(method: Method, model: object) -> Work:
    """Open both vocabularies, and find what they share.

    Args:
        method: Says where they are.
        model: The model.

    Returns:
        What the method works with.

    Raises:
        UserError: When a tokenizer or the model does not fit, or more coordinates are asked for than there are numbers.
    """
    if model.config.is_encoder_decoder:  # type: ignore[attr-defined]
        raise UserError(f"{method.source} is an encoder and a decoder; only the one or the other can be extended.")
    rows, width = model.get_input_embeddings().weight.shape  # type: ignore[attr-defined]
    if not hasattr(model.get_input_embeddings(), "padding_idx"):  # type: ignore[attr-defined]
        raise UserError(f"The embedding of {method.source} is of a kind that cannot be extended.")
    source = Vocabulary(open_tokenizer(method.source), rows)
    with named("--target_tokenizer"):
        tokenizer = opened(method.target_tokenizer)
    if (
        source.tokenizer.model_max_length < transformers.tokenization_utils_base.VERY_LARGE_INTEGER
    ):  # how long texts may be is a matter of the model
        tokenizer.model_max_length = source.tokenizer.model_max_length
    target = Vocabulary(tokenizer, rows_of(rows_needed(tokenizer), method.pad_to_multiple_of))
    if method.keep_dim is not None and method.keep_dim > min(width, int(source.used.sum())):
        raise UserError(f"--keep_dim {method.keep_dim} is more than the {width} numbers of a row of {method.source}.")
    kept = None if method.keep_dim in (None, width) else method.keep_dim
    facts: dict[str, Any] = {}
    if bare := source.without_row:
        facts["tokens without a row"] = bare
        some = ", ".join(map(repr, bare[:3])) + (", ..." if len(bare) > 3 else "")
        click.echo(
            f"{method.source} has no row for {some}, which its tokenizer was given without the model; in the new "
            "vocabulary such a token is a new one.",
            err=True,
        )
    return Work(model, source, target, shared(source, target, method.ignore_case), kept, facts)


def rows_of(tokens: int, multiple: int) -> int:
    """The rows of an embedding: those of the tokens, and more up to a multiple."""
    return -(-tokens // multiple) * multiple
