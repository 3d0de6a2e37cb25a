"""The senses of tokens: computed by the network, taken from a table, and edited."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

SenseEdit = Callable[[Tensor, Tensor], Tensor]
WeightEdit = Callable[[Tensor, Tensor], Tensor]


class EditableSenses:
    """The part of a Backpack that returns the senses of tokens; the other part has the networks.

    `sense_edits` and `weight_edits` are lists of functions that are applied one after the other, to senses and to
    weights. They belong to the object and are not saved with it.
    """

    config: Any
    sense_network: Callable[[Tensor], Tensor]
    get_input_embeddings: Callable[[], Any]
    register_buffer: Callable[..., None]
    own_table: Tensor | None

    def start_unedited(self) -> None:
        """Begin with the senses of the network."""
        self.register_buffer("own_table", None, persistent=False)
        self.sense_edits: list[SenseEdit] = []
        self.weight_edits: list[WeightEdit] = []

    def senses(self, token_ids: Tensor, edits: Sequence[SenseEdit] | None = None) -> Tensor:
        """Return the senses of tokens: C.

        Args:
            token_ids: `(tokens,)` integers.
            edits: Apply these alone; if left out, `sense_edits`.

        Returns:
            `(tokens, senses, d)`: of the table that `use_senses` has set, else of the network; edited.
        """
        if self.own_table is not None:
            senses = self.own_table[token_ids]
        else:
            senses = self.sense_network(self.get_input_embeddings()(token_ids))
        for edit in self.sense_edits if edits is None else edits:
            senses = edit(token_ids, senses)
        return senses

    @torch.no_grad()
    def sense_table(self, device: str | torch.device | None = None, several: int = 1024) -> Tensor:
        """Return the senses of the whole vocabulary, edited as they are now.

        Args:
            device: Where to keep it; that of the model if left out.
            several: Tokens to compute at a time.

        Returns:
            `(vocabulary, senses, d)`; of GPT-2's vocabulary, with 16 senses of 768 numbers, 2.5 GB.
        """
        weight: Tensor = self.get_input_embeddings().weight
        ids = torch.arange(len(weight), device=weight.device)
        return torch.cat([self.senses(some).to(device or weight.device) for some in torch.split(ids, several)])

    def use_senses(self, table: Tensor | None) -> None:
        """Take senses from a table, in place of the network.

        Args:
            table: `(vocabulary, senses, d)`, on the device of the model; None to go back to the network. It is not
                saved with the model.

        Raises:
            ValueError: When the table has another shape.
        """
        wanted = (len(self.get_input_embeddings().weight), self.config.num_senses, self.config.n_embd)
        if table is not None and tuple(table.shape) != wanted:
            raise ValueError(f"The table of senses is {tuple(table.shape)} and must be {wanted}.")
        self.own_table = table

    @contextmanager
    def edited(self, *, senses: SenseEdit | None = None, weights: WeightEdit | None = None) -> Iterator[None]:
        """Change senses or weights, for a while.

        Args:
            senses: From `(tokens,)` integers and their senses, `(tokens, senses, d)`, to other senses. Generation
                calls it once per token and call of `generate`.
            weights: From weights, `(batch, senses, queries, time)`, and the tokens read, `(batch, time)`, to other
                weights; queries are the last of them. With it the plain formula is computed, as for alpha.

        Yields:
            Nothing.
        """
        before = list(self.sense_edits), list(self.weight_edits)
        self.sense_edits += [senses] if senses else []
        self.weight_edits += [weights] if weights else []
        try:
            yield
        finally:
            self.sense_edits[:], self.weight_edits[:] = before
