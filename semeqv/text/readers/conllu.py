"""CoNLL-U, the format of Universal Dependencies (https://universaldependencies.org/format.html)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.text.files import lines, one_line, some, writing
from semeqv.text.readers import parquet
from semeqv.text.records import UNSAID, EmptyNode, Sentence, Span, Word

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
STORED = ("lemmas", "upos", "xpos", "feats", "head", "deprel")  # columns of Parquet files of the hub
NOTHING = "None"  # how they say that nobody said
WHITE = re.compile(r"[\t\r\n]+")
LONGEST = 100_000  # lines of a sentence
NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
PLACE = re.compile(rf"({NUMBER.pattern})(?:([-.])({NUMBER.pattern}))?")


def read_sentences(path: Path, tree: bool = False) -> Iterator[Sentence]:
    """Read a treebank, of CoNLL-U or of Parquet as the hub stores it.

    Raises `UserError` when there is none, or one is malformed; the line is named.

    Args:
        path: The file.
        tree: Whether each sentence must be a tree: every word has a head, one head is 0, and all words hang on it.

    Yields:
        Its sentences.
    """
    yield from some((sentence for _, sentence in numbered(path, tree)), path, "sentence of CoNLL-U")


def numbered(path: Path, tree: bool) -> Iterator[tuple[int, Sentence]]:
    """The sentences of a treebank, of which there may be none, and the line that each begins on."""
    if path.name.endswith(".parquet"):
        for number, record in parquet.records(path):
            if block := stored(record, number, f"{path}, row {number}"):
                yield number, parse(path, block, tree)
        return
    block = list[tuple[int, str]]()
    for number, line in lines(path):
        if line:
            block.append((number, line))
            if len(block) > LONGEST:
                raise UserError(f"{path}, line {number}: a sentence of over {LONGEST:,} lines; an empty line ends one.")
        elif block:
            yield block[0][0], parse(path, block, tree)
            block = []
    if block:
        yield block[0][0], parse(path, block, tree)


def stored(record: Mapping[str, Any], number: int, where: str) -> list[tuple[int, str]]:
    """The lines of a sentence of a Parquet file, as the hub stores treebanks: a list for each column.

    Args:
        record: The row: `tokens`, and those of `lemmas`, `upos`, `xpos`, `feats`, `head` and `deprel` that are there.
        number: Its number.
        where: Where it stands, for the message.

    Returns:
        The lines of its words. A token of several words, which has no part of speech and no head, is left out.

    Raises:
        UserError: When columns are of unlike length, or list no texts.
    """
    forms = parquet.column(record, ("tokens", "forms"), where)
    said = [forms]
    for name in STORED:
        values = record.get(name)
        said.append([NOTHING] * len(forms) if values is None else parquet.column(record, (name,), where))
        if len(said[-1]) != len(forms):
            raise UserError(f"{where}: {len(forms)} tokens and {len(said[-1])} of {name!r}.")
    found = list[tuple[int, str]]()
    for form, lemma, upos, xpos, feats, head, deprel in zip(*said):
        plain = [UNSAID if each in (NOTHING, "") else each for each in (form, lemma, upos, xpos, feats, head, deprel)]
        if record.get("head") is not None and plain[2] == plain[5] == UNSAID:
            continue
        plain[4] = features(plain[4])
        row = [str(len(found) + 1), *(WHITE.sub(" ", each) for each in plain), UNSAID, UNSAID]
        found.append((number, "\t".join(row)))
    return found


def features(text: str) -> str:
    """Features as CoNLL-U writes them, of what the hub stores: `{'Number': 'Sing'}`."""
    if not text.startswith("{"):
        return text
    return "|".join(f"{name}={value}" for name, value in re.findall(r"'([^']+)': '([^']*)'", text)) or UNSAID


def parse(path: Path, block: list[tuple[int, str]], tree: bool) -> Sentence:
    """Read the lines of a sentence.

    Args:
        path: The file, for the message.
        block: The lines, and their numbers.
        tree: Whether the sentence must be a tree.

    Returns:
        The sentence.

    Raises:
        UserError: When it is malformed.
    """
    comments, words, spans, empty, at = list[str](), list[Word](), list[Span](), list[EmptyNode](), list[int]()
    file = str(path)
    for number, line in block:
        where = f"{file}, line {number}"
        if line.startswith("#"):
            if words or spans or empty:
                raise UserError(f"{where}: a comment within a sentence; comments stand above its words.")
            comments.append(line)
            continue
        place, columns = split(line, where)
        first, kind, second = int(place[1]), place[2], int(place[3] or 0)
        if kind == "-":
            covered = max(len(words), spans[-1].last if spans else 0)
            if first != len(words) + 1 or first <= covered or second < first:
                raise UserError(f"{where}: ID {columns[0]} does not begin at the next word, which is {covered + 1}.")
            if any(columns[column] != UNSAID for column in (2, 3, 4, 6, 7, 8)):
                raise UserError(f"{where}: {columns[0]} is several words, and may have only FORM, FEATS and MISC.")
            spans.append(Span(first, second, columns[1], columns[5], columns[9]))
        elif kind == ".":
            earlier = empty[-1].number if empty and empty[-1].after == len(words) else 0
            if (first, second) != (len(words), earlier + 1) or (spans and spans[-1].first > first):
                raise UserError(
                    f"{where}: ID {columns[0]} where {len(words)}.{earlier + 1} or the next word should be."
                )
            empty.append(EmptyNode(first, second, word(columns, where)))
        elif first != len(words) + 1:
            raise UserError(f"{where}: ID {first} where {len(words) + 1} should be; IDs count the words from 1.")
        else:
            words.append(word(columns, where))
            at.append(number)
    last = f"{path}, line {block[-1][0]}"
    if not words:
        raise UserError(f"{last}: the sentence that ends here has no word.")
    if spans and spans[-1].last > len(words):
        raise UserError(f"{last}: the sentence ends before word {spans[-1].last} of token {spans[-1].form!r:.40}.")
    check_heads(path, words, at, tree)
    return Sentence(tuple(words), tuple(comments), tuple(spans), tuple(empty))


def split(line: str, where: str) -> tuple[re.Match[str], list[str]]:
    """The columns of a line.

    Args:
        line: The line of a word, of a token of several words or of an empty node.
        where: Where it stands, for the message.

    Returns:
        The parts of its ID, and its ten columns.

    Raises:
        UserError: When it has not ten columns that say something, an ID first.
    """
    columns = line.split("\t")
    if len(columns) != len(COLUMNS):
        raise UserError(
            f"{where}: {len(columns)} columns ({line!r:.40}), not {len(COLUMNS)} with tabs between them; an empty line "
            "ends a sentence."
        )
    if "" in columns:
        raise UserError(f"{where}: column {COLUMNS[columns.index('')]} is empty; write _.")
    place = PLACE.fullmatch(columns[0])
    if not place:
        raise UserError(f"{where}: ID {columns[0]!r:.40} is none of 3, 3-4 and 3.1.")
    return place, columns


def word(columns: list[str], where: str) -> Word:
    """The word that a line describes; its head is not yet known to be there."""
    form, lemma, upos, xpos, feats, head, deprel, deps, misc = columns[1:]
    if head != UNSAID and not NUMBER.fullmatch(head):
        raise UserError(f"{where}: HEAD {head!r:.40} is no number of a word.")
    number = None if head == UNSAID else int(head)
    return Word(form, lemma, upos, xpos, feats, number, deprel, deps, misc)


def check_heads(path: Path, words: list[Word], at: list[int], tree: bool) -> None:
    """Follow the heads of a sentence.

    Args:
        path: The file, for the message.
        words: The words.
        at: The line of each.
        tree: Whether they must be a tree.

    Raises:
        UserError: When a head is no other word of the sentence, or the words should be a tree and are not.
    """
    for number, (line, each) in enumerate(zip(at, words), 1):
        if each.head is not None and (each.head > len(words) or each.head == number):
            raise UserError(f"{path}, line {line}: HEAD {each.head} is no other of the {len(words)} words.")
        if tree and each.head is None:
            raise UserError(f"{path}, line {line}: no HEAD, and a tree was asked for.")
    if not tree:
        return
    roots = [line for line, each in zip(at, words) if each.head == 0]
    if len(roots) != 1:
        raise UserError(f"{path}, line {(roots[1:] or at)[0]}: {len(roots)} words with HEAD 0; a tree has one.")
    safe = {0}
    for number, line in enumerate(at, 1):
        chain, node = dict[int, None](), number
        while node not in safe:
            if node in chain:
                raise UserError(
                    f"{path}, line {line}: the heads from word {number} on run in a circle, not to the root."
                )
            chain[node] = None
            node = words[node - 1].head or 0
        safe |= chain.keys()


def write_sentences(path: Path, sentences: Iterable[Sentence]) -> None:
    """Write a treebank; `read_sentences` gives the same sentences back, but for the tags of entities.

    Raises `UserError` when it cannot be written, or (`ValueError`) a column or a comment has no spelling.

    Args:
        path: The file.
        sentences: What to write.
    """
    with writing(path) as file:
        for sentence in sentences:
            file.writelines(f"{line}\n" for line in written(sentence))
            file.write("\n")


def written(sentence: Sentence) -> Iterator[str]:
    """The lines of a sentence, without the empty one that ends it."""
    for comment in sentence.comments:
        if not comment.startswith("#"):
            raise ValueError(f"A comment starts with #: {comment!r:.60}.")
        yield one_line(comment)
    spans = {span.first: span for span in sentence.spans}
    for position in range(len(sentence.words) + 1):
        if position:
            if span := spans.get(position):
                place = f"{span.first}-{span.last}"
                yield row(place, span.form, *[UNSAID] * 3, span.feats, *[UNSAID] * 3, span.misc)
            yield columns(str(position), sentence.words[position - 1])
        for node in sentence.empty:
            if node.after == position:
                yield columns(f"{node.after}.{node.number}", node.word)


def columns(place: str, word: Word) -> str:
    """The line of a word."""
    head = UNSAID if word.head is None else str(word.head)
    return row(place, word.form, word.lemma, word.upos, word.xpos, word.feats, head, word.deprel, word.deps, word.misc)


def row(*columns: str) -> str:
    """A line of ten columns."""
    if any(not column or "\t" in column for column in columns):
        raise ValueError(f"No column of CoNLL-U is empty or holds a tab: {columns!r:.200}.")
    return one_line("\t".join(columns))
