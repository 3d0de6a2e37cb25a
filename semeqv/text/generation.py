"""Continues prompts with a causal language model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import click

from semeqv.grammar.action import AtLeast, Result, Spelled, action
from semeqv.lazy import no_grad, torch, transformers
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.runs.processes import World
from semeqv.runs.progress import Progress
from semeqv.text.models.opening import open_tokenizer
from semeqv.text.tokenizers.encoding import encode, first_token, surroundings
from semeqv.train.compute import torch_device
from semeqv.train.randomness import seed_everything

ENDS = ("bos_token_id", "eos_token_id", "decoder_start_token_id")  # which tokens a model begins and ends with
SAID = (  # what the command line sets, or what changes no token
    *ENDS,
    *("pad_token_id", "do_sample", "temperature", "top_k", "top_p", "max_length", "max_new_tokens"),
    *("transformers_version", "use_cache", "_from_model_config", "output_attentions", "output_hidden_states"),
    *("output_scores", "output_logits", "return_dict_in_generate", "cache_implementation", "cache_config"),
)


def tokenizer_of(model: Any) -> Any:
    """The tokenizer in the folder that a model was opened from.

    Args:
        model: A `PreTrainedModel`.

    Returns:
        The tokenizer.

    Raises:
        UserError: When the model was opened from nowhere, or (from `open_tokenizer`) there is no tokenizer.
    """
    if not getattr(model, "name_or_path", ""):
        raise UserError("This model has no tokenizer of its own. Add: cli tokenizer ...")
    return open_tokenizer(model.name_or_path)


@no_grad
def greedy(model: Any, prompts: Sequence[Sequence[int]], most: Sequence[int], *, end: int, pad: int) -> list[list[int]]:
    """Let a model go on from prompts, always by the likeliest token.

    Prompts of unlike length are padded on the left. Those are written together whose answers fit behind the longest of
    them, as a row must not go on beyond the positions of the model while another is not done.

    Args:
        model: A `PreTrainedModel` that predicts the next token, where the tokens are to be.
        prompts: The tokens of each, one at least.
        most: The most tokens to write for each.
        end: The token that ends what is written.
        pad: The token of padding.

    Returns:
        What was written for each, without the token that ends it.
    """
    limit, found = getattr(model.config, "max_position_embeddings", None), [list[int]() for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]), reverse=True)
    while order:
        width = len(prompts[order[0]])
        fit = [limit is None or not place or width + most[each] <= limit for place, each in enumerate(order)]
        rows = [each for each, fits in zip(order, fit) if fits]
        order = [each for each, fits in zip(order, fit) if not fits]
        ids = torch.full((len(rows), width), pad, device=model.device)
        for place, each in enumerate(rows):
            ids[place, width - len(prompts[each]) :] = torch.tensor(prompts[each])
        real = torch.arange(width) >= width - torch.tensor([len(prompts[each]) for each in rows])[:, None]
        new = max(most[each] for each in rows)
        with said_generation(model):
            written = model.generate(
                ids,
                attention_mask=real.to(ids),
                max_new_tokens=max(1, new if limit is None else min(new, limit - width)),
                do_sample=False,
                num_beams=1,
                eos_token_id=end,
                pad_token_id=pad,
            )
        for each, tokens in zip(rows, written[:, width:].tolist()):
            found[each] = tokens[: tokens.index(end) if end in tokens else len(tokens)][: most[each]]
    return found


def settings_of_folder(model: Any) -> dict[str, Any]:
    """Return what the `generation_config.json` of a model changes about which token is taken.

    Args:
        model: A `PreTrainedModel`; without a `generation_config` nothing is changed.

    Returns:
        Settings such as `repetition_penalty`, by name: those that differ from the defaults of transformers and that no
        option of the command line sets.
    """
    config = getattr(model, "generation_config", None)
    return {} if config is None else {k: v for k, v in config.to_diff_dict().items() if k not in SAID and v is not None}


@contextmanager
def said_generation(model: Any, folder: bool = False) -> Iterator[None]:
    """Let a model generate as it is told, not as its folder says; its `generation_config` is as before afterwards.

    Args:
        model: A `PreTrainedModel`.
        folder: Whether to keep what `settings_of_folder` finds.

    Yields:
        Nothing.
    """
    before = getattr(model, "generation_config", None)
    if before is None:
        yield
        return
    ends = {name: getattr(before, name) for name in ENDS}
    model.generation_config = transformers.GenerationConfig(**ends, **(settings_of_folder(model) if folder else {}))
    try:
        yield
    finally:
        model.generation_config = before


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


@dataclass(frozen=True)
class Continuation:
    """A prompt and how a model went on from it.

    Args:
        prompt: The prompt.
        text: The text, which begins with the prompt.
        settings: How it was sampled, and the seed; for the record.
    """

    prompt: str
    text: str
    settings: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"prompt": self.prompt, "text": self.text, **self.settings}


@dataclass(frozen=True)
class Continuations(Result):
    """How a model went on from prompts.

    Args:
        continuations: One for each prompt.
        note: What the model's folder asks for and whether that was done; empty when it asks for nothing.
    """

    continuations: list[Continuation]
    note: str = ""

    @property
    def texts(self) -> list[str]:
        """Return the texts, prompts included."""
        return [each.text for each in self.continuations]

    def show(self) -> None:
        """Print the texts, prompts in bold."""
        if self.note:
            click.echo(self.note, err=True)
        for each in self.continuations:
            shown = each.text.removeprefix(each.prompt)
            click.echo(click.style(each.prompt, bold=True) * (shown != each.text) + shown + "\n")

    def records(self) -> list[dict[str, Any]]:
        """Return one row for each prompt."""
        return [each.record() for each in self.continuations]


def refuse_sampling(options: Any) -> None:
    """Refuse temperatures and probabilities that cannot be: `ValueError`."""
    if options.temperature < 0:
        raise ValueError(f"--temperature must be 0 or more, not {options.temperature}.")
    if not 0 < options.top_p <= 1:
        raise ValueError(f"--top_p must be above 0 and at most 1, not {options.top_p}.")


@action("generate", check=refuse_sampling, record=False)
def generate(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    device: str | None = None,
    *,
    prompt: Sequence[str] = (),
    max_new_tokens: Annotated[int, AtLeast(1)] = 50,
    temperature: float = 1.0,
    top_k: Annotated[int | None, AtLeast(1)] = None,
    top_p: float = 1.0,
    folder_settings: bool = False,
    output: Annotated[Path | None, Spelled("path")] = None,
) -> Continuations:
    """Let a language model go on from a prompt.

    The tokenizer is the one of the sentence, else the one in the folder that the model was opened from. Every prompt is
    continued from the run's --seed, so that others do not change it. What these options do not say is not done: the
    generation_config.json of a model may ask for penalties, suppressed tokens or least lengths, which takes
    --folder_settings.

    Args:
        model: Predicts the next token.
        tokenizer: Its tokenizer; that of the model's folder if None.
        seed: Sampling starts from it at each prompt.
        device: Where to compute; where the model is if None.
        prompt: Text to go on from; may be repeated. Nothing said, the model starts from its first token.
        max_new_tokens: The most tokens to add.
        temperature: Below 1 likelier tokens gain, above 1 they lose; at 0 the likeliest is taken, whatever the seed.
        top_k: Sample from so many of the likeliest tokens; from all if left out.
        top_p: Sample from the fewest tokens that together have this probability.
        folder_settings: Also do what the model's generation_config.json says, besides what the options here set.
        output: Write a JSON line for each prompt to this file, too.

    Returns:
        A text for each prompt. `check_causal` and `prompt_ids` raise `UserError` when a model cannot go on from it.
    """
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    check_causal(model)
    wished, note = settings_of_folder(model), ""
    if wished:
        done = "as --folder_settings says" if folder_settings else "not done without --folder_settings"
        note = f"The folder of the model asks for {json.dumps(wished)[1:-1]:.200}, {done}."
    if device is not None:
        model = model.to(torch_device(device, World()))
    model.eval()
    sampling: dict[str, Any] = {"do_sample": temperature > 0}
    if temperature > 0:
        sampling |= {"temperature": temperature, "top_k": top_k or 0, "top_p": top_p}
    settings: dict[str, Any] = {"temperature": temperature, "seed": seed}
    settings |= {"folder_settings": wished} if wished and folder_settings else {}
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    continuations = []
    for text in Progress(prompt or [""], desc="generate", unit="prompt", leave=False, disable=len(prompt) < 2):
        ids = prompt_ids(text, tokenizer, model, max_new_tokens)
        seed_everything(seed)
        with torch.no_grad(), said_generation(model, folder_settings):
            tokens = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max_new_tokens,
                pad_token_id=pad,
                **sampling,
            )
        continuations.append(Continuation(text, tokenizer.decode(tokens[0], skip_special_tokens=True), settings))
    if output is not None:
        write_lines(output, [each.record() for each in continuations])
        click.echo(f"wrote {output}")
    return Continuations(continuations, note)
