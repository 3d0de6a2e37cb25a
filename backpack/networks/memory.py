"""The cache of generation beside keys and values of the trunk: keys of sense weights, tokens, and their senses."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import DynamicLayer


class SenseMemory:
    """The senses of the tokens met so far, each computed once.

    It does not hold the model, so that a cache can be copied without it.

    Args:
        vocabulary: Tokens that there are.
    """

    def __init__(self, vocabulary: int):
        self.vocabulary, self.met = vocabulary, 0
        self.place: Tensor | None = None  # of each token of the vocabulary, -1 where it was not met, then of embeddings
        self.senses: Tensor | None = None  # (room, senses, d)

    @torch.no_grad()
    def recall(self, token_ids: Tensor, senses_of: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Look tokens up; those that are new are computed.

        Args:
            token_ids: Integers of any shape.
            senses_of: From `(tokens,)` integers to `(tokens, senses, d)`.

        Returns:
            The senses of all tokens met, `(tokens, senses, d)`, and the place of each of `token_ids` among them.
        """
        place = self.place_table(token_ids.device)
        places = place[token_ids]
        new = torch.unique(token_ids[places < 0])
        if len(new):
            self.add(new, senses_of(new))
            places = place[token_ids]
        assert self.senses is not None
        return self.senses[: self.met], places

    @torch.no_grad()
    def remember(self, senses: Tensor) -> Tensor:
        """Keep the senses of embeddings that belong to no token.

        Args:
            senses: `(embeddings, senses, d)`.

        Returns:
            `(embeddings,)`, integers above the vocabulary that `recall` accepts from now on.
        """
        place = self.place_table(senses.device)
        ids = torch.arange(len(place), len(place) + len(senses), device=senses.device)
        self.place = torch.cat([place, torch.full_like(ids, -1)])
        self.add(ids, senses)
        return ids

    @property
    def has_embeddings(self) -> bool:
        """Return whether it has senses that belong to no token."""
        return self.place is not None and len(self.place) > self.vocabulary

    def place_table(self, device: torch.device) -> Tensor:
        """Return the place of each token, on a device; -1 for tokens that were not met."""
        if self.place is None:
            self.place = torch.full((self.vocabulary,), -1, device=device)
        return self.place

    def add(self, new: Tensor, senses: Tensor) -> None:
        """Keep the senses, `(tokens, senses, d)`, of different tokens, `(tokens,)`, that were not met."""
        assert self.place is not None
        known = self.met
        self.met = known + len(new)
        if self.senses is None or self.met > len(self.senses):
            old, room = self.senses, max(2 * self.met, 64)
            self.senses = senses.new_zeros(room, *senses.shape[1:])
            if old is not None:
                self.senses[:known] = old[:known]
        self.senses[known : self.met] = senses
        self.place[new] = torch.arange(known, self.met, device=new.device)


class SenseLayer(DynamicLayer):  # type: ignore[misc]
    """The last layer of a cache: keys of sense weights, and in place of values the tokens.

    It grows, is cropped and reordered with the other layers.
    """

    memory: SenseMemory | None = None

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Start empty, with numbers of the kinds that come."""
        super().lazy_initialization(key_states, value_states)
        self.values = value_states.new_empty(0)

    def append(self, key: Tensor, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Add some positions.

        Args:
            key: `(batch, senses, queries, width)`.
            token_ids: `(batch, queries)`.

        Returns:
            Those of all positions: `(batch, senses, time, width)` and `(batch, time)`.
        """
        keys, ids = self.update(key, token_ids[:, None, :, None])
        return keys, ids[:, 0, :, 0]


def sense_layer(cache: Any, index: int) -> SenseLayer:
    """Return the layer of a cache that follows those of the trunk.

    Args:
        cache: A `DynamicCache`.
        index: How many layers the trunk has.

    Returns:
        The layer; it is added when it is not there yet.

    Raises:
        ValueError: When the cache is of another kind.
    """
    if not isinstance(cache, Cache) or not all(isinstance(layer, DynamicLayer) for layer in cache.layers):
        raise ValueError(f"A Backpack generates with a DynamicCache, not with {type(cache).__name__}.")
    while len(cache.layers) <= index:
        cache.layers.append(SenseLayer())
    layer: SenseLayer = cache.layers[index]
    return layer
