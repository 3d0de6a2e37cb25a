"""Debiasing by a fitted scalar, as an action."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from backpack.attribution import parts_of
from backpack.edits.bias import occupations, winobias
from backpack.edits.steps import Project, Scale, Step
from backpack.senses.lexicon import Lexicon, Word
from semeqv.grammar.component import component
from semeqv.lazy import Floats, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, name_of
from semeqv.text.generation import prompt_ids


@component("backpack edit debias")
@dataclass(frozen=True, kw_only=True)
class Debias:
    """Scale one sense of words for occupations so that what follows depends less on gender; or project all of them.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before; its words for occupations are edited where they are
    one token, or, with `--pieces`, in all their tokens. The factor, from 0 to 1, has the least bias on the development
    sentences, as has the sense when none is named; what it reaches is told on those test sentences that are no
    development ones. Weights of senses do not depend on senses, so that one pass over the texts tells the bias for
    every sense and every factor. With `--by projection` nothing is fitted: all senses of the words lose what they say
    for one word of the pair and against the other (nullspace projection, Ravfogel et al., 2020, arXiv 2004.07667, with
    a direction that is given). `cli perplexity` with `cli model edited` tells what the edit costs. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word to edit; may be repeated. Those of WinoBias if left out.
        pieces: Edit words of several tokens, too: all their tokens, which other words may have as well.
        by: Scale one sense by a fitted factor, or project all senses.
        sense: Which of its senses to scale; the best one if left out.
        pair: The two words that should be as probable.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.
    """

    output: Path
    word: list[str] = field(default_factory=list)
    pieces: bool = False
    by: Literal["factor", "projection"] = "factor"
    sense: int | None = None
    pair: tuple[str, str] = ("he", "she")
    path: Path | None = None

    def __post_init__(self) -> None:
        if self.by == "projection" and self.sense is not None:
            raise ValueError("--sense is of one that is scaled; a projection is of all senses.")

    def build(
        self, *, model: Any, device: str, threads: int | None, record: Callable[..., None], tokenizer: Any = None
    ) -> None:
        """Fit, print what is reached, and write the edit.

        Args:
            model: A Backpack.
            device: Where to compute.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """
        from backpack.edits.files import write
        from backpack.senses.senses import open_lexicon

        lexicon = open_lexicon(model, tokenizer)
        with inference(model, device, threads=threads):
            found = debiased(self, model, lexicon)
        print_bias(found)
        record([{"measure": "debias", "model": name_of(model), **line} for line in found.lines])
        write(self, [found.step], model, lexicon)


GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Debiased:
    """What was fitted, and what it reaches.

    Args:
        step: The edit.
        what: The edit in words.
        lines: For dev and test: how many `texts`; the bias `before` and `after`, and, of a fitted factor, with the
            sense `suppressed`.
    """

    step: Step
    what: str
    lines: list[dict[str, Any]]


def debiased(options: Debias, model: Any, lexicon: Lexicon) -> Debiased:
    """Fit.

    Args:
        options: Which words, senses and texts.
        model: A Backpack, in evaluation mode.
        lexicon: Its tokens.

    Returns:
        What was fitted.

    Raises:
        UserError: When there is no such sense; `tokens_of` raises it, too.
    """
    k = model.config.num_senses
    if options.sense is not None and not 0 <= options.sense < k:
        raise UserError(f"--sense {options.sense} is not there: the model has senses 0 to {k - 1}.")
    tokens = tokens_of(options, lexicon)
    pair = (lexicon.single(options.pair[0]), lexicon.single(options.pair[1]))
    texts = winobias(options.path)
    logs = {part: log_odds(model, lexicon, each, tokens, pair) for part, each in texts.items()}
    if options.by == "projection":
        lines = [
            {
                "set": part,
                "texts": len(odds),
                "before": bias(odds, shares.sum(1)),
                "after": bias(odds, shares.sum(1), 0),
            }
            for part, (odds, shares) in logs.items()
        ]
        what = f"all senses of {len(tokens)} tokens projected"
        return Debiased(Project(tokens=tokens, token_pairs=(pair,)), what, lines)
    senses = range(k) if options.sense is None else [options.sense]
    factors = {sense: fitted(logs["dev"][0], logs["dev"][1][:, sense]) for sense in senses}
    best = min(senses, key=lambda sense: bias(logs["dev"][0], logs["dev"][1][:, sense], factors[sense]))
    factor, lines = factors[best], []
    for part, (odds, shares) in logs.items():
        names = {"before": 1.0, "suppressed": 0.0, "after": factor}
        found = {name: bias(odds, shares[:, best], each) for name, each in names.items()}
        lines.append({"set": part, "texts": len(odds), "sense": best, "factor": factor, **found})
    what = f"sense {best} of {len(tokens)} tokens times {factor:.3f}"
    return Debiased(Scale(tokens=tokens, senses=(best,), factor=factor), what, lines)


def tokens_of(options: Debias, lexicon: Lexicon) -> tuple[int, ...]:
    """The tokens to edit.

    Args:
        options: Which words, and whether in pieces.
        lexicon: The tokens of the model.

    Returns:
        Those of all words in pieces; else those of words of one token.

    Raises:
        UserError: When there is none, or a word that is named is several tokens.
    """
    if options.word:
        words = [lexicon.find(word) if options.pieces else Word(word, (lexicon.single(word),)) for word in options.word]
    else:
        words = [word for word in known(lexicon, occupations(options.path)) if options.pieces or len(word.tokens) == 1]
    if not words:
        said = "has a token in" if options.pieces else "is one token of"
        way = "" if options.pieces else "say --pieces, or "
        raise UserError(f"No word for an occupation {said} this model; {way}name words by --word.")
    return tuple(dict.fromkeys(token for word in words for token in word.tokens))


def known(lexicon: Lexicon, words: Sequence[str]) -> Iterator[Word]:
    """The words that a vocabulary has tokens for; yields them in their order."""
    for word in words:
        with contextlib.suppress(UserError):
            yield lexicon.find(word)


def log_odds(
    model: Any, lexicon: Lexicon, texts: Sequence[str], tokens: Sequence[int], pair: Sequence[int]
) -> tuple[Floats, Floats]:
    """How much likelier one word is than another after texts, and how much of that senses of some tokens add.

    Args:
        model: A Backpack, in evaluation mode.
        lexicon: Its tokens.
        texts: The texts; `prompt_ids` raises `UserError` when one does not fit the model.
        tokens: The tokens whose senses count.
        pair: The two words.

    Returns:
        Logarithms of odds, `(texts,)`, and what each sense of the tokens adds to them, `(texts, senses)`.
    """
    odds, shares = [], []
    for text in Progress(texts, desc="bias", unit="text", leave=False, disable=None):
        ids = prompt_ids(text, lexicon.tokenizer, model, 0)
        _, found = parts_of(model, ids, torch.tensor(pair))
        added = found.added[0] - found.added[1]  # (time, senses)
        edited = torch.isin(ids[0], torch.tensor(tokens, device=ids.device))
        odds.append(float(found.whole[pair[0]] - found.whole[pair[1]]))
        shares.append(added[edited].sum(0).cpu().double().numpy())
    return numpy.array(odds), numpy.array(shares)


def bias(odds: Floats, share: Floats, factor: float = 1.0) -> float:
    """The mean of max(p / q, q / p) when a sense is scaled.

    Args:
        odds: Logarithms of p / q, `(texts,)`.
        share: What the sense adds to them, `(texts,)`.
        factor: By what it is scaled.

    Returns:
        1 or more.
    """
    return float(numpy.exp(numpy.abs(odds + (factor - 1) * share)).mean())


def fitted(odds: Floats, share: Floats) -> float:
    """The factor from 0 to 1 of the least bias, which is convex in it: by golden sections (Kiefer, 1953)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        width = GOLDEN * (high - low)
        left, right = high - width, low + width
        if bias(odds, share, left) <= bias(odds, share, right):
            high = right
        else:
            low = left
    return min((0.0, 1.0, (low + high) / 2), key=lambda factor: bias(odds, share, factor))


def print_bias(found: Debiased) -> None:
    """Print what was reached."""
    names = [name for name in ("before", "suppressed", "after") if name in found.lines[0]]
    rows = [[line["set"], f"{line['texts']:,}", *(f"{line[name]:.3f}" for name in names)] for line in found.lines]
    print_table(f"Bias, {found.what}", ["set", "texts", *names], rows)
