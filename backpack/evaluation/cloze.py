"""Cloze: guessing the last word of a passage."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import click

from backpack.evaluation.beam import WordBeam, is_word, kinds_of, shape
from backpack.inspection.words import Speller
from backpack.measuring import (
    Datasets,
    IntervalEstimate,
    Measurement,
    estimate,
    facts_of,
    fitting_tokenizer,
    held_out_texts,
)
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import numpy
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, most_tokens
from semeqv.tasks.overlap import report_overlap
from semeqv.text.files import lines
from semeqv.text.generation import check_causal
from semeqv.text.location import locate
from semeqv.text.tokenizers.encoding import encode, first_token
from semeqv.train.compute import Compute, ComputeConfig

MASK = "<mask>"
LAST = re.compile(r"^(.*\S)\s+(\S+)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """A text, and the word that ends it.

    Args:
        context: All before the word, without the blank between.
        word: The word, without marks around it.
        language: Its language; empty when it is not known.
    """

    context: str
    word: str
    language: str = ""


def split_passages(texts: Iterable[tuple[str, str]], words: int) -> Iterator[Passage]:
    """Split texts before their last word.

    Args:
        texts: Texts, and their languages.
        words: Words that a text must have.

    Yields:
        A passage for each text that has so many words and ends with one: marks behind it do not count, and a text whose
        last word begins with a mark is left out.
    """
    for text, language in texts:
        bare = text[: shape(text).rfind("x") + 1]
        match = LAST.match(bare)
        if match and len(bare.split()) >= words and match[2][0].isalnum():
            yield Passage(match[1], match[2], language)


def read_passages(path: Path, words: int) -> Iterator[Passage]:
    """Read a file of passages.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not. A text on each line; or JSON lines with
            `text`, as LAMBADA has them, or with `cloze_passage`, in which `<mask>` stands for the last word, and
            `answer`, as the multilingual project has them, or with `context` and `word`. `language` may be there.
        words: Words that a passage must have.

    Yields:
        Passages. The word of an `answer` is as it is given, without marks behind it.

    Raises:
        UserError: When a line of a .jsonl file has none of these keys, or something is masked but the last word.
    """
    file = locate(str(path), path)
    for number, line in lines(file):
        if not line.strip():
            continue
        if ".jsonl" not in file.suffixes:
            yield from split_passages([(line, "")], words)
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        record = record if isinstance(record, dict) else {}
        language = record["language"] if isinstance(record.get("language"), str) else ""
        if isinstance(record.get("text"), str):
            yield from split_passages([(record["text"], language)], words)
            continue
        context, word = record.get("context"), record.get("word")
        if isinstance(masked := record.get("cloze_passage"), str):
            context, mask, behind = masked.partition(MASK)
            word = record.get("answer")
            if not mask or "x" in shape(behind):
                raise UserError(f"{file}, line {number}: {MASK} must stand once, for the last word: {masked!r:.60}.")
        if not isinstance(context, str) or not isinstance(word, str):
            raise UserError(
                f'{file}, line {number}: {{"text": "..."}} or {{"cloze_passage": "... {MASK}.", "answer": "..."}} is '
                f"wanted, not {line!r:.60}."
            )
        if len(context.split()) + 1 >= words:
            yield Passage(context.rstrip(), word[: shape(word).rfind("x") + 1].strip(), language)


@dataclass(frozen=True)
class Guess:
    """The guesses of a model for the last word of a passage.

    Args:
        passage: The passage.
        words: The guesses, the most probable first.
        nats: How unexpected the word is, all its tokens together.
    """

    passage: Passage
    words: list[str]
    nats: float

    def right(self, top: int, ignore_case: bool) -> bool:
        """Return whether the word is among so many guesses."""
        folded = str.casefold if ignore_case else str
        return folded(self.passage.word) in [folded(word) for word in self.words[:top]]

    def to_json(self) -> dict[str, Any]:
        """Return the guesses as a JSON object."""
        return {"context": self.passage.context, "word": self.passage.word, "guesses": self.words, "nats": self.nats}


@dataclass(frozen=True)
class ClozeAccuracy:
    """How often a model guesses the last word, in one language of a set.

    Args:
        set: The set.
        language: The language; empty when it is not known.
        passages: How many passages.
        top: The share of words among so many guesses, by that number.
        word_perplexity: The perplexity of the words: of all tokens of a word, but not of its end.
        left_out: How many passages of the set end with no plain word.
        overlap: `overlap`, the share of contexts of the set that occur in the training text, and `overlap_with`, its
            name; empty when it is not known.
    """

    set: str
    language: str
    passages: int
    top: dict[int, IntervalEstimate]
    word_perplexity: float
    left_out: int
    overlap: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cloze(Measurement):
    """Last words guessed by a model.

    Args:
        accuracies: One for each set and language.
        guesses: What was guessed, passage by passage.
        width: Of the beam.
        output: The file of the guesses; None where they were not written.
    """

    accuracies: list[ClozeAccuracy]
    guesses: list[Guess] = field(repr=False)
    width: int
    output: Path | None = None

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each set and language."""
        lines = []
        for row in self.accuracies:
            line: dict[str, Any] = {"measure": "cloze", "set": row.set, "language": row.language}
            line["passages"] = row.passages
            for top, share in row.top.items():
                line |= share.named(f"top{top}")
            line |= {"word_perplexity": row.word_perplexity, "width": self.width, "left_out": row.left_out}
            lines.append(line | dict(row.overlap) | {"model": self.model})
        return lines

    def show(self) -> None:
        """Print the table."""
        for name, left_out in {row.set: row.left_out for row in self.accuracies}.items():
            if left_out:
                click.echo(f"{name}: {left_out:,} passages left out, which end with no plain word, but such as 1,000.")
        tops = [part for top in self.accuracies[0].top for part in (f"top {top}", "95% interval")]
        rows = []
        for row in self.accuracies:
            cells = [cell for share in row.top.values() for cell in share.cells()]
            rows.append([row.set, row.language, *cells, f"{row.word_perplexity:.2f}", f"{row.passages:,}"])
        columns = ["set", "language", *tops, "perplexity\nof the word", "passages"]
        print_table(f"Last words guessed, {self.model}", columns, rows, words=2)
        if self.output is not None:
            click.echo(f"wrote {self.output}")


def check_top(options: Any) -> None:
    """Refuse sizes of lists that the beam does not fill: `ValueError`."""
    if not options.top or min(options.top) < 1 or max(options.top) > options.width:
        raise ValueError(f"--top takes sizes from 1 to --width, {options.width}.")


@action("backpack cloze", check=check_top)
def cloze(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    path: Path | None = None,
    width: Annotated[int, AtLeast(1)] = 3,
    top: tuple[int, ...] = (1, 3),
    passages: Annotated[int, AtLeast(0)] = 1000,
    words: Annotated[int, AtLeast(2)] = 5,
    longest: Annotated[int, AtLeast(1)] = 8,
    ignore_case: bool = False,
    batch_size: Annotated[int, AtLeast(1)] = 16,
    replicates: Annotated[int, AtLeast(1)] = 1000,
    guesses: Path | None = None,
) -> Cloze:
    """Measure how often a model guesses the last word of a passage.

    All tokens before the word are read, behind the token that starts a text. The guesses are the most probable whole
    words by a beam search: the tokens of the word and that it ends there count. A guess is right when it is the very
    word, letter by letter; marks behind the word are left off. Passages are the documents of the validation and test
    sets of the sentence, language by language, or those of a file, such as LAMBADA (Paperno et al., 2016, arXiv
    1606.06031); those whose last word is more than letters and digits with single apostrophes or hyphens between, as
    1,000 is, are left out. The perplexity is that of the words: of all tokens of a word, but not of its end. Intervals
    are those of a bootstrap of the passages. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A model that predicts the next token.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built; for passages without `path`.
        seed: Of the bootstrap.
        compute: Where to compute, and with which numbers.
        path: A passage on each line, or JSON lines with `text`, or with `cloze_passage`, in which `<mask>` stands for
            the last word, and `answer`; here, or under $SEMEQV_DATA.
        width: Of the beam.
        top: A guess counts when it is among so many; each at most as large as the width.
        passages: The first so many of each set; 0 for all.
        words: Words that a passage must have.
        longest: The most tokens of a guess.
        ignore_case: Let capital and small letters match.
        batch_size: Passages at a time.
        replicates: Samples of the bootstrap.
        guesses: Write a JSON line for each passage to this file, with the guesses.

    Returns:
        The accuracy in each set and language, and what was guessed.

    Raises:
        UserError: When the model does not predict the next token, or there is no passage.
    """
    check_causal(model)
    tokenizer, datasets = fitting_tokenizer(model, tokenizer), dataset_options or {}
    generator, accuracies, everything = numpy.random.default_rng(seed), list[ClozeAccuracy](), list[Guess]()
    for name, candidates in sets_of(path, datasets, words):
        chosen, left_out = guessable(candidates, passages)
        if not chosen:
            raise UserError(f"{name} has no passage that ends with a word and has {words} words.")
        overlap = report_overlap((passage.context for passage in chosen), model, datasets, f"passages of {name}")
        with inference(model, compute) as running:
            guessed = guess(model, tokenizer, running, chosen, width=width, longest=longest, batch_size=batch_size)
        for language in sorted({each.passage.language for each in guessed}):
            own = [each for each in guessed if each.passage.language == language]
            shares = dict[int, IntervalEstimate]()
            for size in top:
                right = numpy.array([each.right(size, ignore_case) for each in own])
                shares[size] = estimate(right, replicates, generator)
            perplexity = math.exp(min(math.fsum(each.nats for each in own) / len(own), 700))
            accuracies.append(ClozeAccuracy(name, language, len(own), shares, perplexity, left_out, overlap))
        everything += guessed
    if guesses is not None:
        write_lines(guesses, map(Guess.to_json, everything))
    return Cloze(accuracies=accuracies, guesses=everything, width=width, output=guesses, **facts_of(model))


def sets_of(path: Path | None, dataset_options: Datasets, words: int) -> Iterator[tuple[str, Iterator[Passage]]]:
    """Yield the names of sets, and their passages of so many words: a file, or the sets of the sentence."""
    if path is not None:
        yield path.name, read_passages(path, words)
        return
    for name, texts in held_out_texts(dataset_options, "cli backpack cloze"):
        yield name, split_passages(texts, words)


def guessable(candidates: Iterable[Passage], most: int) -> tuple[list[Passage], int]:
    """Choose passages whose word a beam can guess.

    Args:
        candidates: Passages.
        most: The first so many; 0 for all.

    Returns:
        The passages, and how many before the last of them were left out, because what they end with is no plain word:
        letters and digits, with single `'`, `’` or `-` between.
    """
    chosen, left_out = list[Passage](), 0
    for passage in candidates:
        if not is_word(passage.word):
            left_out += 1
            continue
        chosen.append(passage)
        if len(chosen) == most:
            break
    return chosen, left_out


def guess(
    model: Any,
    tokenizer: Any,
    regime: ComputeConfig,
    passages: Sequence[Passage],
    *,
    width: int = 3,
    longest: int = 8,
    batch_size: int = 16,
) -> list[Guess]:
    """Guess the last words of passages.

    Args:
        model: Predicts the next token, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        passages: The passages.
        width: Of the beam.
        longest: The most tokens of a guess.
        batch_size: Passages at a time.

    Returns:
        The guesses, in the order of the passages.
    """
    speller, starts = Speller(tokenizer), first_token(tokenizer, masked=False)
    kinds = kinds_of(tokenizer, model.get_input_embeddings().weight.shape[0])
    beam, golden = WordBeam(model, regime, kinds, width, longest), speller([passage.word for passage in passages])
    room = most_tokens(model)
    contexts = encode(tokenizer, [passage.context for passage in passages])
    contexts = [
        [starts, *(ids if room is None else ids[max(len(ids) - room + 1 + max(longest, len(gold)), 0) :])]
        for ids, gold in zip(contexts, golden)
    ]
    guesses: list[Guess | None] = [None] * len(passages)
    order = sorted(range(len(passages)), key=lambda place: len(contexts[place]))
    with Progress(total=len(order), desc="cloze", unit="passage", leave=False, disable=None, mininterval=0.5) as bar:
        for start in range(0, len(order), batch_size):
            which = order[start : start + batch_size]
            words = beam([contexts[place] for place in which])
            nats = word_nats(beam, [(contexts[place], golden[place]) for place in which])
            for place, best, unexpected in zip(which, words, nats):
                guesses[place] = Guess(passages[place], [word for word, _ in best], unexpected)
            bar.update(len(which))
    return [each for each in guesses if each is not None]


def word_nats(beam: WordBeam, pairs: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """Compute how unexpected words are after their contexts, all tokens of each together.

    Args:
        beam: Knows the model.
        pairs: The tokens of contexts and of words.

    Returns:
        Nats.
    """
    rows = [(context + word[:place], word[place]) for context, word in pairs for place in range(len(word))]
    expected = beam.next_tokens([row for row, _ in rows])
    nats = iter(-expected[place, token].item() for place, (_, token) in enumerate(rows))
    return [sum(next(nats) for _ in word) for _, word in pairs]
