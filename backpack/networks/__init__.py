"""The networks of the study; importing this package registers them with the Auto classes of transformers."""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from backpack.networks.configuration import BackpackConfig
from backpack.networks.modelling import BackpackLMHeadModel, BackpackModel

AutoConfig.register(BackpackConfig.model_type, BackpackConfig)
AutoModel.register(BackpackConfig, BackpackModel)
AutoModelForCausalLM.register(BackpackConfig, BackpackLMHeadModel)

__all__ = ["BackpackConfig", "BackpackLMHeadModel", "BackpackModel"]
