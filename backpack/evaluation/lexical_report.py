"""What `cli backpack lexical` measures and prints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy
from torch import Tensor

from backpack.evaluation.dictionary import entries
from backpack.evaluation.induction import chance, gold_of, places_among, ranks
from backpack.senses.words import Speller, embedded, is_backpack, without_shared, word_vectors
from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of

if TYPE_CHECKING:
    from backpack.evaluation.lexicon_induction import Lexical


def measure(options: "Lexical", subject: Subject) -> list[dict[str, Any]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model has input embeddings.

    Returns:
        A line for each way to compare words.

    Raises:
        UserError: When no pair is left.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_tokenizer(model, tokenizer)
    speller = Speller(tokenizer)
    every = without_shared(list(entries(options.path)), speller, options.single, shared=True)
    pairs = without_shared(every, speller, options.single, options.shared_tokens)
    if not pairs:
        raise UserError(f"{options.path} has no pair of single words that is left with these options.")
    sources, targets, gold = gold_of(pairs)
    sources, gold = sources[: options.words or None], gold[: options.words or None]
    excluded = places_among(sources, targets, set(every) - set(pairs))  # they are right, too
    spelled = speller(sources), speller(targets)
    with inference(model, *subject.regime):
        ways = {"embedding": tuple(embedded(model, each) for each in spelled)}
        if is_backpack(model):
            senses = [word_vectors(model, each, options.pieces) for each in spelled]
            for index in range(senses[0].shape[1]):
                ways[str(index)] = tuple(each[:, index : index + 1] for each in senses)
            ways["all"] = tuple(senses)
    generator, head = numpy.random.default_rng(subject.seed), {"measure": "lexical", "dictionary": str(options.path)}
    tail: dict[str, Any] = {
        "words": len(sources),
        "candidates": len(targets),
        "pieces": options.pieces,
        "model": name_of(model),
    }
    tail |= {f"random@{k}": chance(gold, excluded, len(targets), k) for k in options.k}
    return [
        head | {"by": by} | precisions(options, two, (gold, excluded), generator) | tail for by, two in ways.items()
    ]


def precisions(
    options: "Lexical",
    vectors: tuple[Tensor, ...],
    targets: tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]],
    generator: numpy.random.Generator,
) -> dict[str, float]:
    """The precision at each k, and its interval; `targets` are those right for each source, and those left out."""
    places, found = ranks(vectors[0], vectors[1], *targets), dict[str, float]()
    for k in options.k:
        low, high = interval([places <= k], options.replicates, generator)
        found |= {f"precision@{k}": float((places <= k).mean()), f"precision@{k}_low": low, f"precision@{k}_high": high}
    return found


def print_lines(lines: list[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Print the table."""
    columns = ["by"] + [part for k in sizes for part in (f"P@{k}", "95% interval")]
    rows = []
    for each in lines:
        cells = [f"sense {each['by']}" if each["by"].isdecimal() else each["by"]]
        for k in sizes:
            low, high = each[f"precision@{k}_low"], each[f"precision@{k}_high"]
            cells += [f"{each[f'precision@{k}']:.3f}", f"{low:.3f}-{high:.3f}"]
        rows.append(cells)
    rows.append(["by chance"] + [part for k in sizes for part in (f"{lines[0][f'random@{k}']:.4f}", "")])
    title = f"Words of {lines[0]['dictionary']} found, {lines[0]['model']}"
    print_table(f"{title}: {lines[0]['words']:,} among {lines[0]['candidates']:,}", columns, rows)
