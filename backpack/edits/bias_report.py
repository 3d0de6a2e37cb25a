"""What `cli backpack bias` measures and prints."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from backpack.edits.winobias import winobias
from backpack.senses.lexicon import Lexicon
from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of
from semeqv.text.generation import check_causal, prompt_ids
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.bars import Progress

if TYPE_CHECKING:
    from backpack.edits.bias import Bias


def measure(options: "Bias", subject: Subject) -> list[dict[str, Any]]:
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
