"""Small models and what training might have made of them."""

import torch
import transformers
from tokenizers import Tokenizer, models
from transformers import BertConfig, GPT2Config, LlamaConfig, PreTrainedTokenizerFast, XLMRobertaConfig

SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
SIZES |= {"max_position_embeddings": 20, "vocab_size": 30}
KINDS = {
    "bert": (BertConfig, transformers.BertModel, SIZES),
    "bert-mlm": (BertConfig, transformers.BertForMaskedLM, SIZES),
    "bert-tags": (BertConfig, transformers.BertForTokenClassification, SIZES | {"num_labels": 3}),
    "bert-texts": (BertConfig, transformers.BertForSequenceClassification, SIZES | {"num_labels": 2}),
    "xlmr": (XLMRobertaConfig, transformers.XLMRobertaForMaskedLM, SIZES),
    "gpt2": (GPT2Config, transformers.GPT2LMHeadModel, {"vocab_size": 30, "n_embd": 16, "n_layer": 2, "n_head": 2}),
    "gpt2-body": (GPT2Config, transformers.GPT2Model, {"vocab_size": 30, "n_embd": 16, "n_layer": 2, "n_head": 2}),
    "llama": (LlamaConfig, transformers.LlamaForCausalLM, SIZES | {"tie_word_embeddings": False}),
}


def model_of(kind, seed=0, **changed):
    """A small model with values that depend on the seed, norms and biases too."""
    config, cls, sizes = KINDS[kind]
    torch.manual_seed(seed)
    made = cls(config(**sizes | changed))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(0, 0.5)
    return made.eval()


def tokenizer_of(words=30):
    """A tokenizer of so many words."""
    backend = Tokenizer(models.WordLevel({f"w{place}": place for place in range(words)}, unk_token="w0"))
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="w0")


def saved(model, folder, *, dtype=None, words=30, **how):
    """Save a model and its tokenizer; returns the folder."""
    (model if dtype is None else model.to(dtype)).save_pretrained(folder, **how)
    if words:
        tokenizer_of(words).save_pretrained(folder)
    return folder


def body(model):
    """The tensors of the body of a model, by canonical name."""
    inner = model.base_model if hasattr(model, "base_model") else model
    return {name: each.detach() for name, each in inner.named_parameters() if not name.startswith("pooler.")}
