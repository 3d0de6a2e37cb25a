"""Debiasing: one sense scaled by a fitted factor, or all senses projected."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from backpack.attribution import parts_of
from backpack.edits.bias import occupations, winobias
from backpack.edits.files import EditFile, command_words, write_edits
from backpack.edits.steps import Project, Scale
from backpack.inspection.lexicon import TokenisedWord, TokenLexicon, open_lexicon
from semeqv.grammar.action import Result, action
from semeqv.lazy import Floats, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, name_of
from semeqv.text.generation import prompt_ids
from semeqv.train.compute import Compute

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class BiasReached:
    """The bias on one set of texts, without and with an edit.

    Args:
        set: dev or test.
        texts: How many texts.
        before: The bias of the model as it is.
        after: With the edit.
        suppressed: With the sense suppressed; None for a projection.
    """

    set: str
    texts: int
    before: float
    after: float
    suppressed: float | None = None


@dataclass(frozen=True)
class Debiased(Result):
    """An edit that lessens bias, and what it reaches.

    Args:
        model: What the model is called.
        step: The edit: of one sense, scaled, or of all senses, projected.
        sets: The bias on the development and the test sentences.
        file: Where the edit was written.
    """

    model: str
    step: Scale | Project
    sets: list[BiasReached]
    file: EditFile

    def records(self) -> list[dict[str, Any]]:
        """Return one JSON object for each set."""
        lines = []
        for row in self.sets:
            line: dict[str, Any] = {"measure": "debias", "model": self.model, "set": row.set, "texts": row.texts}
            if isinstance(self.step, Scale):
                (sense,) = self.step.senses or ()
                line |= {"sense": sense, "factor": self.step.factor, "before": row.before, "suppressed": row.suppressed}
            lines.append(line | {"before": row.before, "after": row.after})
        return lines

    def show(self) -> None:
        """Print the table, and where the edit was written."""
        count, records = len(self.step.tokens or ()), self.records()
        names = [name for name in ("before", "suppressed", "after") if name in records[0]]
        rows = [[line["set"], f"{line['texts']:,}", *(f"{line[name]:.3f}" for name in names)] for line in records]
        what = f"all senses of {count} tokens projected"
        if isinstance(self.step, Scale):
            what = f"sense {records[0]['sense']} of {count} tokens times {self.step.factor:.3f}"
        print_table(f"Bias, {what}", ["set", "texts", *names], rows)
        self.file.show()


def check_sense(options: Any) -> None:
    """Refuse one sense for a projection, which is of all: `ValueError`."""
    if options.by == "projection" and options.sense is not None:
        raise ValueError("--sense is of one that is scaled; a projection is of all senses.")


@action("backpack edit debias", check=check_sense)
def debias(
    model: Any,
    tokenizer: Any = None,
    compute: Compute = Compute(),
    *,
    output: Path,
    word: Sequence[str] = (),
    pieces: bool = False,
    by: Literal["factor", "projection"] = "factor",
    sense: int | None = None,
    pair: tuple[str, str] = ("he", "she"),
    path: Path | None = None,
) -> Debiased:
    """Scale one sense of words for occupations so that what follows depends less on gender; or project all of them.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before; its words for occupations are edited where they are
    one token, or, with `--pieces`, in all their tokens. The factor, from 0 to 1, has the least bias on the development
    sentences, as has the sense when none is named; what it reaches is measured on those test sentences that are no
    development ones. Weights of senses do not depend on senses, so that one pass over the texts gives the bias for
    every sense and every factor. With `--by projection` nothing is fitted: all senses of the words lose what they add
    to the logit of one word of the pair and not of the other (nullspace projection, Ravfogel et al., 2020, arXiv
    2004.07667, with a direction that is given). `cli perplexity` with `cli model edited` measures what the edit costs.
    All is computed in fp32. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack; it stays as it is.
        tokenizer: Its tokenizer; that of the model's folder if None.
        compute: Where to compute.
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
        word: A word to edit; may be repeated. Those of WinoBias if left out.
        pieces: Edit words of several tokens, too: all their tokens, which other words may have as well.
        by: Scale one sense by a fitted factor, or project all senses.
        sense: Which of its senses to scale; the best one if left out.
        pair: The two words that should be as probable.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.

    Returns:
        The edit, and the bias without and with it.

    Raises:
        UserError: When there is no such sense, or there are no words to edit.
    """
    lexicon, senses = open_lexicon(model, tokenizer), model.config.num_senses
    if sense is not None and not 0 <= sense < senses:
        raise UserError(f"--sense {sense} is not there: the model has senses 0 to {senses - 1}.")
    tokens = tokens_of(lexicon, word, pieces, path)
    first, second = (lexicon.single(each) for each in pair)
    step: Scale | Project
    with inference(model, compute.device, threads=compute.threads):
        logs = {
            part: log_odds(model, lexicon, texts, tokens, (first, second)) for part, texts in winobias(path).items()
        }
    if by == "projection":
        step = Project(tokens=tokens, token_pairs=((first, second),))
        sets = [
            BiasReached(part, len(odds), bias_at(odds, shares.sum(1)), bias_at(odds, shares.sum(1), 0))
            for part, (odds, shares) in logs.items()
        ]
    else:
        step = fit(logs["dev"], tokens, range(senses) if sense is None else [sense])
        sets = list(reached(step, logs))
    command = command_words(debias, output=output, word=word, pieces=pieces, by=by, sense=sense, pair=pair, path=path)
    return Debiased(name_of(model), step, sets, write_edits(output, [step], model, lexicon, command))


def fit(logs: tuple[Floats, Floats], tokens: tuple[int, ...], senses: Sequence[int]) -> Scale:
    """Find the sense and the factor of the least bias.

    Args:
        logs: Of the development sentences, what `log_odds` returns.
        tokens: The tokens whose senses are scaled.
        senses: The senses to choose from.

    Returns:
        The edit.
    """
    odds, shares = logs
    factors = {sense: best_factor(odds, shares[:, sense]) for sense in senses}
    best = min(senses, key=lambda sense: bias_at(odds, shares[:, sense], factors[sense]))
    return Scale(tokens=tokens, senses=(best,), factor=factors[best])


def reached(step: Scale, logs: Mapping[str, tuple[Floats, Floats]]) -> Iterator[BiasReached]:
    """Yield the bias on each set without a scaled sense, with it, and with the sense suppressed."""
    (sense,) = step.senses or ()
    for part, (odds, shares) in logs.items():
        before, after, suppressed = (bias_at(odds, shares[:, sense], factor) for factor in (1.0, step.factor, 0.0))
        yield BiasReached(part, len(odds), before, after, suppressed)


def tokens_of(lexicon: TokenLexicon, words: Sequence[str], pieces: bool, path: Path | None) -> tuple[int, ...]:
    """Return the tokens to edit.

    Args:
        lexicon: The tokens of the model.
        words: The words; those of WinoBias if there are none.
        pieces: Whether words of several tokens are edited.
        path: The folder of WinoBias; its usual place if None.

    Returns:
        Those of all words in pieces; else those of words of one token.

    Raises:
        UserError: When there is none, or a word that is named is several tokens.
    """
    if words:
        wanted = [lexicon.find(word) if pieces else TokenisedWord(word, (lexicon.single(word),)) for word in words]
    else:
        wanted = [word for word in known(lexicon, occupations(path)) if pieces or len(word.tokens) == 1]
    if not wanted:
        problem = "has a token in" if pieces else "is one token of"
        way = "" if pieces else "say --pieces, or "
        raise UserError(f"No word for an occupation {problem} this model; {way}name words by --word.")
    return tuple(dict.fromkeys(token for word in wanted for token in word.tokens))


def known(lexicon: TokenLexicon, words: Sequence[str]) -> Iterator[TokenisedWord]:
    """Yield the words that a vocabulary has tokens for, in their order."""
    for word in words:
        with contextlib.suppress(UserError):
            yield lexicon.find(word)


def log_odds(
    model: Any, lexicon: TokenLexicon, texts: Sequence[str], tokens: Sequence[int], pair: Sequence[int]
) -> tuple[Floats, Floats]:
    """Compute how much likelier one word is than another after texts, and how much of that senses of some tokens add.

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
        _, parts = parts_of(model, ids, torch.tensor(pair))
        added = parts.added[0] - parts.added[1]  # (time, senses)
        edited = torch.isin(ids[0], torch.tensor(tokens, device=ids.device))
        odds.append(float(parts.whole[pair[0]] - parts.whole[pair[1]]))
        shares.append(added[edited].sum(0).cpu().double().numpy())
    return numpy.array(odds), numpy.array(shares)


def bias_at(odds: Floats, share: Floats, factor: float = 1.0) -> float:
    """Return the mean of max(p / q, q / p) when a sense is scaled.

    Args:
        odds: Logarithms of p / q, `(texts,)`.
        share: What the sense adds to them, `(texts,)`.
        factor: By what it is scaled.

    Returns:
        1 or more.
    """
    return float(numpy.exp(numpy.abs(odds + (factor - 1) * share)).mean())


def best_factor(odds: Floats, share: Floats) -> float:
    """Find the factor from 0 to 1 of the least bias, which is convex in it, by golden sections (Kiefer, 1953)."""
    low, high = 0.0, 1.0
    for _ in range(60):
        width = GOLDEN * (high - low)
        left, right = high - width, low + width
        if bias_at(odds, share, left) <= bias_at(odds, share, right):
            high = right
        else:
            low = left
    return min((0.0, 1.0, (low + high) / 2), key=lambda factor: bias_at(odds, share, factor))
