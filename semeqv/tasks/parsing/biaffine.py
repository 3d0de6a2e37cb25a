"""What tells arcs and their relations from word vectors: deep biaffine attention (Dozat & Manning, 2017).

arXiv 1611.01734, equations 4 to 11. Shapes: B sentences, W words, H the width of the body, A of arcs, R of relations.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

UNSAID = -100
LEAK = 0.1  # of the nonlinearity, as in the paper


class Found(NamedTuple):
    """What the head says of some sentences.

    Args:
        arcs: How well each word hangs on the root (column 0) and on each word, `(B, W, W + 1)`; minus infinity where
            there is no such word, or it is the word itself.
        relations: Of each word to the head that was given for it, `(words, relations)`; None when none were.
        likeliest: The likeliest relation of each word to each head, `(B, W, W + 1)`; None when nobody asked.
        tags: Of each word, `(B, W, tags)`; None without a tagger.
    """

    arcs: Tensor
    relations: Tensor | None
    likeliest: Tensor | None
    tags: Tensor | None


class Biaffine(nn.Module):
    """Arcs, relations and perhaps tags of words.

    The four networks of the paper (arcs and relations, as dependent and as head) are two products: each half of their
    outputs is one of them.

    Args:
        width: Of the word vectors.
        arcs: Width of the vectors that arcs are told by.
        relations: Width of those that relations are told by.
        relation_labels: How many relations there are.
        tag_labels: How many parts of speech; 0 for no tagger.
        dropout: Share of the word vectors, and of what the networks make of them, that is dropped in training.
    """

    def __init__(self, width: int, *, arcs: int, relations: int, relation_labels: int, tag_labels: int, dropout: float):
        super().__init__()
        self.dropout, self.relation_labels = dropout, relation_labels
        self.root = nn.Parameter(torch.empty(width))
        self.arc_layer = nn.Linear(width, 2 * arcs)
        self.relation_layer = nn.Linear(width, 2 * relations)
        self.arc_weight = nn.Parameter(torch.empty(arcs, arcs))
        self.arc_bias = nn.Parameter(torch.empty(arcs))  # how likely a word is to be a head at all
        self.relation_weight = nn.Parameter(torch.empty(relations + 1, relation_labels * (relations + 1)))
        self.tagger = nn.Linear(width, tag_labels) if tag_labels else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew: the networks orthogonal and the bilinear forms zero, as in the authors' code."""
        self.reset_trees()
        self.reset_tagger()

    @torch.no_grad()
    def reset_trees(self) -> None:
        """Draw those of arcs and relations anew."""
        nn.init.normal_(self.root)
        for layer in (self.arc_layer, self.relation_layer):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)
        for weight in (self.arc_weight, self.arc_bias, self.relation_weight):
            nn.init.zeros_(weight)

    @torch.no_grad()
    def reset_tagger(self) -> None:
        """Draw those of the tagger anew, if there is one."""
        if self.tagger is not None:
            nn.init.xavier_uniform_(self.tagger.weight)
            nn.init.zeros_(self.tagger.bias)

    def forward(self, words: Tensor, real: Tensor, heads: Tensor | None = None, every: bool = True) -> Found:
        """Look at sentences.

        Args:
            words: Word vectors, `(B, W, H)`.
            real: Where there is a word, `(B, W)`.
            heads: The head of each word, `(B, W)`, counted from 1, 0 for the root, -100 for none, when the relations to
                them are asked for.
            every: Whether to find the likeliest relation to every head, too.

        Returns:
            The scores.
        """
        words = self.drop(words)
        root = self.root.to(words.dtype).expand(len(words), 1, -1)
        rooted = torch.cat([root, words], dim=1)  # (B, W + 1, H), the root first
        arc_heads, arc_words = self.drop(functional.leaky_relu(self.arc_layer(rooted), LEAK)).chunk(2, dim=-1)
        arcs = (arc_words[:, 1:] @ self.arc_weight + self.arc_bias) @ arc_heads.transpose(1, 2)
        shut = ~functional.pad(real, (1, 0), value=True)[:, None] | itself(arcs)
        arcs = arcs.float().masked_fill(shut, -torch.inf)
        as_heads, as_words = self.drop(functional.leaky_relu(self.relation_layer(rooted), LEAK)).chunk(2, dim=-1)
        as_heads, as_words = (functional.pad(each, (0, 1), value=1.0) for each in (as_heads, as_words[:, 1:]))
        return Found(
            arcs,
            None if heads is None else self.relations(as_words, as_heads, heads),
            self.likeliest(as_words, as_heads) if every else None,
            None if self.tagger is None else self.tagger(words),
        )

    def relations(self, words: Tensor, every: Tensor, heads: Tensor) -> Tensor:
        """The scores of each relation between words and their heads.

        Args:
            words: As dependents, `(B, W, R + 1)`.
            every: As heads, the root first, `(B, W + 1, R + 1)`.
            heads: `(B, W)`, -100 for none.

        Returns:
            `(words, relations)`, the words that have a head, row after row.
        """
        asked = heads != UNSAID
        chosen = heads[:, :, None] == torch.arange(every.shape[1], device=heads.device)  # (B, W, W + 1)
        theirs = (chosen.to(every.dtype) @ every)[asked]  # a product, which is the same in every run on any device
        left = (words[asked] @ self.relation_weight).view(len(theirs), self.relation_labels, theirs.shape[-1])
        return torch.matmul(left, theirs[..., None])[..., 0]

    def likeliest(self, words: Tensor, every: Tensor) -> Tensor:
        """The likeliest relation of every word to every head, `(B, W, W + 1)`, one sentence at a time."""
        found = []
        for word, head in zip(words, every):
            left = (word @ self.relation_weight).view(len(word), self.relation_labels, head.shape[-1])
            found.append((left @ head.T).argmax(1))  # over (W, relations, W + 1)
        return torch.stack(found)

    def drop(self, vectors: Tensor) -> Tensor:
        """Drop some of the numbers, in training."""
        return dropped(vectors, self.dropout) if self.training else vectors


def dropped(vectors: Tensor, share: float) -> Tensor:
    """Drop some of the numbers of vectors, the same ones in the whole sentence, as in the paper; so it costs little.

    Args:
        vectors: `(B, places, width)`.
        share: How many.

    Returns:
        Vectors of the same shape, what is left of them made larger to make up for it.
    """
    if not share:
        return vectors
    kept = torch.empty_like(vectors[:, :1]).bernoulli_(1 - share)
    return vectors * (kept / (1 - share))


def itself(arcs: Tensor) -> Tensor:
    """Where a word would be its own head, `(W, W + 1)`."""
    words, heads = (torch.arange(size, device=arcs.device) for size in arcs.shape[1:])
    return words[:, None] + 1 == heads
