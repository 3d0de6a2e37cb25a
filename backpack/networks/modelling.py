"""The Backpack (Hewitt et al., 2023, "Backpack Language Models", ACL, arXiv 2305.16765) as a model of transformers.

A token has k sense vectors C(x)_1 ... C(x)_k, whatever its context. What is predicted at position i is log-linear
in a weighted sum of the senses of the tokens up to i:

    o_i = sum over j <= i and senses l of alpha^l_ij C(x_j)_l        (equation 3)
    logits_i = E o_i                                                 (equation 4; E is the embedding of tokens)

The context enters in the weights alone: alpha^l is a causal softmax over j of q^l_i . k^l_j / sqrt(d / k), and
q^l_i and k^l_j are linear in what a Transformer, the trunk, makes of the tokens (equation 5).

The trunk is the GPT-2 of transformers. Names of modules are those of the checkpoint stanfordnlp/backpack-gpt2.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import transformers
from packaging.version import Version
from torch import Tensor, nn
from transformers import Cache, DynamicCache, GenerationMixin, GPT2Model, GPT2PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils.generic import can_return_tuple

from .configuration import BackpackConfig
from .editing import EditableSenses
from .memory import SenseLayer, SenseMemory, sense_layer
from .mixing import Mixing, sense_weights, weighted_sum
from .senses import KINDS

if Version(transformers.__version__) < Version("5.15.1"):
    raise ImportError(
        f"Backpacks need transformers 5.15.1 or later; this is {transformers.__version__}, whose GPT-2 computes other "
        "logits (no scale by layer under sdpa, before 5.4) or starts from other weights (before 5.15). "
        "Write: pip install 'transformers>=5.15.1'"
    )

# What transformers calls the cache, in its outputs and as an argument: `past_key_values` up to 5.23.
CACHE = "cache" if "cache" in BaseModelOutputWithPast.__dataclass_fields__ else "past_key_values"


@dataclass
class BackpackOutput(BaseModelOutputWithPast):  # type: ignore[misc]
    """The outputs of a Backpack without its head: those of any model of transformers, and the sense weights.

    Args:
        contextualization: `(batch, senses, time, time)`: alpha, when it is requested.
    """

    contextualization: Tensor | None = None


@dataclass
class BackpackLMOutput(CausalLMOutputWithPast):  # type: ignore[misc]
    """The outputs of a Backpack that predicts the next token: those of any such model, and the sense weights.

    Args:
        contextualization: `(batch, senses, time, time)`: alpha, when it is requested.
    """

    contextualization: Tensor | None = None


class SenseWeightNet(nn.Module):
    """Queries and keys of the sense weights: attention with k heads, without values.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BackpackConfig):
        super().__init__()
        self.senses = config.num_senses
        self.scale = (config.n_embd // config.num_senses) ** -0.5 if config.scale_contextualization else 1.0
        self.c_attn = nn.Linear(config.n_embd, 2 * config.n_embd, bias=config.contextualization_bias)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Map `(batch, time, d)` to queries, scaled already, and keys, each `(batch, senses, time, d / senses)`."""
        query, key = self.c_attn(hidden).unflatten(-1, (2, self.senses, -1)).permute(2, 0, 3, 1, 4)
        return query * self.scale, key


class BackpackPreTrainedModel(GPT2PreTrainedModel):  # type: ignore[misc]
    """The common base of a Backpack with and without its head; weights start as those of GPT-2."""

    config: BackpackConfig
    config_class = BackpackConfig
    base_model_prefix = "backpack"
    _no_split_modules: ClassVar[list[str]] = ["GPT2Block", "PaperSenses", "MultilingualSenses"]
    _can_compile_fullgraph = False


class BackpackModel(BackpackPreTrainedModel, EditableSenses):  # type: ignore[misc]
    """A Backpack without its head.

    Args:
        config: The sizes.
    """

    def __init__(self, config: BackpackConfig):
        super().__init__(config)
        self.gpt2_model = GPT2Model(config)
        self.sense_network = KINDS[config.sense_network](config)
        self.sense_weight_net = SenseWeightNet(config)
        self.start_unedited()
        self.post_init()

    def get_input_embeddings(self) -> Any:
        """Give the embedding of tokens."""
        return self.gpt2_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the embedding of tokens."""
        self.gpt2_model.set_input_embeddings(value)

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        output_contextualization: bool = False,
        **others: Any,
    ) -> BackpackOutput:
        """Read tokens.

        Heads for labels read `last_hidden_state`, which is o: the sum of senses that the model itself predicts from.
        The last state of the trunk, which is before it in `hidden_states`, only determines weights in a language model
        and has less information on the tokens themselves, so that a tagger learns more slowly from it.

        Args:
            input_ids: `(batch, queries)` integers: those that are not in the cache.
            attention_mask: `(batch, time)`, 0 where there is padding, left or right; nothing is padding if left out.
            inputs_embeds: `(batch, queries, d)`, in place of `input_ids`: trunk and sense network read them as they
                read embeddings of tokens.
            position_ids: `(batch, queries)`; if left out, tokens are counted, without padding.
            cache: A `DynamicCache` of the tokens before, or an empty one.
            past_key_values: What transformers up to 5.23 calls the cache.
            use_cache: Whether to return a cache; not if left out.
            output_hidden_states: Whether to return `hidden_states`, of `n_layer + 2` tensors `(batch, queries, d)`:
                those of the trunk, which are what its first block reads and what each block writes, the last one after
                the norm; then o. As in the configuration if left out.
            output_attentions: Whether to return the attention weights of the trunk, which needs
                `attn_implementation="eager"`. As in the configuration if left out.
            output_contextualization: Whether to return alpha, for small inputs: the plain formula is computed.
            **others: What callers pass to any model; nothing is done with it.

        Returns:
            o, the cache, states and weights that are requested, and alpha.

        Raises:
            ValueError: When there are both tokens and embeddings, or neither; or embeddings where senses go by tokens:
                with a table of senses, with edits, or in a cache with gradients.
        """
        tokens = input_ids if inputs_embeds is None else inputs_embeds
        if tokens is None or (input_ids is not None and inputs_embeds is not None):
            raise ValueError("A Backpack reads input_ids or inputs_embeds: give one of them.")
        if inputs_embeds is not None and (self.own_table is not None or self.sense_edits or self.weight_edits):
            raise ValueError(
                "inputs_embeds belong to no token, and the table of senses or the edits of this Backpack go by tokens: "
                "give input_ids, or take the table and the edits away."
            )
        cache = past_key_values if cache is None else cache
        if use_cache and cache is None:
            cache = DynamicCache(config=self.config)
        if position_ids is None and attention_mask is not None:
            position_ids = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
            position_ids = position_ids if cache is None else position_ids[:, -tokens.shape[1] :]
        states = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        trunk = self.gpt2_model(
            input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            position_ids=position_ids,
            use_cache=cache is not None,
            output_hidden_states=states,
            output_attentions=self.config.output_attentions if output_attentions is None else output_attentions,
            return_dict=True,
            **{CACHE: cache},
        )
        layer = None if cache is None else sense_layer(cache, self.config.n_layer)
        seen = None if attention_mask is None else attention_mask.bool()
        if torch.compiler.is_exporting():
            mixed, alpha = self.mix_plainly(trunk.last_hidden_state, tokens, seen, layer)
        else:
            mixed, alpha = self.mix(trunk.last_hidden_state, tokens, seen, layer, output_contextualization)
        if self.config.sense_scale != 1:
            mixed = mixed * self.config.sense_scale
        return BackpackOutput(
            last_hidden_state=mixed,
            hidden_states=(*trunk.hidden_states, mixed) if states else None,
            attentions=trunk.attentions,
            contextualization=alpha if output_contextualization else None,
            **{CACHE: cache if use_cache else None},
        )

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def mix(
        self, hidden: Tensor, tokens: Tensor, seen: Tensor | None, layer: SenseLayer | None, explain: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Compute the sum of senses, by the plain formula or by a faster one of the same value.

        Args:
            hidden: `(batch, queries, d)`, of the trunk.
            tokens: `(batch, queries)` integers, or embeddings, `(batch, queries, d)`.
            seen: `(batch, time)`, false where there is padding.
            layer: Of the cache.
            explain: Whether to return alpha.

        Returns:
            `(batch, queries, d)`, and alpha if requested.
        """
        query, key = self.sense_weight_net(hidden)
        if layer is not None:
            token_ids = self.ids_for(tokens, layer)
            key, token_ids = layer.append(key, token_ids)
            senses, places = self.different_senses(token_ids, layer)
        elif tokens.is_floating_point():
            token_ids = places = torch.arange(tokens.shape[:2].numel(), device=tokens.device).view(tokens.shape[:2])
            senses = self.sense_network(tokens.flatten(0, 1))
        else:
            token_ids = tokens
            senses, places = self.different_senses(token_ids, layer)
        senses = senses.to(query.dtype)
        if explain or self.weight_edits:
            alpha = sense_weights(query, key, seen)
            for edit in self.weight_edits:
                alpha = edit(alpha, token_ids)
            return plain_sum(alpha, senses[places]), alpha if explain else None
        if query.shape[-2] < key.shape[-2]:
            return weighted_sum(sense_weights(query, key, seen), senses, places), None
        return Mixing.apply(query, key, senses, (places, seen)), None  # type: ignore[no-untyped-call]

    def mix_plainly(
        self, hidden: Tensor, tokens: Tensor, seen: Tensor | None, layer: SenseLayer | None
    ) -> tuple[Tensor, Tensor]:
        """Compute the sum of senses for `torch.export`, whose programs hold for every batch and length.

        The senses of all positions exist at once, and no shape depends on which tokens there are.

        Args:
            hidden: `(batch, time, d)`, of the trunk.
            tokens: `(batch, time)` integers, or embeddings, `(batch, time, d)`.
            seen: `(batch, time)`, false where there is padding.
            layer: Of the cache; there can be none.

        Returns:
            `(batch, time, d)`, and alpha.

        Raises:
            ValueError: When there is a cache, or there are edits.
        """
        if layer is not None or self.sense_edits or self.weight_edits:
            raise ValueError("A Backpack is exported without a cache and without edits: say use_cache=False.")
        query, key = self.sense_weight_net(hidden)
        if self.own_table is not None:
            senses = self.own_table[tokens]
        else:
            embedded = tokens if tokens.is_floating_point() else self.get_input_embeddings()(tokens)
            senses = self.sense_network(embedded.flatten(0, 1)).view(*embedded.shape[:2], -1, embedded.shape[2])
        alpha = sense_weights(query, key, seen)
        return plain_sum(alpha, senses.to(query.dtype)), alpha

    def ids_for(self, tokens: Tensor, layer: SenseLayer) -> Tensor:
        """Return the integers by which a cache remembers tokens.

        Args:
            tokens: `(batch, queries)` integers, or embeddings, `(batch, queries, d)`.
            layer: Of the cache.

        Returns:
            `(batch, queries)`: the tokens, or integers above the vocabulary for embeddings.

        Raises:
            ValueError: When the cache should hold embeddings and gradients are computed, or edits go by tokens.
        """
        if layer.memory is None:
            layer.memory = SenseMemory(self.config.vocab_size)
        new = tokens.is_floating_point()
        if (new or layer.memory.has_embeddings) and (torch.is_grad_enabled() or self.sense_edits or self.weight_edits):
            raise ValueError(
                "A cache holds the senses of inputs_embeds without gradients and without edits: say use_cache=False, "
                "or compute within torch.no_grad()."
            )
        return layer.memory.remember(self.sense_network(tokens.flatten(0, 1))).view(tokens.shape[:2]) if new else tokens

    def different_senses(self, token_ids: Tensor, layer: SenseLayer | None) -> tuple[Tensor, Tensor]:
        """Compute the senses of each different token once.

        Args:
            token_ids: `(batch, time)`.
            layer: Of the cache; without gradients its memory is used.

        Returns:
            `(tokens, senses, d)`, and `(batch, time)`: which of them stands where.
        """
        if layer is None or layer.memory is None or torch.is_grad_enabled():
            different, places = torch.unique(token_ids, return_inverse=True)
            return self.senses(different), places
        return layer.memory.recall(token_ids, self.senses)


class BackpackLMHeadModel(BackpackPreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """A Backpack that predicts the next token.

    Args:
        config: The sizes.
    """

    _tied_weights_keys: ClassVar[dict[str, str]] = {"lm_head.weight": "backpack.gpt2_model.wte.weight"}

    def __init__(self, config: BackpackConfig):
        super().__init__(config)
        self.backpack = BackpackModel(config)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.post_init()

    def senses(self, token_ids: Tensor) -> Tensor:
        """Return the senses of tokens, `(tokens, senses, d)`; see `EditableSenses.senses`."""
        return self.backpack.senses(token_ids)

    def sense_table(self, device: str | torch.device | None = None, several: int = 1024) -> Tensor:
        """Return the senses of the whole vocabulary; see `EditableSenses.sense_table`."""
        return self.backpack.sense_table(device, several)

    @can_return_tuple  # type: ignore[untyped-decorator]
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        past_key_values: Cache | None = None,
        labels: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        output_contextualization: bool = False,
        **others: Any,
    ) -> BackpackLMOutput:
        """Predict the next token; arguments that are not described are those of `BackpackModel.forward`.

        Args:
            input_ids: `(batch, queries)` integers.
            attention_mask: See there.
            inputs_embeds: See there.
            position_ids: See there.
            cache: See there.
            past_key_values: See there.
            labels: `(batch, queries)`, not shifted, -100 where nothing is predicted.
            num_items_in_batch: What to divide the sum over labels by, as the trainer of transformers asks for when it
                accumulates gradients; the number of labels here if left out.
            use_cache: See there.
            logits_to_keep: Compute logits for so many last positions, for all if 0; or for these positions.
            output_hidden_states: See there.
            output_attentions: See there.
            output_contextualization: See there.
            **others: What callers pass to any model; nothing is done with it.

        Returns:
            The loss (0 without labels), logits, the cache, states and weights that are requested, and alpha.
        """
        outputs = self.backpack(
            input_ids,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            position_ids=position_ids,
            cache=past_key_values if cache is None else cache,
            use_cache=use_cache,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            output_contextualization=output_contextualization,
            return_dict=True,
        )
        hidden, loss = outputs.last_hidden_state, None
        positions = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(hidden[:, positions])
        if labels is not None:
            targets = labels[:, 1:].flatten().long()
            total = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1).float(), targets, reduction="sum")
            count = (targets != -100).sum().clamp(min=1) if num_items_in_batch is None else num_items_in_batch
            loss = total / (count.to(total.device) if isinstance(count, Tensor) else count)
        return BackpackLMOutput(
            loss=loss,
            logits=logits,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            contextualization=outputs.contextualization,
            **{CACHE: outputs.get(CACHE)},
        )


def plain_sum(weights: Tensor, senses: Tensor) -> Tensor:
    """Compute equation 3 as it is written.

    Args:
        weights: `(batch, senses, queries, time)`: alpha.
        senses: `(batch, time, senses, d)`: C.

    Returns:
        `(batch, queries, d)`: o.
    """
    return torch.einsum("blij,bjld->bid", weights, senses)
