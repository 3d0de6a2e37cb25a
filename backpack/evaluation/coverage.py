"""Coverage: whether both senses of homonyms are among the senses of a Backpack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from backpack.evaluation.babel import AmbiguousWord, Topics, babel_of, grammar_of, topics_of
from backpack.inspection.words import Speller, check_backpack, word_vectors
from backpack.measuring import Datasets, IntervalEstimate, Measurement, estimate, facts_of, fitting_tokenizer
from semeqv.grammar.action import AtLeast, action
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class Nouns:
    """The nouns of a language as what may be predicted.

    Args:
        forms: The words.
        tokens: Their first tokens behind a space, `(nouns,)`.
        topics: `(nouns, topics)`, whether a noun is of a topic.
    """

    forms: list[str]
    tokens: torch.Tensor
    topics: torch.Tensor


def predictions(senses: torch.Tensor, output: torch.Tensor, nouns: Nouns, mean: torch.Tensor) -> torch.Tensor:
    """Compute how much the senses of words favour nouns: their logits, less those of the mean word.

    A sense adds its logits to those of other senses, so that only differences count. What all words share in a sense
    index (that a verb follows, say) is subtracted.

    Args:
        senses: `(words, senses, d)`.
        output: The output embedding, `(vocabulary, d)`.
        nouns: What may be predicted.
        mean: `(senses, d)`, the mean over the words of the language.

    Returns:
        `(words, senses, nouns)`.
    """
    return (senses - mean) @ output[nouns.tokens].T


@dataclass(frozen=True)
class TopicScores:
    """Which of the two topics of each word its senses favour.

    Args:
        favours: `(words, senses, 2)`, whether the topic has its share of the nouns with the highest scores.
        strength: `(words, senses, 2)`: how far the nouns of the topic are above the mean noun, in standard deviations
            over the nouns, so that long vectors do not count for more.
    """

    favours: NDArray[numpy.bool_]
    strength: NDArray[numpy.float64]

    def __add__(self, other: TopicScores) -> TopicScores:
        return TopicScores(*(numpy.concatenate(each) for each in zip(vars(self).values(), vars(other).values())))

    def covered(self) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
        """Tell which words are covered.

        Returns:
            `(words,)` each: whether some sense favours the first topic and some the second; and whether, besides,
            the index that is strongest for the first is another one than that for the second.
        """
        favoured: NDArray[numpy.bool_] = numpy.asarray(self.favours.any(1))
        both = favoured[:, 0] & favoured[:, 1]
        strongest = self.strength.argmax(1)
        return both, both & (strongest[:, 0] != strongest[:, 1])


def topic_scores(
    scores: torch.Tensor, words: Sequence[AmbiguousWord], nouns: Nouns, top: int, share: float
) -> TopicScores:
    """Score the senses of words by the topics of each.

    Args:
        scores: `(words, senses, nouns)`.
        words: The words, with their topics.
        nouns: What was predicted. The word itself does not count.
        top: The size of the list of nouns with the highest scores.
        share: The share of the list that must be of the topic.

    Returns:
        The scores.
    """
    own = torch.tensor([[form == word.form for form in nouns.forms] for word in words])
    standard = (scores - scores.mean(-1, keepdim=True)) / scores.std(-1, keepdim=True).clamp(min=1e-12)
    highest = scores.masked_fill(own[:, None], -torch.inf).topk(top).indices
    favours, strength = [], []
    for side in (0, 1):
        of_topic = nouns.topics.T[torch.tensor([word.topics[side] for word in words])] & ~own  # (words, nouns)
        listed = of_topic[:, None].expand(scores.shape).gather(2, highest)
        favours.append(listed.double().mean(-1) >= share)
        weights = of_topic.double() / of_topic.sum(1, keepdim=True).clamp(min=1)
        strength.append((standard.double() @ weights[:, :, None])[..., 0])
    return TopicScores(torch.stack(favours, -1).numpy(), torch.stack(strength, -1).numpy())


KINDS = {
    "homonyms": "homonyms, their own senses",
    "others": "control: senses of another homonym",
    "unambiguous": "control: words of one sense",
}


@dataclass(frozen=True)
class CoverageOfWords:
    """How many words of one kind have both of their topics among their senses.

    Args:
        of: The kind, one of `KINDS`.
        words: How many words.
        both: The share of them with some sense that favours the one topic and some that favours the other.
        distinct: The share whose strongest indices for the two topics are besides different ones.
    """

    of: str
    words: int
    both: IntervalEstimate
    distinct: IntervalEstimate


@dataclass(frozen=True, kw_only=True)
class Coverage(Measurement):
    """Coverage of homonyms, and its two controls.

    Args:
        homonyms: The homonyms with their own senses.
        others: The homonyms with the senses of another homonym.
        unambiguous: Words of one sense, with its topic and a random one.
        senses: How many senses the model has.
        top: The size of the list of nouns.
        share: The share of the list that must be of a topic.
    """

    homonyms: CoverageOfWords
    others: CoverageOfWords
    unambiguous: CoverageOfWords
    senses: int
    top: int
    share: float

    def lines(self) -> list[dict[str, Any]]:
        """Return one JSON object for each kind of words."""
        tail = {"senses": self.senses, "top": self.top, "share": self.share, "model": self.model}
        return [
            {"measure": "coverage", "of": row.of, "words": row.words}
            | row.both.named("both")
            | row.distinct.named("distinct")
            | tail
            for row in (self.homonyms, self.others, self.unambiguous)
        ]

    def show(self) -> None:
        """Print the table."""
        rows = [
            [KINDS[row.of], *row.both.cells(), *row.distinct.cells(), f"{row.words:,}"]
            for row in (self.homonyms, self.others, self.unambiguous)
        ]
        columns = ("", "both", "95% interval", "by different indices", "95% interval", "words")
        print_table(f"Words both of whose topics are among their senses, {self.model}", columns, rows)


def check_share(options: Any) -> None:
    """Refuse a share of nothing, or of more than all: `ValueError`."""
    if not 0 < options.share <= 1:
        raise ValueError(f"--share must be above 0 and at most 1, not {options.share}.")


@action("backpack coverage", check=check_share)
def coverage(
    model: Any,
    tokenizer: Any = None,
    dataset_options: Datasets | None = None,
    seed: int = 42,
    compute: Compute = Compute(),
    *,
    top: Annotated[int, AtLeast(1)] = 10,
    share: float = 0.4,
    replicates: Annotated[int, AtLeast(1)] = 1000,
) -> Coverage:
    """Measure whether both senses of homonyms are among the senses of a Backpack, on the generated corpus.

    Homonyms here are dictionary forms of two nouns, of different topics. A sense vector favours a topic when that has
    at least --share of the --top nouns that the vector predicts most, beyond what the same index of the mean noun
    predicts; the word itself is left out. `both` is the share of homonyms with some sense that favours the one topic
    and some that favours the other; `distinct`, where the index that is strongest for the one, by the mean score of its
    nouns in standard deviations, is another one than for the other. Two controls give the level of chance: the vectors
    of another homonym, with these topics; and nouns of one sense, with its topic and a random one. The sentence
    needs `cli dataset babel --split validation`, which defines the grammar. Intervals are those of a bootstrap of the
    words. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset_options: The data sets by split and name, not built, with the generated corpus among them.
        seed: Of the controls and of the bootstrap.
        compute: Where to compute, and with which numbers.
        top: The size of the list of nouns.
        share: The share of the list that must be of a topic.
        replicates: Samples of the bootstrap.

    Returns:
        The coverage of the homonyms, and of each control.

    Raises:
        UserError: When the model has no senses, the data no homonyms, or no topic has so many nouns.
    """
    check_backpack(model)
    speller = Speller(fitting_tokenizer(model, tokenizer))
    data = babel_of(dataset_options or {}, ("validation", "test", "train"), "cli backpack coverage")
    generator = numpy.random.default_rng(seed)
    topics = topics_of(grammar_of(data), data.languages, generator)
    if not topics.homonyms or not topics.unambiguous:
        raise UserError("The grammar has no homonyms of two nouns, or no nouns of one sense: give it more --homonyms.")
    scores = dict[str, TopicScores]()
    with inference(model, compute):
        for language in data.languages:
            own = scores_in_language(
                model, speller=speller, topics=topics, language=language, top=top, share=share, generator=generator
            )
            scores = {kind: scores[kind] + each if scores else each for kind, each in own.items()}
    homonyms, others, unambiguous = (summary(kind, scores[kind], replicates, generator) for kind in KINDS)
    return Coverage(
        homonyms=homonyms,
        others=others,
        unambiguous=unambiguous,
        senses=model.config.num_senses,
        top=top,
        share=share,
        **facts_of(model),
    )


def summary(kind: str, scores: TopicScores, replicates: int, generator: numpy.random.Generator) -> CoverageOfWords:
    """Return the shares of words that are covered, with their intervals."""
    both, distinct = scores.covered()
    return CoverageOfWords(
        kind, len(both), estimate(both, replicates, generator), estimate(distinct, replicates, generator)
    )


def scores_in_language(
    model: Any,
    *,
    speller: Speller,
    topics: Topics,
    language: str,
    top: int,
    share: float,
    generator: numpy.random.Generator,
) -> dict[str, TopicScores]:
    """Score the senses of words by their topics, in one language.

    Args:
        model: A Backpack, within `inference`.
        speller: Writes words as tokens.
        topics: The nouns of the grammar.
        language: The language.
        top: The size of the list of nouns with the highest scores.
        share: The share of the list that must be of a topic.
        generator: Gives each homonym the vectors of another one.

    Returns:
        The scores for each of `KINDS`.

    Raises:
        UserError: When --top is more than there are nouns, or there is one homonym alone.
    """
    forms = list(topics.members[language])
    homonyms, single = (of_language(words, language) for words in (topics.homonyms, topics.unambiguous))
    if top >= len(forms) or len(homonyms) < 2:
        raise UserError(f"{language} has {len(forms)} nouns and {len(homonyms)} homonyms of two: too few for this.")
    spelled = speller(forms)
    count = 1 + max(max(of) for of in topics.members[language].values())
    member = torch.tensor([[topic in topics.members[language][form] for topic in range(count)] for form in forms])
    nouns = Nouns(forms, torch.tensor([ids[0] for ids in spelled]), member)
    vectors = word_vectors(model, spelled)
    output = model.get_output_embeddings().weight.detach().float().cpu()
    scores = predictions(vectors, output, nouns, vectors.mean(0))
    row = {form: place for place, form in enumerate(forms)}
    own = scores[[row[word.form] for word in homonyms]]
    order = generator.permutation(len(homonyms))
    other = numpy.empty_like(order)
    other[order] = numpy.roll(order, 1)  # never its own
    ends = {
        "homonyms": (own, homonyms),
        "others": (own[other.tolist()], homonyms),
        "unambiguous": (scores[[row[word.form] for word in single]], single),
    }
    return {name: topic_scores(of, words, nouns, top, share) for name, (of, words) in ends.items()}


def of_language(words: Sequence[AmbiguousWord], language: str) -> list[AmbiguousWord]:
    """Return the words of one language."""
    return [word for word in words if word.language == language]
