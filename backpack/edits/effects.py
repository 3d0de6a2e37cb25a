"""What edits do to predictions, as an action."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backpack.edits.edited import applied
from backpack.edits.files import open_edits
from backpack.evaluation.cloze import corpora_of
from backpack.senses.lexicon import Lexicon
from backpack.senses.senses import open_lexicon
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import Floats, numpy, torch
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import inference, most_tokens, name_of
from semeqv.text.generation import prompt_ids
from semeqv.text.readers.jsonl import read_rows
from semeqv.text.tokenizers.encoding import encode


@component("backpack effects")
@dataclass(frozen=True, kw_only=True)
class Effects(Measuring):
    """Measure what edits do to the token that follows texts: those that they are meant for, and others.

    Texts come in kinds, which are measured by themselves. For an edited fact these are customarily the text of the
    edit, paraphrases, which tell whether it generalises, and texts about other things, which tell whether it is
    specific (Meng et al., 2022, arXiv 2202.05262). They are those of a file, or, with --word, beginnings of the
    validation and test documents of the sentence: those that end with the edited word, those that end three words
    behind it, and those that do not have it. For each kind: how often the wanted word is more probable than the
    unwanted one, before and after; by how much its log odds rise; how often the likeliest token stays the same; and the
    divergence KL(before || after) of the next token, in nats. Intervals are those of a bootstrap of the texts. Lines go
    to metrics.jsonl of the run's folder.

    Args:
        edits: Files that `cli backpack edit` wrote.
        texts: JSON lines of `text` and `kind`.
        word: Instead: the word that was edited.
        contexts: With --word: texts of each kind, at most.
        wanted: A word of one token that should become more probable.
        unwanted: The word of one token that it should become more probable than.
        replicates: Samples of the bootstrap.
    """

    edits: tuple[Path, ...]
    texts: Path | None = None
    word: str | None = None
    contexts: int = 200
    wanted: str | None = None
    unwanted: str | None = None
    replicates: int = 1000

    def __post_init__(self) -> None:
        if (self.wanted is None) != (self.unwanted is None):
            raise ValueError("--wanted and --unwanted go together.")
        check_bounds(self, contexts=1, replicates=1)

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measured(self, subject)
        print_effects(lines, name_of(subject.model))
        head = {"measure": "effects", "model": name_of(subject.model), "edits": list(map(str, self.edits))}
        return [head | line for line in lines]


AT, AFTER, ELSEWHERE = "at the word", "behind it", "without it"
BEHIND = 3  # words


def measured(options: Effects, subject: Subject) -> list[dict[str, Any]]:
    """Measure, in fp32.

    Args:
        options: Which edits, which texts.
        subject: A Backpack.

    Returns:
        For each kind of text its measures, as JSON objects; ends of intervals are called `..._low` and `..._high`.
    """
    model, (device, _, threads) = subject.model, subject.regime
    lexicon = open_lexicon(model, subject.tokenizer)
    texts = texts_of(options, model, lexicon, subject.dataset_options)
    words = [lexicon.single(word) for word in (options.wanted, options.unwanted) if word is not None]
    steps = open_edits(options.edits, model, lexicon.tokenizer)
    with inference(model, device, threads=threads):
        before = {kind: predictions(model, lexicon, each) for kind, each in texts.items()}
        with applied(model, steps):
            after = {kind: predictions(model, lexicon, each) for kind, each in texts.items()}
    generator, lines = numpy.random.default_rng(subject.seed), []
    for kind, each in texts.items():
        line: dict[str, Any] = {"kind": kind, "texts": len(each)}
        for name, values in measures(before[kind], after[kind], words).items():
            low, high = interval([values], options.replicates, generator)
            line |= {name: float(values.mean()), f"{name}_low": low, f"{name}_high": high}
        lines.append(line)
    return lines


def texts_of(
    options: Effects, model: Any, lexicon: Lexicon, dataset_options: Mapping[tuple[str, str | None], Any]
) -> dict[str, list[str]]:
    """The texts of each kind: of a file, or beginnings of documents; `UserError` when there are none."""
    texts: dict[str, list[str]] = {}
    if (options.texts is None) == (options.word is None):
        raise UserError("Say which texts to measure: --texts FILE, or --word WORD and a data set.")
    if options.texts is not None:
        for row in read_rows(options.texts, ("kind", "text")):
            kind, text = row.values
            texts.setdefault(kind, []).append(text)
        return texts
    room = most_tokens(model)
    for _, documents in corpora_of(dataset_options, "cli backpack effects"):
        for document, _ in documents:
            for kind, text in beginnings(document, options.word or ""):
                found = texts.setdefault(kind, [])
                if len(found) < options.contexts and (room is None or len(encode(lexicon.tokenizer, [text])[0]) < room):
                    found.append(text)
    if not texts.get(AT):
        short = "" if room is None else f", early enough for the {room} tokens that the model reads"
        raise UserError(f"No document of the data set has {options.word!r} behind another word{short}.")
    return {kind: texts[kind] for kind in (AT, AFTER, ELSEWHERE) if texts.get(kind)}


def beginnings(document: str, word: str) -> Iterator[tuple[str, str]]:
    """Beginnings of a document: up to a word, up to three words behind it, or, where it is not, half of it."""
    read = document.split()
    if word not in read:
        yield ELSEWHERE, " ".join(read[: max(len(read) // 2, 1)])
        return
    place = read.index(word)
    if place:
        yield AT, " ".join(read[: place + 1])
    if len(read) > place + BEHIND + 1:
        yield AFTER, " ".join(read[: place + BEHIND + 1])


def predictions(model: Any, lexicon: Lexicon, texts: Sequence[str]) -> torch.Tensor:
    """The logarithms of probabilities of the token that follows each text, `(texts, vocabulary)`."""
    found = []
    for text in Progress(texts, desc="effects", unit="text", leave=False, disable=None):
        ids = prompt_ids(text, lexicon.tokenizer, model, 0)
        found.append(model(input_ids=ids, logits_to_keep=1).logits[0, -1].float().log_softmax(-1).cpu())
    return torch.stack(found)


def measures(before: torch.Tensor, after: torch.Tensor, words: Sequence[int]) -> Mapping[str, Floats]:
    """What changes.

    Args:
        before: `(texts, vocabulary)`, logarithms of probabilities.
        after: The same with the edits.
        words: The wanted and the unwanted token, or none.

    Returns:
        By name, a value for each text.
    """
    made = {
        "divergence": (before.exp() * (before - after)).sum(-1),
        "same_first": (before.argmax(-1) == after.argmax(-1)),
    }
    if words:
        odds = [each[:, words[0]] - each[:, words[1]] for each in (before, after)]
        made |= {"wanted_before": odds[0] > 0, "wanted_after": odds[1] > 0, "log_odds_gained": odds[1] - odds[0]}
    return {name: values.double().numpy() for name, values in made.items()}


def print_effects(lines: Sequence[Mapping[str, Any]], model: str) -> None:
    """Print the table."""
    shares = [name for name in ("wanted_before", "wanted_after", "same_first") if name in lines[0]]
    numbers = [name for name in ("log_odds_gained", "divergence") if name in lines[0]]
    rows = []
    for line in lines:
        row = [str(line["kind"]), f"{line['texts']:,}"]
        for name in shares + numbers:
            values = [line[each] for each in (name, f"{name}_low", f"{name}_high")]
            said = [f"{each:.1%}" if name in shares else f"{each:.3f}" for each in values]
            row.append(f"{said[0]} [{said[1]}, {said[2]}]")
        rows.append(row)
    columns = ["kind", "texts", *(name.replace("_", " ") for name in shares + numbers)]
    print_table(f"Effects of edits on {model}", columns, rows)
