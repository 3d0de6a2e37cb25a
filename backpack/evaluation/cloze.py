"""The last word of a passage, as an action."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from backpack.evaluation.beam import WordBeam, is_word, kinds_of, shape
from backpack.senses.words import Speller
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, most_tokens, name_of
from semeqv.tasks.overlap import report_overlap
from semeqv.text.datasets.tokenised import first_token
from semeqv.text.files import lines
from semeqv.text.generation import check_causal
from semeqv.text.location import locate
from semeqv.text.tokenizers.encoding import encode


@component("backpack cloze")
@dataclass(frozen=True, kw_only=True)
class Cloze(Measuring):
    """Measure how often a model guesses the last word of a passage.

    All tokens before the word are read, behind the token that starts a text. The guesses are the most probable whole
    words by a beam search: the tokens of the word and that it ends there count. A guess is right when it is the very
    word, letter by letter; marks behind the word are left off. Passages are the documents of the validation and test
    sets of the sentence, language by language, or those of a file, such as LAMBADA (Paperno et al., 2016, arXiv
    1606.06031); those whose last word is more than letters and digits with single apostrophes or hyphens between, as
    1,000 is, are left out. The perplexity is that of the words: of all tokens of a word, but not of its end. Intervals
    are those of a bootstrap of the passages. Lines go to metrics.jsonl of the run's folder.

    Args:
        path: A passage on each line, or JSON lines with `text`, or with `cloze_passage`, in which `<mask>` stands for
            the last word, and `answer`; here, or under $SEMEQV_DATA.
        width: Of the beam.
        top: A guess counts when it is among so many; each at most as large as the width.
        passages: The first so many of each set; 0 for all.
        words: Words that a passage must have.
        longest: The most tokens of a guess.
        ignore_case: Let letters match whatever their size.
        batch_size: Passages at a time.
        replicates: Samples of the bootstrap.
        guesses: Write a JSON line for each passage to this file, with the guesses.
    """

    path: Path | None = None
    width: int = 3
    top: tuple[int, ...] = (1, 3)
    passages: int = 1000
    words: int = 5
    longest: int = 8
    ignore_case: bool = False
    batch_size: int = 16
    replicates: int = 1000
    guesses: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, width=1, passages=0, words=2, longest=1, batch_size=1, replicates=1)
        if not self.top or min(self.top) < 1 or max(self.top) > self.width:
            raise ValueError(f"--top takes sizes from 1 to --width, {self.width}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write what was guessed."""

        lines, guessed = measure(self, subject)
        print_lines(lines, self.top)
        if self.guesses is not None:
            write_guesses(self.guesses, guessed)
        return lines


MASK = "<mask>"
LAST = re.compile(r"^(.*\S)\s+(\S+)\s*$", re.DOTALL)


@dataclass(frozen=True)
class Passage:
    """A text, and the word that ends it.

    Args:
        context: All before the word, without the blank between.
        word: The word, without marks around it.
        language: Its language; empty when it is not said.
    """

    context: str
    word: str
    language: str = ""


def passages(texts: Iterable[tuple[str, str]], words: int) -> Iterator[Passage]:
    """Part texts before their last word.

    Args:
        texts: Texts, and their languages.
        words: Words that a text must have.

    Yields:
        A passage for each text that has so many words and ends with one: marks behind it do not count, and a text whose
        last word begins with a mark is left out, since nothing says what a model should make of that.
    """
    for text, language in texts:
        bare = text[: shape(text).rfind("x") + 1]
        found = LAST.match(bare)
        if found and len(bare.split()) >= words and found[2][0].isalnum():
            yield Passage(found[1], found[2], language)


def read_passages(path: Path, words: int) -> Iterator[Passage]:
    """Read a file of passages.

    Args:
        path: The file, or its place under `$SEMEQV_DATA`; compressed or not. A text on each line; or JSON lines with
            `text`, as LAMBADA has them, or with `cloze_passage`, in which `<mask>` stands for the last word, and
            `answer`, as the multilingual project has them, or with `context` and `word`. `language` may be said.
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
            yield from passages([(line, "")], words)
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        said = record if isinstance(record, dict) else {}
        language = said["language"] if isinstance(said.get("language"), str) else ""
        if isinstance(said.get("text"), str):
            yield from passages([(said["text"], language)], words)
            continue
        context, word = said.get("context"), said.get("word")
        if isinstance(masked := said.get("cloze_passage"), str):
            context, mask, behind = masked.partition(MASK)
            word = said.get("answer")
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
class Guessed:
    """What a model made of a passage.

    Args:
        passage: The passage.
        words: The guesses, the most probable first.
        nats: How unexpected the word is, all its tokens together.
    """

    passage: Passage
    words: list[str]
    nats: float

    def right(self, top: int, ignore_case: bool) -> bool:
        """Whether the word is among so many guesses."""
        folded = str.casefold if ignore_case else str
        return folded(self.passage.word) in [folded(word) for word in self.words[:top]]


def measure(options: Cloze, subject: Subject) -> tuple[list[dict[str, Any]], list[Guessed]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model predicts the next token.

    Returns:
        A line for each set and language, and what was guessed.

    Raises:
        UserError: When the model does not predict the next token, or there is no passage.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_causal(model)
    check_tokenizer(model, tokenizer)
    lines, everything, generator = list[dict[str, Any]](), list[Guessed](), numpy.random.default_rng(subject.seed)
    for name, found in sets_of(options, subject.dataset_options):
        asked, left_out = chosen(found, options.passages)
        if not asked:
            raise UserError(f"{name} has no passage that ends with a word and has {options.words} words.")
        if left_out:
            click.echo(f"{name}: {left_out:,} passages left out, which end with no plain word, but such as 1,000.")
        said: dict[str, Any] = {"left_out": left_out}
        said |= report_overlap((each.context for each in asked), model, subject.dataset_options, f"passages of {name}")
        with inference(model, *subject.regime) as running:
            guessed = guess(options, model, tokenizer, running, asked)
        for language in sorted({each.passage.language for each in guessed}):
            part = [each for each in guessed if each.passage.language == language]
            lines.append(line(options, name, language, part, generator) | said | {"model": name_of(model)})
        everything += guessed
    return lines, everything


def chosen(found: Iterable[Passage], most: int) -> tuple[list[Passage], int]:
    """Choose passages whose word a beam can guess.

    Args:
        found: Passages.
        most: The first so many; 0 for all.

    Returns:
        The passages, and how many before the last of them were left out, because what they end with is no plain word:
        letters and digits, with single `'`, `’` or `-` between.
    """
    asked, left_out = list[Passage](), 0
    for each in found:
        if not is_word(each.word):
            left_out += 1
            continue
        asked.append(each)
        if len(asked) == most:
            break
    return asked, left_out


def sets_of(
    options: Cloze, dataset_options: Mapping[tuple[str, str | None], Any]
) -> Iterator[tuple[str, Iterator[Passage]]]:
    """The names of sets, and their passages; raises `UserError` when there is none."""
    if options.path is not None:
        yield options.path.name, read_passages(options.path, options.words)
        return
    for name, texts in corpora_of(dataset_options, "cli backpack cloze"):
        yield name, passages(texts, options.words)


def corpora_of(
    dataset_options: Mapping[tuple[str, str | None], Any], what: str
) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """The validation and test sets of a sentence.

    Args:
        dataset_options: The data sets, not built.
        what: The command, for the message.

    Yields:
        The name of a set, and its texts with their languages.

    Raises:
        UserError: When there is none.
    """
    chosen = {key: each for key, each in dataset_options.items() if key[0] != "train" and hasattr(each, "corpus")}
    if not chosen:
        raise UserError(f"{what} has no text: add a data set with --split validation.")
    for (split, name), each in chosen.items():
        yield f"{split} {name}" if name else split, ((said.text, said.language) for said in each.corpus())


def guess(options: Cloze, model: Any, tokenizer: Any, regime: Any, asked: Sequence[Passage]) -> list[Guessed]:
    """Let a model guess.

    Args:
        options: What the command was told.
        model: Predicts the next token, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        asked: The passages.

    Returns:
        What it guessed, in the order of the passages.
    """
    speller, starts = Speller(tokenizer), first_token(tokenizer, masked=False)
    beam = WordBeam(
        model, regime, kinds_of(tokenizer, model.get_input_embeddings().weight.shape[0]), options.width, options.longest
    )
    golden = speller([each.word for each in asked])
    room = most_tokens(model)
    contexts = encode(tokenizer, [each.context for each in asked])
    contexts = [
        [starts, *(ids if room is None else ids[max(len(ids) - room + 1 + max(options.longest, len(gold)), 0) :])]
        for ids, gold in zip(contexts, golden)
    ]
    found: list[Guessed | None] = [None] * len(asked)
    order = sorted(range(len(asked)), key=lambda each: len(contexts[each]))
    with Progress(total=len(asked), desc="cloze", unit="passage", leave=False, disable=None, mininterval=0.5) as bar:
        for start in range(0, len(order), options.batch_size):
            which = order[start : start + options.batch_size]
            words = beam([contexts[each] for each in which])
            nats = word_nats(beam, [(contexts[each], golden[each]) for each in which])
            for each, guesses, unexpected in zip(which, words, nats):
                found[each] = Guessed(asked[each], [word for word, _ in guesses], unexpected)
            bar.update(len(which))
    return [each for each in found if each is not None]


def word_nats(beam: WordBeam, asked: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """How unexpected words are after their contexts, all tokens of each together."""
    rows = [(context + word[:place], word[place]) for context, word in asked for place in range(len(word))]
    expected = beam.next_tokens([row for row, _ in rows])
    each = iter(-expected[place, token].item() for place, (_, token) in enumerate(rows))
    return [sum(next(each) for _ in word) for _, word in asked]


def line(
    options: Cloze, name: str, language: str, guessed: Sequence[Guessed], generator: numpy.random.Generator
) -> dict[str, Any]:
    """The accuracy in one language of a set, as JSON."""
    found: dict[str, Any] = {"measure": "cloze", "set": name, "language": language, "passages": len(guessed)}
    for top in options.top:
        right = numpy.array([each.right(top, options.ignore_case) for each in guessed])
        low, high = interval([right], options.replicates, generator)
        found |= {f"top{top}": float(right.mean()), f"top{top}_low": low, f"top{top}_high": high}
    mean = math.fsum(each.nats for each in guessed) / len(guessed)
    return found | {"word_perplexity": math.exp(min(mean, 700)), "width": options.width}


def print_lines(lines: list[dict[str, Any]], tops: Sequence[int]) -> None:
    """Print the table."""
    columns = ["set", "language"] + [part for top in tops for part in (f"top {top}", "95% interval")]
    rows = []
    for each in lines:
        cells = [each["set"], each["language"]]
        for top in tops:
            cells += [f"{each[f'top{top}']:.3f}", f"{each[f'top{top}_low']:.3f}-{each[f'top{top}_high']:.3f}"]
        rows.append([*cells, f"{each['word_perplexity']:.2f}", f"{each['passages']:,}"])
    title = f"Last words guessed, {lines[0]['model']}"
    print_table(title, [*columns, "perplexity\nof the word", "passages"], rows, words=2)


def write_guesses(path: Path, guessed: Sequence[Guessed]) -> None:
    """Write what was guessed; `UserError` is raised when the file cannot be written."""
    said = [
        {"context": each.passage.context, "word": each.passage.word, "guesses": each.words, "nats": each.nats}
        for each in guessed
    ]
    write_lines(path, said)
    click.echo(f"wrote {path}")
