"""The sizes and probabilities of the generated corpus."""

from dataclasses import dataclass, fields

SHARES = ("homonyms", "leak", "favoured", "plural", "adjective", "modifier", "adverb", "object", "oblique", "past")
ENTITY_SHARES = ("subject_entity", "object_entity", "oblique_entity", "parallel")
LANGUAGES = ("lume", "drask")
MOST = {"concepts": 5_000, "names": 1_000, "longest": 10_000}  # the languages have no more words


@dataclass(frozen=True, kw_only=True)
class GrammarOptions:
    """What a grammar is made of. `ValueError` is raised for a size or a probability that is none.

    Args:
        lexicon_seed: Chooses words, homonyms and favourites; corpora of one language share it.
        topics: How many topics there are; a document has one.
        nouns: Noun senses of each topic.
        verbs: Verb senses.
        adjectives: Adjective senses.
        adverbs: Adverb senses.
        names: Given names; there are as many other names, which people, places and organisations share.
        homonyms: Share of the content words of each language that have two senses.
        leak: Probability that a noun is drawn from all topics rather than from that of its document.
        favoured: Probability that a verb, adjective or adverb is a favourite of its noun.
        plural: Probability that a noun without a numeral is plural.
        adjective: Probability that a noun has an adjective.
        modifier: Probability that a noun has another noun as modifier.
        adverb: Probability that a sentence has an adverb.
        object: Probability that a sentence has an object.
        oblique: Probability that a sentence has an adpositional phrase.
        past: Probability of the past tense.
        subject_entity: Probability that a subject is a named entity.
        object_entity: Probability that an object is a named entity.
        oblique_entity: Probability that an adpositional phrase holds a named entity.
        definite: Probability that a noun is definite; what it and `numeral` leave is that of an indefinite one.
        numeral: Probability that a noun has a numeral.
        shortest: Sentences of the shortest document.
        longest: Sentences of the longest document.
        parallel: Share of the documents that are written in both languages.
    """

    lexicon_seed: int = 0
    topics: int = 12
    nouns: int = 20
    verbs: int = 60
    adjectives: int = 60
    adverbs: int = 30
    names: int = 24
    homonyms: float = 0.3
    leak: float = 0.1
    favoured: float = 0.75
    plural: float = 0.35
    adjective: float = 0.4
    modifier: float = 0.15
    adverb: float = 0.4
    object: float = 0.75
    oblique: float = 0.5
    past: float = 0.5
    subject_entity: float = 0.2
    object_entity: float = 0.15
    oblique_entity: float = 0.5
    definite: float = 0.5
    numeral: float = 0.15
    shortest: int = 4
    longest: int = 8
    parallel: float = 0.3

    def __post_init__(self) -> None:
        for name in (*SHARES, *ENTITY_SHARES, "definite", "numeral"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, not {getattr(self, name)}.")
        if self.definite + self.numeral > 1:
            raise ValueError(f"definite and numeral sum to {self.definite + self.numeral:g}, which is more than 1.")
        for field in fields(GrammarOptions):
            least = 0 if field.name == "lexicon_seed" else 1
            if field.type is int and getattr(self, field.name) < least:
                raise ValueError(f"{field.name} must be at least {least}, not {getattr(self, field.name)}.")
        for name, most in MOST.items():
            if getattr(self, name) > most:
                what = "senses (topics times nouns, verbs, adjectives and adverbs)" if name == "concepts" else name
                raise ValueError(f"{what} must be at most {most:,}, not {getattr(self, name):,}.")
        if self.longest < self.shortest:
            raise ValueError(f"longest is {self.longest}, which is less than shortest, {self.shortest}.")

    @property
    def grammar(self) -> "GrammarOptions":
        """These options alone, without those that a command adds to them."""
        return GrammarOptions(**{field.name: getattr(self, field.name) for field in fields(GrammarOptions)})

    @property
    def concepts(self) -> int:
        """Content senses, of all classes."""
        return self.topics * self.nouns + self.verbs + self.adjectives + self.adverbs

    @property
    def homonym_count(self) -> int:
        """Words of two senses, in each language: h of (concepts - h) words are the share asked for."""
        return round(self.concepts * self.homonyms / (1 + self.homonyms))
