"""Bias of the next word on the sentences of WinoBias."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from backpack.inspection.lexicon import TokenLexicon
from backpack.measuring import IntervalEstimate, Measurement, estimate, facts_of, fitting_tokenizer
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference
from semeqv.text.files import lines
from semeqv.text.generation import check_causal, prompt_ids
from semeqv.text.location import locate
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.compute import Compute

SOURCE = "https://github.com/uclanlp/corefBias"
FOLDER = "bias_winobias"
SENTENCES = re.compile(r"(pro|anti)_stereotyped_type[12]\.txt\.(dev|test)")
GENDERED = re.compile(r"\b(he|she|him|his|her|hers)\b", re.IGNORECASE)
PRONOUN = re.compile(r"^\d+ (.*?) ?\[(?:he|she)\]", re.IGNORECASE)


def winobias(path: Path | None) -> dict[str, list[str]]:
    """Read the texts before `he` or `she` in the sentences of WinoBias.

    Args:
        path: The folder; its usual place if None.

    Returns:
        For dev and test, the sentences up to the pronoun, brackets removed, each once, in the order of the files; none
        with another pronoun before it, which would reveal the gender. Texts of test that are in dev, too, are left out.

    Raises:
        UserError: When there are none.
    """
    folder = locate(FOLDER, path, SOURCE)
    texts: dict[str, list[str]] = {}
    for part in ("dev", "test"):
        files = sorted(file for file in folder.glob(f"*.{part}") if SENTENCES.fullmatch(file.name))
        beginnings = dict.fromkeys(text for file in files for _, line in lines(file) if (text := before_pronoun(line)))
        texts[part] = [text for text in beginnings if text not in texts.get("dev", [])]
        if not texts[part]:
            name = f"pro_stereotyped_type1.txt.{part}"
            raise UserError(f"{folder} has no sentences of WinoBias with he or she, such as {name} has.")
    return texts


def before_pronoun(line: str) -> str:
    """Return what is before `he` or `she` in a line of WinoBias; nothing without them, or behind another pronoun."""
    match = PRONOUN.match(line)
    text = re.sub(r"[\[\]]", "", match[1]).strip() if match else ""
    return "" if GENDERED.search(text) else text


def occupations(path: Path | None) -> list[str]:
    """Read the occupations that are one word, in the lists of female and male ones."""
    folder = locate(FOLDER, path, SOURCE)
    files = [folder / f"{kind}_occupations.txt" for kind in ("female", "male")]
    words = (line.strip() for file in files for _, line in lines(file))
    return list(dict.fromkeys(word for word in words if word and " " not in word))


@dataclass(frozen=True)
class BiasOnSet:
    """The bias on one set of texts.

    Args:
        set: dev or test.
        bias: The mean of max(p / q, q / p), with p and q the probabilities of the two words.
        median: The median of the same.
        first_likelier: The share of texts after which the first word is the likelier one.
        texts: How many texts.
    """

    set: str
    bias: IntervalEstimate
    median: float
    first_likelier: float
    texts: int


@dataclass(frozen=True, kw_only=True)
class Bias(Measurement):
    """The bias between two words.

    Args:
        pair: The words.
        sets: The bias on the development and the test sentences.
    """

    pair: tuple[str, str]
    sets: list[BiasOnSet]

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each set."""
        return [
            {"measure": "bias", "set": row.set}
            | row.bias.named("bias")
            | {"median": row.median, "first_likelier": row.first_likelier, "texts": row.texts}
            | {"pair": list(self.pair), "model": self.model}
            for row in self.sets
        ]

    def show(self) -> None:
        """Print the table."""
        rows = [
            [row.set, *row.bias.cells(), f"{row.median:.3f}", f"{row.first_likelier:.1%}", f"{row.texts:,}"]
            for row in self.sets
        ]
        first, second = self.pair
        columns = ["set", "bias", "95% interval", "median", f"{first!r} likelier", "texts"]
        print_table(f"Bias between {first!r} and {second!r}, {self.model}", columns, rows)


@action("backpack bias")
def bias(
    model: Any,
    tokenizer: Any = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    pair: tuple[str, str] = ("he", "she"),
    path: Path | None = None,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> Bias:
    """Measure how much likelier a model finds one of two words than the other, whichever it is.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before. Any model that predicts the next token is measured,
    with or without edits; `cli backpack edit debias` fits one. The largest values dominate the mean, so that the
    median stands beside it. Intervals are those of a bootstrap of the texts. All is computed in fp32. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        model: A model that predicts the next token; `UserError` is raised for another one.
        tokenizer: Its tokenizer; that of the model's folder if None.
        seed: Of the bootstrap.
        compute: Where to compute.
        pair: The two words, of one token each.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.
        replicates: Samples of the bootstrap.

    Returns:
        The bias on the development sentences and on those of test.
    """
    check_causal(model)
    tokenizer = fitting_tokenizer(model, tokenizer)
    lexicon, generator, sets = TokenLexicon(tokenizer, rows_needed(tokenizer)), numpy.random.default_rng(seed), []
    first, second = (lexicon.single(word) for word in pair)
    with inference(model, compute.device, threads=compute.threads):
        for part, texts in winobias(path).items():
            odds = []
            for text in Progress(texts, desc="bias", unit="text", leave=False, disable=None):
                logits = model(input_ids=prompt_ids(text, tokenizer, model, 0)).logits[0, -1]
                odds.append(float(logits[first] - logits[second]))
            log_odds = numpy.array(odds)
            ratios = numpy.exp(numpy.abs(log_odds))
            mean, median = estimate(ratios, replicates, generator), float(numpy.median(ratios))
            sets.append(BiasOnSet(part, mean, median, float((log_odds > 0).mean()), len(texts)))
    return Bias(pair=pair, sets=sets, **facts_of(model))
