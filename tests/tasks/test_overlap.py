"""Which sentences occur in a text, beside looking for each of them."""

from hypothesis import given
from hypothesis import strategies as st

from semeqv.tasks import overlap as module
from semeqv.tasks.overlap import ANCHOR, Seeker, normalised, overlap

LETTERS = st.text("aAbB .,\n", max_size=60)


def test_case_punctuation_and_blanks_do_not_count():
    assert normalised("  Straße, ﬁne — “Yes”!\n") == "strassefineyes"
    assert normalised("हिन्दी भाषा") == "हिन्दीभाषा"
    assert normalised("$ ... €") == ""


def test_sentences_are_found_anywhere_and_short_ones_as_lines():
    text = ["He said: the HOUSE stands, in the street. Then he left.\nYes!", "other text"]
    sentences = ["The house stands in the street", "yes", "said", "no house stands there", "...", "Then he left"]
    found = overlap(sentences, text)
    assert found.found.tolist() == [True, True, False, False, False, True]
    assert found.said.tolist() == [True, True, True, True, False, True]
    assert found.share == 3 / 5
    assert found.part(0, 2).share == 1
    assert overlap([], text).share == 0


@given(st.lists(LETTERS, max_size=12), st.lists(LETTERS, max_size=6))
def test_hashing_finds_what_looking_finds(sentences, texts):
    found = overlap(sentences, texts)
    whole = [normalised(text) for text in texts]
    lines = {normalised(line) for text in texts for line in text.split("\n")}
    for sentence, seen in zip(sentences, found.found):
        plain = normalised(sentence)
        expected = plain in lines if len(plain) < ANCHOR else any(plain in text for text in whole)
        assert bool(seen) == (expected and bool(plain))


def test_text_is_looked_through_in_pieces(monkeypatch):
    monkeypatch.setattr(module, "PIECE", 30)
    texts = [f"sentence number {i} of a long text" for i in range(50)]
    assert Seeker(["Number 49 of a long text", "number 50 of a"]).add(texts).overlap().found.tolist() == [True, False]
