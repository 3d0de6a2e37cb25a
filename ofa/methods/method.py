"""What all methods have in common: the options of `cli ofa init`, and the way from a plan to a folder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semeqv.grammar.component import check_bounds

if TYPE_CHECKING:
    from ofa.plan import Draft
    from ofa.work import Work


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

    def draft(self, draft: "Draft", work: "Work") -> None:
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
        from ofa.methods.initialisation import initialise

        initialise(self, seed, device)
