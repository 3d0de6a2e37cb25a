"""Words as vectors: one for each sense of a Backpack, one embedding of any other model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semeqv.lazy import no_grad, torch
from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.encoding import encode
from semeqv.text.tokenizers.spelling import BYTE_LEVEL, convention_of


class Speller:
    """Writes words as tokens.

    Args:
        tokenizer: A fast tokenizer.
        space: Whether a word stands behind a space, as within a text; it matters for byte-level BPE alone.
    """

    def __init__(self, tokenizer: Any, space: bool = True):
        self.tokenizer = tokenizer
        self.before = " " if space and convention_of(tokenizer.get_vocab()) is BYTE_LEVEL else ""

    def __call__(self, words: Sequence[str]) -> list[list[int]]:
        """Write each word as tokens, without special ones.

        Args:
            words: The words.

        Returns:
            Token ids.

        Raises:
            UserError: When a word has no token at all.
        """
        if not words:
            return []
        tokens = encode(self.tokenizer, [self.before + word for word in words])
        for word, ids in zip(words, tokens):
            if not ids:
                raise UserError(f"The tokenizer writes {word!r} with no token; leave the word out.")
        return tokens


def without_shared(
    pairs: Sequence[tuple[str, str]], speller: Speller, single: bool, shared: bool
) -> list[tuple[str, str]]:
    """Select the pairs of words whose similarity has to be learned.

    Args:
        pairs: Words.
        speller: Writes them as tokens.
        single: Leave out pairs with a word of several tokens.
        shared: Keep pairs that have a token in common, so that their vectors are similar before any training.

    Returns:
        Those that are left.
    """
    written = zip(*(speller([pair[side] for pair in pairs]) for side in (0, 1)))
    return [
        pair
        for pair, (one, other) in zip(pairs, written)
        if not (single and len(one) + len(other) > 2) and (shared or not set(one) & set(other))
    ]


def is_backpack(model: Any) -> bool:
    """Return whether a model has senses."""
    return hasattr(model, "sense_table")


def check_backpack(model: Any) -> None:
    """Refuse a model without senses: `UserError`."""
    if not is_backpack(model):
        raise UserError(
            f"{type(model).__name__} is not a Backpack and has no senses. Take: cli model load --from BACKPACK"
        )


@no_grad
def word_vectors(
    model: Any, spelled: Sequence[Sequence[int]], pieces: str = "averaged", several: int = 512
) -> torch.Tensor:
    """Compute the vectors of words.

    Args:
        model: A Backpack, whose senses are taken; of another model, its input embedding.
        spelled: The tokens of each word, one or more.
        pieces: For a word of several tokens: `averaged`, the mean of their vectors; `composed`, what the word by itself
            puts together: its tokens' senses weighted by alpha at the last of them, index by index.
        several: Words, or tokens, to compute at a time.

    Returns:
        `(words, senses, d)`, fp32 on the CPU, senses being 1 for a model without.

    Raises:
        UserError: When there is no alpha to compose with.
    """
    if not is_backpack(model) and pieces == "averaged":
        return embedded(model, spelled)
    device = model.get_input_embeddings().weight.device
    if pieces == "composed" and not is_backpack(model):
        raise UserError(f"--pieces composed takes the weights of a Backpack; {type(model).__name__} has none.")
    different, places = torch.unique(torch.tensor([i for ids in spelled for i in ids]), return_inverse=True)
    table = torch.cat([model.senses(some.to(device)).float().cpu() for some in torch.split(different, several)])
    lengths = torch.tensor([len(ids) for ids in spelled])
    of_word = torch.repeat_interleave(torch.arange(len(spelled)), lengths)
    weights = (1 / lengths)[of_word]
    if pieces == "composed":
        weights = torch.cat([composing_weights(model, ids, device) for ids in spelled])
    weights = weights.view(len(of_word), -1, 1)
    vectors = torch.zeros(len(spelled), *table.shape[1:])
    return vectors.index_add_(0, of_word, weights * table[places])


@no_grad
def embedded(model: Any, spelled: Sequence[Sequence[int]]) -> torch.Tensor:
    """Compute the mean input embedding of the tokens of each word, `(words, 1, d)`, fp32 on the CPU."""
    embeddings = model.get_input_embeddings()
    device = embeddings.weight.device
    means = [embeddings(torch.tensor(list(ids), device=device)).float().mean(0) for ids in spelled]
    return torch.stack(means)[:, None].cpu()


def composing_weights(model: Any, ids: Sequence[int], device: Any) -> torch.Tensor:
    """Compute alpha of the senses of its tokens at the end of a word that is read by itself, `(tokens, senses)`."""
    if len(ids) == 1:
        return torch.ones(1, model.config.num_senses)
    alpha = model(torch.tensor([list(ids)], device=device), output_contextualization=True).contextualization
    weights: torch.Tensor = alpha[0, :, -1].T.float().cpu()
    return weights
