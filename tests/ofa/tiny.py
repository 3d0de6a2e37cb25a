"""Small models with new values."""

import json

import torch
import transformers
from tokenizers import Tokenizer
from transformers import BertConfig, GPT2Config, LlamaConfig, RobertaConfig, XLMRobertaConfig

from semeqv.text.models.architectures import Encoder

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SIZES |= {"max_position_embeddings": 40}


def model(kind, tokenizer, *, tie=True, padded=0):
    """A small model with new values, whose vocabulary is that of a tokenizer."""
    torch.manual_seed(0)
    rows = len(tokenizer) + padded
    tokens = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("bos", "eos", "pad")}
    said = {"vocab_size": rows, "tie_word_embeddings": tie, **tokens}
    made = {
        "bert": lambda: transformers.BertForMaskedLM(BertConfig(**SIZES, **said)),
        "roberta": lambda: transformers.RobertaForMaskedLM(RobertaConfig(**SIZES, **said)),
        "xlm-roberta": lambda: transformers.XLMRobertaForMaskedLM(XLMRobertaConfig(**SIZES, **said)),
        "gpt2": lambda: transformers.GPT2LMHeadModel(
            GPT2Config(n_embd=16, n_layer=1, n_head=2, n_positions=40, **said)
        ),
        "llama": lambda: transformers.LlamaForCausalLM(LlamaConfig(**SIZES, **said)),
        "encoder": lambda: Encoder(
            layers=1, heads=2, embedding_size=16, feedforward_size=16, positions="learned", block_size=40, tie=tie
        ).build(tokenizer),
        "body": lambda: transformers.BertModel(BertConfig(**SIZES, **said)),
    }[kind]()
    for name, parameter in made.named_parameters():
        if name.endswith("bias") and parameter.shape == (rows,):
            torch.nn.init.normal_(parameter)
    return made


def published_variants(word):
    """The variants of a word in OFA's own code, `$` being a space there already."""
    yield word
    yield " " + word
    if word[0] == " " and len(word) > 1:
        yield word[1].upper() + word[2:]
    else:
        yield " " + word[0].upper() + word[1:]


def tokens_of_text(tokenizer, text):
    """The ids of a text, in which a special token is text too."""
    said = json.loads(tokenizer.backend_tokenizer.to_str())
    if said["model"]["type"] == "Unigram":  # its model has them as pieces
        special = set(tokenizer.all_special_tokens) - {tokenizer.unk_token}
        pieces = said["model"]["vocab"]
        said["model"]["vocab"] = [[f"\1{piece}" if piece in special else piece, score] for piece, score in pieces]
        said["added_tokens"] = []
    backend = Tokenizer.from_str(json.dumps(said))
    backend.encode_special_tokens = True
    return backend.encode(text, add_special_tokens=False).ids
