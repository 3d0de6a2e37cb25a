"""A model in whose input embedding equivalent tokens are close, and in whose output embedding they are not."""

import itertools

import torch
from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

STEMS = ["".join(letters) for letters in itertools.product("bdfgk", "ao", "lmnr", "k")]  # 40 words: balk, balt ...
SUFFIXES = ("", "s", "ed", "ing")


def vocabulary(mark="Ġ"):
    """Tokens of 40 words: inflected, with and without the mark, in lower and upper case."""
    words = [stem + suffix for suffix in SUFFIXES for stem in STEMS]
    words += [stem.capitalize() for stem in STEMS] + [stem.upper() for stem in STEMS]
    marked = [word + mark if mark == "</w>" else mark + word for word in words]
    return {token: place for place, token in enumerate(["[UNK]", *words, *marked])}


def tokenizer(mark="Ġ"):
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary(mark), unk_token="[UNK]")), unk_token="[UNK]"
    )


def stem_of(token):
    word = token.removeprefix("Ġ").lower()
    return next(stem for stem in STEMS if word.startswith(stem))


def model(tie=False):
    tokens = vocabulary()
    config = GPT2Config(vocab_size=len(tokens), n_embd=16, n_layer=1, n_head=1, n_positions=8, bos_token_id=None,
                        eos_token_id=None, tie_word_embeddings=tie)  # fmt: skip
    torch.manual_seed(0)
    made = GPT2LMHeadModel(config)
    with torch.no_grad():
        if not tie:
            made.lm_head.weight.normal_()
        centres = {stem: torch.randn(16) for stem in STEMS}
        for token, place in tokens.items():
            if token != "[UNK]":
                made.transformer.wte.weight[place] = 5 + centres[stem_of(token)] + 0.1 * torch.randn(16)
    return made
