"""Named entities as tags: a word a line, an empty line after each sentence (Tjong Kim Sang & Veenstra, 1999)."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from semeqv.runs.errors import UserError
from semeqv.text.files import lines, some
from semeqv.text.languages import CODE, known
from semeqv.text.readers import parquet
from semeqv.text.records import Sentence, Word

LONGEST = 100_000  # lines of a sentence
DOCUMENT = "-DOCSTART-"
TAG = re.compile(r"O|[BI]-\S+")
REMARK = re.compile(r"# ?[\w.:-]+( id)? =")
WORDS, TAGS = ("tokens", "words"), ("ner_tags", "tags", "labels")  # columns of Parquet files of the hub
NUMBERED, PLAIN = (1, 2), (0, -1)  # indices of word and tag

Fields = list[str]


def read_sentences(
    path: Path, columns: tuple[int, int] | None = None, convert: bool = False, prefix: str = ""
) -> Iterator[Sentence]:
    """Read a file of two to five columns, tabs or blanks between them, or a Parquet file of the hub.

    Comments are the lines above a sentence that start with `#` and have no tag. Marks of documents (`-DOCSTART-`) are
    left out.

    Raises `UserError` when there is none, a line has too few columns, or a tag is none of IOB2 or cannot stand where it
    is.

    Args:
        path: The file.
        columns: The columns of the words and of their tags, counted from 1. By default the second and the third where
            the first numbers the words of most sentences, otherwise the first and the last.
        convert: Whether an `I-` that follows no entity of its type begins one, as in IOB1 and in careless IOB2, and
            becomes `B-`; otherwise it is refused.
        prefix: What is left out at the start of words, `en:`.

    Yields:
        Its sentences, with tags in IOB2.
    """
    yield from some(sentences(path, columns, convert, prefix), path, "sentence of IOB2")


def sentences(path: Path, columns: tuple[int, int] | None, convert: bool, prefix: str) -> Iterator[Sentence]:
    """The sentences of a file, of which there may be none."""
    file, at = str(path), (columns[0] - 1, columns[1] - 1) if columns else layout(path)
    for comments, rows in tagged(path):
        words, tag = list[Word](), "O"
        for number, fields in rows:
            where = f"{file}, line {number}"
            if len(fields) <= max(1, *at):
                raise UserError(f"{where}: {len(fields)} columns where a word and its tag should be ({fields!r:.40}).")
            form = fields[at[0]].removeprefix(prefix)
            if not form:
                raise UserError(f"{where}: the word is empty.")
            tag = following(tag, fields[at[1]], convert, where)
            words.append(Word(form, tag=tag))
        yield Sentence(tuple(words), tuple(comments))


def tagged(path: Path) -> Iterator[tuple[list[str], list[tuple[int, Fields]]]]:
    """The blocks that are sentences, without the marks of documents."""
    for comments, rows in blocks(path):
        if rows[0][1][0] != DOCUMENT:
            yield comments, rows
        elif len(rows) > 1:
            raise UserError(f"{path}, line {rows[1][0]}: an empty line should follow {DOCUMENT}.")


def blocks(path: Path) -> Iterator[tuple[list[str], list[tuple[int, Fields]]]]:
    """The lines between empty ones: comments, and numbered rows, of which there is at least one."""
    if path.name.endswith(".parquet"):
        yield from stored(path)
        return
    comments, rows = list[str](), list[tuple[int, Fields]]()
    for number, line in lines(path):
        if not line.strip(" \t"):
            if rows:
                yield comments, rows
            comments, rows = [], []
            continue
        fields = line.split("\t") if "\t" in line else re.split(" +", line.strip(" "))
        if not line.startswith("#") or (not REMARK.match(line) and any(map(TAG.fullmatch, fields[1:]))):
            rows.append((number, fields))
        elif rows:
            raise UserError(f"{path}, line {number}: {line!r:.40} has no tag, and comments stand above a sentence.")
        else:
            comments.append(line)
        if len(rows) + len(comments) > LONGEST:
            raise UserError(f"{path}, line {number}: a sentence of over {LONGEST:,} lines; an empty line ends one.")
    if rows:
        yield comments, rows


def stored(path: Path) -> Iterator[tuple[list[str], list[tuple[int, Fields]]]]:
    """The sentences of a Parquet file of the hub, as `blocks` has them; rows without a word are left out."""
    for number, record in parquet.records(path):
        where = f"{path}, row {number}"
        words, tags = parquet.column(record, WORDS, where), parquet.column(record, TAGS, where)
        if len(words) != len(tags):
            raise UserError(f"{where}: {len(words)} words and {len(tags)} tags.")
        if words:
            yield [], [(number, [word, tag]) for word, tag in zip(words, tags)]


def layout(path: Path) -> tuple[int, int]:
    """Return the indices of word and tag, as the sentences of the whole file show them.

    Args:
        path: The file.

    Returns:
        The second and the third column, where the first numbers the words of most sentences; else the first and the
        last. A single word, which may be a number, shows nothing; where all sentences are, the tags decide.

    Raises:
        UserError: When every sentence is one word, a number, and both columns hold tags.
    """
    numbered, others, alone = 0, 0, list[Fields]()
    for _, rows in tagged(path):
        said = [fields[0] for _, fields in rows if len(fields) > 2]
        counts = any(said == [str(start + count) for count in range(len(rows))] for start in (0, 1))
        if len(rows) > 1:
            numbered, others = numbered + counts, others + (not counts)
        elif counts:
            alone.append(rows[0][1])
        else:
            others += 1
    if numbered or others or not alone:
        return NUMBERED if numbered > others else PLAIN
    fit = [columns for columns in (NUMBERED, PLAIN) if all(TAG.fullmatch(fields[columns[1]]) for fields in alone)]
    if len(fit) > 1:
        raise UserError(
            f"{path}: its sentences are single words, and the first column may be the word or its number; say "
            "--word_column and --tag_column."
        )
    return fit[0] if fit else PLAIN


def prefix_of(path: Path, columns: tuple[int, int] | None = None) -> str:
    """Return what stands before every word of a file, as WikiANN has it: `en:` of `en:Rome`.

    Args:
        path: The file.
        columns: As of `read_sentences`.

    Returns:
        The code of a language and a colon; empty when the words begin otherwise.

    Raises:
        UserError: When most words begin so, and some do not.
    """
    at = columns[0] - 1 if columns else layout(path)[0]
    counts, total = Counter[str](), 0
    for _, rows in tagged(path):
        for _, fields in rows:
            total += 1
            code, colon, _ = fields[at].partition(":") if len(fields) > at else ("", "", "")
            if colon and CODE.fullmatch(code) and known(code):
                counts[code + colon] += 1
    found, count = counts.most_common(1)[0] if counts else ("", 0)
    if count == total or count <= total / 2:
        return found if count == total else ""
    raise UserError(
        f"{path}: {count:,} of {total:,} words begin with {found!r}. Say --prefix {found[:-1]} to leave it out, or "
        '--prefix "" to read it as text.'
    )


def following(before: str, tag: str, convert: bool, where: str) -> str:
    """The tag of a word in IOB2.

    Args:
        before: The tag of the word before it, `O` at the start of a sentence.
        tag: The tag as written.
        convert: Whether an entity may begin with `I-`.
        where: Where the word stands, for the message.

    Returns:
        The tag.

    Raises:
        UserError: When it is none, or cannot follow.
    """
    if not TAG.fullmatch(tag):
        raise UserError(f"{where}: {tag!r:.40} is none of the tags of IOB2 (O, B-PER, I-PER).")
    if tag[0] == "I" and before[2:] != tag[2:]:
        if not convert:
            raise UserError(
                f"{where}: {tag!r:.40} cannot follow {before!r:.40}: entities begin with B-. Convert the tags if this "
                "is IOB1, or if it should count as a beginning."
            )
        return f"B-{tag[2:]}"
    return tag
