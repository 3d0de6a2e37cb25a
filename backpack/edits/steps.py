"""The edits that there are, as data.

An edit names tokens and senses, never numbers of one model's vectors, so that it applies to every Backpack of the same
vocabulary and the same number of senses: where it needs a vector, such as an embedding or another token's sense, it
takes that of the model which it is applied to. It becomes a function of senses, or of weights, which `EditableSenses`
applies after the functions of the edits before it. Weights of the model are never touched.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeAlias

from semeqv.lazy import torch

SenseEdit: TypeAlias = "Callable[[torch.Tensor, torch.Tensor], torch.Tensor]"  # see `EditableSenses.edited`
WeightEdit: TypeAlias = SenseEdit


@dataclass(frozen=True, kw_only=True)
class Step:
    """An edit."""

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return the edit as a JSON object."""
        return {"kind": self.kind, **asdict(self)}

    def token_fields(self) -> Iterator[int]:
        """All tokens that it names."""
        for field in fields(self):
            if "token" in field.name:
                yield from flat(getattr(self, field.name))

    def sense_fields(self) -> Iterator[int]:
        """All indices of senses that it names."""
        for field in fields(self):
            if field.name == "senses":
                yield from flat(getattr(self, field.name))

    def of_senses(self, model: Any) -> SenseEdit | None:
        """Make the function that edits senses.

        Args:
            model: A Backpack, edited as it was before this edit.

        Returns:
            A function from tokens and their senses to other senses; None for an edit of weights.
        """
        return None

    def of_weights(self, model: Any) -> WeightEdit | None:
        """Make the function that edits weights.

        Args:
            model: A Backpack, edited as it was before this edit.

        Returns:
            A function from weights and the tokens read to other weights; None for an edit of senses.
        """
        return None


@dataclass(frozen=True, kw_only=True)
class Chosen(Step, ABC):
    """An edit of some senses of some tokens.

    Args:
        tokens: Which; all if None.
        senses: Which of their senses; all if None.
    """

    tokens: tuple[int, ...] | None = None
    senses: tuple[int, ...] | None = None

    @abstractmethod
    def change(self, model: Any) -> Any:
        """Make the function from senses, `(..., d)`, to edited ones."""

    def of_senses(self, model: Any) -> SenseEdit:
        """Make the function, which leaves what is not chosen as it is, bit for bit."""
        change = self.change(model)
        wanted = None if self.tokens is None else torch.tensor(self.tokens)
        indices = None if self.senses is None else torch.tensor(self.senses)

        def edit(token_ids: torch.Tensor, senses: torch.Tensor) -> torch.Tensor:
            chosen = torch.ones(senses.shape[:2], dtype=torch.bool, device=senses.device)
            if wanted is not None:
                chosen &= torch.isin(token_ids, wanted.to(token_ids.device))[:, None]
            if indices is not None:
                chosen &= torch.isin(torch.arange(senses.shape[1], device=senses.device), indices.to(senses.device))
            if not chosen.any():
                return senses
            edited = senses.clone()
            edited[chosen] = change(senses[chosen]).to(senses.dtype)
            return edited

        return edit


@dataclass(frozen=True, kw_only=True)
class Scale(Chosen):
    """Senses are multiplied; by 0 they are suppressed.

    Args:
        factor: By what.
    """

    kind: ClassVar[str] = "scale"
    factor: float

    def change(self, model: Any) -> Any:
        """Multiply."""
        return lambda senses: self.factor * senses


@dataclass(frozen=True, kw_only=True)
class Project(Chosen):
    """Senses are projected onto what is orthogonal to all differences of the output embeddings of some pairs.

    Both tokens of a pair then get the same from these senses (as nullspace projection, Ravfogel et al., 2020, arXiv
    2004.07667, with directions that are given).

    Args:
        token_pairs: The pairs of tokens.
    """

    kind: ClassVar[str] = "project"
    token_pairs: tuple[tuple[int, int], ...]

    def change(self, model: Any) -> Any:
        """Make the function C - B^T B C, where the rows of B are an orthonormal basis of the differences."""
        head = model.get_output_embeddings().weight.detach()
        pairs = torch.tensor(self.token_pairs, device=head.device)
        differences = (head[pairs[:, 0]] - head[pairs[:, 1]]).cpu().double()
        _, sizes, rows = torch.linalg.svd(differences, full_matrices=False)
        basis = rows[sizes > 1e-6 * sizes.max()].to(head.dtype)

        def project(senses: torch.Tensor) -> torch.Tensor:
            onto = basis.to(senses)
            left: torch.Tensor = senses - (senses @ onto.T) @ onto
            return left

        return project


@dataclass(frozen=True, kw_only=True)
class Knowledge(Chosen):
    """What senses add to the logit of one token they add to that of another (Hewitt et al., 2023, arXiv 2305.16765).

    C~ = C + (C . E_r / |E_r|^2) (E_a / phi - E_r), with phi = |E_a|^2 / |E_r|^2 and E the output embeddings.

    Args:
        removed_token: r.
        added_token: a.
    """

    kind: ClassVar[str] = "knowledge"
    removed_token: int
    added_token: int

    def change(self, model: Any) -> Any:
        """Make the function of the formula."""
        head = model.get_output_embeddings().weight.detach()
        removed, added = head[self.removed_token], head[self.added_token]
        size = removed.square().sum()
        toward = added * size / added.square().sum() - removed

        def exchange(senses: torch.Tensor) -> torch.Tensor:
            share = senses @ (removed / size).to(senses)
            exchanged: torch.Tensor = senses + share[:, None] * toward.to(senses)
            return exchanged

        return exchange


@dataclass(frozen=True, kw_only=True)
class Replace(Step):
    """Senses take the place of others, all at once: two that replace each other are swapped.

    Args:
        tokens: Whose senses are replaced, one for each.
        senses: Which of their senses.
        source_tokens: Whose senses take their place.
        source_senses: Which of them; as they are before this edit.
    """

    kind: ClassVar[str] = "replace"
    tokens: tuple[int, ...]
    senses: tuple[int, ...]
    source_tokens: tuple[int, ...]
    source_senses: tuple[int, ...]

    def sense_fields(self) -> Iterator[int]:
        """All indices of senses that it names."""
        yield from (*self.senses, *self.source_senses)

    def of_senses(self, model: Any) -> SenseEdit:
        """Put vectors into their places."""
        weight = model.get_input_embeddings().weight
        with torch.no_grad():
            sources = model.senses(torch.tensor(self.source_tokens, device=weight.device))
        rows = torch.arange(len(self.source_tokens), device=weight.device)
        vectors = sources[rows, torch.tensor(self.source_senses, device=weight.device)]

        def edit(token_ids: torch.Tensor, senses: torch.Tensor) -> torch.Tensor:
            edited = senses.clone()
            for token, sense, vector in zip(self.tokens, self.senses, vectors):
                edited[token_ids == token, sense] = vector.to(senses)
            return edited

        return edit


@dataclass(frozen=True, kw_only=True)
class Topic(Step):
    """Weights of senses are multiplied by 1 + strength * max(0, z) * annealing^n.

    z is how much a sense favours the topic: the mean of its logits for the words of the topic, in standard
    deviations of its logits over the vocabulary, from their mean. n is how many words of the topic have been read so
    far, so that a topic that was taken up is pressed less. The idea is that of Hewitt et al. (2023, arXiv 2305.16765);
    these formulas are this project's.

    Args:
        tokens: The words of the topic.
        strength: How much; 0 changes nothing.
        annealing: From 0 to 1; 1 for no annealing.
    """

    kind: ClassVar[str] = "topic"
    tokens: tuple[int, ...]
    strength: float
    annealing: float

    def of_weights(self, model: Any) -> WeightEdit:
        """Make the function; z is kept token by token, and is that of senses without later edits."""
        before = list(model.backpack.sense_edits)
        head = model.get_output_embeddings().weight.detach().float()
        wanted, mean = torch.tensor(self.tokens, device=head.device), head.mean(0)
        toward = head[wanted].mean(0) - mean
        with torch.autocast(head.device.type, enabled=False):
            spread = (head - mean).T @ (head - mean) / len(head)  # (d, d): a sense's logits vary by C^T spread C
        known = head.new_full((len(head), model.config.num_senses), torch.nan)

        def relevance(token_ids: torch.Tensor) -> torch.Tensor:
            """z of tokens, 0 where it is below, `(batch, time, senses)`."""
            different = torch.unique(token_ids)
            new = different[known[different, 0].isnan()]
            if len(new):
                senses = model.backpack.senses(new, before).detach().float()
                with torch.autocast(head.device.type, enabled=False):
                    deviation = torch.einsum("nkd,de,nke->nk", senses, spread, senses).clamp(min=0).sqrt()
                    z = (senses @ toward) / deviation.clamp(min=torch.finfo(torch.float32).tiny)
                known[new] = z.clamp(min=0)
            own: torch.Tensor = known[token_ids]
            return own

        def edit(weights: torch.Tensor, token_ids: torch.Tensor) -> torch.Tensor:
            nonlocal known, toward, spread
            known, toward, spread = (each.to(weights.device) for each in (known, toward, spread))
            z = relevance(token_ids).permute(0, 2, 1)[:, :, None]  # (batch, senses, 1, time)
            read = torch.isin(token_ids, wanted.to(token_ids.device)).cumsum(1)[:, -weights.shape[2] :]
            left = self.strength * self.annealing ** read.float()  # (batch, queries)
            return (weights * (1 + left[:, None, :, None] * z)).to(weights.dtype)

        return edit


def flat(value: Any) -> Iterator[int]:
    """Yield the integers in a field: none, one, or several, perhaps in pairs; `TypeError` for something else."""
    if isinstance(value, tuple):
        for each in value:
            yield from flat(each)
    elif isinstance(value, int):
        yield value
    elif value is not None:
        raise TypeError(f"{value!r} is no token and no sense")
