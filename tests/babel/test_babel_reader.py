"""The Bayes reader against all derivations, written down one by one."""

from collections import defaultdict
from dataclasses import replace
from math import fsum, log

import numpy as np
import pytest

from semeqv.babel.document import Document
from semeqv.babel.forward import Forward
from semeqv.babel.frame import Author
from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.reader import BayesReader
from semeqv.babel.realisation import Voice

SMALL = {"topics": 2, "nouns": 1, "verbs": 2, "adjectives": 1, "adverbs": 1, "names": 1, "homonyms": 0.5, "leak": 0.3}
MODIFIERS = GrammarOptions(**SMALL | {"nouns": 2}, numeral=0, object=0, oblique=0, past=0.4)
ARGUMENTS = GrammarOptions(**SMALL, numeral=0, definite=1, adjective=0, modifier=0, past=0, adverb=0)
NUMERALS = GrammarOptions(**SMALL, oblique=0, modifier=0, past=0, adverb=0, object_entity=1)
TINY = {"modifiers": MODIFIERS, "arguments": ARGUMENTS, "numerals": NUMERALS}


class Every:
    """Chooses everything in turn."""

    def __init__(self):
        self.path = []

    def choose(self, among):
        if self.place == len(self.path):
            alternatives = [(choice, p) for choice, p in enumerate(among.probabilities) if p > 0]
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
    author, voices = Author(grammar.lexicon), {language: Voice(grammar.lexicon, language) for language in LANGUAGES}
    for frame, probability in Every().all(lambda every: author.frame(topic, every)):
        for language in LANGUAGES:
            found[language][voices[language].say(frame)] += probability
    return found


@pytest.fixture(scope="module", params=TINY)
def written(request):
    grammar = Grammar(TINY[request.param])
    return grammar, [every_sentence(grammar, topic) for topic in range(2)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_beginnings_have_the_probability_of_all_that_begins_so(written, language):
    grammar, topics = written
    expected = defaultdict(lambda: [0.0, 0.0])
    for topic, found in enumerate(topics):
        assert fsum(found[language].values()) == pytest.approx(1, abs=1e-12)
        for sentence, probability in found[language].items():
            forms = sentence.forms
            for end in range(1, len(forms) + 1):
                expected[forms[:end]][topic] += probability
    forward = Forward(grammar, language)
    sentences = sorted({sentence.forms for found in topics for sentence in found[language]})
    prefixes = np.exp(forward.prefixes(sentences))
    found = [prefixes[row, place] for row, words in enumerate(sentences) for place in range(len(words))]
    known = [expected[words[:end]] for words in sentences for end in range(1, len(words) + 1)]
    np.testing.assert_allclose(found, known, rtol=1e-9)


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
    following = reader.next_words([said[0].forms], said[1].forms[:position])
    assert fsum(following.values()) == pytest.approx(1, abs=1e-9)
    assert -log(following[said[1].forms[position]]) == pytest.approx(surprisals[position], abs=1e-9)
    topics_given_all = first * second / (first * second).sum()
    np.testing.assert_allclose(reader.topics([document])[0], topics_given_all, atol=1e-9)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bound_is_the_entropy(written, language):
    """Documents of one sentence: all of them, enumerated, against some, drawn by chance."""
    grammar, topics = written
    texts, length = defaultdict(float), 0.0
    for found in topics:
        for sentence, probability in found[language].items():
            texts[sentence.forms] += probability / 2
            length += probability / 2 * len(sentence.forms)
    entropy = -fsum(probability * log(probability) for probability in texts.values())
    short = Grammar(replace(grammar.options, shortest=1, longest=1, parallel=1))
    bound = BayesReader(short, language).bound(short.documents("train", 4000))
    assert 0 < bound.error < 0.02 * bound.nats_per_token
    assert abs(bound.nats_per_token - entropy / length) < 4 * bound.error
    assert bound.tokens / bound.documents == pytest.approx(length, rel=0.05)


def test_a_bound_says_the_same_in_all_units():
    grammar = Grammar()
    documents = list(grammar.documents("test", 30))
    reader = BayesReader(grammar, "lume")
    bound, surprisals = reader.bound(iter(documents)), reader.surprisals(documents)
    texts = [document.text("lume") + "\n" for document in documents if "lume" in document.sentences]
    assert (bound.documents, bound.bytes) == (len(texts), sum(len(text.encode()) for text in texts))
    assert bound.tokens == sum(len(text.split()) for text in texts)
    words = [nats for document in surprisals for sentence in document for nats in sentence]
    assert bound.nats == pytest.approx(fsum(words))
    assert bound.perplexity == pytest.approx(np.exp(np.mean(words)))
    assert bound.bits_per_byte == pytest.approx(fsum(words) / log(2) / bound.bytes)
    halves = reader.bound(documents[:7]) + reader.bound(documents[7:])
    assert (halves.tokens, halves.nats, halves.error) == pytest.approx((bound.tokens, bound.nats, bound.error))
    nothing = reader.bound([])
    assert nothing.tokens == 0
    assert np.isnan([nothing.nats_per_token, nothing.error, nothing.perplexity, nothing.bits_per_byte]).all()


def test_the_reader_is_as_sure_as_it_is_right():
    """Of the homonyms whose sense it gives some probability, that share has the sense; more context tells more."""
    grammar = Grammar()
    found = BayesReader(grammar, "drask").disambiguate(list(grammar.documents("train", 400)))
    for context, posterior in found.posterior.items():
        assert np.allclose(posterior.sum(1), 1), context
        true = posterior[np.arange(len(posterior)), found.truth]
        spread = np.sqrt((posterior.prod(1)).sum())
        assert abs((found.truth == 0).sum() - posterior[:, 0].sum()) < 4 * spread, context
        assert found.accuracy(context) > 0.9, context
        assert -np.log(true).mean() == pytest.approx(found.entropies(context).mean(), abs=0.02), context
    assert found.entropies("document").mean() < found.entropies("sentence").mean() < found.entropies("left").mean()


def test_a_word_that_is_none():
    reader = BayesReader(Grammar(MODIFIERS), "lume")
    with pytest.raises(ValueError, match="'word' is no word of lume"):
        reader.next_words([["word"]])
    with pytest.raises(ValueError, match="No document in lume begins with these words"):
        reader.next_words([], ["."])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "extreme",
    [
        {"leak": 0, "favoured": 1},
        {"leak": 1, "favoured": 0},
        {"plural": 0, "numeral": 0, "definite": 1, "past": 1},
        {"numeral": 1, "definite": 0, "adjective": 1, "modifier": 1, "adverb": 1},
        {"subject_entity": 1, "object_entity": 1, "oblique_entity": 1, "object": 1, "oblique": 1},
        {"object": 0, "oblique": 0, "subject_entity": 0, "homonyms": 0, "parallel": 0},
        {"topics": 1, "homonyms": 0.1, "names": 1, "shortest": 1},
    ],
    ids=str,
)
def test_whatever_is_written_can_be_read(extreme, language):
    grammar = Grammar(GrammarOptions(**extreme))
    documents = list(grammar.documents("train", 60))
    reader = BayesReader(grammar, language)
    assert 0 < reader.bound(documents).nats_per_token < 6
    found = reader.disambiguate(documents)
    for posterior in found.posterior.values():
        np.testing.assert_allclose(posterior.sum(1), 1)
        assert (posterior[np.arange(len(posterior)), found.truth] > 0).all()
