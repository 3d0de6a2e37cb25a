"""What can be measured of a Backpack and of its controls, and how it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Measure:
    """How the lines of a measure are read and shown.

    Args:
        title: What stands above its table.
        of: The fields that say what a line is about.
        headings: What stands above them.
        numbers: The fields that are numbers, and their headings.
        labels: What to call the values of `of`; others are shown as they are.
        across: Whether the values of the last field of `of` are columns, not rows.
        digits: Digits behind the point.
    """

    title: str
    of: tuple[str, ...]
    headings: tuple[str, ...]
    numbers: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    across: bool = False
    digits: int = 3


MEASURES: Mapping[str, Measure] = {
    "perplexity": Measure(
        "Perplexity",
        ("language",),
        ("language",),
        {"perplexity": "perplexity", "bound_perplexity": "least possible", "bits_per_byte": "bits per byte"},
        digits=2,
    ),
    "coverage": Measure(
        "Words both of whose topics are among their senses",
        ("of",),
        ("words",),
        {"both": "both", "distinct": "different indices"},
        {
            "homonyms": "homonyms, their own senses",
            "others": "control: senses of another homonym",
            "unambiguous": "control: words of one sense",
        },
    ),
    "disambiguation": Measure(
        "Occurrences of homonyms parted by sense",
        ("by",),
        ("parted by",),
        {"v_corrected": "corrected", "v": "V-measure", "v_chance": "of chance"},
        {
            "weights": "weights of senses, mean to the end of the sentence",
            "states": "last states of the Transformer, likewise",
            "word": "its last state at the word",
            "reader": "best possible: the reader who knows the grammar",
        },
    ),
    "invariance": Measure(
        "Cosine of the senses of translations",
        ("of",),
        ("senses",),
        {
            "same_index": "same index",
            "other_index": "other index",
            "strangers": "no translation",
            "p_index": "p (indices)",
            "p_partner": "p (partners)",
        },
        {"raw": "as they are", "centred": "less the mean of each index in each language"},
    ),
    "cloze": Measure(
        "Last words guessed",
        ("language",),
        ("language",),
        {"top1": "top 1", "top3": "top 3", "word_perplexity": "perplexity of the word"},
    ),
    "similarity": Measure(
        "Spearman correlation of cosines with ratings",
        ("by", "set"),
        ("cosine of",),
        {"spearman": "Spearman"},
        {"embedding": "input embeddings", "min": "the least of all senses", "max": "the largest of all senses"}
        | {str(index): f"sense {index}" for index in range(64)},
        across=True,
    ),
    "lexical": Measure(
        "Translations found by the nearest vector",
        ("by",),
        ("vectors",),
        {"precision@1": "P@1", "precision@5": "P@5", "random@1": "P@1 by chance"},
        {"embedding": "input embeddings", "all": "all senses"} | {str(index): f"sense {index}" for index in range(64)},
    ),
    "bias": Measure(
        "Bias: the mean of max(p(he) / p(she), p(she) / p(he))",
        ("set",),
        ("sentences",),
        {"bias": "bias", "median": "median", "first_likelier": "he likelier"},
    ),
    "debias": Measure(
        "The same, as fitted",
        ("set",),
        ("sentences",),
        {"before": "before", "suppressed": "suppressed", "after": "after"},
    ),
    "crows-pairs": Measure("Stereotypical sentences preferred", ("kind",), ("kind",), {"stereotypical": "share"}),
    "effects": Measure(
        "What an edit does to the next token",
        ("kind",),
        ("texts",),
        {
            "wanted_before": "wanted before",
            "wanted_after": "wanted after",
            "log_odds_gained": "log odds gained",
            "same_first": "same likeliest token",
            "divergence": "divergence",
        },
    ),
    "topics": Measure(
        "Topic control",
        ("by", "strength"),
        ("by", "strength"),
        {
            "on_topic": "texts on topic",
            "given": "words given",
            "other": "other words of it",
            "distinct": "different pairs",
            "perplexity": "perplexity",
        },
    ),
}
