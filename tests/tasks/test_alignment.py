"""Which token is of which word, and how sentences become rows."""

import numpy
import pytest

from semeqv.tasks.classification.rows import Template, aligned, cut, text_rows, word_rows
from semeqv.text.datasets.monolingual import Plain
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece

SENTENCES = [
    ["The", "cat", "'s", "hat", ",", "1,000", "km", "away", "."],
    ["Straße", "naïve", "中文", "🙂", "ok"],
    ["x"],
    ["a", "b c", "antidisestablishmentarianism"],
]


@pytest.fixture
def make(tmp_path):
    """Train a tokenizer of a kind."""
    text = "\n".join(["The cat 's hat , 1,000 km away .", "Straße naïve 中文 🙂 ok", "x a b c anti establish ment"] * 9)
    (tmp_path / "a.txt").write_text(text)
    corpus = Plain(path=tmp_path / "a.txt")
    return lambda kind: kind(vocab_size=320 if kind is Bpe else 90).build({("train", None): corpus})


@pytest.fixture(params=[Bpe, Wordpiece, Unigram], ids=lambda kind: kind.kind)
def tokenizer(request, make):
    return make(request.param)


def naive(tokenizer, words):
    """Tokens and words, by tokenizing the sentence up to the end of each word."""
    backend = tokenizer.backend_tokenizer
    encoding = backend.encode(" ".join(words), add_special_tokens=False)
    ends = numpy.cumsum([len(word) + 1 for word in words]) - 1
    found = [next(i for i, end in enumerate(ends) if stop <= end) for _, stop in encoding.offsets]
    return encoding.ids, found


def test_every_token_belongs_to_the_word_in_which_it_ends(tokenizer):
    found, before, place = aligned(tokenizer, SENTENCES), 0, 0
    for words in SENTENCES:
        tokens, of = naive(tokenizer, words)
        here = slice(place, place + len(tokens))
        assert found.tokens[here].tolist() == tokens
        assert (found.words[here] - before).tolist() == of
        assert set(of) == set(range(len(words)))
        before, place = before + len(words), place + len(tokens)
    assert place == len(found.tokens)


def test_words_that_are_tokenized_on_their_own_give_the_same(make):
    """What transformers does with `is_split_into_words`; WordPiece does not care what precedes a word."""
    tokenizer = make(Wordpiece)
    theirs = tokenizer([SENTENCES[0]], is_split_into_words=True, add_special_tokens=False).encodings[0]
    ours = aligned(tokenizer, SENTENCES[:1])
    assert ours.tokens.tolist() == theirs.ids
    assert ours.words.tolist() == theirs.word_ids


def test_a_word_of_which_nothing_is_left_becomes_unknown(tokenizer):
    sentence = ["The", "\u200b\u00ad" if tokenizer.backend_tokenizer.model.__class__.__name__ != "BPE" else "x", "cat"]
    found = aligned(tokenizer, [sentence, ["x"]])
    assert sorted(set(found.words.tolist())) == [0, 1, 2, 3]


@pytest.mark.parametrize("kind", [Bpe, Wordpiece])  # the unigram model has special tokens among its pieces
def test_what_looks_like_a_special_token_is_text(make, kind):
    tokenizer = make(kind)
    assert tokenizer.sep_token_id not in aligned(tokenizer, [["The", tokenizer.sep_token, "cat"]]).tokens


def test_special_tokens_stand_where_the_tokenizer_puts_them(tokenizer):
    begin, end = tokenizer.cls_token_id, tokenizer.sep_token_id
    template = Template.of(tokenizer)
    assert (template.begin, template.end, template.between) == ((begin,), (end,), (end,))
    rows = text_rows(tokenizer, [("The cat", "hat"), ("x",)], numpy.array([0, 1]), 64)
    assert (template.second, rows.types) == (0, None)
    if tokenizer.backend_tokenizer.num_special_tokens_to_add(False):
        assert rows.tokens[: rows.ends[0]].tolist() == tokenizer("The cat", "hat")["input_ids"]
        tokenizer.model_input_names.append("token_type_ids")
        typed = text_rows(tokenizer, [("The cat", "hat")], numpy.array([0]), 64)
        assert typed.types.tolist() == tokenizer("The cat", "hat")["token_type_ids"]
    ours = rows.tokens[: rows.ends[0]].tolist()
    assert ours.count(end) == 2
    assert ours[0] == begin
    assert rows.tokens[rows.ends[0] :].tolist() == [begin, *tokenizer("x", add_special_tokens=False)["input_ids"], end]


@pytest.mark.parametrize("longest", [8, 10, 64])
def test_long_sentences_are_cut_between_words(tokenizer, longest):
    labels = numpy.arange(sum(map(len, SENTENCES)))
    rows = word_rows(tokenizer, SENTENCES, labels, longest)
    starts = numpy.append(0, rows.ends[:-1])
    assert (rows.ends - starts).max() <= longest
    assert rows.labels.tolist() == labels.tolist()
    assert rows.label_ends[-1] == len(labels)
    whole = aligned(tokenizer, SENTENCES)
    words = []
    for start, end, first in zip(starts, rows.ends, numpy.append(0, rows.label_ends[:-1])):
        tokens, of = rows.tokens[start:end], rows.words[start:end]
        assert (tokens[0], tokens[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert (of[0], of[-1]) == (-1, -1)
        words += [(int(first + number), int(token)) for number, token in zip(of[1:-1], tokens[1:-1])]
    expected, room = [], longest - 2
    for word in range(len(labels)):
        expected += [(word, int(token)) for token in whole.tokens[whole.words == word][:room]]
    assert words == expected
    assert numpy.bincount(rows.sentences, minlength=4).min() >= 1


def test_rows_are_as_long_as_may_be():
    firsts, sentences = cut(numpy.array([1, 2, 3, 1, 4, 1]), numpy.array([4, 2]), room=4)
    assert firsts.tolist() == [0, 2, 4, 5]
    assert sentences.tolist() == [0, 0, 1, 1]


def test_the_longer_text_loses_its_end(tokenizer):
    one, other = "cat hat " * 40, "x x x"
    for pair in ((one, other), (other, one)):
        rows = text_rows(tokenizer, [pair], numpy.array([0]), 24)
        assert len(rows.tokens) == 24
        short = tokenizer(other, add_special_tokens=False)["input_ids"]
        assert " ".join(map(str, short)) in " ".join(map(str, rows.tokens.tolist()))
    assert len(text_rows(tokenizer, [(one, one)], numpy.array([0]), 24).tokens) == 24
