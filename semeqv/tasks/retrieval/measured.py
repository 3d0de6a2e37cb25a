"""What `cli retrieval` measures."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from semeqv.babel.options import GrammarOptions
from semeqv.results.averages import read_subsets
from semeqv.results.intervals import interval
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.retrieval.maps import read_map
from semeqv.tasks.retrieval.nearest import Similarities
from semeqv.tasks.retrieval.parallel import Parallel, languages_of, pivot_of, read_parallel
from semeqv.tasks.retrieval.vectors import SentenceEncoder
from semeqv.tasks.training_text import report_overlaps, training_text
from semeqv.text.files import writing

if TYPE_CHECKING:
    from semeqv.tasks.retrieval.retrieval import Retrieval

Hits = dict[tuple[int, str, int], NDArray[numpy.float32]]  # by layer, direction and k: (pairs,)
DIRECTIONS = ("to", "from", "both")  # the pivot


def measure(options: "Retrieval", subject: Subject) -> list[dict[str, Any]]:
    """Measure a model on every language.

    Args:
        options: What the command was told.
        subject: Its model has hidden states.

    Returns:
        A line for each language, layer and direction (to and from the pivot, and the mean of both), then those of the
        averages over the subsets and over all languages.

    Raises:
        UserError: When there is no language, or (from the readers and the encoder) something does not fit.
    """
    model, tokenizer = subject.model, subject.tokenizer
    pivot, subsets = pivot_of(options), read_subsets(options.subsets)
    trained = training_text(model, subject.dataset_options) if options.corpus == "babel" else None
    grammar = trained.corpus.grammar if trained and isinstance(trained.corpus, GrammarOptions) else None
    pairs = {each: read_parallel(options, each, pivot, grammar) for each in languages_of(options, pivot)}
    if not pairs:
        raise UserError(f"There is no language to compare with {pivot}.")
    with inference(model, *subject.regime) as running:
        encoder = SentenceEncoder(
            model,
            tokenizer,
            running,
            layers=options.layer,
            pooling=options.pooling,
            special=options.special,
            longest=options.max_length,
        )
        hits = all_hits(options, encoder, pairs)
    if options.outcomes is not None:
        write_outcomes(options, hits)
    if encoder.cut:
        click.echo(f"{encoder.cut:,} sentences had more than {encoder.longest} tokens and were cut.", err=True)
    overlaps: Mapping[str, dict[str, Any]] = {}
    if options.overlap:
        groups = {each.language: each.sentences + each.translations for each in pairs.values()}
        overlaps = report_overlaps(groups, model, subject.dataset_options, "sentences")
    generator = numpy.random.default_rng(subject.seed)
    said = {
        "model": name_of(model),
        "corpus": options.corpus,
        "pivot": pivot,
        "pooling": options.pooling,
        "score": options.score,
    }
    said |= {} if options.map is None else {"map": str(options.map)}
    groups_of = {("language", language): [language] for language in pairs}
    averages = {name: [each for each in listed if each in pairs] for name, listed in subsets.items()}
    averages |= {"all": list(pairs)} if len(pairs) > 1 else {}
    groups_of |= {("subset", name): listed for name, listed in averages.items() if listed}
    lines = []
    for (level, name), listed in groups_of.items():
        head = {"measure": "retrieval", "level": level, "of": name, "languages": len(listed)}
        head |= {"pairs": sum(len(pairs[each]) for each in listed)}
        rest = said | (overlaps.get(name, {}) if level == "language" else {})
        if level == "language":
            rest |= {"tokens": encoder.tokens[name], "pivot_tokens": encoder.tokens["pivot"]}
        for layer in encoder.layers:
            for direction in DIRECTIONS:
                found = accuracies(options, [hits[each] for each in listed], layer, direction, generator)
                chance = {
                    f"random@{k}": float(numpy.mean([min(k / len(pairs[each]), 1) for each in listed]))
                    for k in options.k
                }
                lines.append({**head, "layer": layer, "direction": direction, **found, **chance, **rest})
    return lines


def all_hits(options: "Retrieval", encoder: SentenceEncoder, pairs: Mapping[str, Parallel]) -> dict[str, Hits]:
    """The hits of every language; the sentences of the pivot are encoded anew only where they are other ones."""
    found, known = dict[str, Hits](), tuple[str, ...]()
    translations: Tensor | None = None
    linear = read_map(options.map) if options.map is not None else None
    if linear and (name := name_of(encoder.model)) != linear.made.model:
        click.echo(f"The map was fitted on the vectors of {linear.made.model}, not of {name}.", err=True)
    for language, each in pairs.items():
        if translations is None or each.translations != known:
            known, translations = each.translations, encoder(each.translations, options.batch_size, "pivot")
            translations = linear.pivots(translations, encoder) if linear else translations
        sentences = encoder(each.sentences, options.batch_size, language)
        found[language] = {}
        with torch.autocast("cpu", enabled=False):  # similarities are those of fp32, whatever the model computes in
            sentences = linear.moved(sentences, encoder) if linear else sentences
            for i, layer in enumerate(encoder.layers):
                similar = Similarities(sentences[i], translations[i], options.score, options.neighbours)
                for direction, places in zip(DIRECTIONS, similar.places()):
                    found[language] |= {(layer, direction, k): places.hits(k) for k in options.k}
    return found


def write_outcomes(options: "Retrieval", hits: Mapping[str, Hits]) -> None:
    """Write how likely the translation of every pair is found: a line for each language, layer, direction and k."""
    assert options.outcomes is not None
    with writing(options.outcomes) as file:
        for language, found in hits.items():
            for (layer, direction, k), values in found.items():
                head = {"corpus": options.corpus, "of": language, "layer": layer, "direction": direction, "k": k}
                file.write(to_lines([head | {"hits": [round(float(value), 4) for value in values]}]))
    click.echo(f"wrote {options.outcomes}")


def accuracies(
    options: "Retrieval", groups: list[Hits], layer: int, direction: str, generator: numpy.random.Generator
) -> dict[str, float]:
    """The mean accuracy of some languages at every k, and its 95% interval, as JSON."""
    found = dict[str, float]()
    ways = DIRECTIONS[:2] if direction == "both" else (direction,)
    for k in options.k:
        outcomes = [numpy.mean([hits[layer, way, k] for way in ways], axis=0, dtype=float) for hits in groups]
        low, high = interval(outcomes, options.replicates, generator)
        mean = float(numpy.mean([each.mean() for each in outcomes]))
        found |= {f"accuracy@{k}": mean, f"accuracy@{k}_low": low, f"accuracy@{k}_high": high}
    return found
