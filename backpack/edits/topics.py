"""Topic control, measured, as an action."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from semeqv.runs.json_lines import write_lines

if TYPE_CHECKING:
    from backpack.networks.editing import WeightEdit

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Literal

from backpack.edits.edited import applied
from backpack.edits.steps import Step
from backpack.evaluation.babel import babel_of, grammar_of, topics_of
from backpack.evaluation.word_pairs import MEMBERS, TOPICS, read_pairs
from backpack.senses.lexicon import Lexicon
from backpack.senses.senses import open_lexicon
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import numpy, torch, transformers
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.progress import Progress
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import inference, most_tokens, name_of
from semeqv.tasks.likelihood.minimal_pairs import unexpected
from semeqv.text.datasets.tokenised import first_token
from semeqv.text.generation import said_generation
from semeqv.text.models.opening import open_model, open_tokenizer
from semeqv.train.compute import Regime
from semeqv.train.randomness import seed_everything


@component("backpack topics")
@dataclass(frozen=True, kw_only=True)
class Topics(Measuring):
    """Measure how far a Backpack can be moved to write about a topic, and what that costs.

    For each topic and strength, texts are written from nothing with `cli backpack edit topic` (Hewitt et al., 2023,
    arXiv 2305.16765, section 6.1). The edit is given a share of the words of the topic; the others, which it is never
    told, say whether the topic has been understood. A text is on topic when it has more words of the topic than of any
    other one. Beside it stands what needs no senses: a bias on the logits of the given words, of as many nats. The
    perplexity is that of the texts under another model (--judge), token by token of its own; the share of different
    pairs of words tells texts that repeat themselves. Intervals are those of a bootstrap of the texts. Lines go to
    metrics.jsonl of the run's folder.

    Args:
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
    """

    lexicon: Path | None = None
    strengths: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0)
    annealing: float = 0.9
    given: float = 0.5
    judge: str
    texts: int = 20
    new: int = 50
    temperature: float = 1.0
    top_p: float = 0.95
    batch_size: int = 32
    replicates: int = 1000
    by: tuple[Literal["senses", "logits"], ...] = ("senses", "logits")
    output: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, annealing=(0, 1), given=(0, 1), texts=1, new=1, top_p=(0, 1), batch_size=1, replicates=1)
        if not self.strengths or min(self.strengths) < 0:
            raise ValueError("--strengths takes one or more numbers, each 0 or more.")
        if self.temperature <= 0:
            raise ValueError(f"--temperature must be above 0, not {self.temperature}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, print the table, and write the texts."""

        lines, texts = measure(self, subject)
        print_lines(lines)
        if self.output is not None:
            write_lines(self.output, texts)
            click.echo(f"wrote {self.output}")
        return lines


@dataclass(frozen=True, kw_only=True)
class Topic(Step):
    """Weights of senses are multiplied by 1 + strength * max(0, z) * annealing^n.

    z says how much a sense speaks for the topic: the mean of its logits for the words of the topic, in standard
    deviations of its logits over the vocabulary, from their mean. n is how many words of the topic have been read so
    far, so that a topic that was taken up is pressed less. The idea is that of Hewitt et al. (2023, arXiv 2305.16765);
    these formulas are this project's.

    Args:
        tokens: The words of the topic.
        strength: How much; 0 changes nothing.
        annealing: From 0 to 1; 1 for no annealing.
    """

    kind: ClassVar[str] = "topic"
    tokens: tuple[int, ...]
    strength: float
    annealing: float

    def of_weights(self, model: Any) -> WeightEdit:
        """The function; what senses say for the topic is remembered, token by token, and knows no later edit."""
        before = list(model.backpack.sense_edits)
        head = model.get_output_embeddings().weight.detach().float()
        wanted, mean = torch.tensor(self.tokens, device=head.device), head.mean(0)
        toward = head[wanted].mean(0) - mean
        with torch.autocast(head.device.type, enabled=False):
            spread = (head - mean).T @ (head - mean) / len(head)  # (d, d): a sense's logits vary by C^T spread C
        known = head.new_full((len(head), model.config.num_senses), torch.nan)

        def relevance(token_ids: torch.Tensor) -> torch.Tensor:
            """z of tokens, 0 where it is below, `(batch, time, senses)`."""
            different = torch.unique(token_ids)
            new = different[known[different, 0].isnan()]
            if len(new):
                senses = model.backpack.senses(new, before).detach().float()
                with torch.autocast(head.device.type, enabled=False):
                    deviation = torch.einsum("nkd,de,nke->nk", senses, spread, senses).clamp(min=0).sqrt()
                    z = (senses @ toward) / deviation.clamp(min=torch.finfo(torch.float32).tiny)
                known[new] = z.clamp(min=0)
            found: torch.Tensor = known[token_ids]
            return found

        def edit(weights: torch.Tensor, token_ids: torch.Tensor) -> torch.Tensor:
            nonlocal known, toward, spread
            known, toward, spread = (each.to(weights.device) for each in (known, toward, spread))
            z = relevance(token_ids).permute(0, 2, 1)[:, :, None]  # (batch, senses, 1, time)
            read = torch.isin(token_ids, wanted.to(token_ids.device)).cumsum(1)[:, -weights.shape[2] :]
            left = self.strength * self.annealing ** read.float()  # (batch, queries)
            return (weights * (1 + left[:, None, :, None] * z)).to(weights.dtype)

        return edit


SHARES = ("on_topic", "given", "other", "distinct")


@dataclass(frozen=True)
class TopicWords:
    """A topic.

    Args:
        name: What to call it.
        words: Those of no other topic, in lower case.
        given: Those of them that an edit is told, likewise.
        tokens: The tokens of these.
    """

    name: str
    words: frozenset[str]
    given: frozenset[str]
    tokens: tuple[int, ...]


class Raised:
    """Adds to the logits of some tokens; a `LogitsProcessor` of transformers by its call.

    Args:
        tokens: Which.
        nats: How much.
    """

    def __init__(self, tokens: Sequence[int], nats: float):
        self.tokens, self.nats = list(tokens), nats

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """The scores, `(rows, vocabulary)`, with what is added."""
        raised = scores.clone()
        raised[:, self.tokens] += self.nats
        return raised


def measure(options: Topics, subject: Subject) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Write texts on each topic at each strength, and measure them.

    Args:
        options: What the command was told.
        subject: A Backpack.

    Returns:
        A line for each way and strength, and the texts.

    Raises:
        UserError: When there are fewer than two topics, or texts are longer than the model reads.
    """
    model, lexicon = subject.model, open_lexicon(subject.model, subject.tokenizer)
    room = most_tokens(model)
    if room is not None and options.new >= room:
        raise UserError(f"--new {options.new} is too many: the model reads {room} tokens.")
    judge, judging = open_model(options.judge, "AutoModelForCausalLM"), open_tokenizer(options.judge)
    topics = told(options, words_of(options, subject.dataset_options), lexicon, numpy.random.default_rng(subject.seed))
    ways = [(by, strength) for by in options.by for strength in options.strengths if strength or by == options.by[0]]
    with inference(model, *subject.regime) as running:
        written = {
            way: write(options, model, lexicon, topics, way=way, seed=subject.seed, regime=running) for way in ways
        }
    generator, lines = numpy.random.default_rng(subject.seed), []
    with inference(judge, *subject.regime) as running:
        for (by, strength), texts in written.items():
            nats, tokens = unexpected([text for _, text in texts], judge, judging, running, options.batch_size)
            line: dict[str, Any] = {"measure": "topics", "by": by, "strength": strength, "texts": len(texts)}
            for name, values in zip(SHARES, zip(*(counted(text, topic, topics) for topic, text in texts))):
                low, high = interval([numpy.array(values)], options.replicates, generator)
                line |= {name: float(numpy.mean(values)), f"{name}_low": low, f"{name}_high": high}
            line["perplexity"] = float(numpy.exp(nats.sum() / max(tokens.sum(), 1)))
            lines.append(line | {"judge": options.judge, "topics": len(topics), "model": name_of(model)})
    return lines, [
        {"by": by, "strength": strength, "topic": topic.name, "text": text}
        for (by, strength), texts in written.items()
        for topic, text in texts
    ]


def words_of(options: Topics, dataset_options: Mapping[tuple[str, str | None], Any]) -> dict[str, list[str]]:
    """The words of each topic, those of several topics left out: of a file, or of the generated corpus."""
    found: dict[str, list[str]] = {}
    if options.lexicon is not None:
        for topic, word in read_pairs(options.lexicon, (TOPICS, MEMBERS), "a topic and a word of it"):
            found.setdefault(topic, []).append(word)
    else:
        data = babel_of(dataset_options, ("validation", "test", "train"), "cli backpack topics without --lexicon")
        members = topics_of(grammar_of(data), data.languages, numpy.random.default_rng(0)).members
        for word, numbers in (each for language in members.values() for each in language.items()):
            for number in numbers:
                found.setdefault(f"topic {number}", []).append(word)
    times = [word for words in found.values() for word in dict.fromkeys(words)]
    several = {word for word in times if times.count(word) > 1}
    found = {topic: [word for word in dict.fromkeys(words) if word not in several] for topic, words in found.items()}
    if len(found) < 2:
        raise UserError(f"There is {len(found)} topic, and two are the least: a topic, a tab and a word on each line.")
    return dict(sorted(found.items()))


def told(
    options: Topics, topics: Mapping[str, Sequence[str]], lexicon: Lexicon, generator: numpy.random.Generator
) -> list[TopicWords]:
    """Choose the words of each topic that an edit is told; `UserError` when none of a topic is one token."""
    made = []
    for name, words in topics.items():
        single = [word for word in words if len(lexicon.find(word).tokens) == 1]
        count = min(len(single), max(round(options.given * len(words)), 1))
        if not count:
            raise UserError(f"No word of {name} is one token of this model, so that it cannot be asked for.")
        given = [single[place] for place in sorted(generator.permutation(len(single))[:count].tolist())]
        every, chosen = (frozenset(map(str.casefold, each)) for each in (words, given))
        made.append(TopicWords(name, every, chosen, tuple(map(lexicon.single, given))))
    return made


def write(
    options: Topics,
    model: Any,
    lexicon: Lexicon,
    topics: Sequence[TopicWords],
    *,
    way: tuple[str, float],
    seed: int,
    regime: Regime,
) -> list[tuple[TopicWords, str]]:
    """Write texts about topics.

    Args:
        options: How many, and how to sample.
        model: A Backpack, within `inference`.
        lexicon: Its tokens.
        topics: What about.
        way: By senses or logits, and how strong.
        seed: The texts of a topic start from it, whatever the way.
        regime: Where the model is.

    Returns:
        Each text, behind its topic.
    """
    (by, strength), starts, made = way, first_token(lexicon.tokenizer, masked=False), list[tuple[TopicWords, str]]()
    for place, topic in enumerate(Progress(topics, desc=f"{by} {strength:g}", unit="topic", leave=False, disable=None)):
        seed_everything(seed + 1000 * place)
        edit = Topic(tokens=topic.tokens, strength=strength, annealing=options.annealing)
        raised = transformers.LogitsProcessorList([Raised(topic.tokens, strength)] if by == "logits" else [])
        with said_generation(model), applied(model, [edit] if by == "senses" and strength else []):
            for start in range(0, options.texts, options.batch_size):
                ids = torch.full((min(options.batch_size, options.texts - start), 1), starts, device=regime.device)
                tokens = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    logits_processor=raised,
                    do_sample=True,
                    temperature=options.temperature,
                    top_p=options.top_p,
                    top_k=0,
                    max_new_tokens=options.new,
                    pad_token_id=starts,
                )
                texts = lexicon.tokenizer.batch_decode(tokens, skip_special_tokens=True)
                made += [(topic, text.strip()) for text in texts]
    return made


def counted(text: str, topic: TopicWords, topics: Sequence[TopicWords]) -> tuple[float, float, float, float]:
    """What a text has of a topic.

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


def print_lines(lines: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    rows = []
    for line in lines:
        cells = [line["by"], f"{line['strength']:g}"]
        cells += [f"{line[name]:.3f} [{line[f'{name}_low']:.3f}, {line[f'{name}_high']:.3f}]" for name in SHARES]
        rows.append([*cells, f"{line['perplexity']:.1f}", f"{line['texts']:,}"])
    columns = [
        "by",
        "strength",
        "on topic",
        "words given",
        "other words of it",
        "different pairs",
        "perplexity",
        "texts",
    ]
    print_table(f"Topic control of {lines[0]['model']}, judged by {lines[0]['judge']}", columns, rows, words=1)
