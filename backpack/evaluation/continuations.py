"""Continuations of held-out text, measured by BLEU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import click

from backpack.measuring import Datasets, Measurement, facts_of, fitting_tokenizer, held_out_texts
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.tasks.inference import inference, most_tokens
from semeqv.text.generation import check_causal, said_generation
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.compute import Compute, ComputeConfig


@dataclass(frozen=True)
class ContinuedText:
    """A piece of text, and how a model goes on with it.

    Args:
        prompt: What the model reads.
        text: How the piece goes on.
        guess: How the model goes on.
    """

    prompt: str
    text: str
    guess: str


@dataclass(frozen=True)
class Bleu:
    """BLEU of continuations of one set.

    Args:
        set: The set.
        bleu: That of the continuations by the model.
        bleu_of_others: That of the continuations of other pieces.
        pieces: How many pieces.
    """

    set: str
    bleu: float
    bleu_of_others: float
    pieces: int


@dataclass(frozen=True, kw_only=True)
class Continuations(Measurement):
    """Continuations of held-out text by a model.

    Args:
        sets: BLEU on each set.
        texts: The pieces and their continuations.
        prompt: Tokens that were read.
        new: Tokens that were written.
        output: The file of the texts; None where they were not written.
    """

    sets: list[Bleu]
    texts: list[ContinuedText] = field(repr=False)
    prompt: int
    new: int
    output: Path | None = None

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each set."""
        tail = {"prompt": self.prompt, "new": self.new, "model": self.model}
        return [{"measure": "continuations", **vars(row), **tail} for row in self.sets]

    def show(self) -> None:
        """Print the table."""
        rows = [[row.set, f"{row.bleu:.2f}", f"{row.bleu_of_others:.2f}", f"{row.pieces:,}"] for row in self.sets]
        print_table(f"Continuations, {self.model}", ("set", "BLEU", "of other pieces", "pieces"), rows)
        if self.output is not None:
            click.echo(f"wrote {self.output}")


@action("backpack continuations")
def continuations(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    compute: Compute = Compute(),
    *,
    prompt: Annotated[int, AtLeast(1)] = 32,
    new: Annotated[int, AtLeast(1)] = 32,
    pieces: Annotated[int, AtLeast(2)] = 200,
    batch_size: Annotated[int, AtLeast(1)] = 16,
    output: Path | None = None,
) -> Continuations:
    """Let a model go on with held-out text, and compare with how that goes on, by BLEU.

    The running text of the validation and test sets of the sentence is cut into pieces of --prompt and --new tokens;
    the model reads the former and writes as many tokens as the latter, the most probable one each time. BLEU (Papineni
    et al., 2002) is that of sacrebleu (`pip install -e '.[eval]'`), over all pieces; beside it is that of the
    continuations of other pieces, which any text of this kind reaches. Lines go to metrics.jsonl of the run's
    folder.

    Args:
        model: A model that predicts the next token.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built.
        compute: Where to compute, and with which numbers.
        prompt: Tokens to read.
        new: Tokens to write.
        pieces: So many pieces at most, from the beginning of each set.
        batch_size: Pieces at a time.
        output: Write a JSON line for each piece to this file, with both texts.

    Returns:
        BLEU on each set, and the texts.

    Raises:
        UserError: When sacrebleu is missing, the model is of another kind, or a set too short.
    """
    try:
        from sacrebleu import corpus_bleu
    except ImportError:
        raise UserError("BLEU is that of sacrebleu: pip install -e '.[eval]'") from None
    check_causal(model)
    tokenizer = fitting_tokenizer(model, tokenizer)
    size, most = prompt + new, most_tokens(model)
    if most is not None and size > most:
        raise UserError(f"--prompt and --new are {size} tokens together, and the model reads {most}.")
    sets, everything = list[Bleu](), list[ContinuedText]()
    for name, texts in held_out_texts(dataset_options or {}, "cli backpack continuations"):
        cut = list(islice(cut_pieces((text for text, _ in texts), tokenizer, size), pieces))
        if len(cut) < 2:
            raise UserError(f"{name} has fewer than two pieces of {size} tokens; shorten --prompt and --new.")
        beginnings = [piece[:prompt] for piece in cut]
        with inference(model, compute) as running:
            guesses = continue_pieces(model, tokenizer, running, beginnings, new=new, batch_size=batch_size)
        after = [tokenizer.decode(piece[prompt:]) for piece in cut]
        others = corpus_bleu([*after[1:], after[0]], [after]).score
        sets.append(Bleu(name, corpus_bleu(guesses, [after]).score, others, len(cut)))
        everything += map(ContinuedText, map(tokenizer.decode, beginnings), after, guesses)
    if output is not None:
        write_lines(output, map(vars, everything))
    return Continuations(sets=sets, texts=everything, prompt=prompt, new=new, output=output, **facts_of(model))


def cut_pieces(texts: Iterator[str], tokenizer: Any, size: int) -> Iterator[list[int]]:
    """Cut running text into pieces; documents follow each other with a line feed between."""
    left: list[int] = []
    for text in texts:
        left += encode(tokenizer, [text + "\n"])[0]
        while len(left) >= size:
            yield left[:size]
            left = left[size:]


def continue_pieces(
    model: Any, tokenizer: Any, regime: ComputeConfig, beginnings: Sequence[list[int]], *, new: int, batch_size: int
) -> list[str]:
    """Let a model go on with pieces.

    Args:
        model: Predicts the next token, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        beginnings: The tokens of each beginning, all of one length.
        new: Tokens to write.
        batch_size: Pieces at a time.

    Returns:
        What it writes.
    """
    guesses = list[str]()
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    for start in range(0, len(beginnings), batch_size):
        ids = torch.tensor(beginnings[start : start + batch_size])
        batch = regime.place({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
        with said_generation(model):
            written = model.generate(
                **batch, do_sample=False, min_new_tokens=new, max_new_tokens=new, pad_token_id=padding
            )
        guesses += tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
    return guesses
