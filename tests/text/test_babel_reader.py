"""The Bayes reader against all derivations, written down one by one."""

from collections import defaultdict
from math import fsum, log

import numpy as np
import pytest

from semeqv.text.babel import LANGUAGES, BayesReader, Document, Grammar, GrammarOptions
from semeqv.text.babel.forward import Forward
from semeqv.text.babel.frame import choose_frame
from semeqv.text.babel.realisation import realise

SMALL = {"topics": 2, "nouns": 1, "verbs": 2, "adjectives": 1, "adverbs": 1, "names": 1, "homonyms": 0.5, "leak": 0.3}
MODIFIERS = GrammarOptions(**SMALL | {"nouns": 2}, numeral=0, object=0, oblique=0, past=0.4)
ARGUMENTS = GrammarOptions(**SMALL, numeral=0, definite=1, adjective=0, modifier=0, past=0)
NUMERALS = GrammarOptions(**SMALL, oblique=0, modifier=0, past=0, adverb=0, object_entity=1)
TINY = [
    pytest.param(MODIFIERS, id="modifiers"),
    pytest.param(ARGUMENTS, id="arguments"),
    pytest.param(NUMERALS, id="numerals"),
]


class Every:
    """Chooses everything in turn."""

    def __init__(self):
        self.path = []

    def choose(self, probabilities):
        if self.place == len(self.path):
            alternatives = [(choice, p) for choice, p in enumerate(probabilities) if p > 0]
            self.path.append(alternatives[::-1])
        choice, probability = self.path[self.place][-1]
        self.place, self.probability = self.place + 1, self.probability * probability
        return choice

    def all(self, make):
        while True:
            self.place, self.probability = 0, 1.0
            yield make(self), self.probability
            while self.path and len(self.path[-1]) == 1:
                self.path.pop()
            if not self.path:
                return
            self.path[-1].pop()


def every_sentence(grammar, topic):
    """The probability of all sentences of a topic, each with its senses, by language."""
    found = {language: defaultdict(float) for language in LANGUAGES}
    for frame, probability in Every().all(lambda every: choose_frame(grammar.lexicon, topic, every)):
        for language in LANGUAGES:
            found[language][realise(grammar.lexicon, frame, language)] += probability
    return found


@pytest.fixture(scope="module", params=TINY)
def written(request):
    grammar = Grammar(request.param)
    return grammar, [every_sentence(grammar, topic) for topic in range(2)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_beginnings_have_the_probability_of_all_that_begins_so(written, language):
    grammar, topics = written
    expected = defaultdict(lambda: np.zeros(2))
    for topic, found in enumerate(topics):
        assert fsum(found[language].values()) == pytest.approx(1, abs=1e-12)
        for sentence, probability in found[language].items():
            for end in range(1, len(sentence.forms) + 1):
                expected[sentence.forms[:end]][topic] += probability
    forward = Forward(grammar, language)
    sentences = sorted({sentence.forms for found in topics for sentence in found[language]})
    prefixes = np.exp(forward.prefixes(sentences))
    for row, words in enumerate(sentences):
        for end in range(1, len(words) + 1):
            np.testing.assert_allclose(prefixes[row, end - 1], expected[words[:end]], rtol=1e-9)


@pytest.mark.parametrize("language", LANGUAGES)
def test_senses_and_words_of_documents(written, language):
    grammar, topics = written
    reader = BayesReader(grammar, language)
    generator = np.random.default_rng(1)
    sentences = list(topics[0][language])
    ambiguous = grammar.lexicon.ambiguous_forms(language)
    said = tuple(sentences[number] for number in generator.integers(len(sentences), size=2))
    while not any(form in ambiguous for form in said[1].forms):
        said = said[0], sentences[generator.integers(len(sentences))]
    document = Document(0, 0, {language: said})

    def given(sentence_or_words, end=None, sense=None, position=None):
        """The probability of a beginning in both topics, by summing up derivations."""
        words = sentence_or_words.forms[:end]
        return np.array(
            [
                fsum(
                    probability
                    for sentence, probability in found[language].items()
                    if sentence.forms[: len(words)] == words
                    and (sense is None or sentence.tokens[position].concept == sense)
                )
                for found in topics
            ]
        )

    first, second = (given(sentence) for sentence in said)
    assert reader.bound([document]).nats == pytest.approx(-log((first * second).mean()), rel=1e-9)
    surprisals = reader.surprisals([document])[0][1]
    for end in range(1, len(said[1].forms) + 1):
        reached = [(first * (given(said[1], upto) if upto else 1)).mean() for upto in (end - 1, end)]
        assert surprisals[end - 1] == pytest.approx(log(reached[0] / reached[1]), abs=1e-9)
    understood = reader.disambiguate([document])
    place = list(understood.sentence).index(1)
    position, senses = int(understood.position[place]), understood.senses[place].tolist()
    expected = {
        "left": [(first * given(said[1], position + 1, sense, position)).sum() for sense in senses],
        "sentence": [given(said[1], None, sense, position).sum() for sense in senses],
        "document": [(first * given(said[1], None, sense, position)).sum() for sense in senses],
    }
    for context, joint in expected.items():
        np.testing.assert_allclose(understood.posterior[context][place], np.array(joint) / sum(joint), atol=1e-9)
    assert senses[understood.truth[place]] == said[1].tokens[position].concept
    topics_given_all = first * second / (first * second).sum()
    np.testing.assert_allclose(reader.topics([document])[0], topics_given_all, atol=1e-9)
