"""The rank of the translation of every sentence, in memory that does not grow with the square of their number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from semeqv.lazy import NDArray, functional, numpy, torch
from semeqv.runs.errors import UserError

AT_ONCE = 2**24  # similarities computed at once
ALIKE = 1e-6  # similarities that differ by less are equal
NEIGHBOURS = {"cosine": 0, "csls": 10, "margin": 4}


@dataclass(frozen=True)
class Places:
    """Where translations stand among all candidates.

    Args:
        before: `(sentences,)`, how many candidates are more similar.
        alike: `(sentences,)`, how many are as similar, itself included.
    """

    before: NDArray[numpy.int64]
    alike: NDArray[numpy.int64]

    def hits(self, k: int) -> NDArray[numpy.float32]:
        """Return how likely each is among the first k when equals are drawn in any order, `(sentences,)`."""
        shares = numpy.divide(k - self.before, self.alike, out=numpy.zeros(len(self.alike)), where=self.alike > 0)
        hits: NDArray[numpy.float32] = numpy.clip(shares, 0, 1).astype(numpy.float32)
        return hits


class Similarities:
    """The similarities of sentences and their translations, a few rows at a time.

    `UserError` is raised when a vector is not finite.

    Args:
        sentences: `(sentences, width)`.
        translations: `(sentences, width)`, in the same order.
        score: cosine, csls or margin.
        neighbours: Of csls and margin; the usual number if None.
    """

    def __init__(
        self, sentences: torch.Tensor, translations: torch.Tensor, score: str = "cosine", neighbours: int | None = None
    ):
        for vectors in (sentences, translations):
            check_finite(vectors)
        self.one, self.other = functional.normalize(sentences, dim=1), functional.normalize(translations, dim=1)
        self.score, self.count = score, len(sentences)
        if score != "cosine":
            self.near_one, self.near_other = self.densities(min(neighbours or NEIGHBOURS[score], self.count))

    def rows(self) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield the cosines of some sentences, and all translations, `(rows, sentences)`."""
        few = max(AT_ONCE // self.count, 1)
        for start in range(0, self.count, few):
            yield slice(start, min(start + few, self.count)), self.one[start : start + few] @ self.other.T

    def densities(self, neighbours: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the mean cosine of each sentence to its nearest translations, and vice versa, `(sentences,)` each."""
        ones, others = [], torch.full((neighbours, self.count), -torch.inf)
        for _, cosines in self.rows():
            ones.append(cosines.topk(neighbours, dim=1).values.mean(1))
            others = torch.cat([others, cosines]).topk(neighbours, dim=0).values
        return torch.cat(ones), others.mean(0)

    def scored(self, cosines: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Return scores of cosines, by the densities around the two sides: all shapes that fit each other."""
        if self.score == "csls":
            return 2 * cosines - one - other
        return (cosines / ((one + other) / 2)).nan_to_num() if self.score == "margin" else cosines  # 0 / 0 of zeros

    def places(self) -> tuple[Places, Places]:
        """Return the places of translations among all for each sentence, and of sentences among all for each
        translation.
        """
        none = torch.zeros(self.count)
        near_sentence, near_translation = (none, none) if self.score == "cosine" else (self.near_one, self.near_other)
        gold = self.scored((self.one * self.other).sum(1), near_sentence, near_translation)
        counts = torch.zeros(2, 2, self.count, dtype=torch.int64)  # (direction, more or as similar, sentence)
        for rows, cosines in self.rows():
            scores = self.scored(cosines, near_sentence[rows, None], near_translation)
            scores[torch.arange(len(scores)), torch.arange(rows.start, rows.stop)] = gold[rows]
            for direction, wanted in enumerate((gold[rows, None], gold)):
                more = scores > wanted + ALIKE
                alike = (scores >= wanted - ALIKE) & ~more
                for i, counted in enumerate((more, alike)):
                    if direction == 0:
                        counts[0, i, rows] = counted.sum(1)
                    else:
                        counts[1, i] += counted.sum(0)
        forth, back = counts.numpy()
        return Places(*forth), Places(*back)


def check_finite(vectors: torch.Tensor) -> None:
    """Refuse vectors of sentences that are not finite: no other vector is nearer to one of them, or less near.

    Args:
        vectors: `(sentences, width)`.

    Raises:
        UserError: When a number is NaN or infinite.
    """
    if bad := int((~vectors.isfinite()).any(1).sum()):
        raise UserError(
            f"The states of {bad:,} of {len(vectors):,} sentences are not finite numbers. Say --precision fp32; if it "
            "stays so, the model is damaged."
        )
