"""The encoder's own attention, for bf16 on a CPU, against that of torch."""

import pytest
import torch
from torch.nn import functional

from semeqv.text.networks.encoder import EncoderConfig, EncoderModel, attend_by_products


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_compute_what_torch_does(masked, dtype):
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 7, 16, generator=generator).to(dtype).requires_grad_().unbind()
    seen = (torch.arange(7) < torch.tensor([[7], [3]]))[:, None, None] if masked else None
    found = attend_by_products(query, key, value, seen, 0.0)
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=seen)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 0.05, "atol": 0.03}
    assert found.dtype == dtype
    torch.testing.assert_close(found, expected, **tolerance)


def test_bf16_is_close_to_fp32():
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, intermediate_size=64, positions="learned"
    )
    model = EncoderModel(config).eval()
    ids, mask = torch.randint(0, 50, (2, 9)), (torch.arange(9) < torch.tensor([[9], [5]])).long()
    with torch.no_grad():
        plain = model(ids, mask).last_hidden_state
        with torch.autocast("cpu", torch.bfloat16):
            halved = model(ids, mask).last_hidden_state
    torch.testing.assert_close(halved.float(), plain, rtol=0.1, atol=0.1)
