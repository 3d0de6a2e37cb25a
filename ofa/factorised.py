"""Models whose embedding is coordinates times primitives (OFA; Liu et al., 2023, section 3.3).

A token is read as `coordinates[token] @ primitives` and predicted by `hidden @ primitives.T @ coordinates.T`, so that a
large vocabulary costs few parameters. Any model of transformers is held inside, with its own layers and names.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
)

from ofa.factorisation import Factors
from semeqv.runs.errors import UserError
from semeqv.text.models import families


class FactorisedConfig(PreTrainedConfig):
    """The configuration of a model with factorised embeddings.

    Args:
        base: The configuration of the model inside, as a dictionary with its `model_type`.
        kept: Numbers of a coordinate.
        scale: What the embedding of the model inside multiplies its rows by.
        **rest: What every configuration has.
    """

    model_type = "factorised"

    def __init__(self, base: dict[str, Any] | None = None, kept: int = 100, scale: float = 1.0, **rest: Any):
        self.base, self.kept, self.scale = dict(base or {}), kept, scale
        super().__init__(**rest)
        for name in ("vocab_size", "hidden_size", "max_position_embeddings", "num_hidden_layers"):
            if name in self.base:
                setattr(self, name, self.base[name])

    def inner(self) -> PreTrainedConfig:
        """Return the configuration of the model inside."""
        settings = dict(self.base)
        families.know(settings["model_type"])  # one of our own kinds, perhaps
        return AutoConfig.for_model(settings.pop("model_type"), **settings)


class FactorisedEmbedding(nn.Module):
    """Reads tokens through coordinates and primitives.

    Args:
        tokens: Of the vocabulary.
        kept: Numbers of a coordinate.
        width: Of the layers.
        padding_idx: The token whose gradient is left out, as in the embedding that this one stands for.
        scale: What rows are multiplied by, as there.
    """

    def __init__(self, tokens: int, kept: int, width: int, padding_idx: int | None = None, scale: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(tokens, kept))
        self.primitives = nn.Parameter(torch.empty(kept, width))
        self.num_embeddings, self.embedding_dim, self.padding_idx = tokens, width, padding_idx
        self.scale = scale

    def forward(self, ids: Tensor) -> Tensor:
        """`(batch, time)` to `(batch, time, width)`."""
        rows = functional.embedding(ids, self.weight, self.padding_idx) @ self.primitives
        return rows if self.scale == 1 else rows * self.scale


class FactorisedHead(nn.Module):
    """Predicts tokens through primitives and coordinates; tied, they are those of the embedding.

    Args:
        tokens: Of the vocabulary.
        kept: Numbers of a coordinate.
        width: Of the layers.
        bias: Whether it has a number for each token.
    """

    def __init__(self, tokens: int, kept: int, width: int, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(tokens, kept))
        self.primitives = nn.Parameter(torch.empty(kept, width))
        self.bias = nn.Parameter(torch.empty(tokens)) if bias else None
        self.in_features, self.out_features = width, tokens

    def forward(self, hidden: Tensor) -> Tensor:
        """`(..., width)` to `(..., tokens)`."""
        return functional.linear(hidden @ self.primitives.T, self.weight, self.bias)


def initialise(inherited: Callable[[nn.Module], None], module: nn.Module) -> None:
    """Draw the values of a module that is not loaded: those of this file here, others as their model does."""
    if not isinstance(module, FactorisedEmbedding | FactorisedHead):
        inherited(module)
        return
    for name, parameter in module.named_parameters(recurse=False):
        if name == "bias":
            nn.init.zeros_(parameter)
        else:  # tokens then start with values of .02, as those of BERT
            nn.init.normal_(parameter, std=(0.02 / parameter.shape[-1] ** 0.5) ** 0.5 if name == "weight" else 0.1)


def scale_of(embedding: nn.Module) -> float:
    """Return what an embedding multiplies its rows by, as those of Gemma do.

    Args:
        embedding: The embedding.

    Returns:
        The factor; 1 for a plain one.

    Raises:
        UserError: When it does something else with them.
    """
    scale = getattr(embedding, "embed_scale", None)
    if scale is None and type(embedding).forward is not nn.Embedding.forward:
        raise UserError(f"{type(embedding).__name__} cannot be factorised; say --form dense.")
    return 1.0 if scale is None else float(scale)


def put_factors(inner: PreTrainedModel, kept: int, untied: bool, scale: float) -> None:
    """Replace the embedding of a model, and what predicts with it, by factorised ones; their values are not set.

    Args:
        inner: Any model of transformers.
        kept: Numbers of a coordinate.
        untied: Whether its head has a matrix of its own.
        scale: What the embedding multiplies its rows by.
    """
    old = inner.get_input_embeddings()
    tokens, width = old.weight.shape
    inner.set_input_embeddings(FactorisedEmbedding(tokens, kept, width, getattr(old, "padding_idx", None), scale))
    head = inner.get_output_embeddings()
    if head is not None:
        bias = getattr(head, "bias", None)
        new = FactorisedHead(tokens, kept, width, bias is not None)
        if bias is not None:
            new.bias = bias
        inner.set_output_embeddings(new)
        names = {id(parameter): name for name, parameter in inner.named_parameters(remove_duplicate=False)}
        tied = {names[id(new.primitives)]: names[id(inner.get_input_embeddings().primitives)]}
        inner._tied_weights_keys = {**(inner._tied_weights_keys or {}), **tied}
        inner.config.tie_word_embeddings = not untied
        inner.all_tied_weights_keys = inner.get_expanded_tied_weights_keys(all_submodels=True)
        if not untied:
            inner.tie_weights()
    inner._init_weights = partial(initialise, inner._init_weights)


class FactorisedPreTrainedModel(PreTrainedModel):
    """What factorised models with and without a head have in common.

    The model inside is in `inner`, by the names that it has in its own checkpoints.
    """

    config_class = FactorisedConfig
    base_model_prefix = "inner"

    @property
    def base_model(self) -> Any:
        """Return the layers without a head."""
        return getattr(self.inner, self.prefix)

    def get_input_embeddings(self) -> Any:
        """Give the embedding that reads tokens."""
        return self.base_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding that reads tokens."""
        self.base_model.set_input_embeddings(value)


class FactorisedModel(FactorisedPreTrainedModel):
    """Layers without a head, and a factorised embedding.

    Args:
        config: The configuration.
        body: The model inside, which has been given factors; one with new values if None.
    """

    def __init__(self, config: FactorisedConfig, body: PreTrainedModel | None = None):
        super().__init__(config)
        if body is None:
            body = AutoModel.from_config(config.inner())
            put_factors(body, config.kept, untied=False, scale=config.scale)
        self.inner, self.prefix = nn.Module(), body.base_model_prefix
        setattr(self.inner, self.prefix, body)
        self.post_init()

    def forward(self, *words: Any, **named: Any) -> Any:
        """Return what the model inside gives."""
        return self.base_model(*words, **named)


class FactorisedForMaskedLM(FactorisedPreTrainedModel):
    """A model that predicts masked tokens, with factorised embeddings.

    Args:
        config: The configuration.
        inner: The model inside, which has been given factors; one with new values if None.
    """

    auto: ClassVar[Any] = AutoModelForMaskedLM

    def __init__(self, config: FactorisedConfig, inner: PreTrainedModel | None = None):
        super().__init__(config)
        if inner is None:
            inner = self.auto.from_config(config.inner())
            put_factors(inner, config.kept, untied=not config.tie_word_embeddings, scale=config.scale)
        self.inner, self.prefix = inner, inner.base_model_prefix
        self.post_init()

    def get_output_embeddings(self) -> Any:
        """Give what predicts tokens."""
        return self.inner.get_output_embeddings()

    def set_output_embeddings(self, value: nn.Module) -> None:
        """Replace what predicts tokens."""
        self.inner.set_output_embeddings(value)

    def forward(self, *words: Any, **named: Any) -> Any:
        """Return what the model inside gives: `logits`, and with `labels` the `loss`."""
        return self.inner(*words, **named)


class FactorisedForCausalLM(FactorisedForMaskedLM, GenerationMixin):
    """A model that predicts the next token, with factorised embeddings.

    Args:
        config: The configuration.
        inner: The model inside, which has been given factors; one with new values if None.
    """

    auto: ClassVar[Any] = AutoModelForCausalLM

    def generate(self, *words: Any, **named: Any) -> Any:
        """Continue prompts, as the model inside does."""
        self.inner.generation_config = self.generation_config
        return self.inner.generate(*words, **named)


@torch.no_grad()
def factorised_model(model: PreTrainedModel, reads: Factors, predicts: Factors | None) -> FactorisedPreTrainedModel:
    """Hold a model inside a factorised one.

    Args:
        model: Any model of transformers, with as many tokens as the factors. It is changed.
        reads: The factors of its embedding.
        predicts: Those of its head, when that has a matrix of its own.

    Returns:
        The factorised model, of the same kind; `UserError` is raised when its embedding does more than read rows and
        scale them.
    """
    kept, base = reads.coordinates.shape[1], model.config.to_dict()
    scale = scale_of(model.get_input_embeddings())
    put_factors(model, kept, untied=predicts is not None, scale=scale)
    head = model.get_output_embeddings()
    for module, factors in ((model.get_input_embeddings(), reads), (head, predicts)):
        if factors is not None:
            module.weight.copy_(factors.coordinates)
            module.primitives.copy_(factors.primitives)
    for module in model.modules():
        module._is_hf_initialized = True  # else transformers draws new values for a model inside another
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    roles = {name: base.get(name) for name in names} | {"tie_word_embeddings": predicts is None}
    config = FactorisedConfig(base=base, kept=kept, scale=scale, **roles)
    if head is None:
        return FactorisedModel(config, model)
    causal = getattr(model, "predicts_next", False)
    return (FactorisedForCausalLM if causal else FactorisedForMaskedLM)(config, model)


AutoConfig.register(FactorisedConfig.model_type, FactorisedConfig)
AutoModel.register(FactorisedConfig, FactorisedModel)
AutoModelForMaskedLM.register(FactorisedConfig, FactorisedForMaskedLM)
AutoModelForCausalLM.register(FactorisedConfig, FactorisedForCausalLM)
