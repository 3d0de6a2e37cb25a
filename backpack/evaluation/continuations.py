"""BLEU of continuations, as an action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import click

from backpack.evaluation.cloze import corpora_of
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, most_tokens, name_of
from semeqv.text.generation import check_causal, said_generation
from semeqv.text.tokenizers.encoding import encode


@component("backpack continuations")
@dataclass(frozen=True, kw_only=True)
class Continuations(Measuring):
    """Let a model go on with held-out text, and compare with how that goes on, by BLEU.

    The running text of the validation and test sets of the sentence is cut into pieces of --prompt and --new tokens;
    the model reads the former and writes as many tokens as the latter, the most probable one each time. BLEU (Papineni
    et al., 2002) is that of sacrebleu (`pip install -e '.[eval]'`), over all pieces; beside it stands that of the
    continuations of other pieces, which says what any text of this kind reaches. Lines go to metrics.jsonl of the run's
    folder.

    Args:
        prompt: Tokens to read.
        new: Tokens to write.
        pieces: So many pieces at most, from the beginning of each set.
        batch_size: Pieces at a time.
        output: Write a JSON line for each piece to this file, with both texts.
    """

    prompt: int = 32
    new: int = 32
    pieces: int = 200
    batch_size: int = 16
    output: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, prompt=1, new=1, pieces=2, batch_size=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write the texts."""

        lines, texts = measure(self, subject)
        print_lines(lines)
        if self.output is not None:
            write_texts(self.output, texts)
        return lines


def measure(options: Continuations, subject: Subject) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model predicts the next token.

    Returns:
        A line for each set, and the texts: `prompt`, `text` as it goes on, and `guess`.

    Raises:
        UserError: When sacrebleu is missing, the model is of another kind, or a set too short.
    """
    model, tokenizer = subject.model, subject.tokenizer
    try:
        from sacrebleu import corpus_bleu
    except ImportError:
        raise UserError("BLEU is that of sacrebleu: pip install -e '.[eval]'") from None
    check_causal(model)
    check_tokenizer(model, tokenizer)
    size, most = options.prompt + options.new, most_tokens(model)
    if most is not None and size > most:
        raise UserError(f"--prompt and --new are {size} tokens together, and the model reads {most}.")
    lines, everything = list[dict[str, Any]](), list[dict[str, str]]()
    for name, texts in corpora_of(subject.dataset_options, "cli backpack continuations"):
        found = list(islice(pieces((text for text, _ in texts), tokenizer, size), options.pieces))
        if len(found) < 2:
            raise UserError(f"{name} has fewer than two pieces of {size} tokens; shorten --prompt and --new.")
        with inference(model, *subject.regime) as running:
            guesses = continued(options, model, tokenizer, running, found)
        after = [tokenizer.decode(piece[options.prompt :]) for piece in found]
        line = {"measure": "continuations", "set": name, "bleu": corpus_bleu(guesses, [after]).score}
        line |= {"bleu_of_others": corpus_bleu([*after[1:], after[0]], [after]).score, "pieces": len(found)}
        lines.append(line | {"prompt": options.prompt, "new": options.new, "model": name_of(model)})
        for piece, text, guess in zip(found, after, guesses):
            everything.append({"prompt": tokenizer.decode(piece[: options.prompt]), "text": text, "guess": guess})
    return lines, everything


def pieces(texts: Iterator[str], tokenizer: Any, size: int) -> Iterator[list[int]]:
    """Cut running text into pieces; documents follow each other with a line feed between."""
    left: list[int] = []
    for text in texts:
        left += encode(tokenizer, [text + "\n"])[0]
        while len(left) >= size:
            yield left[:size]
            left = left[size:]


def continued(options: Continuations, model: Any, tokenizer: Any, regime: Any, found: Sequence[list[int]]) -> list[str]:
    """What the model writes after the beginning of each piece."""
    guesses = list[str]()
    for start in range(0, len(found), options.batch_size):
        ids = torch.tensor([piece[: options.prompt] for piece in found[start : start + options.batch_size]])
        batch = regime.place({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
        with said_generation(model):
            written = model.generate(
                **batch, do_sample=False, min_new_tokens=options.new, max_new_tokens=options.new, pad_token_id=padding
            )
        guesses += tokenizer.batch_decode(written[:, options.prompt :], skip_special_tokens=True)
    return guesses


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = [
        [each["set"], f"{each['bleu']:.2f}", f"{each['bleu_of_others']:.2f}", f"{each['pieces']:,}"] for each in lines
    ]
    print_table(f"Continuations, {lines[0]['model']}", ("set", "BLEU", "of other pieces", "pieces"), rows)


def write_texts(path: Path, texts: Sequence[Mapping[str, str]]) -> None:
    """Write the texts; `UserError` is raised when the file cannot be written."""
    write_lines(path, texts)
    click.echo(f"wrote {path}")
