"""What a language model goes on to say."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component


@component("generate")
@dataclass(frozen=True, kw_only=True)
class Generate:
    """Let a language model go on from a prompt.

    The tokenizer is the one of the sentence, else the one in the folder that the model was opened from. Every prompt is
    continued from the run's --seed, so that others do not change it. What these options do not say is not done: the
    generation_config.json of a model may ask for penalties, suppressed tokens or least lengths, which takes
    --folder_settings.

    Args:
        prompt: Text to go on from; may be repeated. Nothing said, the model starts from its first token.
        max_new_tokens: The most tokens to add.
        temperature: Below 1 likelier tokens gain, above 1 they lose; at 0 the likeliest is taken, whatever the seed.
        top_k: Sample from so many of the likeliest tokens; from all if left out.
        top_p: Sample from the fewest tokens that together have this probability.
        folder_settings: Also do what the model's generation_config.json says, besides what the options here set.
        output: Write a JSON line for each prompt to this file, too.
    """

    prompt: list[str] = field(default_factory=list)
    max_new_tokens: int = 50
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    folder_settings: bool = False
    output: Path | None = field(default=None, metadata={"alias": "path"})

    def __post_init__(self) -> None:
        check_bounds(self, max_new_tokens=1, top_k=1)
        if self.temperature < 0:
            raise ValueError(f"--temperature must be 0 or more, not {self.temperature}.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"--top_p must be above 0 and at most 1, not {self.top_p}.")

    def build(self, model: Any, seed: int, device: str, tokenizer: Any = None) -> None:
        """Generate, print, and write.

        Args:
            model: Predicts the next token.
            seed: Of the run.
            device: Where to compute.
            tokenizer: Of the run, if it has one.
        """
        import json

        import click

        from semeqv.runs.json_lines import write_lines
        from semeqv.text.generation import continuations, folder_settings, tokenizer_of

        tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
        if settings := folder_settings(model):
            listed = json.dumps(settings)[1:-1]
            done = "as --folder_settings says" if self.folder_settings else "not done without --folder_settings"
            click.echo(f"The folder of the model asks for {listed:.200}, {done}.", err=True)
        lines = []
        for prompt, text in continuations(self, model, tokenizer, seed, device):
            shown = text.removeprefix(prompt)
            click.echo(click.style(prompt, bold=True) * (shown != text) + shown + "\n")
            said = {"prompt": prompt, "text": text, "temperature": self.temperature, "seed": seed}
            said |= {"folder_settings": settings} if settings and self.folder_settings else {}
            lines.append(said)
        if self.output is not None:
            write_lines(self.output, lines)
            click.echo(f"wrote {self.output}")
