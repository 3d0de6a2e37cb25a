"""The sizes of a Backpack, and which of the published architectures it has.

The files of this folder but `__init__.py` import torch, transformers and each other alone, the latter relatively: they
are what `cli backpack export` writes beside weights, for readers who have only transformers.
"""

from typing import Any

from transformers import GPT2Config

SENSE_NETWORKS = ("paper", "multilingual")
LAYOUTS = ("sense-major", "feature-major")


class BackpackConfig(GPT2Config):
    """The sizes of a Backpack; the defaults are those of the paper's small model (arXiv 2305.16765, section 4).

    Args:
        num_senses: Senses of each token, k.
        sense_intermediate_scale: Width inside the sense network, in embedding sizes; 1 for the paper's models with
            `shrink_final_inner`.
        sense_network: `paper`, or `multilingual` for that of the French-English project (see `senses.py`).
        sense_layout: Whether the last layer of the sense network writes its k * d features sense by sense
            (`sense-major`), or feature by feature (`feature-major`).
        scale_contextualization: Whether the scores of sense weights are divided by sqrt(d / k).
        contextualization_bias: Whether queries and keys of sense weights have a bias.
        sense_scale: What the sum over senses is multiplied by; 1 / k makes it their mean.
        vocab_size: Tokens.
        n_positions: Tokens that it can read at once.
        activation_function: Nonlinearity of trunk and sense network; the default is `gelu_new` in one kernel.
        **rest: What `GPT2Config` has; it is that of the trunk.

    Raises:
        ValueError: When the senses do not divide the embedding size, or a name is unknown.
    """

    model_type = "backpack"

    def __init__(
        self,
        *,
        num_senses: int = 16,
        sense_intermediate_scale: float = 4,
        sense_network: str = "paper",
        sense_layout: str = "sense-major",
        scale_contextualization: bool = True,
        contextualization_bias: bool = True,
        sense_scale: float = 1.0,
        vocab_size: int = 50264,
        n_positions: int = 512,
        activation_function: str = "gelu_pytorch_tanh",
        **rest: Any,
    ):
        self.num_senses = num_senses
        self.sense_intermediate_scale = sense_intermediate_scale
        self.sense_network = sense_network
        self.sense_layout = sense_layout
        self.scale_contextualization = scale_contextualization
        self.contextualization_bias = contextualization_bias
        self.sense_scale = sense_scale
        super().__init__(
            vocab_size=vocab_size, n_positions=n_positions, activation_function=activation_function, **rest
        )
        if self.n_embd % num_senses:
            raise ValueError(f"num_senses {num_senses} must divide n_embd {self.n_embd}.")
        if sense_network not in SENSE_NETWORKS:
            raise ValueError(f"sense_network {sense_network!r} is not known; write {' or '.join(SENSE_NETWORKS)}.")
        if sense_layout not in LAYOUTS:
            raise ValueError(f"sense_layout {sense_layout!r} is not known; write {' or '.join(LAYOUTS)}.")
