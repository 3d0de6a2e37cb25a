"""The sense network: from the embedding of a token to its k sense vectors, whatever its context.

Names of modules are those of the published checkpoint, stanfordnlp/backpack-gpt2, and matrices lie as there: (in, out).
"""

from torch import Tensor, nn
from transformers.activations import ACT2FN
from transformers.pytorch_utils import Conv1D

from .configuration import BackpackConfig


class SenseMLP(nn.Module):
    """Two layers.

    Args:
        config: The sizes.
        outputs: Features that it writes.
    """

    def __init__(self, config: BackpackConfig, outputs: int):
        super().__init__()
        inner = round(config.sense_intermediate_scale * config.n_embd)
        self.c_fc = Conv1D(inner, config.n_embd)
        self.c_proj = Conv1D(outputs, inner)
        self.activation = ACT2FN[config.activation_function]

    def forward(self, hidden: Tensor) -> Tensor:
        """Map `(tokens, d)` to `(tokens, outputs)`."""
        outputs: Tensor = self.c_proj(self.activation(self.c_fc(hidden)))
        return outputs


class SenseBlock(nn.Module):
    """The feed-forward half of a Transformer block, and the norm that follows.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BackpackConfig):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = SenseMLP(config, config.n_embd)

    def forward(self, residual: Tensor) -> Tensor:
        """Read and write `(tokens, d)`."""
        normed: Tensor = self.ln_2(residual + self.mlp(self.ln_1(residual)))
        return normed


class PaperSenses(nn.Module):
    """The network of the paper (arXiv 2305.16765, section 3.1), as it was published.

    r = e + LN(e); C = MLP(LN_2(r + MLP(LN_1(r)))), where the last MLP writes all senses, without a residual or a norm.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BackpackConfig):
        super().__init__()
        self.config = config
        self.ln = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.block = SenseBlock(config)
        self.final_mlp = SenseMLP(config, config.num_senses * config.n_embd)

    def forward(self, embedded: Tensor) -> Tensor:
        """Map the embeddings of tokens, `(tokens, d)`, to their senses, `(tokens, k, d)`."""
        return arrange(self.final_mlp(self.block(embedded + self.ln(embedded))), self.config)


class MultilingualSenses(nn.Module):
    """The network of the multilingual project, which keeps the embedding in every sense.

    x = LN(e + MLP(e)); C = LN(x, once per sense, + MLP(x)), where the last norm is over all k * d features.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BackpackConfig):
        super().__init__()
        self.config = config
        features = config.num_senses * config.n_embd
        self.mlp = SenseMLP(config, config.n_embd)
        self.ln = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.final_mlp = SenseMLP(config, features)
        self.final_ln = nn.LayerNorm(features, eps=config.layer_norm_epsilon)

    def forward(self, embedded: Tensor) -> Tensor:
        """Map the embeddings of tokens, `(tokens, d)`, to their senses, `(tokens, k, d)`."""
        own, k = self.ln(embedded + self.mlp(embedded)), self.config.num_senses
        repeated = own.repeat(1, k) if self.config.sense_layout == "sense-major" else own.repeat_interleave(k, 1)
        return arrange(self.final_ln(repeated + self.final_mlp(own)), self.config)


def arrange(features: Tensor, config: BackpackConfig) -> Tensor:
    """Arrange `(tokens, k * d)` features, as the network lays them out, as `(tokens, k, d)`."""
    k, d = config.num_senses, config.n_embd
    if config.sense_layout == "sense-major":
        return features.view(-1, k, d)
    return features.view(-1, d, k).transpose(1, 2).contiguous()


KINDS = {"paper": PaperSenses, "multilingual": MultilingualSenses}
