"""Canonical names: what a tensor of the body is called, whatever head the model has.

A model with a head calls a tensor `bert.encoder.layer.0...`, the body alone `encoder.layer.0...`; old files call
`LayerNorm.weight` `LayerNorm.gamma`. Heads are everything outside the body, and the pooler, which a body has or has not
as its head wants it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from semeqv.lazy import transformers
from semeqv.runs.errors import UserError
from semeqv.text.models import families

# What the Auto classes of transformers call the body within a model with a head (`base_model_prefix`); here, so that
# torch need not be imported. Other kinds are asked.
BODIES = {
    "albert": "albert",
    "backpack": "backpack",
    "bert": "bert",
    "camembert": "roberta",
    "deberta-v2": "deberta",
    "distilbert": "distilbert",
    "electra": "electra",
    "gpt2": "transformer",
    "llama": "model",
    "mistral": "model",
    "modernbert": "model",
    "qwen2": "model",
    "qwen3": "model",
    "roberta": "roberta",
    "semeqv-encoder": "encoder",
    "t5": "transformer",
    "xlm-roberta": "roberta",
}
WRAPPERS = ("_orig_mod.", "module.")  # of torch.compile and DistributedDataParallel
# The embedding of tokens in the body; other kinds are asked.
EMBEDDINGS = {
    "backpack": "gpt2_model.wte.weight",
    "gpt2": "wte.weight",
    "llama": "embed_tokens.weight",
    "mistral": "embed_tokens.weight",
    "modernbert": "embeddings.tok_embeddings.weight",
    "qwen2": "embed_tokens.weight",
    "qwen3": "embed_tokens.weight",
    "t5": "shared.weight",
} | dict.fromkeys(
    ("albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "roberta", "xlm-roberta"),
    "embeddings.word_embeddings.weight",
)
UNTIED = {"llama", "mistral", "qwen2", "qwen3"}  # unless their configuration says otherwise
PREDICTING = r"(^|\.)(lm_head|decoder|embed_out|output_embedding|predictions|generator_lm_head)\.?.*weight$"
HEADS = r"(lm_head|cls|classifier|score|qa_outputs|output_embedding|pooler|\w+_head)\."
BUFFERS = r"(^|\.)(position_ids|token_type_ids|inv_freq|masked_bias)$"
LAYER = r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\."
LEGACY = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def body_names(stored: Iterable[str], model_type: str | None) -> dict[str, str]:
    """Find which of the names of a model are of its body, and what they are called there.

    Args:
        stored: The names as they are stored.
        model_type: The kind of model that its configuration names.

    Returns:
        From canonical name to stored name, in the order given; neither heads nor buffers are among them.

    Raises:
        UserError: When two tensors have one name.
    """
    stored = list(stored)
    prefix = f"{prefix_of(model_type)}."
    headed = any(name.startswith(prefix) for name in stored)
    canonical = dict[str, str]()
    for name in stored:
        inner = name.removeprefix(prefix)
        if (headed and inner == name) or re.match(HEADS, inner) or re.search(BUFFERS, inner):
            continue
        for old, new in LEGACY.items():
            inner = re.sub(rf"(^|\.){re.escape(old)}$", rf"\g<1>{new}", inner)
        if inner in canonical:
            raise UserError(
                f"{canonical[inner]!r} and {name!r} are one tensor of the body, {inner!r}; take one of them out."
            )
        canonical[inner] = name
    return canonical


def unwrapped(names: Iterable[str]) -> dict[str, str]:
    """Leave off what wrappers of a module put before or into its names.

    Args:
        names: All names of a model as they are stored.

    Returns:
        From each name to the name without.
    """
    names = list(names)
    inner = {name: name.replace("._orig_mod.", ".") for name in names}
    while prefix := next((each for each in WRAPPERS if names and all(inner[n].startswith(each) for n in names)), None):
        inner = {name: short.removeprefix(prefix) for name, short in inner.items()}
    return inner


@functools.cache
def embedding_name(model_type: str | None) -> str | None:
    """Return what a kind of model calls the embedding of tokens in its body; None where transformers does not tell."""
    if model_type in EMBEDDINGS:
        return EMBEDDINGS[model_type]

    families.know(model_type)
    for mapping in (
        transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING,
        transformers.models.auto.modeling_auto.MODEL_FOR_MASKED_LM_MAPPING,
    ):
        try:
            kind = mapping[transformers.CONFIG_MAPPING[model_type]]
        except KeyError:
            continue
        for source in getattr(kind, "_tied_weights_keys", None) or ():
            target = kind._tied_weights_keys[source]
            return str(target).removeprefix(f"{prefix_of(model_type)}.")
    return None


@functools.cache
def prefix_of(model_type: str | None) -> str:
    """Return what a kind of model calls its body; an unusual one is asked of transformers, which imports torch."""
    if model_type in BODIES:
        return BODIES[model_type]

    families.know(model_type)
    try:
        kind = transformers.MODEL_MAPPING[transformers.CONFIG_MAPPING[model_type]]
    except KeyError:
        return "model"
    kind = kind[0] if isinstance(kind, tuple | list) else kind
    return str(kind.base_model_prefix or "model")


def layer_of(name: str) -> str:
    """Return the layer of a tensor: `layer 3`, or the first word of its name, such as `embeddings`."""
    numbered = re.search(LAYER, name)
    stack = re.match(r"(encoder|decoder)\.", name)
    if numbered is None:
        return name.partition(".")[0]
    return f"{'decoder ' if stack and stack[1] == 'decoder' else ''}layer {numbered[1]}"
