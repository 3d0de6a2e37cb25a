"""Sentences of words: treebanks and tagged entities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import TAGGED, TREEBANK, written

from semeqv.runs.errors import UserError
from semeqv.text.readers import conllu, iob2
from semeqv.text.readers import sentences as plain
from semeqv.text.records import EmptyNode, Sentence, Span, Word


def test_a_treebank_is_read_with_spans_and_empty_nodes(tmp_path):
    first, second = conllu.read_sentences(written(tmp_path, TREEBANK), tree=True)
    assert first.spans == (Span(1, 2, "Don't"),)
    assert [(node.after, node.number, node.word.form) for node in (*first.empty, *second.empty)] == [
        (2, 1, "you"),
        (0, 1, "I"),
    ]
    assert first.words[1] == Word("n't", "not", "PART", "RB", "_", 3, "advmod", "3:advmod", "SpacesAfter=\\s\\s")
    assert (first.name, first.text, first.comments[0]) == ("1", "Don't  go", "# newdoc")
    assert (second.name, second.text) == ("2", "Gone.")
    assert Sentence(first.words, spans=first.spans).text == "Don't go"


LINE = "{}\tx\t_\t_\t_\t_\t{}\t_\t_\t_"


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([(2, 0)], "line 1: ID 2 where 1 should be"),
        ([(1, 0), (1, 0)], "line 2: ID 1 where 2 should be"),
        ([("x", 0)], "line 1: ID 'x' is none of 3, 3-4 and 3.1"),
        ([("²", 0)], "line 1: ID '²' is none of 3, 3-4 and 3.1"),
        ([(1, 2)], "line 1: HEAD 2 is no other of the 1 words"),
        ([(1, 1)], "line 1: HEAD 1 is no other of the 1 words"),
        ([(1, -1)], "line 1: HEAD '-1' is no number of a word"),
        ([("1-2", "_"), (1, 0)], "line 2: the sentence ends before word 2 of token 'x'"),
        ([("2-3", "_"), (1, 0)], "line 1: ID 2-3 does not begin at the next word, which is 1"),
        ([("1-2", "_"), ("1-2", "_")], "line 2: ID 1-2 does not begin at the next word, which is 3"),
        ([("1-2", 0), (1, 0)], "line 1: 1-2 is several words, and may have only FORM, FEATS and MISC"),
        ([(1, 0), ("2.1", "_")], r"line 2: ID 2.1 where 1.1 or the next word should be"),
        ([(1, 0), ("1.2", "_")], r"line 2: ID 1.2 where 1.1 or the next word should be"),
        ([("0.1", "_")], "line 1: the sentence that ends here has no word"),
    ],
)
def test_what_is_no_sentence_is_named(tmp_path, rows, match):
    path = written(tmp_path, "\n".join(LINE.format(*row) for row in rows))
    with pytest.raises(UserError, match=f"corpus.txt, {match}"):
        list(conllu.read_sentences(path))


@pytest.mark.parametrize(
    ("heads", "match"),
    [
        ([2, 0, "_"], "line 3: no HEAD, and a tree was asked for"),
        ([0, 0], "line 2: 2 words with HEAD 0; a tree has one"),
        ([2, 1], "line 1: 0 words with HEAD 0; a tree has one"),
        ([0, 3, 2], "line 2: the heads from word 2 on run in a circle"),
        ([0, 3, 4, 2, 3], "line 2: the heads from word 2 on run in a circle"),
    ],
)
def test_what_is_no_tree_is_read_unless_trees_are_asked_for(tmp_path, heads, match):
    path = written(tmp_path, "\n".join(LINE.format(number, head) for number, head in enumerate(heads, 1)))
    assert len(list(conllu.read_sentences(path))) == 1
    with pytest.raises(UserError, match=f"corpus.txt, {match}"):
        list(conllu.read_sentences(path, tree=True))


def test_lines_that_are_no_words_are_named(tmp_path):
    word = LINE.format(1, 0)
    for content, match in (
        (word.replace("\t", "    "), "line 1: 1 columns .*, not 10 with tabs between them"),
        (f"{word}\t_", "line 1: 11 columns"),
        (word.replace("\tx\t", "\t\t"), "line 1: column FORM is empty; write _"),
        (f"{word}\n# late", "line 2: a comment within a sentence"),
        (f"{word}\n\n# alone", "line 3: the sentence that ends here has no word"),
    ):
        with pytest.raises(UserError, match=f"corpus.txt, {match}"):
            list(conllu.read_sentences(written(tmp_path, content)))


COLUMN = st.text(st.characters(exclude_characters="\n\r\0\t\ufeff", exclude_categories=["Cs"]), min_size=1, max_size=4)
WORDS = st.tuples(*[COLUMN] * 8).map(lambda columns: Word(*columns[:5], None, *columns[5:]))


@st.composite
def sentences(draw):
    """Sentences with heads, spans and empty nodes as the format allows them."""
    words, number = [], draw(st.integers(1, 5))
    for position in range(1, number + 1):
        word = draw(WORDS)
        head = draw(st.none() | st.integers(0, number).filter(lambda head: head != position))  # noqa: B023
        words.append(Word(word.form, word.lemma, word.upos, head=head, misc=word.misc))
    cuts = sorted(draw(st.lists(st.integers(1, number), unique=True, max_size=4)))
    spans = [Span(first, last, draw(COLUMN), draw(COLUMN), draw(COLUMN)) for first, last in zip(cuts[::2], cuts[1::2])]
    counts = [draw(st.integers(0, 2)) for _ in range(number + 1)]
    empty = [EmptyNode(after, each, draw(WORDS)) for after, count in enumerate(counts) for each in range(1, count + 1)]
    comments = [f"#{draw(COLUMN)}" for _ in range(draw(st.integers(0, 2)))]
    return Sentence(tuple(words), tuple(comments), tuple(spans), tuple(empty))


@given(st.lists(sentences(), min_size=1, max_size=3))
def test_sentences_come_back(tmp_path_factory, expected):
    path = tmp_path_factory.getbasetemp() / "written.conllu"
    conllu.write_sentences(path, expected)
    assert list(conllu.read_sentences(path)) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        Sentence((Word("a\tb"),)),
        Sentence((Word(""),)),
        Sentence((Word("a\nb"),)),
        Sentence((Word("a"),), comments=("no mark",)),
        Sentence((Word("a"),), comments=("# a\n# b",)),
    ],
)
def test_what_has_no_spelling_is_not_written(tmp_path, sentence):
    with pytest.raises(ValueError, match=r"No column|A comment|No line"):
        conllu.write_sentences(tmp_path / "a.conllu", [sentence])
    assert list(tmp_path.iterdir()) == []


# -- entities -------------------------------------------------------------------------------------------------------


def tags(path, **options):
    return [[(word.form, word.tag) for word in sentence.words] for sentence in iob2.read_sentences(path, **options)]


EXPECTED = [[("Ann", "B-PER"), ("Smith", "I-PER"), ("lives", "O")], [("here", "O")]]


@pytest.mark.parametrize(
    "row",
    [
        "{word} {tag}",
        "{word}\t{tag}",
        "{word} NNP I-NP {tag}",
        "{word}\tX\t{tag}",
        "{number}\t{word}\t{tag}",
        "{number}\t{word}\t{tag}\tO",
        "{number}\t{word}\t{tag}\t-\t-",
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_entities_are_read_from_two_to_five_columns(tmp_path, row, first):
    text = "-DOCSTART- -X- O O\n\n"
    for sentence in EXPECTED:
        for number, (word, tag) in enumerate(sentence, first):
            text += row.format(word=word, tag=tag, number=number) + "\n"
        text += "\n"
    assert tags(written(tmp_path, text)) == EXPECTED


def test_comments_stand_above_and_a_hash_may_be_a_word(tmp_path):
    first, second = iob2.read_sentences(written(tmp_path, TAGGED))
    assert (first.said("text"), second.comments) == ("Ann lives", ("# no tag here",))
    assert tags(written(tmp_path, "a\tO\n#\tO\n#tag\tB-X\n")) == [[("a", "O"), ("#", "O"), ("#tag", "B-X")]]
    assert tags(written(tmp_path, "a\tO\tx\tB-X\n"), columns=(1, 4)) == [[("a", "B-X")]]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # The first sentence is the number 1, and the columns are word, part of speech and tag.
        ("1\tCD\tO\n\nin\tIN\tO\nRome\tNNP\tB-LOC\n", [[("1", "O")], [("in", "O"), ("Rome", "B-LOC")]]),
        ("0 CD O\n1 CD O\n\na DT O\nb NN O\n\nc NN O\nd NN O\n", [[(a, "O"), (b, "O")] for a, b in ("01", "ab", "cd")]),
        ("1\tRome\tB-LOC\n\n1\tin\tO\n2\tRome\tB-LOC\n", [[("Rome", "B-LOC")], [("in", "O"), ("Rome", "B-LOC")]]),
        ("1\tRome\tB-LOC\tx\n\n1\tin\tO\tx\n", [[("Rome", "B-LOC")], [("in", "O")]]),  # the last is no tag
    ],
)
def test_the_whole_file_shows_its_columns(tmp_path, content, expected):
    assert tags(written(tmp_path, content)) == expected


def test_numbers_that_may_be_words_are_refused(tmp_path):
    path = written(tmp_path, "1\tCD\tO\n\n1\tCD\tO\n")
    with pytest.raises(UserError, match="say --word_column and --tag_column"):
        tags(path)
    assert tags(path, columns=(1, 3)) == [[("1", "O")]] * 2


def test_entities_of_iob1_are_converted_when_asked(tmp_path):
    path = written(tmp_path, "a I-PER\nb I-PER\nc B-PER\nd I-LOC\n\ne I-LOC\n")
    assert [[tag for _, tag in each] for each in tags(path, convert=True)] == [
        ["B-PER", "I-PER", "B-PER", "B-LOC"],
        ["B-LOC"],
    ]
    with pytest.raises(UserError, match=r"corpus.txt, line 1: 'I-PER' cannot follow 'O': entities begin with B-"):
        tags(path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("a O\nb\n", r"line 2: 1 columns where a word and its tag should be \(\['b'\]\)"),
        ("a\tO\nb\tX-PER\n", "line 2: 'X-PER' is none of the tags of IOB2"),
        ("a\tO\n\tO\n", "line 2: the word is empty"),
        ("a\tO\n# late\n", "line 2: '# late' has no tag, and comments stand above a sentence"),
        ("-DOCSTART- O\na O\n", "line 2: an empty line should follow -DOCSTART-"),
    ],
)
@pytest.mark.bad_input("B2")
def test_tags_that_do_not_fit_are_named(tmp_path, content, match):
    with pytest.raises(UserError, match=f"corpus.txt, {match}"):
        tags(written(tmp_path, content))


@pytest.mark.parametrize(("module", "line"), [(conllu, "# comment"), (iob2, "a O")])
def test_a_sentence_has_a_longest_length(tmp_path, module, line, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 10)
    with pytest.raises(UserError, match=r"corpus.txt, line 11: a sentence of over 10 lines; an empty line ends one"):
        list(module.read_sentences(written(tmp_path, f"{line}\n" * 20)))


TAGS = st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), min_size=1, max_size=6)


@given(TAGS)
def test_conversion_gives_tags_of_iob2(tmp_path_factory, said):
    path = written(tmp_path_factory.getbasetemp(), "".join(f"x\t{tag}\n" for tag in said))
    (found,) = tags(path, convert=True)
    converted = [tag for _, tag in found]
    assert [tag[1:] for tag in converted] == [tag[1:] for tag in said]
    again = written(tmp_path_factory.getbasetemp(), "".join(f"x\t{tag}\n" for tag in converted))
    assert tags(again) == [found]
    assert (converted == said) == (tags_or_none(said, path.parent) is not None)


def tags_or_none(said, folder):
    try:
        return tags(written(folder, "".join(f"x\t{tag}\n" for tag in said)))
    except UserError:
        return None


def test_plain_text_is_cut_into_words(tmp_path):
    path = written(tmp_path, "हिन्दी में, well-known 3.5 l\u2019eau!\n\n # no comment\n", "a.txt")
    first, second = plain.read_sentences(path)
    assert [word.form for word in first.words] == ["हिन्दी", "में", ",", "well-known", "3.5", "l\u2019eau", "!"]
    assert first.text == "हिन्दी में, well-known 3.5 l\u2019eau!"
    assert [word.form for word in second.words] == ["#", "no", "comment"]
    assert plain.is_text(path)
    assert not plain.is_text(written(tmp_path, "# a\n" + "\t".join("1234567890") + "\n", "b.txt"))
    assert not plain.is_text(written(tmp_path, "plain", "b.conllu"))
