"""Small Backpacks."""

import torch

from backpack.networks import BackpackConfig, BackpackLMHeadModel

SIZES = {
    "vocab_size": 50, "n_embd": 16, "n_layer": 2, "n_head": 2, "num_senses": 4, "n_positions": 160,
    "initializer_range": 0.3, "bos_token_id": None, "eos_token_id": None, "pad_token_id": 0,
}  # fmt: skip
VARIANTS = {
    "paper": {"scale_attn_by_inverse_layer_idx": True},
    "multilingual": {
        "sense_network": "multilingual", "sense_layout": "feature-major", "scale_contextualization": False,
        "contextualization_bias": False, "n_layer": 1,
    },
    "mean": {"sense_scale": 0.25, "sense_layout": "feature-major"},
}  # fmt: skip


def make(variant="paper", seed=0, **given):
    """A Backpack whose biases and norms are not at their start."""
    torch.manual_seed(seed)
    model = BackpackLMHeadModel(BackpackConfig(**SIZES | VARIANTS[variant] | given))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.eval()


def tokens(rows=3, time=100, seed=0):
    return torch.randint(1, 50, (rows, time), generator=torch.Generator().manual_seed(seed))
