"""Models and tokenizers of a few words."""

SMALL = {"layers": 2, "heads": 2, "embedding_size": 16, "block_size": 32}
WORDS = ["the", "dog", "dogs", "barks", "at", "night", "moon", "rises"]


def make_tokenizer(words=WORDS):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: place for place, word in enumerate(["[UNK]", "[END]", *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", eos_token="[END]")
