"""What a tokenizer that is saved beside a model must say, so that other programs feed the model as it was trained."""

from typing import Any

from tokenizers import processors

from semeqv.text.datasets.tokenised import first_token


def fit_to_model(tokenizer: Any, positions: int | None) -> None:
    """Let a tokenizer say how many tokens its model reads, unless it says fewer.

    Args:
        tokenizer: A tokenizer of transformers, or None.
        positions: How many tokens the model reads at once, or None where there is no limit.
    """
    if tokenizer is not None and positions is not None and tokenizer.model_max_length > positions:
        tokenizer.model_max_length = positions


def start_as_trained(tokenizer: Any) -> None:
    """Let a tokenizer name the token that stands before texts in training as the one that begins them.

    Programs such as lm-evaluation-harness score a text behind it.

    Args:
        tokenizer: A tokenizer of transformers, of a causal model; one that has no token to end a text with stays as it
            is.
    """
    if tokenizer.eos_token_id is None and tokenizer.sep_token_id is None:
        return
    first = first_token(tokenizer, masked=False)
    if tokenizer.bos_token_id != first:
        tokenizer.bos_token = tokenizer.convert_ids_to_tokens(first)


def pad_with_end(tokenizer: Any) -> None:
    """Let a tokenizer without a padding token pad with the one that ends texts, as batches do: GPT-2's, Llama's."""
    if tokenizer.pad_token_id is None and tokenizer.eos_token_id is not None:
        tokenizer.pad_token = tokenizer.eos_token


def add_ends(tokenizer: Any, begin: tuple[int, ...], end: tuple[int, ...], between: tuple[int, ...]) -> None:
    """Let a tokenizer put the special tokens around texts that training put there; nothing changes if it puts any.

    Args:
        tokenizer: A fast tokenizer of transformers.
        begin: What stands before a text.
        end: What stands after it, or after the second of two.
        between: What stands between two.
    """
    backend = tokenizer.backend_tokenizer
    if backend.num_special_tokens_to_add(is_pair=False) or not (begin or end):
        return
    before, behind, middle = (tokenizer.convert_ids_to_tokens(list(ids)) for ids in (begin, end, between))
    ends = processors.TemplateProcessing(
        single=[*before, "$A", *behind],
        pair=[*before, "$A", *middle, "$B", *behind],
        special_tokens=[(tokenizer.convert_ids_to_tokens(number), number) for number in {*begin, *end, *between}],
    )
    old = backend.post_processor  # of byte-level tokenizers, which only moves offsets
    backend.post_processor = ends if old is None else processors.Sequence([old, ends])
