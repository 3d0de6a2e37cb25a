"""Prints some of the generated corpus, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from semeqv.babel.document import Document, Sentence, Token
from semeqv.babel.grammar import Grammar
from semeqv.babel.lexicon import Lexicon
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.reader import BayesReader
from semeqv.babel.vocabulary import Category
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import rich

HOMONYM, NAME, QUIET = "bold magenta", "cyan", "dim"


@dataclass(frozen=True)
class Shown(Result):
    """Documents of the generated corpus.

    Args:
        grammar: Of the corpus.
        documents: The documents.
    """

    grammar: Grammar
    documents: list[Document]

    def show(self) -> None:
        """Print each word with its gloss, and each sentence with its translation."""
        console = rich.console.Console(markup=False, highlight=False)
        readers = {language: BayesReader(self.grammar, language) for language in LANGUAGES}
        for document in self.documents:
            print_document(console, document, self.grammar.lexicon, readers)

    def records(self) -> list[dict[str, Any]]:
        """Return one row for each word."""
        return [
            {"document": document.index, "language": language, "sentence": number, "word": token.form}
            | {"gloss": gloss(token, self.grammar.lexicon)}
            for document in self.documents
            for language in document.languages
            for number, sentence in enumerate(document.sentences[language])
            for token in sentence.tokens
        ]


@action("babel show", record=False)
def show(
    *,
    documents: Annotated[int, AtLeast(1)] = 1,
    start: Annotated[int, AtLeast(0)] = 0,
    split: Literal["train", "validation", "test"] = "train",
    seed: Annotated[int, AtLeast(0)] = 0,
    options: GrammarOptions = GrammarOptions(),
) -> Shown:
    """Print documents of the generated corpus: each word with its gloss, each sentence with its translation.

    Below a word stands what it means: `n17.t3` is noun 17, of topic 3; verbs are `v`, adjectives `a`, adverbs `d`.
    Below a homonym stand also the other sense that it could have, and how sure of the true one a reader can be after
    the words so far, and after the whole document.

    Args:
        documents: How many documents.
        start: How many documents of the split to pass over.
        split: Of which split.
        seed: Which corpus.
        options: Of the grammar.

    Returns:
        The documents.
    """
    grammar = Grammar(options.grammar)
    return Shown(grammar, list(grammar.documents(split, documents, seed, start)))


def print_document(
    console: rich.console.Console, document: Document, lexicon: Lexicon, readers: dict[str, BayesReader]
) -> None:
    """Print a document, every sentence in the languages that the document has."""
    languages = " and ".join(language.capitalize() for language in document.languages)
    console.rule(f"Document {document.index}, on topic {document.topic}, in {languages}", align="left")
    doubts = {language: doubt(document, lexicon, readers[language]) for language in document.languages}
    for number in range(len(document.sentences[document.languages[0]])):
        for language in document.languages:
            for line in interlinear(
                document.sentences[language][number], lexicon, doubts[language][number], console.width
            ):
                console.print(line, no_wrap=True)
        console.print()


def doubt(document: Document, lexicon: Lexicon, reader: BayesReader) -> list[dict[int, tuple[str, str]]]:
    """What could be misunderstood in each sentence of a document.

    Args:
        document: The document.
        lexicon: The senses.
        reader: The reader of one of the languages of the document.

    Returns:
        For each sentence, by the positions of homonyms, the other sense and how probable the true one is, in per cent,
        after the words before and after the whole document.
    """
    found, said = (
        reader.disambiguate([document]),
        [dict[int, tuple[str, str]]() for _ in document.sentences[reader.language]],
    )
    for row, truth in enumerate(found.truth.tolist()):
        left, whole = (f"{100 * found.posterior[context][row, truth]:.0f}" for context in ("left", "document"))
        other = sense(int(found.senses[row, 1 - truth]), lexicon)
        said[int(found.sentence[row])][int(found.position[row])] = f"or {other}", f"{left}→{whole}%"
    return said


def interlinear(
    sentence: Sentence, lexicon: Lexicon, doubts: dict[int, tuple[str, str]], width: int
) -> Iterator[rich.text.Text]:
    """The words of a sentence above their glosses and doubts, broken into lines of some width."""
    block = [rich.text.Text() for _ in range(4)]
    for position, token in enumerate(sentence.tokens):
        column = (token.form, gloss(token, lexicon), *doubts.get(position, ("", "")))
        wide = max(map(len, column)) + 2
        if block[0] and len(block[0]) + wide > width:
            yield from (line for line in block if line.plain.strip())
            block = [rich.text.Text() for _ in range(4)]
        style = HOMONYM if position in doubts else NAME if token.entity != "O" else ""
        for line, said, how in zip(block, column, (style, QUIET, HOMONYM, QUIET)):
            line.append(said.ljust(wide), how)
    yield from (line for line in block if line.plain.strip())


SHORT = {Category.NOUN: "n", Category.VERB: "v", Category.ADJECTIVE: "a", Category.ADVERB: "d"}
FUNCTION = {"genitive": "GEN", "adposition": "ADP", "accusative": "ACC"}
INFLECTION = {"Number=Plur": "-PL", "Tense=Past": "-PST", "Definite=Def": "DEF", "Definite=Ind": "INDF"}


def gloss(token: Token, lexicon: Lexicon) -> str:
    """What a word means and how it is inflected, such as `n17.t3-PL`; of names, what they name; of marks, nothing."""
    if token.entity != "O":
        return token.entity[2:] if token.entity[0] == "B" else "·"
    stem = FUNCTION.get(token.node.rpartition(".")[2], "") if token.concept is None else sense(token.concept, lexicon)
    return stem + "".join(said for feature, said in INFLECTION.items() if feature in token.features.split("|"))


def sense(concept: int, lexicon: Lexicon) -> str:
    """The sense of a word in short: `n17.t3` for noun 17, of topic 3."""
    known = lexicon.concepts[concept]
    return f"{SHORT[known.category]}{known.item}" + ("" if known.topic is None else f".t{known.topic}")
