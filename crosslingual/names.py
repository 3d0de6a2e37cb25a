"""Canonical names: what a tensor of the body is called, whatever head the model has.

A model with a head calls a tensor `bert.encoder.layer.0...`, the body alone `encoder.layer.0...`; old files call
`LayerNorm.weight` `LayerNorm.gamma`. Heads are everything outside the body, and the pooler, which a body has or has not
as its head wants it.
"""

import functools
import re
from collections.abc import Iterable

from semeqv.engine.errors import UserError

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
HEADS = r"(lm_head|cls|classifier|score|qa_outputs|output_embedding|pooler|\w+_head)\."
BUFFERS = r"(^|\.)(position_ids|token_type_ids|inv_freq|masked_bias)$"
LAYER = r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\."
LEGACY = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}


def body_names(stored: Iterable[str], model_type: str | None) -> dict[str, str]:
    """Which of the names of a model are of its body, and what they are called there.

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
    found = dict[str, str]()
    for name in stored:
        inner = name.removeprefix(prefix)
        if (headed and inner == name) or re.match(HEADS, inner) or re.search(BUFFERS, inner):
            continue
        for old, new in LEGACY.items():
            inner = re.sub(rf"(^|\.){re.escape(old)}$", rf"\g<1>{new}", inner)
        if inner in found:
            raise UserError(
                f"{found[inner]!r} and {name!r} are one tensor of the body, {inner!r}; take one of them out."
            )
        found[inner] = name
    return found


@functools.cache
def prefix_of(model_type: str | None) -> str:
    """What a kind of model calls its body; transformers is asked, which imports torch, when it is an unusual one."""
    if model_type in BODIES:
        return BODIES[model_type]
    import transformers

    from semeqv.text.models import families

    families.know(model_type)
    try:
        kind = transformers.MODEL_MAPPING[transformers.CONFIG_MAPPING[model_type]]
    except KeyError:
        return "model"
    kind = kind[0] if isinstance(kind, tuple | list) else kind
    return str(kind.base_model_prefix or "model")


def layer_of(name: str) -> str:
    """The layer of a tensor: `layer 3`, or the first word of its name, such as `embeddings`."""
    numbered = re.search(LAYER, name)
    stack = re.match(r"(encoder|decoder)\.", name)
    if numbered is None:
        return name.partition(".")[0]
    return f"{'decoder ' if stack and stack[1] == 'decoder' else ''}layer {numbered[1]}"
