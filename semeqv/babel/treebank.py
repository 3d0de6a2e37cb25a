"""The sentences as CoNLL-U has them, with `Sense=` and `NER=` in the last column."""

from collections.abc import Iterator

from semeqv.babel.document import Document, Token
from semeqv.babel.lexicon import Lexicon
from semeqv.text import records


def parsed(document: Document, language: str, lexicon: Lexicon) -> Iterator[records.Sentence]:
    """The sentences of a document in one language, as a treebank has them.

    Sentences are named `17-0` for the first of document 17, in both languages; translations also share a `parallel_id`.

    Args:
        document: The document.
        language: One of its languages.
        lexicon: The names of the senses.

    Yields:
        Words with lemma, part of speech, features, head and relation. MISC names the sense of content words,
        `Sense=noun-17-topic-3`, alike in both languages, and the part of a word in an entity, `NER=B-PER`; the tag of a
        word is that part, or `O`.
    """
    for number, sentence in enumerate(document.sentences[language]):
        comments = [f"# sent_id = {document.index}-{number}", f"# text = {sentence.text}"]
        if document.parallel:
            comments.insert(1, f"# parallel_id = babel/{document.index}-{number}")
        if not number:
            comments = [f"# newdoc id = {document.index}", f"# topic = {document.topic}", *comments]
        yield records.Sentence(tuple(_word(token, lexicon) for token in sentence.tokens), tuple(comments))


def _word(token: Token, lexicon: Lexicon) -> records.Word:
    misc = records.UNSAID
    if token.concept is not None:
        misc = f"Sense={lexicon.concepts[token.concept].name}"
    elif token.entity != "O":
        misc = f"NER={token.entity}"
    return records.Word(
        form=token.form,
        lemma=token.lemma,
        upos=token.upos,
        feats=token.features or records.UNSAID,
        head=token.head,
        deprel=token.relation,
        misc=misc,
        tag=token.entity,
    )
