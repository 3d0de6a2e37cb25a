"""The truth of the generated corpus: which words have two senses, and the topics of each sense."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from semeqv.babel.dataset import Babel
from semeqv.babel.document import Document
from semeqv.babel.grammar import Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.runs.errors import UserError

HERE = "cli dataset babel --split validation"


@dataclass(frozen=True)
class AmbiguousWord:
    """A noun of two topics, or of one: a control.

    Args:
        language: The language.
        form: The word as it is written.
        topics: Of its two senses; of a noun without a second sense, its own and another one.
    """

    language: str
    form: str
    topics: tuple[int, int]


@dataclass(frozen=True)
class Topics:
    """The nouns of a grammar.

    Args:
        homonyms: The dictionary forms that are two nouns, of different topics.
        unambiguous: The dictionary forms of nouns with one sense, the second topic drawn at random.
        members: By language, the dictionary form of each noun with its topics.
    """

    homonyms: tuple[AmbiguousWord, ...]
    unambiguous: tuple[AmbiguousWord, ...]
    members: dict[str, dict[str, frozenset[int]]]


def topics_of(grammar: Grammar, languages: tuple[str, ...], generator: Any) -> Topics:
    """Find the nouns of a grammar.

    Args:
        grammar: The grammar.
        languages: Which of its languages.
        generator: Draws the second topics of nouns that have one; a numpy generator.

    Returns:
        The nouns. Homonyms of a noun and a verb or an adjective are among neither: these have no topic.
    """
    lexicon, homonyms, single = grammar.lexicon, list[AmbiguousWord](), list[AmbiguousWord]()
    members = dict[str, dict[str, frozenset[int]]]()
    for language in languages:
        members[language] = {}
        for lemma, senses in lexicon.senses[language].items():
            topics = [topic for sense in senses if (topic := lexicon.concepts[sense].topic) is not None]
            if topics:
                members[language][lemma] = frozenset(topics)
            if len(topics) < len(senses):
                continue
            if len(topics) == 2:
                homonyms.append(AmbiguousWord(language, lemma, (topics[0], topics[1])))
            else:
                other = (topics[0] + 1 + int(generator.integers(grammar.options.topics - 1))) % grammar.options.topics
                single.append(AmbiguousWord(language, lemma, (topics[0], other)))
    return Topics(tuple(homonyms), tuple(single), members)


def babel_of(dataset_options: Mapping[tuple[str, str | None], Any], splits: tuple[str, ...], what: str) -> Any:
    """Find the generated corpus of a sentence.

    Args:
        dataset_options: The data sets of the sentence, by split and name.
        splits: Which to take, the first that there is.
        what: The command, for the message.

    Returns:
        Its component.

    Raises:
        UserError: When the sentence has none.
    """
    for split in splits:
        for (of, _), options in dataset_options.items():
            if of == split and isinstance(options, Babel):
                return options
    raise UserError(f"{what} knows the senses of the generated corpus alone; add: {HERE}")


def grammar_of(options: GrammarOptions) -> Grammar:
    """Make the grammar of a data set."""
    return Grammar(GrammarOptions(**{field.name: getattr(options, field.name) for field in fields(GrammarOptions)}))


def documents_of(options: Any, grammar: Grammar) -> Iterator[Document]:
    """Yield the documents of a data set, with all that is known of them."""
    return grammar.documents(options.split, options.documents, options.corpus_seed)


def translations(grammar: Grammar) -> list[tuple[str, str]]:
    """List the words of Lume that have one sense with their one translation, in every content class.

    Args:
        grammar: The grammar.

    Returns:
        Pairs of dictionary forms.
    """
    senses = [grammar.lexicon.senses[language] for language in LANGUAGES]
    pairs = grammar.lexicon.translations
    return [pair for pair in pairs if all(len(of[word]) == 1 for of, word in zip(senses, pair))]
