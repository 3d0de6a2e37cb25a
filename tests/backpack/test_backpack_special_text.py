"""Text that looks like a special token is text in every action of the study, whatever the tokenizer."""

import ast
from pathlib import Path

import pytest
import torch
from small_backpacks import make
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

import backpack
from backpack.attribution import attributions_of
from backpack.evaluation.cloze import Passage, guess
from backpack.evaluation.continuations import cut_pieces
from backpack.inspection.lexicon import TokenLexicon
from backpack.inspection.words import Speller
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference

SPECIAL = ["<s>", "</s>", "<unk>", "[MASK]"]
LETTERS = [*"▁abcMASKs<>/[]"]


def tokenizer(kind):
    """A tokenizer whose model knows its special tokens as pieces, too."""
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys([*SPECIAL, *LETTERS, "<s"]))}
    if kind == "unigram":
        scores = [(piece, 0.0 if piece in SPECIAL else -5.0) for piece in vocabulary]
        backend = Tokenizer(models.Unigram(scores, unk_id=2))
    else:
        backend = Tokenizer(models.BPE(vocabulary, [("<", "s"), ("<s", ">")], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.add_special_tokens(SPECIAL)
    names = dict(zip(("bos_token", "eos_token", "unk_token", "mask_token"), SPECIAL))
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("text", ["a <s> b", "</s>", "c [MASK]", "a</s>b"])
def test_no_text_becomes_a_special_token(kind, text):
    model, own = make(), tokenizer(kind)
    special = set(own.all_special_ids) - {own.unk_token_id}
    assert special & set(own(text)["input_ids"])  # the library alone takes it for one
    assert not special & set(Speller(own)([text])[0])
    assert not special & {token for piece in cut_pieces(iter([text]), own, 2) for token in piece}
    lexicon = TokenLexicon(own, 50)
    assert not special & set(lexicon.find(text).tokens)
    (found,) = attributions_of(model, lexicon, text)
    assert not set(found.read) & {own.decode([token]) for token in special}


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_passage_is_read_as_text(kind, monkeypatch):
    model, own, read = make(), tokenizer(kind), []
    forward = type(model).forward
    monkeypatch.setattr(
        type(model), "forward", lambda self, *args, **given: read.append(given) or forward(self, *args, **given)
    )
    with inference(model, "cpu") as running:
        guess(model, own, running, [Passage("a </s> b [MASK]", "c")])
    tokens = torch.cat([each["input_ids"].flatten() for each in read])
    assert (tokens == own.mask_token_id).sum() == 0


def test_a_word_that_is_only_a_special_token_is_refused():
    words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "a": 2}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    own = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>")
    with pytest.raises(UserError, match="no tokens for '</s>'"):
        TokenLexicon(own, 3).find("</s>")


def test_no_tokenizer_is_called_but_by_the_one_function():
    for path in Path(backpack.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            assert called.rpartition(".")[2] not in ("tokenizer", "judging", "encode_plus"), f"{path}: {called}"
