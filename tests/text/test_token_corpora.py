"""Files of tokens, as nanoGPT writes them."""

import json

import numpy
import pytest

from semeqv.runs.errors import UserError
from semeqv.text.datasets.monolingual import Plain, TokenCorpus
from semeqv.text.tokenizers.encoding import encode
from semeqv.text.tokenizers.trained import Bpe

LINES = [f"house {n} in street {n % 7}" for n in range(60)]


@pytest.fixture
def tokenizer(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(LINES) + "\n")
    return Bpe(vocab_size=300).build({("train", None): Plain(path=tmp_path / "a.txt")})


def binary(path, tokenizer, lines, kind="<u2"):
    """What nanoGPT's prepare.py writes: documents, each with the end of a text behind it."""
    ids = [token for each in encode(tokenizer, lines) for token in [*each, tokenizer.eos_token_id]]
    numpy.array(ids, kind).tofile(path)
    return ids


@pytest.mark.parametrize(("bits", "kind"), [(16, "<u2"), (32, "<u4")])
@pytest.mark.parametrize("packing", [True, False])
def test_tokens_give_the_batches_of_their_text(tmp_path, tokenizer, bits, kind, packing):
    ids = binary(tmp_path / "train.bin", tokenizer, LINES, kind)
    said = {"packing": packing, "block_size": 16}
    data, text = (
        each.build(tokenizer)
        for each in (
            TokenCorpus(path=tmp_path / "train.bin", bits=bits, **said),
            Plain(path=tmp_path / "a.txt", **said),
        )
    )
    for ours, theirs in zip(data.batches(), text.batches(), strict=True):
        assert all((ours[name] == theirs[name]).all() for name in theirs)
    assert data.facts()["languages"] == {"en": {**text.facts()["languages"]["en"], "tokens": len(ids)}}


def test_what_is_no_file_of_these_tokens_is_refused(tmp_path, tokenizer):
    path = tmp_path / "train.bin"
    for content, said in ((b"", "holds no numbers of 16 bits"), (b"abc", "holds no numbers of 16 bits")):
        path.write_bytes(content)
        with pytest.raises(UserError, match=said):
            TokenCorpus(path=path).build(tokenizer)
    numpy.array([1, 2, 50_256], "<u2").tofile(path)
    with pytest.raises(UserError, match=r"has token 50256, and the tokenizer 300 tokens; name the one that made it"):
        TokenCorpus(path=path).build(tokenizer)
    with pytest.raises(UserError, match="holds tokens, not text"):
        Bpe(vocab_size=300).build({("train", None): TokenCorpus(path=path)})
    with pytest.raises(ValueError, match="these are tokens already"):
        TokenCorpus(path=path, holdout=0.1)


def test_a_model_trains_and_is_measured_on_tokens(run_cli, tmp_path, tokenizer):
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    binary(tmp_path / "train.bin", tokenizer, LINES)
    binary(tmp_path / "val.bin", tokenizer, LINES[::-1])
    data = "cli dataset tokens --block_size 16 --path"
    model = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8 --block_size 16 cli optimizers adamw"
    load = "cli tokenizer load --from tokenizer"
    run_cli(
        f"--steps 3 --output run {load} {data} train.bin {data} val.bin --split validation {model} "
        "cli train cli perplexity"
    )
    line = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert line["measure"] == "perplexity"
    assert line["bytes"] == sum(map(len, LINES))
    err = run_cli(f"--steps 1 {load} {data} train.bin {data} train.bin --split validation {model} cli train", 2).err
    assert "The validation set reads text of the training set" in err
