"""What edits do to predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from backpack.edits.edited import AppliedEdits
from backpack.edits.files import open_edits
from backpack.inspection.lexicon import TokenLexicon, open_lexicon
from backpack.measuring import Datasets, IntervalEstimate, Measurement, estimate, facts_of, held_out_texts
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import Floats, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, most_tokens
from semeqv.text.generation import prompt_ids
from semeqv.text.readers.jsonl import read_rows
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.compute import Compute

AT, AFTER, ELSEWHERE = "at the word", "behind it", "without it"
BEHIND = 3  # words


@dataclass(frozen=True)
class EffectsOnKind:
    """What edits do to texts of one kind.

    Args:
        kind: The kind.
        texts: How many texts.
        divergence: KL(before || after) of the next token, in nats.
        same_first: How often the likeliest token stays the same.
        wanted_before: How often the wanted word is more probable than the unwanted one, before; None without such
            words, like the next two.
        wanted_after: The same, after.
        log_odds_gained: By how much the log odds of the wanted word rise.
    """

    kind: str
    texts: int
    divergence: IntervalEstimate
    same_first: IntervalEstimate
    wanted_before: IntervalEstimate | None = None
    wanted_after: IntervalEstimate | None = None
    log_odds_gained: IntervalEstimate | None = None

    def estimates(self) -> dict[str, IntervalEstimate]:
        """Return what was estimated, by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, IntervalEstimate)}


@dataclass(frozen=True, kw_only=True)
class Effects(Measurement):
    """What edits do to the next token, kind by kind of text.

    Args:
        edits: The files of the edits.
        kinds: The effects on each kind.
    """

    edits: tuple[Path, ...]
    kinds: list[EffectsOnKind]

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each kind."""
        lines = []
        for row in self.kinds:
            line: dict[str, Any] = {"measure": "effects", "model": self.model, "edits": list(map(str, self.edits))}
            line |= {"kind": row.kind, "texts": row.texts}
            for name, value in row.estimates().items():
                line |= value.named(name)
            lines.append(line)
        return lines

    def show(self) -> None:
        """Print the table."""
        estimates = self.kinds[0].estimates()
        shares = [name for name in ("wanted_before", "wanted_after", "same_first") if name in estimates]
        numbers = [name for name in ("log_odds_gained", "divergence") if name in estimates]
        rows = []
        for kind in self.kinds:
            row = [kind.kind, f"{kind.texts:,}"]
            for name in shares + numbers:
                digits = ".1%" if name in shares else ".3f"
                mean, low, high = (format(value, digits) for value in vars(kind.estimates()[name]).values())
                row.append(f"{mean} [{low}, {high}]")
            rows.append(row)
        columns = ["kind", "texts", *(name.replace("_", " ") for name in shares + numbers)]
        print_table(f"Effects of edits on {self.model}", columns, rows)


def check_words(options: Any) -> None:
    """Refuse a wanted word without an unwanted one, and the reverse: `ValueError`."""
    if (options.wanted is None) != (options.unwanted is None):
        raise ValueError("--wanted and --unwanted go together.")


@action("backpack effects", check=check_words)
def effects(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    edits: tuple[Path, ...],
    texts: Path | None = None,
    word: str | None = None,
    contexts: Annotated[int, AtLeast(1)] = 200,
    wanted: str | None = None,
    unwanted: str | None = None,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> Effects:
    """Measure what edits do to the token that follows texts: those that they are meant for, and others.

    Texts come in kinds, which are measured by themselves. For an edited fact these are customarily the text of the
    edit, paraphrases, which show whether it generalises, and texts about other things, which show whether it is
    specific (Meng et al., 2022, arXiv 2202.05262). They are those of a file, or, with --word, beginnings of the
    validation and test documents of the sentence: those that end with the edited word, those that end three words
    behind it, and those that do not have it. For each kind: how often the wanted word is more probable than the
    unwanted one, before and after; by how much its log odds rise; how often the likeliest token stays the same; and the
    divergence KL(before || after) of the next token, in nats. Intervals are those of a bootstrap of the texts. All is
    computed in fp32. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack, without the edits.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built; for `word`.
        seed: Of the bootstrap.
        compute: Where to compute.
        edits: Files that `cli backpack edit` wrote.
        texts: JSON lines of `text` and `kind`.
        word: Instead: the word that was edited.
        contexts: With --word: texts of each kind, at most.
        wanted: A word of one token that should become more probable.
        unwanted: The word of one token that it should become more probable than.
        replicates: Samples of the bootstrap.

    Returns:
        The effects on each kind of text.

    Raises:
        UserError: When there are no texts, or both kinds of sources are named.
    """
    lexicon = open_lexicon(model, tokenizer)
    if (texts is None) == (word is None):
        raise UserError("Say which texts to measure: --texts FILE, or --word WORD and a data set.")
    if texts is not None:
        by_kind = read_texts(texts)
    else:
        by_kind = beginnings_of(dataset_options or {}, word or "", contexts, most_tokens(model), lexicon.tokenizer)
    words = [lexicon.single(each) for each in (wanted, unwanted) if each is not None]
    steps = open_edits(edits, model, lexicon.tokenizer)
    with inference(model, compute.device, threads=compute.threads):
        before = {kind: predictions(model, lexicon, some) for kind, some in by_kind.items()}
        with AppliedEdits(model, steps):
            after = {kind: predictions(model, lexicon, some) for kind, some in by_kind.items()}
    generator, kinds = numpy.random.default_rng(seed), []
    for kind, some in by_kind.items():
        estimates = {
            name: estimate(values, replicates, generator)
            for name, values in measures(before[kind], after[kind], words).items()
        }
        kinds.append(EffectsOnKind(kind, len(some), **estimates))
    return Effects(edits=edits, kinds=kinds, **facts_of(model))


def read_texts(path: Path) -> dict[str, list[str]]:
    """Read texts by their kind from JSON lines of `text` and `kind`."""
    texts: dict[str, list[str]] = {}
    for row in read_rows(path, ("kind", "text")):
        kind, text = row.values
        texts.setdefault(kind, []).append(text)
    return texts


def beginnings_of(
    dataset_options: Datasets, word: str, most: int, room: int | None, tokenizer: Any
) -> dict[str, list[str]]:
    """Cut the beginnings of validation and test documents.

    Args:
        dataset_options: The data sets by split and name, not built.
        word: The word that was edited.
        most: Texts of each kind, at most.
        room: Tokens that the model reads; None where it has no limit.
        tokenizer: Of the model.

    Returns:
        The texts of each kind that there is.

    Raises:
        UserError: When no document has the word behind another one.
    """
    texts: dict[str, list[str]] = {}
    for _, documents in held_out_texts(dataset_options, "cli backpack effects"):
        for document, _ in documents:
            for kind, text in beginnings(document, word):
                own = texts.setdefault(kind, [])
                if len(own) < most and (room is None or len(encode(tokenizer, [text])[0]) < room):
                    own.append(text)
    if not texts.get(AT):
        short = "" if room is None else f", early enough for the {room} tokens that the model reads"
        raise UserError(f"No document of the data set has {word!r} behind another word{short}.")
    return {kind: texts[kind] for kind in (AT, AFTER, ELSEWHERE) if texts.get(kind)}


def beginnings(document: str, word: str) -> Iterator[tuple[str, str]]:
    """Yield beginnings of a document: up to a word, and three words further, or half of it where the word is not."""
    words = document.split()
    if word not in words:
        yield ELSEWHERE, " ".join(words[: max(len(words) // 2, 1)])
        return
    place = words.index(word)
    if place:
        yield AT, " ".join(words[: place + 1])
    if len(words) > place + BEHIND + 1:
        yield AFTER, " ".join(words[: place + BEHIND + 1])


def predictions(model: Any, lexicon: TokenLexicon, texts: Sequence[str]) -> torch.Tensor:
    """Return the logarithms of probabilities of the token that follows each text, `(texts, vocabulary)`."""
    rows = []
    for text in Progress(texts, desc="effects", unit="text", leave=False, disable=None):
        ids = prompt_ids(text, lexicon.tokenizer, model, 0)
        rows.append(model(input_ids=ids, logits_to_keep=1).logits[0, -1].float().log_softmax(-1).cpu())
    return torch.stack(rows)


def measures(before: torch.Tensor, after: torch.Tensor, words: Sequence[int]) -> Mapping[str, Floats]:
    """Measure what changes.

    Args:
        before: `(texts, vocabulary)`, logarithms of probabilities.
        after: The same with the edits.
        words: The wanted and the unwanted token, or none.

    Returns:
        By name, a value for each text.
    """
    values = {
        "divergence": (before.exp() * (before - after)).sum(-1),
        "same_first": (before.argmax(-1) == after.argmax(-1)),
    }
    if words:
        odds = [logs[:, words[0]] - logs[:, words[1]] for logs in (before, after)]
        values |= {"wanted_before": odds[0] > 0, "wanted_after": odds[1] > 0, "log_odds_gained": odds[1] - odds[0]}
    return {name: each.double().numpy() for name, each in values.items()}
