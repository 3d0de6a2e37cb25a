"""The exact probability of the beginnings of sentences, topic by topic.

After every word there are a few hypotheses about how the sentence is made, each a state of the automaton with its
registers, weighted by the probability of the words so far in every topic. All sentences are read side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semeqv.babel.automaton import FORGET, FROM_NOUN, Automaton, Weight
from semeqv.babel.chance import equal
from semeqv.babel.frame import ADPOSITION, MARK
from semeqv.babel.grammar import Grammar
from semeqv.babel.lexicon import ENTITIES
from semeqv.babel.vocabulary import CONTENT, DESIGNATORS, NUMERALS, PREFIXES, Category
from semeqv.lazy import Floats, Integers, numpy

AT_ONCE = 4096  # sentences
ANY = -1

Words = Sequence[str]


@dataclass
class Hypotheses:
    """Where the sentences may be, in their order: `(hypotheses,)` each, and the weights `(hypotheses, topics)`."""

    sentence: Integers
    state: Integers
    subject: Integers  # twice the noun or entity, plus 1 when it is plural
    beside: Integers  # the adjective or noun before
    weight: Floats


class Forward:
    """The forward algorithm over the sentences of one language.

    Args:
        grammar: The grammar.
        language: The language.
    """

    def __init__(self, grammar: Grammar, language: str):
        lexicon = grammar.lexicon
        self.vocabulary, self.topics = lexicon.vocabularies[language], grammar.options.topics
        self._noun = lexicon.noun_given_topic.T  # (nouns, topics)
        self._beside = lexicon.given_noun
        self._most = 2 * max(len(self._noun) + len(ENTITIES), grammar.options.adjectives) + 1  # of a register, with ANY
        adjectives = lexicon.given_noun[Category.ADJECTIVE][: lexicon.nouns]
        self._adjective = (lexicon.noun_given_topic @ adjectives).T  # (adjectives, topics)
        self._number = {form: number for number, form in enumerate(self.vocabulary.types)}
        self._read_vocabulary(grammar)
        self._read_automaton(Automaton(lexicon, language))

    def prefixes(self, sentences: Sequence[Words], senses: Sequence[tuple[int, int] | None] | None = None) -> Floats:
        """Find the probability of the beginnings of sentences in every topic.

        Args:
            sentences: Their words.
            senses: For each sentence None, or a position and the number of the sense that the word there shall have.

        Returns:
            `(sentences, words of the longest, topics)`, the logarithm of the probability of all words up to each,
            itself included; behind the end of a sentence, that of the sentence.

        Raises:
            ValueError: The language has no such word.
        """
        lengths = numpy.array([len(words) for words in sentences], numpy.int64)
        found = numpy.zeros((len(sentences), lengths.max(initial=1), self.topics))
        forms = numpy.full(found.shape[:2], ANY)
        for row, words in enumerate(sentences):
            try:
                forms[row, : len(words)] = [self._number[word] for word in words]
            except KeyError as error:
                raise ValueError(f"{error} is no word of {self.vocabulary.language}.") from None
        required = numpy.full(forms.shape, ANY)
        for row, sense in enumerate(senses or ()):
            if sense is not None:
                required[row, sense[0]] = sense[1]
        for first in range(0, len(sentences), AT_ONCE):
            rows = slice(first, first + AT_ONCE)
            self._run(forms[rows], required[rows], found[rows])
        with numpy.errstate(divide="ignore"):
            numpy.log(found, out=found)
        last = found[numpy.arange(len(found)), lengths - 1]
        return numpy.where((numpy.arange(forms.shape[1]) < lengths[:, None])[..., None], found, last[:, None])

    def _read_vocabulary(self, grammar: Grammar) -> None:
        """Lay the analyses of all forms out as arrays, `(analyses,)`, and those of a form, `(forms, most)`."""
        options, lexicon = grammar.options, grammar.lexicon
        shares = {
            Category.ADPOSITION: ADPOSITION,
            Category.MARK: MARK,
            Category.NUMERAL: equal(len(NUMERALS)).probabilities,
            Category.GIVEN: equal(options.names).probabilities,
            Category.NAME: equal(options.names).probabilities,
            Category.PREFIX: equal(PREFIXES).probabilities,
            Category.DESIGNATOR: equal(DESIGNATORS).probabilities,
        }
        analyses = list(self.vocabulary.forms)
        self._category = numpy.array([analysis.category for analysis in analyses])
        self._item = numpy.array([analysis.item for analysis in analyses])
        self._plural = numpy.array([analysis.plural for analysis in analyses])
        self._share = numpy.array([shares[kind][item] if kind in shares else 1.0 for kind, item, _, _ in analyses])
        verb, past = self._category == Category.VERB, numpy.array([analysis.past for analysis in analyses])
        self._share[verb] = numpy.where(past, options.past, 1 - options.past)[verb]
        concepts = ((lexicon.concept(kind, item) if kind in CONTENT else None) for kind, item, _, _ in analyses)
        self._sense = numpy.array([ANY if concept is None else concept.id for concept in concepts])
        places = {analysis: place for place, analysis in enumerate(analyses)}
        most = max(map(len, self.vocabulary.analyses.values()))
        self._analyses = numpy.full((len(self._number), most), ANY)
        for form, number in self._number.items():
            for slot, analysis in enumerate(self.vocabulary.analyses[form]):
                self._analyses[number, slot] = places[analysis]

    def _read_automaton(self, automaton: Automaton) -> None:
        """Lay the arcs out as arrays, `(arcs,)`, sorted by source and class."""
        arcs = sorted(automaton.arcs, key=lambda arc: (arc.source, arc.category))
        self._start, self._states = automaton.start, automaton.states
        self._target = numpy.array([arc.target for arc in arcs])
        self._probability = numpy.array([arc.probability for arc in arcs])
        self._weight = numpy.array([arc.weight for arc in arcs])
        self._required_plural = numpy.array([ANY if arc.plural is None else int(arc.plural) for arc in arcs])
        self._subject = numpy.array([arc.subject for arc in arcs])
        keys = numpy.array([arc.source * len(Category) + arc.category for arc in arcs])
        wanted = numpy.arange(automaton.states * len(Category))
        self._first_arc = numpy.searchsorted(keys, wanted)
        self._arc_count = numpy.searchsorted(keys, wanted, side="right") - self._first_arc

    def _run(self, forms: Integers, required: Integers, found: Floats) -> None:
        rows = numpy.repeat(numpy.arange(len(forms)), len(self._start))
        states = numpy.tile(list(self._start), len(forms))
        weights = numpy.tile(numpy.array(list(self._start.values()))[:, None], (len(forms), self.topics))
        nothing = numpy.full(len(rows), ANY)
        now = Hypotheses(rows, states, nothing, nothing, weights)
        for place in range(forms.shape[1]):
            now = self._step(now, forms[:, place], required[:, place])
            first = numpy.flatnonzero(numpy.diff(now.sentence, prepend=ANY))
            found[now.sentence[first], place] = numpy.add.reduceat(now.weight, first)

    def _step(self, now: Hypotheses, forms: Integers, required: Integers) -> Hypotheses:
        """Read a word of every sentence: `forms` and `required` are `(sentences,)`."""
        kept, slots = numpy.nonzero(
            (forms[now.sentence] != ANY)[:, None] & (self._analyses[forms[now.sentence]] != ANY)
        )
        analysis = self._analyses[forms[now.sentence[kept]], slots]
        wanted = required[now.sentence[kept]]
        fits = (wanted == ANY) | (wanted == self._sense[analysis])
        kept, analysis = kept[fits], analysis[fits]
        key = now.state[kept] * len(Category) + self._category[analysis]
        count = self._arc_count[key]
        arc = numpy.repeat(self._first_arc[key] - numpy.cumsum(count) + count, count) + numpy.arange(count.sum())
        kept, analysis = numpy.repeat(kept, count), numpy.repeat(analysis, count)
        plural, subject = self._plural[analysis], now.subject[kept]
        fits = (self._required_plural[arc] == ANY) | (self._required_plural[arc] == plural)
        fits &= (self._category[analysis] != Category.VERB) | (subject % 2 == plural)
        return self._merged(now, kept[fits], analysis[fits], arc[fits])

    def _merged(self, now: Hypotheses, kept: Integers, analysis: Integers, arc: Integers) -> Hypotheses:
        """Follow the arcs, and add up what has become the same."""
        item, weight = self._item[analysis], self._weight[arc]
        values = now.weight[kept] * (self._probability[arc] * self._share[analysis])[:, None]
        self._weigh(
            values,
            weight=weight,
            category=self._category[analysis],
            item=item,
            beside=now.beside[kept],
            subject=now.subject[kept] // 2,
        )
        change, subject = self._subject[arc], now.subject[kept]
        subject = numpy.where(change == FROM_NOUN, 2 * item + self._plural[analysis], subject)
        subject = numpy.where(change == FORGET, ANY, numpy.where(change >= 0, 2 * change, subject))
        remembered = (weight == Weight.TOPIC) | (weight == Weight.TOPIC_OF_NOUN)
        beside = numpy.where(remembered, item, ANY)
        state = self._target[arc]
        sentence = now.sentence[kept]
        key = ((sentence * self._states + state) * self._most + subject + 1) * self._most + beside + 1
        order = numpy.argsort(key, kind="stable")
        first = numpy.flatnonzero(numpy.diff(key[order], prepend=ANY))
        one = order[first]
        merged = numpy.add.reduceat(values[order], first)
        return Hypotheses(sentence[one], state[one], subject[one], beside[one], merged)

    def _weigh(
        self,
        values: Floats,
        *,
        weight: Integers,
        category: Integers,
        item: Integers,
        beside: Integers,
        subject: Integers,
    ) -> None:
        """Multiply by the probability of each word within its class."""
        noun = (weight == Weight.TOPIC) | (weight == Weight.TOPIC_AND_ADJECTIVE)
        values[noun] *= self._noun[item[noun]]
        described = weight == Weight.TOPIC_AND_ADJECTIVE
        alone = self._adjective[beside[described]]  # 0 where no noun of a topic can have the adjective
        given_noun = self._beside[Category.ADJECTIVE][item[described], beside[described]][:, None]
        values[described] *= numpy.divide(given_noun, alone, out=numpy.zeros_like(alone), where=alone > 0)
        before = weight == Weight.TOPIC_OF_NOUN
        values[before] *= self._adjective[item[before]]
        behind = weight == Weight.NOUN
        values[behind] *= self._beside[Category.ADJECTIVE][beside[behind], item[behind]][:, None]
        for kind in (Category.VERB, Category.ADVERB):
            chosen = category == kind
            values[chosen] *= self._beside[kind][subject[chosen], item[chosen]][:, None]
