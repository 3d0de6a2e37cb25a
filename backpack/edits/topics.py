"""Topic control, measured: texts that a Backpack writes about topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import click

from backpack.edits.edited import AppliedEdits
from backpack.edits.steps import Topic
from backpack.evaluation.babel import babel_of, grammar_of, topics_of
from backpack.evaluation.word_pairs import MEMBERS, TOPICS, read_pairs
from backpack.inspection.lexicon import TokenLexicon, open_lexicon
from backpack.measuring import Datasets, IntervalEstimate, Measurement, estimate, facts_of
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import numpy, torch, transformers
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.json_lines import write_lines
from semeqv.runs.progress import Progress
from semeqv.tasks.inference import inference, most_tokens
from semeqv.tasks.likelihood.minimal_pairs import unexpected
from semeqv.text.generation import said_generation
from semeqv.text.models.opening import open_model, open_tokenizer
from semeqv.text.tokenizers.encoding import first_token
from semeqv.train.compute import Compute, ComputeConfig
from semeqv.train.randomness import seed_everything

SHARES = ("on_topic", "given", "other", "distinct")


@dataclass(frozen=True)
class TopicWords:
    """A topic.

    Args:
        name: What to call it.
        words: Those of no other topic, in lower case.
        given: Those of them that an edit is given, likewise.
        tokens: The tokens of these.
    """

    name: str
    words: frozenset[str]
    given: frozenset[str]
    tokens: tuple[int, ...]


class Raised:
    """Adds to the logits of some tokens, as a `LogitsProcessor` of transformers does.

    Args:
        tokens: Which.
        nats: How much.
    """

    def __init__(self, tokens: Sequence[int], nats: float):
        self.tokens, self.nats = list(tokens), nats

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores, `(rows, vocabulary)`, with what is added."""
        raised = scores.clone()
        raised[:, self.tokens] += self.nats
        return raised


@dataclass(frozen=True)
class Sampling:
    """How texts are sampled.

    Args:
        texts: So many of each topic.
        new: Tokens of each.
        temperature: By which logits are divided.
        top_p: Sample among the tokens that have so much of the probability.
        batch_size: Texts at a time.
    """

    texts: int
    new: int
    temperature: float
    top_p: float
    batch_size: int


@dataclass(frozen=True)
class WrittenText:
    """A text about a topic.

    Args:
        by: senses or logits: what was edited.
        strength: How much.
        topic: The topic.
        text: The text.
    """

    by: str
    strength: float
    topic: str
    text: str


@dataclass(frozen=True)
class ControlAtStrength:
    """What texts of one way and strength have of their topics.

    Args:
        by: senses or logits: what was edited.
        strength: How much.
        texts: How many texts.
        on_topic: The share of texts with more words of their topic than of any other.
        given: The share of words that are of the topic, and that the edit was given.
        other: The share of words that are of the topic, and that it was not given.
        distinct: The share of different pairs of neighbouring words.
        perplexity: That of the texts under the judge.
    """

    by: str
    strength: float
    texts: int
    on_topic: IntervalEstimate
    given: IntervalEstimate
    other: IntervalEstimate
    distinct: IntervalEstimate
    perplexity: float


@dataclass(frozen=True, kw_only=True)
class TopicControl(Measurement):
    """Topic control of a model.

    Args:
        judge: The model that gives perplexities.
        topics: How many topics.
        ways: What was reached by each way and strength.
        texts: The texts.
        output: The file of the texts; None where they were not written.
    """

    judge: str
    topics: int
    ways: list[ControlAtStrength]
    texts: list[WrittenText] = field(repr=False)
    output: Path | None = None

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each way and strength."""
        tail = {"judge": self.judge, "topics": self.topics, "model": self.model}
        lines = []
        for way in self.ways:
            line: dict[str, Any] = {"measure": "topics", "by": way.by, "strength": way.strength, "texts": way.texts}
            for name in SHARES:
                line |= getattr(way, name).named(name)
            lines.append(line | {"perplexity": way.perplexity} | tail)
        return lines

    def show(self) -> None:
        """Print the table."""
        rows = []
        for line in self.lines():
            cells = [line["by"], f"{line['strength']:g}"]
            cells += [f"{line[name]:.3f} [{line[f'{name}_low']:.3f}, {line[f'{name}_high']:.3f}]" for name in SHARES]
            rows.append([*cells, f"{line['perplexity']:.1f}", f"{line['texts']:,}"])
        columns = ["by", "strength", "on topic", "words given", "other words of it", "different pairs", "perplexity"]
        print_table(f"Topic control of {self.model}, judged by {self.judge}", [*columns, "texts"], rows, words=1)
        if self.output is not None:
            click.echo(f"wrote {self.output}")


def check_sampling(options: Any) -> None:
    """Refuse strengths and temperatures out of their bounds: `ValueError`."""
    if not options.strengths or min(options.strengths) < 0:
        raise ValueError("--strengths takes one or more numbers, each 0 or more.")
    if options.temperature <= 0:
        raise ValueError(f"--temperature must be above 0, not {options.temperature}.")


@action("backpack topics", check=check_sampling)
def topics(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    lexicon: Path | None = None,
    strengths: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0),
    annealing: Annotated[float, AtLeast(0, 1)] = 0.9,
    given: Annotated[float, AtLeast(0, 1)] = 0.5,
    judge: str,
    texts: Annotated[int, AtLeast(1)] = 20,
    new: Annotated[int, AtLeast(1)] = 50,
    temperature: float = 1.0,
    top_p: Annotated[float, AtLeast(0, 1)] = 0.95,
    batch_size: Annotated[int, AtLeast(1)] = 32,
    replicates: Annotated[int, AtLeast(1)] = 1000,
    by: tuple[Literal["senses", "logits"], ...] = ("senses", "logits"),
    output: Path | None = None,
) -> TopicControl:
    """Measure how far a Backpack can be moved to write about a topic, and what that costs.

    For each topic and strength, texts are written from nothing with `cli backpack edit topic` (Hewitt et al., 2023,
    arXiv 2305.16765, section 6.1). The edit is given a share of the words of the topic; the others, which it is never
    given, show whether the topic has been understood. A text is on topic when it has more words of the topic than of
    any other one. Beside it is what needs no senses: a bias on the logits of the given words, of as many nats. The
    perplexity is that of the texts under another model (--judge), token by token of its own; the share of different
    pairs of words shows texts that repeat themselves. Intervals are those of a bootstrap of the texts. Lines go to
    metrics.jsonl of the run's folder.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built; for topics without `lexicon`.
        seed: Of the words that are given, of the texts, and of the bootstrap.
        compute: Where to compute, and with which numbers.
        lexicon: A topic and a word of it on each line, a tab between them. Without it, the nouns of the generated
            corpus: the sentence then needs `cli dataset babel --split validation`.
        strengths: Those of the edit; 0 is the model as it is.
        annealing: Of the edit, from 0 to 1: what is left of the strength after each word of the topic.
        given: The share of the words of each topic that the edit is given; words of several tokens never are.
        judge: A model that judges the texts: a run folder, a checkpoint, a Hugging Face folder or a hub name.
        texts: So many of each topic, at each strength.
        new: Tokens of each text.
        temperature: Of sampling.
        top_p: Sample among the tokens that have so much of the probability.
        batch_size: Texts at a time.
        replicates: Samples of the bootstrap.
        by: What is compared: the edit of senses, the bias on logits.
        output: Write the texts to this file, as JSON lines.

    Returns:
        What was reached by each way and strength, and the texts.

    Raises:
        UserError: When there are fewer than two topics, or texts are longer than the model reads.
    """
    tokens, room = open_lexicon(model, tokenizer), most_tokens(model)
    if room is not None and new >= room:
        raise UserError(f"--new {new} is too many: the model reads {room} tokens.")
    judging_model, judging_tokenizer = open_model(judge, "AutoModelForCausalLM"), open_tokenizer(judge)
    words = words_of_file(lexicon) if lexicon is not None else words_of_babel(dataset_options or {})
    known = choose_words(exclusive(words), tokens, given, numpy.random.default_rng(seed))
    sampling = Sampling(texts, new, temperature, top_p, batch_size)
    ways = [(way, strength) for way in by for strength in strengths if strength or way == by[0]]
    with inference(model, compute) as running:
        written = {
            (way, strength): write(
                model,
                tokens,
                known,
                [Topic(tokens=topic.tokens, strength=strength, annealing=annealing) for topic in known],
                way=way,
                sampling=sampling,
                seed=seed,
                regime=running,
            )
            for way, strength in ways
        }
    generator, rows = numpy.random.default_rng(seed), []
    with inference(judging_model, compute) as running:
        for (way, strength), pairs in written.items():
            own = [text for _, text in pairs]
            nats, lengths = unexpected(own, judging_model, judging_tokenizer, running, batch_size)
            counts = zip(*(counted(text, topic, known) for topic, text in pairs))
            shares = {
                name: estimate(numpy.array(values), replicates, generator) for name, values in zip(SHARES, counts)
            }
            perplexity = float(numpy.exp(nats.sum() / max(lengths.sum(), 1)))
            rows.append(ControlAtStrength(way, strength, len(pairs), **shares, perplexity=perplexity))
    all_texts = [
        WrittenText(way, strength, topic.name, text)
        for (way, strength), pairs in written.items()
        for topic, text in pairs
    ]
    if output is not None:
        write_lines(output, [vars(text) for text in all_texts])
    return TopicControl(judge=judge, topics=len(known), ways=rows, texts=all_texts, output=output, **facts_of(model))


def words_of_file(path: Path) -> dict[str, list[str]]:
    """Read the words of each topic from a table of topics and words."""
    words: dict[str, list[str]] = {}
    for topic, word in read_pairs(path, (TOPICS, MEMBERS), "a topic and a word of it"):
        words.setdefault(topic, []).append(word)
    return words


def words_of_babel(dataset_options: Datasets) -> dict[str, list[str]]:
    """Return the nouns of each topic of the generated corpus; raises `UserError` when the sentence has none."""
    data = babel_of(dataset_options, ("validation", "test", "train"), "cli backpack topics without --lexicon")
    members = topics_of(grammar_of(data), data.languages, numpy.random.default_rng(0)).members
    words: dict[str, list[str]] = {}
    for word, numbers in (each for language in members.values() for each in language.items()):
        for number in numbers:
            words.setdefault(f"topic {number}", []).append(word)
    return words


def exclusive(topics: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the words that are of one topic alone, by topic; raises `UserError` when there are fewer than two."""
    every = [word for words in topics.values() for word in dict.fromkeys(words)]
    several = {word for word in every if every.count(word) > 1}
    own = {topic: [word for word in dict.fromkeys(words) if word not in several] for topic, words in topics.items()}
    if len(own) < 2:
        raise UserError(f"There is {len(own)} topic, and two are the least: a topic, a tab and a word on each line.")
    return dict(sorted(own.items()))


def choose_words(
    topics: Mapping[str, Sequence[str]], lexicon: TokenLexicon, share: float, generator: numpy.random.Generator
) -> list[TopicWords]:
    """Choose the words of each topic that an edit is given.

    Args:
        topics: The words of each topic.
        lexicon: The tokens of the model.
        share: The share of the words to give.
        generator: Chooses.

    Returns:
        The topics.

    Raises:
        UserError: When no word of a topic is one token.
    """
    chosen_topics = []
    for name, words in topics.items():
        single = [word for word in words if len(lexicon.find(word).tokens) == 1]
        count = min(len(single), max(round(share * len(words)), 1))
        if not count:
            raise UserError(f"No word of {name} is one token of this model, so that it cannot be asked for.")
        given = [single[place] for place in sorted(generator.permutation(len(single))[:count].tolist())]
        every, chosen = (frozenset(map(str.casefold, some)) for some in (words, given))
        chosen_topics.append(TopicWords(name, every, chosen, tuple(map(lexicon.single, given))))
    return chosen_topics


def write(
    model: Any,
    lexicon: TokenLexicon,
    topics: Sequence[TopicWords],
    edits: Sequence[Topic],
    *,
    way: str,
    sampling: Sampling,
    seed: int,
    regime: ComputeConfig,
) -> list[tuple[TopicWords, str]]:
    """Write texts about topics.

    Args:
        model: A Backpack, within `inference`.
        lexicon: Its tokens.
        topics: The topics.
        edits: The edit for each topic.
        way: senses, for the edits; logits, for a bias on logits that is as strong.
        sampling: How many texts, and how to sample.
        seed: The texts of a topic start from it, whatever the way.
        regime: Where the model is.

    Returns:
        Each text, behind its topic.
    """
    starts, texts = first_token(lexicon.tokenizer, masked=False), list[tuple[TopicWords, str]]()
    bar = Progress(topics, desc=f"{way} {edits[0].strength:g}", unit="topic", leave=False, disable=None)
    for place, (topic, edit) in enumerate(zip(bar, edits)):
        seed_everything(seed + 1000 * place)
        raised = [Raised(topic.tokens, edit.strength)] if way == "logits" else []
        with said_generation(model), AppliedEdits(model, [edit] if way == "senses" and edit.strength else []):
            for start in range(0, sampling.texts, sampling.batch_size):
                count = min(sampling.batch_size, sampling.texts - start)
                ids = torch.full((count, 1), starts, device=regime.device)
                tokens = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    logits_processor=transformers.LogitsProcessorList(raised),
                    do_sample=True,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    top_k=0,
                    max_new_tokens=sampling.new,
                    pad_token_id=starts,
                )
                decoded = lexicon.tokenizer.batch_decode(tokens, skip_special_tokens=True)
                texts += [(topic, text.strip()) for text in decoded]
    return texts


def counted(text: str, topic: TopicWords, topics: Sequence[TopicWords]) -> tuple[float, float, float, float]:
    """Count what a text has of a topic.

    Args:
        text: The text.
        topic: The topic.
        topics: All of them.

    Returns:
        1 when the text has more words of the topic than of any other, else 0; the shares of its words that are of the
        topic, given and not; the share of different ones among its pairs of neighbours.
    """
    words = [word.strip(".,;:!?\"'()").casefold() for word in text.split()]
    counts = {each.name: sum(word in each.words for word in words) for each in topics}
    own, most = counts.pop(topic.name), max(counts.values())
    given, total = sum(word in topic.given for word in words), max(len(words), 1)
    pairs = list(pairwise(words))
    different = len(set(pairs)) / len(pairs) if pairs else 1.0
    return float(own > most), given / total, (own - given) / total, different
