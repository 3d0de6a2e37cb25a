"""Sentence retrieval as an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

from semeqv.babel.options import GrammarOptions
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.scores import read_subsets
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import inference, name_of
from semeqv.tasks.overlap import report_overlaps, training_text
from semeqv.tasks.retrieval.maps import read_map
from semeqv.tasks.retrieval.nearest import Similarities
from semeqv.tasks.retrieval.parallel import Parallel, languages_of, pivot_of, read_parallel
from semeqv.tasks.retrieval.vectors import SentenceEncoder
from semeqv.text.files import writing


@component("retrieval")
@dataclass(frozen=True, kw_only=True)
class Retrieval(Measuring):
    """Measure how often the nearest sentences of the other language hold the translation, in both directions.

    A sentence is a vector: the states of its tokens in a layer of the model (of any kind; of an encoder and a decoder,
    the encoder), pooled. Accuracy at k is the share of the sentences whose translation is among the k most similar
    ones; those that are equally similar share the place, so that vectors that are all alike score as chance does, which
    stands beside the accuracies. Intervals are those of a bootstrap of the pairs of each language. Lines go to
    metrics.jsonl of the run's folder; `cli retrieval-view` draws accuracy by layer from them.

    Args:
        corpus: Where the pairs are from: the Tatoeba sets of LASER, FLORES, Bibles, line-aligned files, or the
            generated corpus.
        path: The folder or archive, if not in its usual place under $SEMEQV_DATA; for moses, what the names of the
            files have in common.
        languages: Each is compared with the pivot. All that there are if left out, of tatoeba and babel.
        pivot: The other language; English if left out, lume for babel.
        split: Of flores (validation is dev, test is devtest) and babel.
        sentences: The first so many pairs; 0 for all, and for 1,000 of babel.
        layer: Layers by number, 0 being the input embedding, `last`, or `all`.
        pooling: The mean or the maximum over tokens, the first (cls) or the last.
        special: Let mean, maximum and last take special tokens too, as sentence-transformers do.
        map: A file of `cli retrieval-map`, by which all sentences are moved but those of the pivot.
        score: Cosine; cosine less the mean cosine of both to their neighbours (CSLS; Conneau et al., 2018, arXiv
            1710.04087); or cosine over that mean (margin; Artetxe & Schwenk, 2019, arXiv 1811.01136).
        neighbours: Of CSLS and margin; 10 and 4 if left out, as there.
        k: The sizes of the lists of nearest sentences.
        subsets: A JSON file of lists of languages, `{"head": ["deu", "fra"], "tail": ["kab"]}`; each gets an average.
        max_length: The most tokens of a sentence; what is beyond is cut off.
        batch_size: Sentences at a time.
        replicates: Samples of the bootstrap.
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
        outcomes: Write to this file, as JSON lines, for every pair whether its translation is found (in part, where
            equals share the place), so that runs on the same pairs can be compared pair by pair.
    """

    corpus: Literal["tatoeba", "flores", "bible", "moses", "babel"] = "tatoeba"
    path: Path | None = None
    languages: tuple[str, ...] = ()
    pivot: str | None = None
    split: Literal["validation", "test"] = "test"
    sentences: int = 0
    layer: tuple[str, ...] = ("last",)
    pooling: Literal["mean", "max", "cls", "last"] = "mean"
    special: bool = False
    map: Path | None = None
    score: Literal["cosine", "csls", "margin"] = "cosine"
    neighbours: int | None = None
    k: tuple[int, ...] = (1, 5, 10)
    subsets: Path | None = None
    max_length: int = 512
    batch_size: int = 64
    replicates: int = 1000
    overlap: bool = True
    outcomes: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, sentences=0, max_length=3, batch_size=1, replicates=1, neighbours=1)
        if min(self.k, default=0) < 1:
            raise ValueError("--k takes one or more sizes, each at least 1.")
        if strange := [word for word in self.layer if word not in ("last", "all") and not word.isdecimal()]:
            raise ValueError(f"--layer takes numbers of layers, last or all, not {strange[0]!r}.")
        if self.corpus == "tatoeba" and self.pivot not in (None, "eng"):
            raise ValueError("--pivot of tatoeba is eng.")
        if self.corpus == "moses" and self.path is None:
            raise ValueError("--corpus moses needs --path: what the names of the files have in common.")
        if self.corpus in ("flores", "bible", "moses") and not self.languages:
            raise ValueError(f"--corpus {self.corpus} needs --languages.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines, self.k)
        return lines


Hits: TypeAlias = "dict[tuple[int, str, int], NDArray[numpy.float32]]"  # by layer, direction and k: (pairs,)
DIRECTIONS = ("to", "from", "both")  # the pivot


def measure(options: Retrieval, subject: Subject) -> list[dict[str, Any]]:
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


def all_hits(options: Retrieval, encoder: SentenceEncoder, pairs: Mapping[str, Parallel]) -> dict[str, Hits]:
    """The hits of every language; the sentences of the pivot are encoded anew only where they are other ones."""
    found, known = dict[str, Hits](), tuple[str, ...]()
    translations: torch.Tensor | None = None
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


def write_outcomes(options: Retrieval, hits: Mapping[str, Hits]) -> None:
    """Write how likely the translation of every pair is found: a line for each language, layer, direction and k."""
    assert options.outcomes is not None
    with writing(options.outcomes) as file:
        for language, found in hits.items():
            for (layer, direction, k), values in found.items():
                head = {"corpus": options.corpus, "of": language, "layer": layer, "direction": direction, "k": k}
                file.write(to_lines([head | {"hits": [round(float(value), 4) for value in values]}]))
    click.echo(f"wrote {options.outcomes}")


def accuracies(
    options: Retrieval, groups: list[Hits], layer: int, direction: str, generator: numpy.random.Generator
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


MOST = 60  # rows of languages and layers; of more, only averages are printed


def print_lines(lines: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Print the table: accuracy to and from the pivot at every k, and that of both with its interval at the last."""
    groups: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["level"], line["of"], line["layer"]), {})[line["direction"]] = line
    if len(groups) > MOST and any(level == "subset" for level, *_ in groups):
        groups = {key: each for key, each in groups.items() if key[0] == "subset"}
    last, first = sizes[-1], lines[0]
    columns = ["language", "layer", *(f"to @{k}" for k in sizes), *(f"from @{k}" for k in sizes)]
    columns += [f"both @{last}", "95% interval", f"random @{last}", "pairs"]
    rows = []
    for (level, name, layer), each in groups.items():
        both = each["both"]
        row = [name if level == "language" else f"{name} ({both['languages']})", str(layer)]
        row += [f"{each[way][f'accuracy@{k}']:.3f}" for way in ("to", "from") for k in sizes]
        low, high = both[f"accuracy@{last}_low"], both[f"accuracy@{last}_high"]
        row += [f"{both[f'accuracy@{last}']:.3f}", f"{low:.3f}-{high:.3f}", f"{both[f'random@{last}']:.4f}"]
        rows.append([*row, f"{both['pairs']:,}"])
    title = f"Retrieval to and from {first['pivot']} ({first['corpus']}), {first['score']}, {first['model']}"
    print_table(title, columns, rows)
