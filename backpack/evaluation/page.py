"""The page of the headline experiment, from numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from backpack.evaluation.averages import Average

NAMES = {"backpack": "Backpack", "gpt2": "GPT-2"}
COVERAGE = {
    "homonyms": "homonyms, their own senses",
    "others": "control: senses of another homonym",
    "unambiguous": "control: words of one sense",
}
PARTED = {
    "weights": "weights of senses, mean to the end of the sentence",
    "states": "last states of the Transformer, likewise",
    "word": "its last state at the word",
    "reader": "best possible: the reader who knows the grammar",
}
COSINES = {"raw": "as they are", "centred": "less the mean of each index in each language"}
PREAMBLE = """\
# Backpacks on text whose senses are known

A Backpack (Hewitt et al., 2023, arXiv 2305.16765) gives each token several sense vectors, whatever stands around it,
and context decides their weights. The text is generated, in two invented languages: nouns belong to topics, and some
words are two nouns, of different topics. GPT-2, the control, has the same trunk and reads the same text for as many
steps. Means are over {runs} runs, with Student's 95% interval.

- *Coverage*: a sense vector speaks of a topic when at least 4 of the 10 nouns that it predicts most, beyond what the
  same index of the mean noun predicts, are of the topic. `both`: some sense speaks of the one topic of a word and some
  of the other. `different indices`: and the index that is strongest for the one is another one than for the other. Two
  controls tell chance: the vectors of another homonym, and words of one sense, asked for its topic and a random one.
- *Disambiguation*: the occurrences of a word parted by 2-means and compared with its senses, by V-measure corrected for
  chance (0: no better than senses dealt out anew; 1: perfect).
- *Translations*: the cosine of the senses of words with one sense and of their one translation; p from 999 permutations
  of the indices of each translation, and of the translations, of each run. Where all words have something in
  common in an index, any two words are alike in it, and p (indices) is small whatever they mean: what counts is the
  cosine of centred senses beside that of words that are no translations, and p (partners).

What a Backpack has in its senses, coverage, and what its weights make of a sentence, disambiguation, are different
questions; neither says the other.

"""


@dataclass(frozen=True)
class Shown:
    """A table.

    Args:
        title: What stands above it.
        columns: The headings.
        rows: The cells.
        words: How many of the first columns are words; the others are numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    words: int = 1


def tables(rows: Sequence[Average]) -> list[Shown]:
    """The tables of an experiment, those without a row left out.

    Args:
        rows: The averages.

    Returns:
        Perplexity, coverage, disambiguation, translations.
    """
    found = {(row.model, row.measure, row.of, row.number): row for row in rows}
    models = list(dict.fromkeys(row.model for row in rows))

    def cell(model: str, measure: str, of: str, number: str) -> str:
        row = found.get((model, measure, of, number))
        return said(row) if row else ""

    languages = list(dict.fromkeys(row.of for row in rows if row.measure == "perplexity"))
    perplexity = [
        [NAMES.get(model, model), of, *(cell(model, "perplexity", of, n) for n in ("perplexity", "bound_perplexity"))]
        for model in models
        for of in languages
        if (model, "perplexity", of, "perplexity") in found
    ]
    coverage = [
        [NAMES.get(model, model), label, *(cell(model, "coverage", of, n) for n in ("both", "distinct"))]
        for model in models
        for of, label in COVERAGE.items()
        if (model, "coverage", of, "both") in found
    ]
    parted = [
        [
            NAMES.get(model, model),
            label,
            *(cell(model, "disambiguation", by, n) for n in ("v_corrected", "v", "v_chance")),
        ]
        for model in models
        for by, label in PARTED.items()
        if (model, "disambiguation", by, "v") in found
    ]
    keys = ("same_index", "other_index", "strangers", "p_index", "p_partner")
    cosines = [
        [NAMES.get(model, model), label, *(cell(model, "invariance", of, n) for n in keys)]
        for model in models
        for of, label in COSINES.items()
        if (model, "invariance", of, "same_index") in found
    ]
    shown = [
        Shown("Perplexity", ("model", "language", "perplexity", "least possible"), perplexity, 2),
        Shown("Coverage", ("model", "", "both", "different indices"), coverage, 2),
        Shown("Disambiguation", ("model", "parted by", "corrected", "V-measure", "of chance"), parted, 2),
        Shown(
            "Translations",
            ("model", "senses", "same index", "other index", "no translations", "p (indices)", "p (partners)"),
            cosines,
            2,
        ),
    ]
    return [table for table in shown if table.rows]


def said(row: Average) -> str:
    """`0.75 ± 0.04`; of probabilities each, since their mean says nothing."""
    if row.number.startswith("p_"):
        return ", ".join(f"{each:.3f}" for each in row.runs)
    digits = 2 if row.measure == "perplexity" else 3
    return f"{row.mean:.{digits}f}" + ("" if row.half is None else f" ± {row.half:.{digits}f}")


def page(rows: Sequence[Average], name: str) -> str:
    """The page as Markdown.

    Args:
        rows: The averages.
        name: The folder of its figure.

    Returns:
        The text.
    """
    runs = max(len(row.runs) for row in rows)
    parts = [PREAMBLE.format(runs=runs), f"![What was measured, beside its controls]({name}/senses.png)\n"]
    for table in tables(rows):
        rule = ["---"] * table.words + ["---:"] * (len(table.columns) - table.words)
        lines = [list(table.columns), rule, *table.rows]
        parts.append(f"\n## {table.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")
    return "".join(parts)
