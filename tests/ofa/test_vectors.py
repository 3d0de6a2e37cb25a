"""Word vectors in files."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from transformers import PreTrainedTokenizerFast

from ofa.bag.bag import word_tokenizer
from ofa.vectors.make import tokens_by, words_of
from ofa.vectors.token_vectors import FastTextOptions, token_vectors
from ofa.vectors.word_vectors import WordVectors, read_vectors, write_vectors
from semeqv.babel.dataset import Babel
from semeqv.runs.errors import UserError
from semeqv.tasks.overlap import overlap
from semeqv.text.datasets.corpus import chosen

WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=9)


@given(st.lists(WORDS, min_size=1, max_size=8, unique=True), st.integers(1, 5), st.data())
def test_what_is_written_is_read(tmp_path_factory, words, width, data):
    numbers = st.floats(-1e6, 1e6, width=32)
    matrix = data.draw(arrays.arrays(numpy.float32, (len(words), width), elements=numbers))
    path = tmp_path_factory.mktemp("vectors") / "words.vec"
    write_vectors(path, WordVectors(words, matrix))
    found = read_vectors(path)
    assert list(found.words) == words
    numpy.testing.assert_allclose(found.matrix, matrix, rtol=1e-5, atol=1e-30)


@given(st.binary(max_size=200))
def test_anything_else_is_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("vectors") / "words.vec"
    path.write_bytes(content)
    try:
        found = read_vectors(path)
    except UserError:
        return
    assert numpy.isfinite(found.matrix).all()
    assert len(set(found.words)) == len(found)


@pytest.mark.parametrize("feed", [b"\n", b""])
def test_the_binary_format_is_known_by_its_bytes(tmp_path, feed):
    matrix = numpy.random.default_rng(0).normal(size=(3, 4)).astype("<f4")
    rows = b"".join(word.encode() + b" " + row.tobytes() + feed for word, row in zip(("a", "été", "c"), matrix))
    (tmp_path / "x.bin").write_bytes(b"3 4\n" + rows)
    found = read_vectors(tmp_path / "x.bin")
    assert found.words == ["a", "été", "c"]
    assert (found.matrix == matrix).all()
    (tmp_path / "cut.bin").write_bytes(b"3 4\n" + rows[:-9])
    with pytest.raises(UserError, match=r"cut\.bin ends in row 3 of 3"):
        read_vectors(tmp_path / "cut.bin")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a 1 2\nb 1\n", r"row 2: 1 numbers, where the rows before have 2"),
        ("a 1 2\nb 1 2 3\n", r"row 2: 3 numbers, where the rows before have 2"),
        ("3 2\na 1 2\nb 1 2\n", r"promises 3 words in its first line and holds 2"),
        ("a 1 2\nb x 2\n", r"row 2: no numbers"),
        ("a 1 2\nb nan 2\n", r"row 2: the vector of 'b' holds a number that is not finite"),
        ("2 2\na 1 2\nb 1 inf\n", r"row 3: the vector of 'b' holds a number that is not finite"),
        ("a 1 2\nb 1 2\na 1 3\n", r"row 3: 'a' was there before, in row 1"),
        ("", "holds no word vectors"),
        ("\n", "row 1"),
        ("5 3\n", "promises 5 words"),
        ("2 2\na 1 2\nb 1 2\nc 1 2\n", "promises 2 words in its first line and holds 3"),
        ("2 3\na 1 2 3 4\n", "row 2: 4 numbers"),
    ],
)
@pytest.mark.bad_input("B6")
def test_the_row_is_named(tmp_path, text, said):
    (tmp_path / "x.vec").write_text(text)
    with pytest.raises(UserError, match=said):
        read_vectors(tmp_path / "x.vec")


@pytest.mark.parametrize(
    ("text", "words", "column"),
    [
        ("2024 7\n1999 8\nx 9\n", ["2024", "1999", "x"], [7, 8, 9]),
        ("3 1\na 5\n", ["3", "a"], [1, 5]),
        ("2 1\na 5\nb 6\n", ["a", "b"], [5, 6]),
        ("2 3\n1 5 6 7\n2 8 9 1\n", ["1", "2"], [5, 8]),
        ("² 5 6\n3 1 2\n", ["²", "3"], [5, 1]),
    ],
)
def test_the_first_line_is_known_by_the_others(tmp_path, text, words, column):
    (tmp_path / "x.vec").write_text(text)
    found = read_vectors(tmp_path / "x.vec")
    assert list(found.words) == words
    assert found.matrix[:, 0].tolist() == column
    assert list(read_vectors(tmp_path / "x.vec", 1).words) == words[:1]


def test_words_of_glove_hold_spaces_and_pickles_are_not_opened(tmp_path):
    (tmp_path / "glove.txt").write_text("a 1 2\n. . . 1 2\n")
    assert read_vectors(tmp_path / "glove.txt").words == ["a", ". . ."]
    (tmp_path / "x.wv").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError, match="cli ofa convert-vectors"):
        read_vectors(tmp_path / "x.wv")


def plain(*words):
    return WordVectors(words, numpy.zeros((len(words), 1), numpy.float32)).plain()


def test_languages_and_edges_are_taken_off():
    assert plain("fra:$chien$", "fra:10:30", "deu:hund$") == [" chien ", "10:30", "hund "]
    assert plain("$chien$", "$hot$dog$", "$") == [" chien ", " hot dog ", "$"]


def test_words_are_chosen_by_their_languages():
    words = ["fra:$chien$", "$dog$", "deu:$hund$", "eng:$cat$"]
    vectors = WordVectors(words, numpy.arange(4, dtype=numpy.float32)[:, None])
    found = vectors.of_languages(["eng"])
    assert (list(found.words), found.matrix[:, 0].tolist()) == (["$dog$", "eng:$cat$"], [1, 3])
    assert list(vectors.of_languages(["deu", "fra"]).words) == ["fra:$chien$", "deu:$hund$"]
    assert vectors.of_languages([]) is vectors
    with pytest.raises(UserError, match="says that it is spa: spa:word"):
        vectors.of_languages(["fra", "spa"])


def test_a_dollar_sign_is_no_edge():
    words = ["US$", "$100", "$AAPL", "A$", "a", "$", "$$", "x$y"]
    assert plain(*words) == words
    assert plain(*(f"en:{word}" for word in ("US$", "$100", "chien"))) == ["US$", "$100", "chien"]
    assert plain("US$") == ["US$"]


@pytest.mark.parametrize("language", ["fr", "lume", "drask", "eng_Latn", "pt-br", "es-419"])
def test_whether_words_say_their_language_is_a_matter_of_all(language):
    nothing = numpy.zeros((3, 1), numpy.float32)
    assert WordVectors([f"{language}:{word}" for word in ("a", "10:30", "$b$")], nothing).plain() == [
        "a",
        "10:30",
        " b ",
    ]
    assert WordVectors(["a", f"{language}:b", "c"], nothing).plain() == ["a", f"{language}:b", "c"]


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_a_special_token_in_text_is_text(tokenizers, kind):
    tokenizer = tokenizers[kind, "drask"]
    found = tokens_by(tokenizer)("fr", f"a {tokenizer.mask_token} {tokenizer.eos_token} b")
    assert found
    assert not found & (set(tokenizer.all_special_tokens) - {tokenizer.unk_token})


def test_words_are_those_of_every_script():
    assert words_of("हिन्दी भाषा") == ["हिन्दी", "भाषा"]
    assert words_of("cafe\u0301 NOIR, l'eau 25 x_y don't-stop") == ["café", "noir", "l'eau", "x", "y", "don't-stop"]
    assert words_of("می\u200cخواهم سَلام") == ["می\u200cخواهم", "سَلام"]
    assert words_of("我们ok。ひらカタ") == ["我", "们", "ok", "ひ", "ら", "カ", "タ"]
    assert words_of("ไทยง่าย") == ["ไ", "ท", "ย", "ง่", "า", "ย"]
    assert "".join(words_of("နေကောင်းလား")) == "နေကောင်းလား"


def test_the_tokenizer_of_a_bag_finds_the_same_words():
    text = "हिन्दी cafe\u0301 25 我们 L'EAU"
    tokenizer = word_tokenizer(["café", "हिन्दी", "l'eau", "我"])
    assert tokenizer.tokenize(text) == ["हिन्दी", "café", "我", "<unk>", "l'eau"]


def test_vectors_of_aligned_text_bring_translations_together(run_cli):
    said = run_cli("cli dataset babel --documents 300 cli ofa vectors --dimensions 30 --least 5").out
    assert "words of drask" in said
    assert "wrote vectors.vec" in said
    vectors = read_vectors(Path("vectors.vec"))
    languages = numpy.array([word.partition(":")[0] for word in vectors.words])
    assert set(languages) == {"lume", "drask"}
    assert vectors.plain() == [word.partition(":")[2] for word in vectors.words]
    similar = vectors.matrix @ vectors.matrix.T
    numpy.testing.assert_allclose(similar.diagonal(), 1, rtol=1e-4)
    across = similar[languages == "lume"][:, languages == "drask"]
    assert across.max(1).mean() > 0.6  # most words have a near one in the other language


def test_test_text_is_left_out(run_cli, tmp_path):
    pair = next(row for row in chosen(Babel(documents=40)) if len(row) == 2)
    (tmp_path / "test.txt").write_text(pair["lume"].split("\n")[0].upper() + "\n")
    said = run_cli(
        "cli dataset babel --documents 40 cli ofa vectors --dimensions 5 --least 1 --disjoint_from test.txt"
    ).out
    assert "1 pairs left out, for they hold 1 sentences of the tests" in said


def test_text_that_is_written_holds_no_test(run_cli, tmp_path):
    pairs = [row for row in chosen(Babel(documents=40)) if len(row) == 2]
    lines = [line for row in pairs for line in row["lume"].split("\n")]
    (tmp_path / "test.txt").write_text(lines[3].upper() + "\n" + lines[8][3:-3] + "\n")
    run_cli("cli dataset babel --documents 40 cli ofa text --path made/text --disjoint_from test.txt")
    kept = (tmp_path / "made/text.lume").read_text().splitlines()
    assert kept == [line for i, line in enumerate(lines) if i not in (3, 8)]
    assert len((tmp_path / "made/text.drask").read_text().splitlines()) == len(kept)
    facts = json.loads((tmp_path / "made/text.json").read_text())
    assert facts == {"pairs": len(kept), "left out": 2, "test sentences": 2, "found": 2}
    assert overlap((tmp_path / "test.txt").read_text().splitlines(), kept).share == 0
    run_cli("cli dataset babel --documents 40 cli ofa text --path mixed/text --disjoint_from test.txt --shuffle")
    mixed = [(tmp_path / f"mixed/text.{language}").read_text().splitlines() for language in ("lume", "drask")]
    assert mixed[0] != kept
    assert sorted(zip(*mixed)) == sorted(zip(kept, (tmp_path / "made/text.drask").read_text().splitlines()))
    assert "aligned corpus" in run_cli("cli dataset babel --languages lume cli ofa text", code=2).err


def test_words_that_are_each_others_nearest_make_a_dictionary(run_cli, tmp_path):
    matrix = numpy.array([[1, 0], [0, 1], [0.9, 0.1], [0.8, 0.3], [0.1, 0.8]], numpy.float32)
    write_vectors(tmp_path / "x.vec", WordVectors(["en:cat", "en:dog", "fr:chat", "fr:chats", "fr:chien"], matrix))
    run_cli("cli ofa dictionary --vectors x.vec --languages en fr")
    assert (tmp_path / "dictionary.tsv").read_text() == "cat\tchat\ndog\tchien\n"
    assert (
        "No word of the vectors says that it is de"
        in run_cli("cli ofa dictionary --vectors x.vec --languages en de", code=2).err
    )


def test_vectors_of_tokens_are_made_of_whole_texts(tmp_path):
    pytest.importorskip("gensim", reason="needs pip install -e '.[vectors]'")
    backend = Tokenizer(WordLevel({token: i for i, token in enumerate(["<pad>", "<unk>", *"abcd \n"])}, "<unk>"))
    backend.pre_tokenizer = Split(Regex("."), "isolated")
    backend.enable_truncation(2)
    backend.enable_padding(length=9)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>", pad_token="<pad>")
    options = FastTextOptions(dimensions=4, passes=1, least=1)
    found = token_vectors([SimpleNamespace(text="ab cd\ndcba")] * 3, tokenizer, options, seed=0)
    assert sorted(found.words) == ["a", "b", "c", "d"]  # neither padding nor what a file cannot hold
    write_vectors(tmp_path / "tokens.vec", found)
    assert read_vectors(tmp_path / "tokens.vec").words == found.words
