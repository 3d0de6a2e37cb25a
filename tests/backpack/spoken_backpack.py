"""A small Backpack in a folder, with a tokenizer of 50 words."""

from small_backpacks import make
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

WORDS = [
    "<unk>", "</s>", "▁bank", "▁river", "▁money", "▁he", "▁she", "▁nurse", "▁doctor", "ing", ",",
    "▁<script>", "▁</script>",
    "▁&amp;", "▁\u2028", "▁été",
]  # fmt: skip
WORDS += [f"▁w{chr(97 + i)}" for i in range(50 - len(WORDS) - 4)]  # the last four rows of the model are no tokens


def tokenizer():
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer, words.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="</s>")


def spoken(folder, variant="paper", **given):
    """Write a model and its tokenizer; returns the model."""
    model = make(variant, eos_token_id=1, **given)
    model.config.architectures = ["BackpackLMHeadModel"]
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return model
