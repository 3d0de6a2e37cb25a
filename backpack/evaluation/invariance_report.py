"""What `cli backpack invariance` measures and prints."""

from typing import TYPE_CHECKING, Any

import numpy

from backpack.evaluation.babel import babel_of, grammar_of, translations
from backpack.evaluation.dictionary import entries
from backpack.evaluation.permuting import alikeness
from backpack.senses.words import Speller, check_backpack, without_shared, word_vectors
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of

if TYPE_CHECKING:
    from backpack.evaluation.invariance import Invariance


def measure(options: "Invariance", subject: Subject) -> list[dict[str, Any]]:
    """Measure a Backpack.

    Args:
        options: What the command was told.
        subject: Its model is a Backpack.

    Returns:
        A line for the senses as they are, and one for centred ones.

    Raises:
        UserError: When the model has no senses, or one alone, or there are fewer than two pairs.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_backpack(model)
    check_tokenizer(model, tokenizer)
    if model.config.num_senses < 2:
        raise UserError("cli backpack invariance compares sense indices, and this Backpack has one.")
    if options.path is None:
        pairs = translations(grammar_of(babel_of(subject.dataset_options, ("validation", "test", "train"), "This")))
    else:
        pairs = list(entries(options.path))
    speller = Speller(tokenizer)
    pairs = without_shared(pairs, speller, options.single, options.shared_tokens)[: options.pairs or None]
    if len(pairs) < 2:
        raise UserError(f"There are {len(pairs)} pairs of translations; two are the least.")
    with inference(model, *subject.regime):
        sides = ([pair[side] for pair in pairs] for side in (0, 1))
        left, right = (word_vectors(model, speller(words), options.pieces) for words in sides)
    lines, generator = [], numpy.random.default_rng(subject.seed)
    for of, (one, two) in {"raw": (left, right), "centred": (left - left.mean(0), right - right.mean(0))}.items():
        found = alikeness(one, two, options.permutations, generator)
        lines.append(
            {
                "measure": "invariance",
                "of": of,
                "pairs": len(pairs),
                "dictionary": "babel" if options.path is None else str(options.path),
                "same_index": found.same,
                "other_index": found.other,
                "strangers": found.strangers,
                "p_index": found.p_index,
                "p_partner": found.p_partner,
                "by_index": [round(float(each), 6) for each in found.by_index],
                "permutations": options.permutations,
                "pieces": options.pieces,
                "model": name_of(model),
            }
        )
    return lines


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the tables: all indices together, and each by itself."""
    columns = ("senses", "same index", "other index", "no translations", "p (indices)", "p (partners)", "pairs")
    keys = ("same_index", "other_index", "strangers", "p_index", "p_partner")
    rows = [[each["of"], *(f"{each[key]:.3f}" for key in keys), f"{each['pairs']:,}"] for each in lines]
    print_table(f"Cosine of the senses of translations, {lines[0]['model']}", columns, rows)
    indices = range(len(lines[0]["by_index"]))
    rows = [[each["of"], *(f"{each['by_index'][index]:.2f}" for index in indices)] for each in lines]
    print_table("The same index, one by one", ("senses", *map(str, indices)), rows)
