"""What `cli backpack similarity` measures and prints."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy

from backpack.evaluation.correlation import cosines, spearman
from backpack.evaluation.word_pairs import FOLDER, STANDARD, Rated, read_rated, read_translated
from backpack.senses.words import Speller, embedded, is_backpack, word_vectors
from semeqv.results.tables import print_table
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of

if TYPE_CHECKING:
    from backpack.evaluation.similarity import Similarity


def sets_of(options: "Similarity") -> list[Rated]:
    """The sets of pairs that a command names."""
    if options.translation is not None and options.scores is not None:
        return [read_translated(options.translation, options.scores, options.languages, options.apart)]
    paths = options.path or tuple(Path(FOLDER) / name for name in STANDARD)
    return [read_rated(path, options.columns) for path in paths]


def measure(options: "Similarity", subject: Subject) -> list[dict[str, Any]]:
    """Measure a model.

    Args:
        options: What the command was told.
        subject: Its model has input embeddings.

    Returns:
        A line for each set and way to compare.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_tokenizer(model, tokenizer)
    speller, generator, lines = Speller(tokenizer, options.space), numpy.random.default_rng(subject.seed), []
    for rated in sets_of(options):
        spelled = [speller(words) for words in (rated.first, rated.second)]
        several = sum(len(one) > 1 or len(two) > 1 for one, two in zip(*spelled))
        with inference(model, *subject.regime):
            first, second = (embedded(model, ids) for ids in spelled)
            found = cosines(first, second, senses=False)
            if is_backpack(model):
                first, second = (word_vectors(model, ids, options.pieces) for ids in spelled)
                found |= cosines(first, second, senses=True)
        for by, values in found.items():
            correlation, low, high = spearman(values, rated.scores, options.replicates, generator)
            lines.append(
                {
                    "measure": "similarity",
                    "set": rated.name,
                    "by": by,
                    "spearman": correlation,
                    "spearman_low": low,
                    "spearman_high": high,
                    "pairs": len(values),
                    "pairs_of_several_tokens": several,
                    "pieces": options.pieces,
                    "model": name_of(model),
                }
            )
    return lines


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table: a row for each way to compare, a column for each set."""
    sets = {each["set"]: each for each in lines}
    ways = list(dict.fromkeys(each["by"] for each in lines))
    found = {(each["set"], each["by"]): each for each in lines}
    columns = ["by"] + [part for name in sets for part in (name, "95% interval")]
    rows = []
    for by in ways:
        cells = [f"sense {by}" if by.isdecimal() else by]
        for name in sets:
            each = found[name, by]
            cells += [f"{each['spearman']:.3f}", f"{each['spearman_low']:.3f}-{each['spearman_high']:.3f}"]
        rows.append(cells)
    print_table(f"Rank correlation of cosines with ratings, {lines[0]['model']}", columns, rows)
    several = ", ".join(
        f"{each['pairs_of_several_tokens']} of {each['pairs']:,} ({name})" for name, each in sets.items()
    )
    click.echo(f"Pairs with a word of several tokens: {several}.")
