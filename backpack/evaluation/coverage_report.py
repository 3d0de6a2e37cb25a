"""What `cli backpack coverage` measures and prints."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy
import torch

from backpack.evaluation.babel import AmbiguousWord, Topics, babel_of, grammar_of, topics_of
from backpack.evaluation.covering import Nouns, Spoken, predictions, spoken
from backpack.senses.words import Speller, check_backpack, word_vectors
from semeqv.results.intervals import interval
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.evaluation import Subject
from semeqv.tasks.inference import check_tokenizer, inference, name_of

if TYPE_CHECKING:
    from backpack.evaluation.coverage import Coverage

KINDS = {
    "homonyms": "homonyms, their own senses",
    "others": "control: senses of another homonym",
    "unambiguous": "control: words of one sense",
}
MEASURES = ("both", "distinct")


def measure(options: "Coverage", subject: Subject) -> list[dict[str, Any]]:
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
    options: "Coverage",
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
