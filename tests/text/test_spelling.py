"""What the tokens of a vocabulary stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from semeqv.runs.errors import UserError
from semeqv.text.datasets.tokenised import word_beginnings
from semeqv.text.models.opening import open_model
from semeqv.text.tokenizers.spelling import (
    BYTE_LEVEL,
    SENTENCE_PIECE,
    WORD_END,
    WORD_PIECE,
    byte_level,
    convention_of,
    rows_needed,
    tokens_by_id,
)


@pytest.mark.parametrize(
    ("tokens", "begins"),
    [
        (["##", "Ġthe", "re", "Ġ", "####"], [False, True, False, True, False]),
        (["▁the", "re", "##"], [True, False, False]),
        (["the", "##re", "##s", "▁"], [True, False, False, True]),
    ],
)
def test_most_tokens_tell_how_words_begin(tokens, begins):
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(vocab=vocabulary, merges=[])))
    assert word_beginnings(tokenizer).tolist() == begins


def test_a_mark_at_the_end_of_words_tells_no_beginning():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE(vocab={"the</w>": 0}, merges=[])))
    with pytest.raises(UserError, match="marks where words end"):
        word_beginnings(tokenizer)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_bytes_are_read_as_they_are_printed(text):
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)
    assert b"".join(byte_level(piece) for piece, _ in pieces).decode() == text


def test_half_a_character_is_bytes_and_no_byte_level_token_is_none():
    assert byte_level("Ã") == b"\xc3"
    assert byte_level("一") is None


@pytest.mark.parametrize(
    ("convention", "begins", "inside"),
    [
        (BYTE_LEVEL, "ĠhÃ©", "hÃ©"),
        (SENTENCE_PIECE, "▁hé", "hé"),
        (WORD_PIECE, "hé", "##hé"),
        (WORD_END, "hé</w>", "hé"),
    ],
)
def test_one_word_is_spelled_alike_by_all(convention, begins, inside):
    assert convention.spelled(begins) == " hé".encode()
    assert convention.spelled(inside) == "hé".encode()
    assert convention_of({begins: 0, inside: 1, "x": 2}) == convention


def test_bytes_stay_apart_and_punctuation_needs_no_space():
    assert SENTENCE_PIECE.spelled("<0xE2>") == b"\xe2"
    assert BYTE_LEVEL.spelled("â") == b"\xe2"
    assert WORD_PIECE.spelled(",") == b","
    assert WORD_PIECE.spelled("語") == "語".encode()
    assert WORD_PIECE.spelled("я") == " я".encode()


def with_a_gap():
    """A tokenizer whose ids have a gap, as many published ones have."""
    tokens = {"<unk>": 0, "</s>": 1, "<mask>": 2, "Ġthe": 3, "Ġcat": 4, "the": 5, "cat": 9}
    made = Tokenizer(models.WordLevel(tokens, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", eos_token="</s>", mask_token="<mask>", pad_token="</s>"
    )


def test_ids_may_have_gaps():
    assert rows_needed(with_a_gap()) == 10 > len(with_a_gap())
    assert tokens_by_id(with_a_gap()) == ["<unk>", "</s>", "<mask>", "Ġthe", "Ġcat", "the", "", "", "", "cat"]


@pytest.mark.parametrize("model", ["gpt2 --heads 1", "encoder --heads 1", "backpack --heads 1 --senses 2"])
def test_a_tokenizer_with_gaps_trains_a_model_that_knows_its_last_token(run_cli, tmp_path, model):
    with_a_gap().save_pretrained(tmp_path / "gaps")
    (tmp_path / "text").write_text("the cat the cat\n" * 20)
    parts = "cli tokenizer load --from gaps cli dataset plain --path text --batch_size 2 --block_size 8"
    sizes = "--layers 1 --embedding_size 8 --block_size 8"
    run_cli(f"--steps 2 --output run {parts} cli model {model} {sizes} cli optimizers adamw cli train")
    assert open_model(tmp_path / "run").get_input_embeddings().weight.shape[0] == 10
    if not model.startswith("encoder"):
        assert (
            "Perplexity of run"
            in run_cli(
                "cli model load --from run cli dataset plain --path text --block_size 8 --split test cli perplexity"
            ).out
        )
