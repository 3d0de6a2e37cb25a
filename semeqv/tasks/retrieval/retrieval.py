"""Sentence retrieval: whether a sentence's translation is the nearest sentence of the other language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import click

from semeqv.babel.options import GrammarOptions
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.scores import read_subsets
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import to_lines
from semeqv.tasks.answering import Datasets
from semeqv.tasks.inference import inference, name_of, with_new_weights
from semeqv.tasks.overlap import report_overlaps, training_text
from semeqv.tasks.retrieval.maps import LinearMap, read_map
from semeqv.tasks.retrieval.nearest import Similarities
from semeqv.tasks.retrieval.parallel import Parallel, ParallelCorpus
from semeqv.tasks.retrieval.vectors import VECTORS, SentenceEncoder, VectorOptions
from semeqv.text.files import writing
from semeqv.text.generation import tokenizer_of
from semeqv.train.compute import Compute

Hits: TypeAlias = "dict[tuple[int, str, int], NDArray[numpy.float32]]"  # by layer, direction and k: (pairs,)
DIRECTIONS = ("to", "from", "both")  # the pivot
SIZES = (1, 5, 10)


@dataclass(frozen=True)
class RetrievalScores(Result):
    """Accuracies of retrieval.

    Args:
        lines: A JSON object for each language, layer and direction, then those of averages over languages.
        sizes: The sizes of the lists of nearest sentences.
        outcomes: The file of the outcomes of all pairs, where they were written.
    """

    lines: list[dict[str, Any]]
    sizes: tuple[int, ...]
    outcomes: Path | None = None

    def accuracy(
        self, k: int = 1, *, of: str | None = None, layer: int | None = None, direction: str = "both"
    ) -> float:
        """Return an accuracy.

        Args:
            k: The size of the list of nearest sentences.
            of: A language or a subset of languages; all together if None.
            layer: The layer; the last one if None.
            direction: `to` the pivot, `from` it, or `both`.

        Returns:
            From 0 to 1.
        """
        of = self.lines[-1]["of"] if of is None else of
        layer = self.lines[-1]["layer"] if layer is None else layer
        wanted = (of, layer, direction)
        line = next(line for line in self.lines if (line["of"], line["layer"], line["direction"]) == wanted)
        return float(line[f"accuracy@{k}"])

    def show(self) -> None:
        """Print the table."""
        if self.outcomes is not None:
            click.echo(f"wrote {self.outcomes}")
        print_lines(self.lines, self.sizes)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each language, layer and direction."""
        return self.lines


def check_retrieval(options: Any) -> None:
    """Refuse options of retrieval that do not fit each other: `ValueError`."""
    if min(options.k, default=0) < 1:
        raise ValueError("--k takes one or more sizes, each at least 1.")
    if strange := [word for word in options.layer if word not in ("last", "all") and not word.isdecimal()]:
        raise ValueError(f"--layer takes numbers of layers, last or all, not {strange[0]!r}.")
    if options.corpus == "tatoeba" and options.pivot not in (None, "eng"):
        raise ValueError("--pivot of tatoeba is eng.")
    if options.corpus == "moses" and options.path is None:
        raise ValueError("--corpus moses needs --path: what the names of the files have in common.")
    if options.corpus in ("flores", "bible", "moses") and not options.languages:
        raise ValueError(f"--corpus {options.corpus} needs --languages.")


@action("retrieval", check=check_retrieval)
def retrieval(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    corpus: Literal["tatoeba", "flores", "bible", "moses", "babel"] = "tatoeba",
    path: Path | None = None,
    languages: tuple[str, ...] = (),
    pivot: str | None = None,
    split: Literal["validation", "test"] = "test",
    sentences: Annotated[int, AtLeast(0)] = 0,
    layer: tuple[str, ...] = ("last",),
    vectors: VectorOptions = VECTORS,
    map: Path | None = None,
    score: Literal["cosine", "csls", "margin"] = "cosine",
    neighbours: Annotated[int | None, AtLeast(1)] = None,
    k: tuple[int, ...] = SIZES,
    subsets: Path | None = None,
    replicates: Annotated[int, AtLeast(1)] = 1000,
    overlap: bool = True,
    outcomes: Path | None = None,
) -> RetrievalScores:
    """Measure how often the nearest sentences of the other language hold the translation, in both directions.

    A sentence is a vector: the states of its tokens in a layer of the model (of any kind; of an encoder and a decoder,
    the encoder), pooled. Accuracy at k is the share of the sentences whose translation is among the k most similar
    ones; those that are equally similar share the place, so that vectors that are all alike score as chance does, which
    stands beside the accuracies. Intervals are those of a bootstrap of the pairs of each language. Lines go to
    metrics.jsonl of the run's folder; `cli retrieval-view` draws accuracy by layer from them.

    Args:
        model: Has hidden states.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets of the sentence; the training set is compared with the pairs.
        seed: Of the bootstrap.
        compute: Where to compute.
        corpus: Where the pairs are from: the Tatoeba sets of LASER, FLORES, Bibles, line-aligned files, or the
            generated corpus.
        path: The folder or archive, if not in its usual place under $SEMEQV_DATA; for moses, what the names of the
            files have in common.
        languages: Each is compared with the pivot. All that there are if left out, of tatoeba and babel.
        pivot: The other language; English if left out, lume for babel.
        split: Of flores (validation is dev, test is devtest) and babel.
        sentences: The first so many pairs; 0 for all, and for 1,000 of babel.
        layer: Layers by number, 0 being the input embedding, `last`, or `all`.
        vectors: How the states become vectors.
        map: A file of `cli retrieval-map`, by which all sentences are moved but those of the pivot.
        score: Cosine; cosine less the mean cosine of both to their neighbours (CSLS; Conneau et al., 2018, arXiv
            1710.04087); or cosine over that mean (margin; Artetxe & Schwenk, 2019, arXiv 1811.01136).
        neighbours: Of CSLS and margin; 10 and 4 if left out, as there.
        k: The sizes of the lists of nearest sentences.
        subsets: A JSON file of lists of languages, `{"head": ["deu", "fra"], "tail": ["kab"]}`; each gets an average.
        replicates: Samples of the bootstrap.
        overlap: Say how many of the sentences occur in the training text, where that is at hand.
        outcomes: Write to this file, as JSON lines, for every pair whether its translation is found (in part, where
            equals share the place), so that runs on the same pairs can be compared pair by pair.

    Returns:
        The accuracies. `retrieve` measures sentences that are in no corpus.

    Raises:
        UserError: When there is no language, or (from the readers and the encoder) something does not fit.
    """
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    groups = read_subsets(subsets)
    trained = training_text(model, dataset_options) if corpus == "babel" else None
    grammar = trained.corpus.grammar if trained and isinstance(trained.corpus, GrammarOptions) else None
    source = ParallelCorpus(corpus, path, pivot, split, sentences, grammar)
    pairs = {language: source.read(language) for language in source.languages(languages)}
    if not pairs:
        raise UserError(f"There is no language to compare with {source.pivot_language}.")
    linear_map = None if map is None else read_map(map)
    search = search_translations(
        model,
        tokenizer,
        pairs,
        compute=compute,
        layers=layer,
        vectors=vectors,
        score=score,
        neighbours=neighbours,
        sizes=k,
        linear_map=linear_map,
    )
    if outcomes is not None:
        write_outcomes(outcomes, corpus, search.hits)
    texts = {language: side.sentences + side.translations for language, side in pairs.items()}
    overlaps = report_overlaps(texts, model, dataset_options, "sentences") if overlap else {}
    facts = {"model": name_of(model), "corpus": corpus, "pivot": source.pivot_language}
    facts |= {"pooling": vectors.pooling, "score": score} | ({} if map is None else {"map": str(map)})
    lines = score_lines(
        search,
        pairs,
        facts,
        sizes=k,
        subsets=groups,
        replicates=replicates,
        generator=numpy.random.default_rng(seed),
        overlaps=overlaps,
    )
    return RetrievalScores(with_new_weights(lines, model), k, outcomes)


def retrieve(
    model: Any,
    tokenizer: Any,
    sentences: Sequence[str],
    translations: Sequence[str],
    *,
    language: str = "sentences",
    pivot: str = "translations",
    seed: int = 42,
    compute: Compute = Compute(),
    layers: Sequence[str] = ("last",),
    vectors: VectorOptions = VECTORS,
    score: str = "cosine",
    neighbours: int | None = None,
    sizes: Sequence[int] = SIZES,
    linear_map: LinearMap | None = None,
    replicates: int = 1000,
) -> RetrievalScores:
    """Measure how often the nearest of some translations is that of a sentence, and the other way round.

    Args:
        model: Has hidden states.
        tokenizer: Its tokenizer.
        sentences: The sentences, two at least.
        translations: Their translations, in the same order.
        language: What to call the language of the sentences.
        pivot: What to call that of the translations.
        seed: Of the bootstrap.
        compute: Where to compute.
        layers: Layers by number, 0 being the input embedding, `last`, or `all`.
        vectors: How the states become vectors.
        score: cosine, csls or margin; see `retrieval`.
        neighbours: Of csls and margin; the usual number if None.
        sizes: The sizes of the lists of nearest sentences.
        linear_map: By which the sentences are moved.
        replicates: Samples of the bootstrap.

    Returns:
        The accuracies, by layer and direction.

    Raises:
        ValueError: When there are not as many translations as sentences.
    """
    if len(sentences) != len(translations):
        raise ValueError(f"There are {len(sentences)} sentences and {len(translations)} translations.")
    pairs = {language: Parallel(language, tuple(sentences), tuple(translations))}
    search = search_translations(
        model,
        tokenizer,
        pairs,
        compute=compute,
        layers=layers,
        vectors=vectors,
        score=score,
        neighbours=neighbours,
        sizes=sizes,
        linear_map=linear_map,
    )
    facts = {"model": name_of(model), "pivot": pivot, "pooling": vectors.pooling, "score": score}
    generator = numpy.random.default_rng(seed)
    lines = score_lines(search, pairs, facts, sizes=sizes, subsets={}, replicates=replicates, generator=generator)
    return RetrievalScores(with_new_weights(lines, model), tuple(sizes))


@dataclass(frozen=True)
class TranslationSearch:
    """Which translations were found.

    Args:
        hits: By language.
        layers: The layers that were asked for.
        tokens: Of a sentence, on average, by language, and of `pivot`.
    """

    hits: dict[str, Hits]
    layers: list[int]
    tokens: dict[str, float]


def search_translations(
    model: Any,
    tokenizer: Any,
    pairs: Mapping[str, Parallel],
    *,
    compute: Compute,
    layers: Sequence[str],
    vectors: VectorOptions,
    score: str,
    neighbours: int | None,
    sizes: Sequence[int],
    linear_map: LinearMap | None,
) -> TranslationSearch:
    """Search the translation of every sentence of every language; see `retrieve`.

    The sentences of the pivot are encoded anew only where they are other ones.
    """
    hits, known = dict[str, Hits](), tuple[str, ...]()
    translations: torch.Tensor | None = None
    if linear_map and (name := name_of(model)) != linear_map.made.model:
        click.echo(f"The map was fitted on the vectors of {linear_map.made.model}, not of {name}.", err=True)
    with inference(model, compute) as regime:
        encoder = SentenceEncoder.of(model, tokenizer, regime, layers, vectors)
        for language, both in pairs.items():
            if translations is None or both.translations != known:
                known, translations = both.translations, encoder(both.translations, vectors.batch_size, "pivot")
                translations = linear_map.pivots(translations, encoder) if linear_map else translations
            sentences = encoder(both.sentences, vectors.batch_size, language)
            hits[language] = {}
            with torch.autocast("cpu", enabled=False):  # similarities are those of fp32, whatever the model computes in
                sentences = linear_map.moved(sentences, encoder) if linear_map else sentences
                for i, layer in enumerate(encoder.layers):
                    similar = Similarities(sentences[i], translations[i], score, neighbours)
                    for direction, places in zip(DIRECTIONS, similar.places()):
                        hits[language] |= {(layer, direction, k): places.hits(k) for k in sizes}
    if encoder.cut:
        click.echo(f"{encoder.cut:,} sentences had more than {encoder.longest} tokens and were cut.", err=True)
    return TranslationSearch(hits, encoder.layers, encoder.tokens)


def score_lines(
    search: TranslationSearch,
    pairs: Mapping[str, Parallel],
    facts: Mapping[str, Any],
    *,
    sizes: Sequence[int],
    subsets: Mapping[str, Sequence[str]],
    replicates: int,
    generator: numpy.random.Generator,
    overlaps: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return the accuracies of what was found, as JSON.

    Args:
        search: What was found.
        pairs: The pairs of each language.
        facts: What the accuracies depend on.
        sizes: The sizes of the lists of nearest sentences.
        subsets: Lists of languages, each of which gets an average.
        replicates: Samples of the bootstrap.
        generator: What draws them.
        overlaps: What is known of the overlap of each language with the training text.

    Returns:
        A line for each language, layer and direction (to and from the pivot, and the mean of both), then those of the
        averages over the subsets and over all languages.
    """
    groups = {("language", language): [language] for language in pairs}
    averages = {name: [language for language in members if language in pairs] for name, members in subsets.items()}
    averages |= {"all": list(pairs)} if len(pairs) > 1 else {}
    groups |= {("subset", name): members for name, members in averages.items() if members}
    lines = []
    for (level, name), members in groups.items():
        head = {"measure": "retrieval", "level": level, "of": name, "languages": len(members)}
        head |= {"pairs": sum(len(pairs[language]) for language in members)}
        chance = {
            f"random@{k}": float(numpy.mean([min(k / len(pairs[language]), 1) for language in members])) for k in sizes
        }
        rest = dict(facts)
        if level == "language":
            rest |= (overlaps or {}).get(name, {})
            rest |= {"tokens": search.tokens[name], "pivot_tokens": search.tokens["pivot"]}
        for layer in search.layers:
            for direction in DIRECTIONS:
                hits = [search.hits[language] for language in members]
                scores = accuracies(hits, layer, direction, sizes=sizes, replicates=replicates, generator=generator)
                lines.append({**head, "layer": layer, "direction": direction, **scores, **chance, **rest})
    return lines


def write_outcomes(path: Path, corpus: str, hits: Mapping[str, Hits]) -> None:
    """Write how likely the translation of every pair is found: a line for each language, layer, direction and k."""
    with writing(path) as file:
        for language, by_place in hits.items():
            for (layer, direction, k), values in by_place.items():
                head = {"corpus": corpus, "of": language, "layer": layer, "direction": direction, "k": k}
                file.write(to_lines([head | {"hits": [round(float(value), 4) for value in values]}]))


def accuracies(
    groups: Sequence[Hits],
    layer: int,
    direction: str,
    *,
    sizes: Sequence[int],
    replicates: int,
    generator: numpy.random.Generator,
) -> dict[str, float]:
    """Return the mean accuracy of some languages at every k, and its 95% interval, as JSON."""
    scores = dict[str, float]()
    ways = DIRECTIONS[:2] if direction == "both" else (direction,)
    for k in sizes:
        outcomes = [numpy.mean([hits[layer, way, k] for way in ways], axis=0, dtype=float) for hits in groups]
        low, high = interval(outcomes, replicates, generator)
        mean = float(numpy.mean([values.mean() for values in outcomes]))
        scores |= {f"accuracy@{k}": mean, f"accuracy@{k}_low": low, f"accuracy@{k}_high": high}
    return scores


MOST = 60  # rows of languages and layers; of more, only averages are printed


def print_lines(lines: Sequence[dict[str, Any]], sizes: Sequence[int]) -> None:
    """Print the table: accuracy to and from the pivot at every k, and that of both with its interval at the last."""
    groups: dict[tuple[str, str, int], dict[str, dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault((line["level"], line["of"], line["layer"]), {})[line["direction"]] = line
    if len(groups) > MOST and any(level == "subset" for level, *_ in groups):
        groups = {key: by_direction for key, by_direction in groups.items() if key[0] == "subset"}
    last, first = sizes[-1], lines[0]
    columns = ["language", "layer", *(f"to @{k}" for k in sizes), *(f"from @{k}" for k in sizes)]
    columns += [f"both @{last}", "95% interval", f"random @{last}", "pairs"]
    rows = []
    for (level, name, layer), by_direction in groups.items():
        both = by_direction["both"]
        row = [name if level == "language" else f"{name} ({both['languages']})", str(layer)]
        row += [f"{by_direction[way][f'accuracy@{k}']:.3f}" for way in ("to", "from") for k in sizes]
        low, high = both[f"accuracy@{last}_low"], both[f"accuracy@{last}_high"]
        row += [f"{both[f'accuracy@{last}']:.3f}", f"{low:.3f}-{high:.3f}", f"{both[f'random@{last}']:.4f}"]
        rows.append([*row, f"{both['pairs']:,}"])
    title = f"Retrieval to and from {first['pivot']}" + (f" ({first['corpus']})" if "corpus" in first else "")
    title += f", {first['score']}, {first['model']}"
    print_table(title, columns, rows)
