"""Orthogonal matching pursuit: new rows of shared tokens, as a donor model's rows are made of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ofa.initialise import EmbeddingOptions, Folders, Transplant, init
from ofa.plan import InitContext, RowSources
from semeqv.grammar.action import action
from semeqv.grammar.component import check_bounds
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.models.opening import named, open_model
from semeqv.text.tokenizers.files import opened
from semeqv.train.compute import Compute

CELLS = 2**24  # correlations at once


@dataclass(frozen=True, kw_only=True)
class Omp:
    """A new row is a combination of the rows of few shared tokens, with the weights that make it in a donor.

    Args:
        donor: A model with the new vocabulary, and its tokenizer: see --from. That of --target_tokenizer if left out.
        tokens: The most tokens that a row is made of.
    """

    name: ClassVar[str] = "omp"

    donor: str | None = None
    tokens: int = 64

    def __post_init__(self) -> None:
        check_bounds(self, tokens=1)

    def fill(self, row_sources: RowSources, context: InitContext) -> None:
        """Combine shared tokens as the donor's rows are; see `Method.fill`."""
        option = "--donor" if self.donor else "--target_tokenizer"
        combine_as_donor(row_sources, context, self.donor or context.target_name, self.tokens, option)


@action("ofa init omp")
def init_omp(
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    folders: Folders,
    method: Omp = Omp(),
    embedding: EmbeddingOptions = EmbeddingOptions(),
) -> Transplant:
    """Make new rows of those of shared tokens, with the weights that make them in another model.

    The donor is a model that has the new vocabulary. Its row of a new token is approximated by few of its rows of
    shared tokens, chosen one by one, with weights by least squares (orthogonal matching pursuit; Pati, Rezaiifar &
    Krishnaprasad, 1993); the same weights then combine the old model's rows of these tokens (Goddard & Fernandes Neto,
    2025, arXiv 2506.06607; tokensurgeon of mergekit). Tokens that both vocabularies have are copied.

    Args:
        seed: Of the rows that are drawn.
        compute: Where rows are compared with each other.
        folders: What is opened, and where the new model is written.
        method: Options of the method.
        embedding: What the new embedding is like.

    Returns:
        The new model, and where its rows come from.
    """
    return init(method, folders, embedding, seed, compute)


def combine_as_donor(
    row_sources: RowSources, context: InitContext, donor: str, tokens: int, option: str = "--donor"
) -> None:
    """Let rows be combinations of shared tokens with the weights of a donor.

    Args:
        row_sources: Rows without an origin that the donor has, and that are not zeros there, are given one.
        context: Both vocabularies. Its facts are given how near the donor's rows were met.
        donor: A model with the new vocabulary.
        tokens: The most tokens that a row is made of.
        option: The one that named the donor, for messages.

    Raises:
        UserError: When the donor cannot be opened, has another vocabulary or fewer rows, or nothing is shared.
    """
    with named(option):
        rows = open_model(donor).get_input_embeddings().weight.detach().float()
    if len(rows) < context.target.size:
        raise UserError(f"The donor {donor} has {len(rows):,} rows, the new tokenizer {context.target.size:,} tokens.")
    theirs = opened(donor).get_vocab()
    if other := next((token for row, token in context.target.tokens.items() if theirs.get(token) != row), None):
        raise UserError(f"The donor {donor} has another tokenizer, in which {other!r} is not the same token.")
    text = numpy.array([new in context.target.spellings for new in context.shared[0].tolist()], bool)
    new, old = (each[text] for each in context.shared)
    known = rows.any(1).tolist()
    open_rows = numpy.array(
        [row for row in row_sources.open().tolist() if row in context.target.tokens and known[row]], int
    )
    if not len(new):
        raise UserError("The two vocabularies share no token of text, which new ones could be made of.")
    if not len(open_rows):
        return
    atoms, few = rows[torch.from_numpy(new)].to(context.device), max(CELLS // len(new), 1)
    errors = []
    for start in Progress(range(0, len(open_rows), few), desc="pursue", unit="chunk", leave=False, disable=None):
        some = open_rows[start : start + few]
        wanted = rows[torch.from_numpy(some)].to(context.device)
        chosen, weights = pursue(wanted, atoms, tokens)
        rows_of, weights_of = old[chosen.cpu().numpy()], weights.cpu().numpy()
        row_sources.combine(numpy.repeat(some, chosen.shape[1]), rows_of.ravel(), weights_of.ravel())
        missed = wanted - torch.einsum("ij,ijk->ik", weights, atoms[chosen])
        errors.append(missed.norm(dim=1) / wanted.norm(dim=1).clamp_min(1e-12))
    context.facts["relative error of the donor's rows"] = float(torch.cat(errors).mean())


def pursue(wanted: torch.Tensor, atoms: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Approximate vectors by few atoms each.

    Atoms are chosen by their correlation with what is left of the vector, at length 1; after each choice the weights of
    all chosen ones are those of least squares.

    Args:
        wanted: `(vectors, width)`.
        atoms: `(atoms, width)`.
        count: How many atoms at most; never more than the width or the atoms there are.

    Returns:
        Places of the atoms and their weights, `(vectors, count)` each; an atom that is not needed has weight 0.
    """
    count = min(count, *atoms.shape)
    lengths = atoms.norm(dim=1)
    right = (atoms / lengths.clamp_min(1e-12)[:, None]).T
    chosen = wanted.new_zeros(len(wanted), count, dtype=torch.int64)
    taken = (lengths == 0).repeat(len(wanted), 1)
    left = wanted
    weights = wanted.new_zeros(len(wanted), count)
    for step in range(count):
        correlation = (left @ right).abs().masked_fill_(taken, -1)
        chosen[:, step] = correlation.argmax(1)
        taken.scatter_(1, chosen[:, step : step + 1], True)
        basis = atoms[chosen[:, : step + 1]].transpose(1, 2).double()  # (vectors, width, chosen)
        gram = basis.transpose(1, 2) @ basis
        gram += 1e-12 * gram.diagonal(dim1=1, dim2=2).amax(1)[:, None, None] * torch.eye(step + 1, device=gram.device)
        solution = torch.linalg.solve(gram, basis.transpose(1, 2) @ wanted.double()[..., None])
        weights[:, : step + 1] = solution[..., 0].float()
        left = wanted - (basis @ solution)[..., 0].float()
    return chosen, weights
