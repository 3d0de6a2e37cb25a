"""Orthogonal matching pursuit: rows from shared tokens, by how a donor model's rows are made of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ofa.methods.method import Method
from ofa.plan import Draft, Work
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy, torch
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.text.models.opening import named, open_model
from semeqv.text.tokenizers.files import opened

if TYPE_CHECKING:
    from ofa.plan import Draft, Work


@component("ofa init omp")
@dataclass(frozen=True, kw_only=True)
class Omp(Method):
    """Make new rows of those of shared tokens, with the weights that make them in another model.

    The donor is a model that has the new vocabulary. Its row of a new token is approximated by few of its rows of
    shared tokens, chosen one by one, with weights by least squares (orthogonal matching pursuit; Pati, Rezaiifar &
    Krishnaprasad, 1993); the same weights then combine the old model's rows of these tokens (Goddard & Fernandes Neto,
    2025, arXiv 2506.06607; tokensurgeon of mergekit). Tokens that both vocabularies have are copied.

    Args:
        donor: A model with the new vocabulary, and its tokenizer: see --from. That of --target_tokenizer if left out.
        tokens: The most tokens that a row is made of.
    """

    donor: str | None = None
    tokens: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, tokens=1)

    def draft(self, draft: Draft, work: Work) -> None:
        """Combine shared tokens as the donor's rows are.

        Args:
            draft: Is given the origins.
            work: Both vocabularies.
        """

        option = "--donor" if self.donor else "--target_tokenizer"
        combine_as_donor(draft, work, self.donor or self.target_tokenizer, self.tokens, option)


CELLS = 2**24  # correlations at once


def combine_as_donor(draft: Draft, work: Work, donor: str, tokens: int, option: str = "--donor") -> None:
    """Let rows be combinations of shared tokens with the weights of a donor.

    Args:
        draft: Rows without an origin that the donor has, and that are not zeros there, are given one.
        work: Both vocabularies. Its facts are told how near the donor's rows were met.
        donor: A model with the new vocabulary.
        tokens: The most tokens that a row is made of.
        option: The one that named the donor, for messages.

    Raises:
        UserError: When the donor cannot be opened, has another vocabulary or fewer rows, or nothing is shared.
    """
    with named(option):
        rows = open_model(donor).get_input_embeddings().weight.detach().float()
    if len(rows) < work.target.size:
        raise UserError(f"The donor {donor} has {len(rows):,} rows, the new tokenizer {work.target.size:,} tokens.")
    theirs = opened(donor).get_vocab()
    if other := next((token for row, token in work.target.tokens.items() if theirs.get(token) != row), None):
        raise UserError(f"The donor {donor} has another tokenizer, in which {other!r} is not the same token.")
    text = numpy.array([new in work.target.spellings for new in work.shared[0].tolist()], bool)
    new, old = (each[text] for each in work.shared)
    said = rows.any(1).tolist()
    open_rows = numpy.array([row for row in draft.open().tolist() if row in work.target.tokens and said[row]], int)
    if not len(new):
        raise UserError("The two vocabularies share no token of text, which new ones could be made of.")
    if not len(open_rows):
        return
    atoms, few = rows[torch.from_numpy(new)].to(work.device), max(CELLS // len(new), 1)
    errors = []
    for start in Progress(range(0, len(open_rows), few), desc="pursue", unit="chunk", leave=False, disable=None):
        some = open_rows[start : start + few]
        wanted = rows[torch.from_numpy(some)].to(work.device)
        chosen, weights = pursued(wanted, atoms, tokens)
        rows_of, weights_of = old[chosen.cpu().numpy()], weights.cpu().numpy()
        draft.combine(numpy.repeat(some, chosen.shape[1]), rows_of.ravel(), weights_of.ravel())
        missed = wanted - torch.einsum("ij,ijk->ik", weights, atoms[chosen])
        errors.append(missed.norm(dim=1) / wanted.norm(dim=1).clamp_min(1e-12))
    work.facts["relative error of the donor's rows"] = float(torch.cat(errors).mean())


def pursued(wanted: torch.Tensor, atoms: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
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
        found = torch.linalg.solve(gram, basis.transpose(1, 2) @ wanted.double()[..., None])
        weights[:, : step + 1] = found[..., 0].float()
        left = wanted - (basis @ found)[..., 0].float()
    return chosen, weights
