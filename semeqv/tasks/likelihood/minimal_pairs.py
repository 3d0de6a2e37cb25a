"""Minimal pairs of sentences, and how probable a model finds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from semeqv.runs.errors import UserError
from semeqv.tasks.inference import check_tokenizer
from semeqv.tasks.likelihood.scoring import Scorer, mask_for
from semeqv.text.archives import COMPRESSED, is_archive, names
from semeqv.text.datasets.tokenised import first_token, separator
from semeqv.text.location import locate
from semeqv.text.readers.jsonl import read_rows
from semeqv.text.tokenizers.encoding import encode
from semeqv.train.bars import Progress
from semeqv.train.compute import Regime

SOURCE = "https://github.com/alexwarstadt/blimp"
FIELDS = ("sentence_good", "sentence_bad", "UID", "linguistics_term", "field")
ENDINGS = tuple(f".jsonl{suffix}" for suffix in COMPRESSED)


@dataclass(frozen=True, slots=True)
class MinimalPair:
    """Two sentences that differ in grammaticality alone.

    Args:
        good: The grammatical one.
        bad: The other.
        paradigm: How they differ.
        phenomenon: Of what the paradigm is a case.
        field: Of linguistics.
    """

    good: str
    bad: str
    paradigm: str
    phenomenon: str
    field: str


def read_pairs(path: Path | None, paradigms: Sequence[str] = (), most: int = 0) -> list[MinimalPair]:
    """Read minimal pairs.

    Args:
        path: A folder or an archive of JSON lines, or a file of them; their usual place if None.
        paradigms: Only these; all if empty.
        most: The first so many of each paradigm; 0 for all.

    Returns:
        The pairs, in the order of the files.

    Raises:
        UserError: When there is none, or one is malformed.
    """
    place = locate("blimp/blimp", path, SOURCE) if path is not None else located()
    files = [place]
    if place.is_dir() or is_archive(place):
        files = [place / name for name in names(place) if name.endswith(ENDINGS)]
    found, counts = list[MinimalPair](), dict[str, int]()
    for file in files:
        for row in read_rows(file, FIELDS):
            good, bad, paradigm, phenomenon, field = row.values
            field = field.replace("/", "_")  # one of BLiMP's paradigms spells its field otherwise
            pair = MinimalPair(good, bad, paradigm, phenomenon, field)
            counts[pair.paradigm] = counts.get(pair.paradigm, 0) + 1
            if (not paradigms or pair.paradigm in paradigms) and not 0 < most < counts[pair.paradigm]:
                found.append(pair)
    if strange := [paradigm for paradigm in paradigms if paradigm not in counts]:
        raise UserError(f"{place} has no paradigm {strange[0]!r}; it has {', '.join(sorted(counts)) or 'none':.300}.")
    if not found:
        raise UserError(f"{place} has no minimal pairs (*.jsonl).")
    return found


def located() -> Path:
    """The usual places: an archive in the folder `blimp`, or that folder."""
    try:
        return locate("blimp/blimp", source=SOURCE)
    except UserError:
        return locate("blimp", source=SOURCE)


def scored(
    pairs: Sequence[MinimalPair], model: Any, tokenizer: Any, regime: Regime, rows: int
) -> NDArray[numpy.float64]:
    """How unexpected the sentences of pairs are to a model.

    Args:
        pairs: The pairs.
        model: Predicts tokens, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        rows: Sentences at a time; those of like length go together.

    Returns:
        `(pairs, 2)`, negative log-likelihoods in nats, or pseudo-log-likelihoods: good, bad.
    """
    sentences = [text for pair in pairs for text in (pair.good, pair.bad)]
    return unexpected(sentences, model, tokenizer, regime, rows)[0].reshape(-1, 2)


def unexpected(
    texts: Sequence[str], model: Any, tokenizer: Any, regime: Regime, rows: int
) -> tuple[NDArray[numpy.float64], NDArray[numpy.int64]]:
    """How unexpected texts are to a model, each by itself behind the token that starts a text.

    Args:
        texts: The texts.
        model: Predicts tokens, within `inference`.
        tokenizer: Its tokenizer.
        regime: Where the model is.
        rows: Texts at a time; those of like length go together.

    Returns:
        `(texts,)` each: negative log-likelihoods in nats, or pseudo-log-likelihoods, and tokens.
    """
    check_tokenizer(model, tokenizer)
    mask = mask_for(model, tokenizer, not getattr(model, "predicts_next", False))
    scorer, (before, after) = Scorer(model, regime, mask), around(tokenizer, mask is not None)
    said = [[*before, *ids, *after] for ids in encode(tokenizer, texts)]
    lengths = numpy.array([len(ids) for ids in said], numpy.int64)
    order, nats = numpy.argsort(-lengths, kind="stable"), numpy.zeros(len(said))
    with Progress(total=len(said), desc="score", unit="text", leave=False, disable=None, mininterval=0.5) as bar:
        for start in range(0, len(order), rows):
            which = order[start : start + rows]
            real = numpy.arange(lengths[which].max()) < lengths[which][:, None]
            ids = numpy.zeros(real.shape, numpy.int64)
            ids[real] = numpy.concatenate([said[i] for i in which])
            asked = real.copy()
            asked[:, : len(before)] = False
            asked[numpy.arange(real.shape[1]) >= lengths[which][:, None] - len(after)] = False
            nats[which] = scorer(ids, real, asked).sum(1)
            bar.update(len(which))
    return nats, lengths - len(before) - len(after)


def around(tokenizer: Any, masked: bool) -> tuple[list[int], list[int]]:
    """The tokens before and after a text, as models are trained on; a masked model sees both, a causal one the first.

    Raises `UserError` when the tokenizer has no token for the purpose.

    Args:
        tokenizer: Has special tokens.
        masked: Whether it is for a masked model.

    Returns:
        Those before, and those after.
    """
    return [first_token(tokenizer, masked)], [separator(tokenizer)] if masked else []
