"""What readers yield: documents, aligned sentences, sentences of words, labelled texts, rows of a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

UNSAID = "_"  # how CoNLL-U writes a column that says nothing


@dataclass(frozen=True, slots=True)
class Document:
    """A text.

    Args:
        text: The text; it may hold newlines.
        language: Its language, as the corpus spells it; empty when nobody said.
    """

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Aligned:
    """What means the same in several languages.

    Args:
        sentences: The sentence of each language, in the order in which the languages were asked for.
        name: What the corpus calls it, such as a verse; empty when it has no name.
    """

    sentences: Mapping[str, str]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One or two texts with a label.

    Args:
        texts: The text, or premise and hypothesis.
        label: The label.
        language: The language of the texts; empty when nobody said.
    """

    texts: tuple[str, ...]
    label: str
    language: str = ""


class Word(NamedTuple):
    """A word, with the columns of CoNLL-U (https://universaldependencies.org/format.html) and perhaps an entity's tag.

    A tuple, since there are so many of them: it is made in a third of the time of a frozen dataclass.

    Args:
        form: The word as written.
        lemma: Its lemma.
        upos: Its universal part of speech.
        xpos: Its part of speech in the treebank's own tagset.
        feats: Its features, as written: `Case=Nom|Number=Sing`.
        head: The number of its head, counted from 1; 0 for the root; None when nobody said.
        deprel: The relation to its head.
        deps: Its place in the enhanced graph, as written.
        misc: Anything else, as written.
        tag: Its IOB2 tag; empty when the file has none.
    """

    form: str
    lemma: str = UNSAID
    upos: str = UNSAID
    xpos: str = UNSAID
    feats: str = UNSAID
    head: int | None = None
    deprel: str = UNSAID
    deps: str = UNSAID
    misc: str = UNSAID
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A token written as one that is several words: `don't`, the words 19 to 20.

    Args:
        first: The number of its first word, counted from 1.
        last: The number of its last word.
        form: The token as written.
        feats: Its features, as written.
        misc: Anything else, as written.
    """

    first: int
    last: int
    form: str
    feats: str = UNSAID
    misc: str = UNSAID


@dataclass(frozen=True, slots=True)
class EmptyNode:
    """A word that is understood but not written; only the enhanced graph knows it.

    Args:
        after: The number of the word that it follows, 0 at the start of the sentence.
        number: Its number among those that follow the same word, counted from 1.
        word: Its columns.
    """

    after: int
    number: int
    word: Word


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of words.

    Args:
        words: Its words; the heads of a parse count them from 1.
        comments: The lines above it, as written, `#` included.
        spans: Its tokens of several words, from left to right.
        empty: Its words that are not written, from left to right.
    """

    words: tuple[Word, ...]
    comments: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    empty: tuple[EmptyNode, ...] = ()

    def said(self, key: str) -> str:
        """What the comment `# key = value` says; empty when there is none."""
        for comment in self.comments:
            name, equals, value = comment[1:].partition("=")
            if equals and name.strip() == key:
                return value.strip()
        return ""

    @property
    def name(self) -> str:
        """Its `sent_id`; empty when it has none."""
        return self.said("sent_id")

    @property
    def text(self) -> str:
        """The sentence as written: what `# text` says, else its tokens, with a blank after each but `SpaceAfter=No`."""
        if said := self.said("text"):
            return said
        pieces, spans, position = list[str](), {span.first: span for span in self.spans}, 1
        while position <= len(self.words):
            token = spans.get(position) or self.words[position - 1]
            pieces.append(token.form if "SpaceAfter=No" in token.misc.split("|") else f"{token.form} ")
            position = token.last + 1 if isinstance(token, Span) else position + 1
        return "".join(pieces).rstrip(" ")


@dataclass(frozen=True, slots=True)
class Row:
    """The chosen fields of a row of a table.

    Args:
        line: The line of the file that it ends on, counted from 1.
        values: The fields, in the order in which they were asked for.
    """

    line: int
    values: tuple[str, ...]
