"""Models and tokenizers of a few words."""

import json

from semeqv.engine.checkpoint import MANIFEST, sha256

SMALL = {"layers": 2, "heads": 2, "embedding_size": 16, "block_size": 32}
WORDS = ["the", "dog", "dogs", "barks", "at", "night", "moon", "rises"]


def make_tokenizer(words=WORDS):
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: place for place, word in enumerate(["[UNK]", "[END]", *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", eos_token="[END]")


def put_beside(checkpoint, folder):
    """Put the files of a folder into a checkpoint and its manifest, as when the checkpoint was written with them."""
    manifest = json.loads((checkpoint / MANIFEST).read_text())
    for file in folder.iterdir():
        (checkpoint / file.name).write_bytes(file.read_bytes())
        manifest["files"][file.name] = {"sha256": sha256(file), "bytes": file.stat().st_size}
    (checkpoint / MANIFEST).write_text(json.dumps(manifest))
