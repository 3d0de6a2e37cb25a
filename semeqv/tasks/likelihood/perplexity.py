"""Perplexity of language models on corpora."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.answering import Datasets, check_splits
from semeqv.tasks.inference import inference, name_of, with_new_weights
from semeqv.tasks.likelihood.scoring import Likelihood, LikelihoodScorer, mask_for
from semeqv.tasks.likelihood.windows import TextStreams
from semeqv.tasks.overlap import lines_of, report_overlap
from semeqv.text.generation import tokenizer_of
from semeqv.text.tokens.batches import Layout, TokenBatches
from semeqv.text.tokens.files import TokenFile
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class PerplexityScores(Result):
    """Perplexities of a model.

    Args:
        lines: A JSON object for each language of each data set, and for all its languages together where there are
            several.
        likelihoods: The same by split, name and language.
    """

    lines: list[dict[str, Any]]
    likelihoods: Mapping[tuple[str, str | None, str], Likelihood]

    @property
    def last(self) -> Likelihood:
        """The likelihood of the last data set, all its languages together."""
        return list(self.likelihoods.values())[-1]

    @property
    def perplexity(self) -> float:
        """The perplexity on the last data set."""
        return self.last.perplexity

    @property
    def bits_per_byte(self) -> float:
        """The bits that a byte of the last data set takes."""
        return self.last.bits_per_byte

    def show(self) -> None:
        """Print the table."""
        print_lines(self.lines)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each language of each data set."""
        return self.lines


@action("perplexity", check=check_splits)
def perplexity(
    model: Any,
    dataset: Datasets,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    compute: Compute = Compute(),
    *,
    splits: tuple[str, ...] = ("validation", "test"),
    stride: Annotated[int | None, AtLeast(1)] = None,
    separators: bool = True,
    pseudo: bool = False,
    words: bool = False,
    bound: bool = False,
    overlap: bool = True,
) -> PerplexityScores:
    """Measure the perplexity of the model on the data sets of the sentence, language by language.

    Every token of a set is predicted once, however rows are cut, and counts alike: perplexity is the exponential of the
    nats of all predicted tokens over their number. The token that ends a document is predicted too, as in training; it
    is a token without bytes of its own, so that bits per byte spread its nats over the bytes of the text. What stands
    first in the text, or first in a document when none is packed, is given. Sets of the generated corpus have the least
    perplexity that any model can reach beside theirs. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: Predicts tokens.
        dataset: The data sets by split and name.
        tokenizer: That of the model; the one in its folder if None.
        dataset_options: Their options, which yield the raw text; without them, neither words nor overlap are counted.
        compute: Where to compute.
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

    Returns:
        The perplexities.

    Raises:
        UserError: When there is nothing to measure on, or the model cannot be measured so.
    """
    from semeqv.tasks.likelihood.babel_bound import babel_bound

    chosen_sets = {key: data for key, data in dataset.items() if key[0] in splits}
    if not chosen_sets:
        raise UserError(f"There is nothing to measure on: add a data set with --split {splits[0]}.")
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    mask = mask_for(model, tokenizer, pseudo)
    lines, likelihoods = list[dict[str, Any]](), dict[tuple[str, str | None, str], Likelihood]()
    for (split, name), data in chosen_sets.items():
        label, head = set_label(split, name), {"measure": "perplexity", "split": split, "name": name}
        component = (dataset_options or {}).get((split, name))
        if overlap and split != "train" and component is not None and getattr(component, "knows_text", True):
            texts = (document.text for document in component.corpus())
            head |= report_overlap(lines_of(texts), model, dataset_options, f"lines of {label}")
        counts = words_of(component, data.facts()["together"]) if words and component is not None else Counter[str]()
        parts = dict[str, Likelihood]()
        for language, file, layout in files_of(data, label):
            with inference(model, compute) as regime:
                part = parts[language] = likelihood(
                    LikelihoodScorer(model, regime, mask),
                    file,
                    layout,
                    stride=stride,
                    special=tokenizer.all_special_ids,
                    separators=separators,
                    size=int(data.facts()["languages"][language]["bytes"]),
                    words=counts.get(language, 0),
                )
            least = None if pseudo else babel_bound(data.facts(), language, bound)
            facts = {"model": name_of(model), "block_size": layout.time, "stride": stride}
            lines.append(line_of(head, language, part, pseudo) | (least.facts(part) if least else {}) | facts)
        if len(parts) > 1:
            parts["all"] = sum(parts.values(), Likelihood())
            lines.append(line_of(head, "all", parts["all"], pseudo) | facts)
        likelihoods |= {(split, name, language): part for language, part in parts.items()}
    return PerplexityScores(with_new_weights(lines, model), likelihoods)


def files_of(dataset: Any, name: str) -> Iterator[tuple[str, TokenFile, Layout]]:
    """Yield the languages of a data set.

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
    scorer: LikelihoodScorer,
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
    rows = streams.windows(stride)
    nats, tokens, ends = 0.0, 0, 0
    with Progress(total=len(rows), desc=file.language, unit="row", leave=False, disable=None, mininterval=0.5) as bar:
        for ids, real, new in streams.batches(rows, layout.rows):
            if masked:
                targets = new & ~numpy.isin(ids, special)
            else:
                targets = new if separators else new & (ids != layout.last)
                if layout.begin is not None:
                    targets = targets & (ids != layout.begin)
                targets[:, 0] = False  # nothing is before it
            nats += float(scorer(ids, real, targets).sum())
            tokens += int(targets.sum())
            ends += int((targets & (ids == layout.last)).sum())
            bar.update(len(ids))
    return Likelihood(nats, tokens, ends, size, words)


def set_label(split: str, name: str | None) -> str:
    """Return what to call a data set: `validation en`."""
    return f"{split} {name}" if name else split


def words_of(component: Any, together: bool) -> Counter[str]:
    """Return the words of a corpus by language, or by what stands together, ends of lines among them."""
    counts = Counter[str]()
    for row in component.chosen():
        for language, text in row.items():
            words = len(text.split()) + text.count("\n") + (not text.endswith("\n"))
            counts["+".join(row) if together else language] += words
    return counts


def line_of(head: Mapping[str, Any], language: str, counts: Likelihood, pseudo: bool) -> dict[str, Any]:
    """Return a measurement as JSON."""
    by_words = {"words": counts.words, "word_perplexity": counts.word_perplexity} if counts.words else {}
    return {
        **head,
        "language": language,
        "pseudo_perplexity" if pseudo else "perplexity": counts.perplexity,
        "nats_per_token": counts.nats_per_token,
        "bits_per_byte": counts.bits_per_byte,
        **by_words,
        "tokens": counts.tokens,
        "separators": counts.separators,
        "bytes": counts.bytes,
    }


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    pseudo = "pseudo_perplexity" in lines[0]
    bounded, worded = (any(key in line for line in lines) for key in ("bound_perplexity", "word_perplexity"))
    columns = [
        "set",
        "language",
        "pseudo-\nperplexity" if pseudo else "perplexity",
        "nats per\ntoken",
        "bits per\nbyte",
    ]
    columns += ["by words"] * worded + ["least\npossible", "bits per\nbyte"] * bounded + ["tokens"]
    rows = []
    for line in lines:
        row = [set_label(line["split"], line["name"]), line["language"]]
        row += [f"{line['pseudo_perplexity' if pseudo else 'perplexity']:.3f}"]
        row += [f"{line[key]:.4f}" for key in ("nats_per_token", "bits_per_byte")]
        row += [f"{line['word_perplexity']:.2f}" if "word_perplexity" in line else ""] * worded
        if bounded:
            about = "" if line.get("bound_exact", True) else "~"
            keys = {"bound_perplexity": ".3f", "bound_bits_per_byte": ".4f"}
            row += [f"{about}{line[key]:{kind}}" if key in line else "" for key, kind in keys.items()]
        rows.append([*row, f"{line['tokens']:,}"])
    print_table(f"{'Pseudo-perplexity' if pseudo else 'Perplexity'} of {lines[0]['model']}", columns, rows, words=2)
