"""What `cli perplexity` measures and prints."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.likelihood.babel_bound import babel_bound
from semeqv.tasks.likelihood.measured import Likelihood, files_of, likelihood
from semeqv.tasks.likelihood.scoring import Scorer, mask_for
from semeqv.tasks.overlap import lines_of
from semeqv.tasks.training_text import report_overlap
from semeqv.text.datasets.reading import chosen
from semeqv.text.generation import tokenizer_of

if TYPE_CHECKING:
    from semeqv.tasks.likelihood.perplexity import Perplexity

Sets = Mapping[tuple[str, str | None], Any]


def measure_sets(
    options: "Perplexity",
    model: Any,
    tokenizer: Any,
    *,
    dataset: Sets,
    dataset_options: Sets,
    regime: tuple[str, str, int | None],
) -> list[dict[str, Any]]:
    """Measure a model on data sets.

    Args:
        options: What the command was told.
        model: Predicts tokens.
        tokenizer: Its tokenizer; the one in its folder if None.
        dataset: The data sets, by split and name.
        dataset_options: Their components, which yield the raw text.
        regime: Device, precision, threads.

    Returns:
        A line for each language of each set, and one for all its languages together where there are several.

    Raises:
        UserError: When there is nothing to measure on, or the model cannot be measured so.
    """
    chosen = {key: each for key, each in dataset.items() if key[0] in options.splits}
    if not chosen:
        raise UserError(f"There is nothing to measure on: add a data set with --split {options.splits[0]}.")
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    mask, lines = mask_for(model, tokenizer, options.pseudo), list[dict[str, Any]]()
    for (split, name), data in chosen.items():
        component, head = dataset_options[split, name], {"measure": "perplexity", "split": split, "name": name}
        if options.overlap and split != "train" and getattr(component, "knows_text", True):
            texts = (document.text for document in component.corpus())
            head |= report_overlap(lines_of(texts), model, dataset_options, f"lines of {called(split, name)}")
        words = words_of(component, data.facts()["together"]) if options.words else {}
        parts = dict[str, Likelihood]()
        for language, file, layout in files_of(data, called(split, name)):
            with inference(model, *regime) as running:
                parts[language] = likelihood(
                    Scorer(model, running, mask),
                    file,
                    layout,
                    stride=options.stride,
                    special=tokenizer.all_special_ids,
                    separators=options.separators,
                    size=int(data.facts()["languages"][language]["bytes"]),
                    words=words.get(language, 0),
                )
            found = line(options, head, language, parts[language])
            bound = None if options.pseudo else babel_bound(data.facts(), language, options.bound)
            lines.append(found | (bound.facts(parts[language]) if bound else {}) | said_of(options, model, layout.time))
        if len(parts) > 1:
            total = sum(parts.values(), Likelihood())
            lines.append(line(options, head, "all", total) | said_of(options, model, layout.time))
    return lines


def called(split: str, name: str | None) -> str:
    """`validation en`."""
    return f"{split} {name}" if name else split


def words_of(component: Any, together: bool) -> Counter[str]:
    """The words of a corpus by language, or by what stands together, ends of lines among them."""
    counts = Counter[str]()
    for row in chosen(component):
        for language, text in row.items():
            said = len(text.split()) + text.count("\n") + (not text.endswith("\n"))
            counts["+".join(row) if together else language] += said
    return counts


def line(options: "Perplexity", head: Mapping[str, Any], language: str, found: Likelihood) -> dict[str, Any]:
    """A measurement as JSON."""
    first = "pseudo_perplexity" if options.pseudo else "perplexity"
    by_words = {"words": found.words, "word_perplexity": found.word_perplexity} if found.words else {}
    return {
        **head,
        "language": language,
        first: found.perplexity,
        "nats_per_token": found.nats_per_token,
        "bits_per_byte": found.bits_per_byte,
        **by_words,
        "tokens": found.tokens,
        "separators": found.separators,
        "bytes": found.bytes,
    }


def said_of(options: "Perplexity", model: Any, time: int) -> dict[str, Any]:
    """What a measurement depends on."""
    return {"model": name_of(model), "block_size": time, "stride": options.stride}


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    pseudo = "pseudo_perplexity" in lines[0]
    bounded, worded = (any(key in each for each in lines) for key in ("bound_perplexity", "word_perplexity"))
    columns = [
        "set",
        "language",
        "pseudo-\nperplexity" if pseudo else "perplexity",
        "nats per\ntoken",
        "bits per\nbyte",
    ]
    columns += ["by words"] * worded + ["least\npossible", "bits per\nbyte"] * bounded + ["tokens"]
    rows = []
    for each in lines:
        row = [called(each["split"], each["name"]), each["language"]]
        row += [f"{each['pseudo_perplexity' if pseudo else 'perplexity']:.3f}"]
        row += [f"{each[key]:.4f}" for key in ("nats_per_token", "bits_per_byte")]
        row += [f"{each['word_perplexity']:.2f}" if "word_perplexity" in each else ""] * worded
        if bounded:
            about = "" if each.get("bound_exact", True) else "~"
            keys = {"bound_perplexity": ".3f", "bound_bits_per_byte": ".4f"}
            row += [f"{about}{each[key]:{kind}}" if key in each else "" for key, kind in keys.items()]
        rows.append([*row, f"{each['tokens']:,}"])
    print_table(f"{'Pseudo-perplexity' if pseudo else 'Perplexity'} of {lines[0]['model']}", columns, rows, words=2)
