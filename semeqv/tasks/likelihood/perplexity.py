"""Perplexity as an action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_csv
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, name_of, with_new_weights
from semeqv.tasks.likelihood.babel_bound import babel_bound
from semeqv.tasks.likelihood.scoring import Likelihood, Scorer, mask_for
from semeqv.tasks.likelihood.windows import TextStreams
from semeqv.tasks.overlap import lines_of, report_overlap
from semeqv.text.datasets.corpus import chosen
from semeqv.text.generation import tokenizer_of
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import TokenFile


@component("perplexity")
@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Measure the perplexity of the model on the data sets of the sentence, language by language.

    Every token of a set is predicted once, however rows are cut, and counts alike: perplexity is the exponential of the
    nats of all predicted tokens over their number. The token that ends a document is predicted too, as in training; it
    is a token without bytes of its own, so that bits per byte spread its nats over the bytes of the text. What stands
    first in the text, or first in a document when none is packed, is given. Sets of the generated corpus have the least
    perplexity that any model can reach beside theirs. Lines go to metrics.jsonl of the run's folder.

    Args:
        splits: Which of the data sets.
        stride: Tokens from one window on the text to the next, below --block_size: windows overlap, each predicts the
            tokens that the last one did not see, and all but the first of a text have so much more context. As long as
            can be if left out.
        separators: Predict, and count, the token that ends a document.
        pseudo: For a model that predicts masked tokens: pseudo-perplexity, each token hidden by itself (Salazar et al.,
            2020, arXiv 1910.14659), in a forward pass of its own. Special tokens are not predicted.
        words: Also say perplexity by words: what stands between blanks, and each end of a line, as WikiText counts.
        bound: Let the bound of the generated corpus be exact: that of all documents, not of the first 1,000.
        overlap: Say how many lines of a set occur in the training text, where that is at hand.
        csv: Write the table to this file, too.
    """

    splits: tuple[str, ...] = ("validation", "test")
    stride: int | None = None
    separators: bool = True
    pseudo: bool = False
    words: bool = False
    bound: bool = False
    overlap: bool = True
    csv: Path | None = None

    def __post_init__(self) -> None:
        if strange := set(self.splits) - {"train", "validation", "test"}:
            raise ValueError(f"--splits are train, validation and test, not {min(strange)!r}.")
        check_bounds(self, stride=1)

    def build(
        self,
        *,
        model: Any,
        dataset: Any,
        dataset_options: Any,
        device: str,
        precision: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
    ) -> None:
        """Measure, print the table, and write it.

        Args:
            model: Predicts tokens.
            dataset: By split and name.
            dataset_options: The same, not built.
            device: Where to compute.
            precision: Of the forward pass.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
        """

        regime = device, precision, threads
        lines = measure_sets(self, model, tokenizer, dataset=dataset, dataset_options=dataset_options, regime=regime)
        print_lines(lines)
        lines = with_new_weights(lines, model)
        record(lines)
        if self.csv is not None:
            write_csv(self.csv, lines)


def files_of(dataset: Any, name: str) -> Iterator[tuple[str, TokenFile, Layout]]:
    """The languages of a data set.

    Args:
        dataset: Batches of token files.
        name: What to call it, for the message.

    Yields:
        The name of the language, its tokens, and how they become rows.

    Raises:
        UserError: When it is of another kind.
    """
    if not isinstance(dataset, TokenBatches):
        raise UserError(f"Perplexity is that of a corpus, such as `cli dataset europarl`; {name} is none.")
    for part in dataset.parts:
        yield part.file.language, part.file, part.layout


def likelihood(
    scorer: Scorer,
    file: TokenFile,
    layout: Layout,
    *,
    stride: int | None,
    special: list[int],
    separators: bool,
    size: int,
    words: int = 0,
) -> Likelihood:
    """Measure a model on the text of one language.

    Args:
        scorer: Asks the model.
        file: The tokens.
        layout: How they become rows.
        stride: From one window to the next; as long as can be if None.
        special: Special tokens, which a masked model is not asked for.
        separators: Whether a causal model is asked for the token that ends a document.
        size: Bytes of the text.
        words: Words of the text.

    Returns:
        The likelihood.
    """
    masked = scorer.mask is not None
    streams = TextStreams(file, layout, masked=masked)
    found = streams.windows(stride)
    nats, tokens, ends = 0.0, 0, 0
    with Progress(total=len(found), desc=file.language, unit="row", leave=False, disable=None, mininterval=0.5) as bar:
        for ids, real, new in streams.batches(found, layout.rows):
            if masked:
                asked = new & ~numpy.isin(ids, special)
            else:
                asked = new if separators else new & (ids != layout.last)
                if layout.begin is not None:
                    asked = asked & (ids != layout.begin)
                asked[:, 0] = False  # nothing is before it
            nats += float(scorer(ids, real, asked).sum())
            tokens += int(asked.sum())
            ends += int((asked & (ids == layout.last)).sum())
            bar.update(len(ids))
    return Likelihood(nats, tokens, ends, size, words)


Sets = Mapping[tuple[str, str | None], Any]


def measure_sets(
    options: Perplexity,
    model: Any,
    tokenizer: Any,
    *,
    dataset: Sets,
    dataset_options: Sets,
    regime: tuple[str, str, int | None],
) -> list[dict[str, Any]]:
    """Measure a model on data sets.

    Args:
        options: What the command was told.
        model: Predicts tokens.
        tokenizer: Its tokenizer; the one in its folder if None.
        dataset: The data sets, by split and name.
        dataset_options: Their components, which yield the raw text.
        regime: Device, precision, threads.

    Returns:
        A line for each language of each set, and one for all its languages together where there are several.

    Raises:
        UserError: When there is nothing to measure on, or the model cannot be measured so.
    """
    chosen = {key: each for key, each in dataset.items() if key[0] in options.splits}
    if not chosen:
        raise UserError(f"There is nothing to measure on: add a data set with --split {options.splits[0]}.")
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    mask, lines = mask_for(model, tokenizer, options.pseudo), list[dict[str, Any]]()
    for (split, name), data in chosen.items():
        component, head = dataset_options[split, name], {"measure": "perplexity", "split": split, "name": name}
        if options.overlap and split != "train" and getattr(component, "knows_text", True):
            texts = (document.text for document in component.corpus())
            head |= report_overlap(lines_of(texts), model, dataset_options, f"lines of {called(split, name)}")
        words = words_of(component, data.facts()["together"]) if options.words else {}
        parts = dict[str, Likelihood]()
        for language, file, layout in files_of(data, called(split, name)):
            with inference(model, *regime) as running:
                parts[language] = likelihood(
                    Scorer(model, running, mask),
                    file,
                    layout,
                    stride=options.stride,
                    special=tokenizer.all_special_ids,
                    separators=options.separators,
                    size=int(data.facts()["languages"][language]["bytes"]),
                    words=words.get(language, 0),
                )
            found = line(options, head, language, parts[language])
            bound = None if options.pseudo else babel_bound(data.facts(), language, options.bound)
            lines.append(found | (bound.facts(parts[language]) if bound else {}) | said_of(options, model, layout.time))
        if len(parts) > 1:
            total = sum(parts.values(), Likelihood())
            lines.append(line(options, head, "all", total) | said_of(options, model, layout.time))
    return lines


def called(split: str, name: str | None) -> str:
    """`validation en`."""
    return f"{split} {name}" if name else split


def words_of(component: Any, together: bool) -> Counter[str]:
    """The words of a corpus by language, or by what stands together, ends of lines among them."""
    counts = Counter[str]()
    for row in chosen(component):
        for language, text in row.items():
            said = len(text.split()) + text.count("\n") + (not text.endswith("\n"))
            counts["+".join(row) if together else language] += said
    return counts


def line(options: Perplexity, head: Mapping[str, Any], language: str, found: Likelihood) -> dict[str, Any]:
    """A measurement as JSON."""
    first = "pseudo_perplexity" if options.pseudo else "perplexity"
    by_words = {"words": found.words, "word_perplexity": found.word_perplexity} if found.words else {}
    return {
        **head,
        "language": language,
        first: found.perplexity,
        "nats_per_token": found.nats_per_token,
        "bits_per_byte": found.bits_per_byte,
        **by_words,
        "tokens": found.tokens,
        "separators": found.separators,
        "bytes": found.bytes,
    }


def said_of(options: Perplexity, model: Any, time: int) -> dict[str, Any]:
    """What a measurement depends on."""
    return {"model": name_of(model), "block_size": time, "stride": options.stride}


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    pseudo = "pseudo_perplexity" in lines[0]
    bounded, worded = (any(key in each for each in lines) for key in ("bound_perplexity", "word_perplexity"))
    columns = [
        "set",
        "language",
        "pseudo-\nperplexity" if pseudo else "perplexity",
        "nats per\ntoken",
        "bits per\nbyte",
    ]
    columns += ["by words"] * worded + ["least\npossible", "bits per\nbyte"] * bounded + ["tokens"]
    rows = []
    for each in lines:
        row = [called(each["split"], each["name"]), each["language"]]
        row += [f"{each['pseudo_perplexity' if pseudo else 'perplexity']:.3f}"]
        row += [f"{each[key]:.4f}" for key in ("nats_per_token", "bits_per_byte")]
        row += [f"{each['word_perplexity']:.2f}" if "word_perplexity" in each else ""] * worded
        if bounded:
            about = "" if each.get("bound_exact", True) else "~"
            keys = {"bound_perplexity": ".3f", "bound_bits_per_byte": ".4f"}
            row += [f"{about}{each[key]:{kind}}" if key in each else "" for key, kind in keys.items()]
        rows.append([*row, f"{each['tokens']:,}"])
    print_table(f"{'Pseudo-perplexity' if pseudo else 'Perplexity'} of {lines[0]['model']}", columns, rows, words=2)
