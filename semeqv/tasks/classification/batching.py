"""What the batches of data sets of several tasks have in common."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.rows import Template
from semeqv.text.tokenizers.files import add_ends, fit_to_model, pad_with_end
from semeqv.text.tokenizers.trained import fingerprint

if TYPE_CHECKING:
    from semeqv.tasks.classification.options import Labelled


def longest_row(options: "Labelled", tokenizer: Any, model_options: Any) -> int:
    """The most tokens of a row: as many as are asked for, fewer where the model reads fewer at once.

    The tokenizer, which is saved beside the model, is told what the rows are: what stands around their texts, what they
    are padded with, and how many tokens the model reads.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        How many. Raises `UserError` as `fitted_row` does.
    """
    most = fitted_row(options, tokenizer, model_options, "Words and answers are found by their places")
    template = Template.of(tokenizer)
    add_ends(tokenizer, template.begin, template.end, template.between)
    return most


def fitted_row(options: "Labelled", tokenizer: Any, model_options: Any, purpose: str) -> int:
    """The most tokens of a row; the tokenizer is told what rows are padded with, and how many tokens the model reads.

    Args:
        options: The data set.
        tokenizer: Of the sentence.
        model_options: The model of the sentence.
        purpose: What the places of tokens are needed for, for the message.

    Returns:
        How many.

    Raises:
        UserError: When the tokenizer is no fast one.
    """
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(f"{purpose}, which only a fast tokenizer tells; take another.")
    most = getattr(model_options, "most_tokens", None)
    most = most() if callable(most) else most
    pad_with_end(tokenizer)
    fit_to_model(tokenizer, most)
    return min(options.max_length, most or options.max_length)


def batch_options(options: "Labelled", tokenizer: Any, longest: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `LabelledBatches` is told, whatever the rows are.

    Args:
        options: The data set.
        tokenizer: The tokenizer.
        longest: The most tokens of a row.
        facts: What is known of the data, beside its source and the tokenizer.

    Returns:
        By the names of its parameters.
    """
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    return {
        "pad": pad or 0,
        "batch_size": options.batch_size,
        "longest": longest,
        "shuffle": options.shuffle and options.split == "train",
        "grouping": options.grouping,
        "replicates": options.replicates if options.split == "test" else 0,
        "facts": {"source": options.source_facts(), "tokenizer": fingerprint(tokenizer), **facts},
    }
