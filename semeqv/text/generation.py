"""Continues prompts with a causal language model."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from semeqv.engine.errors import UserError
from semeqv.engine.randomness import seed_everything
from semeqv.engine.regime import torch_device
from semeqv.engine.world import World
from semeqv.text.datasets.tokenised import first_token
from semeqv.text.tokenizers.encoding import encode, surroundings

if TYPE_CHECKING:
    from semeqv.text.generate import Generate


def tokenizer_of(model: Any) -> Any:
    """The tokenizer in the folder that a model was opened from.

    Args:
        model: A `PreTrainedModel`.

    Returns:
        The tokenizer.

    Raises:
        UserError: When the model was opened from nowhere, or (from `open_tokenizer`) there is no tokenizer.
    """
    from semeqv.text.models.opening import open_tokenizer

    if not getattr(model, "name_or_path", ""):
        raise UserError("This model has no tokenizer of its own. Add: cli tokenizer ...")
    return open_tokenizer(model.name_or_path)


def continuations(options: "Generate", model: Any, tokenizer: Any, seed: int, device: str) -> Iterator[tuple[str, str]]:
    """Continue each prompt; `check_causal` and `prompt_ids` raise `UserError` when that cannot be.

    Args:
        options: Prompts, and how to sample.
        model: A `PreTrainedModel` that predicts the next token.
        tokenizer: Its tokenizer.
        seed: Sampling starts from it at each prompt.
        device: auto, cpu, cuda, cuda:N or mps.

    Yields:
        The prompt, and the text that begins with it.
    """
    check_causal(model)
    model = model.to(torch_device(device, World())).eval()
    sampling: dict[str, Any] = {"do_sample": options.temperature > 0}
    if options.temperature > 0:
        sampling |= {"temperature": options.temperature, "top_k": options.top_k or 0, "top_p": options.top_p}
    for prompt in options.prompt or [""]:
        ids = prompt_ids(prompt, tokenizer, model, options.max_new_tokens)
        seed_everything(seed)
        with torch.no_grad():
            found = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=options.max_new_tokens,
                pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
                **sampling,
            )
        yield prompt, tokenizer.decode(found[0], skip_special_tokens=True)


def check_causal(model: Any) -> None:
    """Refuse a model that does not predict the next token: `UserError`."""
    if not getattr(model, "predicts_next", False):
        raise UserError(f"{type(model).__name__} does not predict the next token; take `cli model causal-lm`.")


def prompt_ids(prompt: str, tokenizer: Any, model: Any, new: int) -> torch.Tensor:
    """The tokens of a prompt.

    Args:
        prompt: Text, perhaps empty.
        tokenizer: Puts before the prompt what it puts before any text; nothing stands after it.
        model: Will read the tokens.
        new: How many tokens are to follow.

    Returns:
        `(1, time)` integers, at least one.

    Raises:
        UserError: When there is no first token, one is unknown to the model, or there are more than the model reads.
    """
    ids = [*surroundings(tokenizer)[0], *encode(tokenizer, [prompt])[0]]
    if not ids:
        try:
            ids = [first_token(tokenizer, masked=False)]
        except UserError:
            raise UserError("The tokenizer has no token to start a text with; give a --prompt.") from None
    rows = model.get_input_embeddings().weight.shape[0]
    if max(ids) >= rows:
        raise UserError(
            f"The tokenizer gives token {max(ids)}, but the model knows {rows}: they do not belong together."
        )
    most = getattr(model.config, "max_position_embeddings", None)
    if most is not None and len(ids) + new > most:
        raise UserError(
            f"The model reads at most {most} tokens, the prompt has {len(ids)}; --max_new_tokens {new} is too many."
        )
    return torch.tensor([ids], device=model.device)
