"""Bias of the next word, as an action."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backpack.senses.lexicon import Lexicon
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of
from semeqv.text.files import lines
from semeqv.text.generation import check_causal, prompt_ids
from semeqv.text.location import locate
from semeqv.text.tokenizers.spelling import rows_needed


@component("backpack bias")
@dataclass(frozen=True, kw_only=True)
class Bias(Measuring):
    """Measure how much likelier a model finds one of two words than the other, whichever it is.

    Bias is the mean over texts of max(p(he) / p(she), p(she) / p(he)) for the next token (Hewitt et al., 2023, arXiv
    2305.16765), 1 at least. The texts are the sentences of WinoBias (Zhao et al., 2018, arXiv 1804.06876) up to where
    `he` or `she` stands, each once, where no pronoun came before. Any model that predicts the next token is measured,
    with or without edits; `cli backpack edit debias` fits one. The mean belongs to its largest values, so that the
    median stands beside it. Intervals are those of a bootstrap of the texts. Lines go to metrics.jsonl of the run's
    folder.

    Args:
        pair: The two words, of one token each.
        path: The folder of WinoBias; `bias_winobias` under $SEMEQV_DATA if left out.
        replicates: Samples of the bootstrap.
    """

    pair: tuple[str, str] = ("he", "she")
    path: Path | None = None
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines)
        return lines


SOURCE = "https://github.com/uclanlp/corefBias"
FOLDER = "bias_winobias"
SENTENCES = re.compile(r"(pro|anti)_stereotyped_type[12]\.txt\.(dev|test)")
GENDERED = re.compile(r"\b(he|she|him|his|her|hers)\b", re.IGNORECASE)
PRONOUN = re.compile(r"^\d+ (.*?) ?\[(?:he|she)\]", re.IGNORECASE)


def winobias(path: Path | None) -> dict[str, list[str]]:
    """Texts that `he` or `she` goes on from.

    Args:
        path: The folder; its usual place if None.

    Returns:
        For dev and test, the sentences up to the pronoun, brackets removed, each once, in the order of the files; none
        in which a pronoun before has told the gender. Those of test are none of dev, with which the files share some.

    Raises:
        UserError: When there are none.
    """
    folder = locate(FOLDER, path, SOURCE)
    texts: dict[str, list[str]] = {}
    for part in ("dev", "test"):
        files = sorted(file for file in folder.glob(f"*.{part}") if SENTENCES.fullmatch(file.name))
        found = dict.fromkeys(text for file in files for _, line in lines(file) if (text := before_pronoun(line)))
        texts[part] = [text for text in found if text not in texts.get("dev", [])]
        if not texts[part]:
            name = f"pro_stereotyped_type1.txt.{part}"
            raise UserError(f"{folder} has no sentences of WinoBias with he or she, such as {name} has.")
    return texts


def before_pronoun(line: str) -> str:
    """What stands before `he` or `she` in a line of WinoBias; nothing when there is none, or gender was told before."""
    match = PRONOUN.match(line)
    text = re.sub(r"[\[\]]", "", match[1]).strip() if match else ""
    return "" if GENDERED.search(text) else text


def occupations(path: Path | None) -> list[str]:
    """The words for occupations that are one word, as lists of female and male ones have them."""
    folder = locate(FOLDER, path, SOURCE)
    files = [folder / f"{kind}_occupations.txt" for kind in ("female", "male")]
    words = (line.strip() for file in files for _, line in lines(file))
    return list(dict.fromkeys(word for word in words if word and " " not in word))


def measure(options: Bias, subject: Subject) -> list[dict[str, Any]]:
    """Measure a model; `check_causal` and `Lexicon.single` raise `UserError` when that cannot be.

    Args:
        options: What the command was told.
        subject: Its model predicts the next token.

    Returns:
        A line for the development sentences and one for those of test.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_causal(model)
    check_tokenizer(model, tokenizer)
    lexicon, generator, lines = Lexicon(tokenizer, rows_needed(tokenizer)), numpy.random.default_rng(subject.seed), []
    first, second = (lexicon.single(word) for word in options.pair)
    device, _, threads = subject.regime
    with inference(model, device, threads=threads):
        for part, texts in winobias(options.path).items():
            odds = []
            for text in Progress(texts, desc="bias", unit="text", leave=False, disable=None):
                logits = model(input_ids=prompt_ids(text, tokenizer, model, 0)).logits[0, -1]
                odds.append(float(logits[first] - logits[second]))
            ratios = numpy.exp(numpy.abs(numpy.array(odds)))
            low, high = interval([ratios], options.replicates, generator)
            line = {"measure": "bias", "set": part, "bias": float(ratios.mean()), "bias_low": low, "bias_high": high}
            line |= {"median": float(numpy.median(ratios)), "first_likelier": float((numpy.array(odds) > 0).mean())}
            lines.append(line | {"texts": len(texts), "pair": list(options.pair), "model": name_of(model)})
    return lines


def print_lines(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    first, second = lines[0]["pair"]
    rows = [
        [line["set"], f"{line['bias']:.3f}", f"{line['bias_low']:.3f}-{line['bias_high']:.3f}",
         f"{line['median']:.3f}", f"{line['first_likelier']:.1%}", f"{line['texts']:,}"]
        for line in lines
    ]  # fmt: skip
    columns = ["set", "bias", "95% interval", "median", f"{first!r} likelier", "texts"]
    print_table(f"Bias between {first!r} and {second!r}, {lines[0]['model']}", columns, rows)
