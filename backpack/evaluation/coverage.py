"""Coverage of known senses, as an action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backpack.evaluation.babel import AmbiguousWord, Topics, babel_of, grammar_of, topics_of
from backpack.inspection.words import Speller, check_backpack, word_vectors
from semeqv.grammar.component import check_bounds, component
from semeqv.lazy import NDArray, numpy, torch
from semeqv.results.statistics import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Measuring, Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of


@component("backpack coverage")
@dataclass(frozen=True, kw_only=True)
class Coverage(Measuring):
    """Measure whether both senses of homonyms are among the senses of a Backpack, on the generated corpus.

    Homonyms here are dictionary forms of two nouns, of different topics. A sense vector speaks of a topic when that has
    at least --share of the --top nouns that the vector predicts most, beyond what the same index of the mean noun
    predicts; the word itself is left out. `both` is the share of homonyms with some sense that speaks of the one topic
    and some of the other; `distinct`, where the index that is strongest for the one, by the mean score of its nouns in
    standard deviations, is another one than for the other. Chance is told by two controls: the vectors of
    another homonym, asked for these topics; and nouns of one sense, asked for its topic and a random one. The sentence
    needs `cli dataset babel --split validation`, which says the grammar. Intervals are those of a bootstrap of the
    words. Lines go to metrics.jsonl of the run's folder.

    Args:
        top: The size of the list of nouns.
        share: The share of the list that must be of a topic.
        replicates: Samples of the bootstrap.
    """

    top: int = 10
    share: float = 0.4
    replicates: int = 1000

    def __post_init__(self) -> None:
        check_bounds(self, top=1, replicates=1)
        if not 0 < self.share <= 1:
            raise ValueError(f"--share must be above 0 and at most 1, not {self.share}.")

    def measured(self, subject: Subject) -> list[dict[str, Any]]:
        """Measure, and print the table."""

        lines = measure(self, subject)
        print_lines(lines)
        return lines


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
    """How much the senses of words speak for nouns: their logits, less those of the mean word.

    A sense adds its logits to whatever else is there, so that only differences count. What all words share in a sense
    index (that a verb follows, say) is taken off.

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
class Spoken:
    """What the senses of words say of the two topics of each.

    Args:
        speaks: `(words, senses, 2)`, whether the topic has its share of the nouns with the highest scores.
        strength: `(words, senses, 2)`: how far the nouns of the topic are above the mean noun, in standard deviations
            over the nouns, so that long vectors do not count for more.
    """

    speaks: NDArray[numpy.bool_]
    strength: NDArray[numpy.float64]

    def __add__(self, other: Spoken) -> Spoken:
        return Spoken(*(numpy.concatenate(each) for each in zip(vars(self).values(), vars(other).values())))

    def covered(self) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
        """Whether both topics are there.

        Returns:
            `(words,)` each: whether some sense speaks of the first topic and some of the second; and whether, besides,
            the index that is strongest for the first is another one than that for the second.
        """
        there: NDArray[numpy.bool_] = numpy.asarray(self.speaks.any(1))
        both = there[:, 0] & there[:, 1]
        strongest = self.strength.argmax(1)
        return both, both & (strongest[:, 0] != strongest[:, 1])


def spoken(scores: torch.Tensor, words: Sequence[AmbiguousWord], nouns: Nouns, top: int, share: float) -> Spoken:
    """Ask the senses of words for the topics of each.

    Args:
        scores: `(words, senses, nouns)`.
        words: Whose topics are asked for.
        nouns: What was predicted. A word says nothing of itself.
        top: The size of the list of nouns with the highest scores.
        share: The share of the list that must be of the topic.

    Returns:
        The answers.
    """
    own = torch.tensor([[form == word.form for form in nouns.forms] for word in words])
    standard = (scores - scores.mean(-1, keepdim=True)) / scores.std(-1, keepdim=True).clamp(min=1e-12)
    highest = scores.masked_fill(own[:, None], -torch.inf).topk(top).indices
    speaks, strength = [], []
    for side in (0, 1):
        of_topic = nouns.topics.T[torch.tensor([word.topics[side] for word in words])] & ~own  # (words, nouns)
        listed = of_topic[:, None].expand(scores.shape).gather(2, highest)
        speaks.append(listed.double().mean(-1) >= share)
        weights = of_topic.double() / of_topic.sum(1, keepdim=True).clamp(min=1)
        strength.append((standard.double() @ weights[:, :, None])[..., 0])
    return Spoken(torch.stack(speaks, -1).numpy(), torch.stack(strength, -1).numpy())


KINDS = {
    "homonyms": "homonyms, their own senses",
    "others": "control: senses of another homonym",
    "unambiguous": "control: words of one sense",
}
MEASURES = ("both", "distinct")


def measure(options: Coverage, subject: Subject) -> list[dict[str, Any]]:
    """Measure a Backpack.

    Args:
        options: What the command was told.
        subject: Its model is a Backpack.

    Returns:
        A line for the homonyms and one for each control.

    Raises:
        UserError: When the model has no senses, the data no homonyms, or no topic has so many nouns.
    """
    model, tokenizer = subject.model, subject.tokenizer
    check_backpack(model)
    check_tokenizer(model, tokenizer)
    data = babel_of(subject.dataset_options, ("validation", "test", "train"), "cli backpack coverage")
    generator = numpy.random.default_rng(subject.seed)
    topics = topics_of(grammar_of(data), data.languages, generator)
    if not topics.homonyms or not topics.unambiguous:
        raise UserError("The grammar has no homonyms of two nouns, or no nouns of one sense: give it more --homonyms.")
    outcomes = dict[str, Spoken]()
    speller = Speller(tokenizer)
    with inference(model, *subject.regime):
        for language in data.languages:
            answers = asked(options, model, speller=speller, topics=topics, language=language, generator=generator)
            outcomes = {kind: outcomes[kind] + each if outcomes else each for kind, each in answers.items()}
    lines = []
    for kind in KINDS:
        found = dict(zip(MEASURES, outcomes[kind].covered()))
        line = {"measure": "coverage", "of": kind, "words": len(found["both"])}
        for name, each in found.items():
            low, high = interval([each], options.replicates, generator)
            line |= {name: float(each.mean()), f"{name}_low": low, f"{name}_high": high}
        senses = outcomes[kind].speaks.shape[1]
        said = {"senses": senses, "top": options.top, "share": options.share, "model": name_of(model)}
        lines.append(line | said)
    return lines


def asked(
    options: Coverage,
    model: Any,
    *,
    speller: Speller,
    topics: Topics,
    language: str,
    generator: numpy.random.Generator,
) -> dict[str, Spoken]:
    """What senses say of the topics of words, in one language.

    Args:
        options: What the command was told.
        model: A Backpack.
        speller: Writes words as tokens.
        topics: The nouns of the grammar.
        language: The language.
        generator: Deals the homonyms' vectors out to each other.

    Returns:
        The answers for each of `KINDS`.

    Raises:
        UserError: When --top asks for more nouns than there are, or there is one homonym alone.
    """
    forms = list(topics.members[language])
    homonyms, single = (of_language(words, language) for words in (topics.homonyms, topics.unambiguous))
    if options.top >= len(forms) or len(homonyms) < 2:
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
    other[order] = numpy.roll(order, 1)  # nobody's own
    ends = {
        "homonyms": (own, homonyms),
        "others": (own[other.tolist()], homonyms),
        "unambiguous": (scores[[row[word.form] for word in single]], single),
    }
    return {name: spoken(of, words, nouns, options.top, options.share) for name, (of, words) in ends.items()}


def of_language(words: Sequence[AmbiguousWord], language: str) -> list[AmbiguousWord]:
    """Those of one language."""
    return [word for word in words if word.language == language]


def print_lines(lines: list[dict[str, Any]]) -> None:
    """Print the table."""
    rows = []
    for each in lines:
        cells = [KINDS[each["of"]]]
        for name in MEASURES:
            cells += [f"{each[name]:.3f}", f"{each[f'{name}_low']:.3f}-{each[f'{name}_high']:.3f}"]
        rows.append([*cells, f"{each['words']:,}"])
    title = f"Words both of whose topics are among their senses, {lines[0]['model']}"
    print_table(title, ("", "both", "95% interval", "by different indices", "95% interval", "words"), rows)
