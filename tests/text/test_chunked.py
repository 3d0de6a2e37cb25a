"""The loss of some positions at a time."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from semeqv.runs.errors import UserError
from semeqv.text.chunked import ChunkedCrossEntropy, chunked
from semeqv.text.models.architectures import BERT, GPT2

SMALL = {"layers": 1, "heads": 2, "embedding_size": 16, "block_size": 32, "vocab_size": 50, "dropout": 0.0}


@given(st.integers(1, 20), st.integers(1, 25))
def test_the_sum_and_its_gradients_are_those_of_all_logits(positions, chunk):
    generator = torch.Generator().manual_seed(positions)
    hidden = torch.randn(positions, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(11, (positions,), generator=generator)
    ours = ChunkedCrossEntropy.apply(hidden, weight, labels, chunk) * 0.3
    whole = torch.nn.functional.cross_entropy(hidden @ weight.T, labels, reduction="sum") * 0.3
    torch.testing.assert_close(ours.double(), whole, rtol=1e-6, atol=1e-6)
    for own, other in zip(*(torch.autograd.grad(loss, (hidden, weight)) for loss in (ours, whole))):
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("tie", [True, False])
def test_a_model_learns_the_same(precision, tie):
    torch.manual_seed(0)
    plain = GPT2(**SMALL, tie=tie).build()
    own = chunked(copy.deepcopy(plain), 7)
    ids = torch.randint(50, (3, 20))
    labels = ids.where(torch.rand(ids.shape) < 0.8, -100)
    losses = []
    for model in (plain, own):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        losses.append(loss.detach())
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if precision == torch.float32 else {"rtol": 0.05, "atol": 0.02}
    torch.testing.assert_close(*losses, **tolerance)
    for a, b in zip(plain.parameters(), own.parameters()):
        torch.testing.assert_close(a.grad, b.grad, **tolerance)


def test_it_still_gives_logits_and_is_saved_as_what_it_is(tmp_path):
    own = GPT2(**SMALL, loss_chunk=4).build().eval()
    ids = torch.randint(50, (1, 5))
    own.save_pretrained(tmp_path)
    again = type(own).__mro__[1].from_pretrained(tmp_path).eval()
    assert torch.equal(own(input_ids=ids).logits, again(input_ids=ids).logits)
    assert own.config.architectures == ["GPT2LMHeadModel"]


def test_a_head_that_is_more_than_a_matrix_is_refused():
    with pytest.raises(UserError, match="--loss_chunk knows heads that are one matrix"):
        chunked(BERT(**SMALL).build(), 4)


def test_a_sentence_says_so(run_cli):
    data = "cli tokenizer bpe --vocab_size 600 cli dataset babel --documents 100 --block_size 32 --batch_size 4"
    model = "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 32 --loss_chunk 50"
    run_cli(f"--steps 2 --precision bf16 {data} {model} cli optimizers adamw cli train")
