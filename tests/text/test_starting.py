"""A model can start from the embeddings of another."""

import pytest
import torch

from semeqv.text.models.architectures import BERT, GPT2, Encoder
from semeqv.text.models.opening import open_model, open_tokenizer

TEXT = "cli dataset babel --documents 60 --joined --parallel 1"
SIZES = {"layers": 1, "heads": 2, "embedding_size": 12, "block_size": 32}


@pytest.fixture
def vectors(run_cli, tmp_path):
    """A folder of vectors of tokens, made of aligned text, and the tokenizer."""
    run_cli(f"{TEXT} cli tokenizer bpe --vocab_size 400 cli save-tokenizer --path tokens")
    said = run_cli(
        f"{TEXT} cli tokenizer load --from tokens cli ofa vectors --units tokens --dimensions 12 --path t.vec"
    ).out
    assert "tokens." in said
    run_cli("cli ofa bag --vectors t.vec --smoothing 0 --tokens_of tokens --output bag")
    return tmp_path / "bag"


@pytest.mark.parametrize("kind", [Encoder, BERT, GPT2])
def test_tokens_start_from_their_vectors(vectors, kind):
    tokenizer = open_tokenizer(vectors)
    torch.manual_seed(0)
    plain = kind(**SIZES, initializer_range=0.1).build(tokenizer).get_input_embeddings().weight.detach()
    torch.manual_seed(0)
    begun = (
        kind(**SIZES, initializer_range=0.1, embeddings=str(vectors))
        .build(tokenizer)
        .get_input_embeddings()
        .weight.detach()
    )
    there = open_model(vectors).get_input_embeddings().weight.detach()
    seen = there.norm(dim=1) > 0
    assert 100 < seen.sum() < len(seen)
    assert torch.equal(begun[~seen], plain[~seen])
    torch.testing.assert_close(torch.cosine_similarity(begun[seen], there[seen]), torch.ones(int(seen.sum())))
    assert begun[seen].square().mean().sqrt() == pytest.approx(0.1)


def test_what_does_not_fit_is_said(vectors, run_cli):
    line = f"--steps 1 --output run {TEXT} --block_size 32 cli tokenizer"
    model = "cli model encoder --layers 1 --heads 2 --embeddings bag"
    learn = "cli optimizers adamw cli train"
    assert (
        "say --embedding_size 12, not 16"
        in run_cli(f"{line} load --from tokens {model} --embedding_size 16 {learn}", code=2).err
    )
    assert "start from bag" in run_cli(f"{line} load --from tokens {model} --embedding_size 12 {learn}").err
    wanted = "a tokenizer tells which tokens are the same"
    assert (
        wanted
        in run_cli(f"--steps 1 --output xor cli xor dataset default {model} --embedding_size 12 {learn}", code=2).err
    )
    one = "cli dataset babel --documents 60 --languages lume cli tokenizer load --from tokens cli ofa vectors"
    assert "more text in two languages" in run_cli(f"{one} --units tokens", code=2).err
    assert " sentences; " in run_cli(f"{one} --units tokens --monolingual --dimensions 12").out
    assert "add: cli tokenizer" in run_cli(f"{TEXT} cli ofa vectors --units tokens", code=2).err
