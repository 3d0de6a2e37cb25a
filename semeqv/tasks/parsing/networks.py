"""Parsers as models of transformers: any plain model, and a biaffine head on the vectors of words."""

import functools
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel
from transformers.utils import ModelOutput

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.networks import pooled
from semeqv.tasks.parsing.biaffine import UNSAID, Biaffine
from semeqv.text.models.opening import OURS, classes, open_config

HEAD = "ForDependencyParsing"


@dataclass
class ParserOutput(ModelOutput):
    """What a parser says of some sentences.

    Args:
        loss: The sum of the cross-entropies of heads, relations and tags, in nats a word.
        logits: How well each word hangs on the root (0) and on each word, `(batch, words, words + 1)`.
        likeliest: The likeliest relation of each word to each head, of the same shape; not in training.
        tag_logits: `(batch, words, tags)`; None without a tagger.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    likeliest: Tensor | None = None
    tag_logits: Tensor | None = None


class OfTrees:
    """What makes a plain model of transformers a parser.

    Its configuration says in `parser` which sizes the head has, which `tags` there are (none for no tagger) and how the
    vectors of tokens become those of words; `id2label` names the relations.
    """

    def __init__(self, config: Any):
        super().__init__(config)  # type: ignore[call-arg]
        said, kind = config.parser, classes(AutoModel, config)[0]
        unpooled = {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(kind).parameters else {}
        setattr(self, self.base_model_prefix, kind(config, **unpooled))  # type: ignore[attr-defined]
        self.parser = Biaffine(
            config.hidden_size,
            arcs=said["arc_size"],
            relations=said["relation_size"],
            relation_labels=len(config.id2label),
            tag_labels=len(said["tags"]),
            dropout=said["dropout"],
        )
        self.post_init()  # type: ignore[attr-defined]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, Biaffine):
            module.reset_parameters()
        elif module not in (self.parser.arc_layer, self.parser.relation_layer, self.parser.tagger):
            super()._init_weights(module)  # type: ignore[misc]

    def forward(
        self,
        input_ids: Tensor,
        *,
        words: Tensor,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        relations: Tensor | None = None,
        tags: Tensor | None = None,
        **rest: Any,
    ) -> ParserOutput:
        """Parse sentences.

        Args:
            input_ids: `(batch, time)`.
            words: Which word each token is of, `(batch, time)`; -1 for none. The tokens of a word stand together.
            attention_mask: `(batch, time)`, 0 where there is padding.
            labels: The head of each word, `(batch, words)`: 0 for the root, else a word counted from 1; -100 for none.
            relations: The relation of each word to it, `(batch, words)`, -100 for none.
            tags: The part of speech of each word, `(batch, words)`, -100 for none.
            **rest: What else the plain model takes.

        Returns:
            Scores, and a loss when there are labels.
        """
        body, pooling = self.base_model, self.config.parser["pooling"]  # type: ignore[attr-defined]
        count = int(words.max()) + 1 if labels is None else labels.shape[1]
        real = torch.arange(count, device=words.device) <= words.amax(1, keepdim=True)
        if labels is not None:
            real = real | (labels != UNSAID)  # a word of which the tokenizer leaves nothing
        if getattr(body, "reads_words", False):
            embedded = pooled(body.get_input_embeddings()(input_ids), words, count, pooling)
            vectors = body(inputs_embeds=embedded, attention_mask=real).last_hidden_state
        else:
            hidden = body(input_ids, attention_mask=attention_mask, **rest).last_hidden_state
            vectors = pooled(hidden, words, count, pooling)
        found = self.parser(vectors, real, labels, every=labels is None or not self.training)  # type: ignore[attr-defined]
        said = {"logits": found.arcs, "likeliest": found.likeliest, "tag_logits": found.tags}
        if labels is None:
            return ParserOutput(**said)
        asked = labels != UNSAID
        loss = cross_entropy(found.arcs[asked], labels[asked])
        if relations is not None:
            loss = loss + cross_entropy(found.relations, relations[asked])
        if tags is not None and found.tags is not None:
            loss = loss + cross_entropy(found.tags.flatten(0, 1), tags.flatten())
        return ParserOutput(loss=loss, **said)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean over the labels that are not -100, in nats; 0 when there is none.

    Args:
        logits: `(words, classes)`.
        labels: `(words,)`.

    Returns:
        A scalar.
    """
    total = functional.cross_entropy(logits.float(), labels, ignore_index=UNSAID, reduction="sum")
    return total / (labels != UNSAID).sum().clamp(min=1)


@functools.cache
def parser_class(kind: Any) -> type[Any]:
    """The parser on top of a plain model of transformers, `BertForDependencyParsing` of `BertModel`."""
    said = {"__module__": __name__, "base_model_prefix": kind.base_model_prefix}
    return type(kind.__name__.removesuffix("Model") + HEAD, (OfTrees, kind.__bases__[0]), said)


def head_class(config: Any) -> type[Any]:
    """The class of a parser.

    Args:
        config: Of which kind of model.

    Returns:
        A `PreTrainedModel`.

    Raises:
        UserError: When there is no plain model of the kind.
    """
    found = classes(AutoModel, config)
    if not found:
        raise UserError(f"Models of the kind {config.model_type} cannot be parsers: they have no plain model.")
    kind: Any = found[0]
    return parser_class(kind)


class AutoModelForDependencyParsing:
    """Opens saved parsers, as the Auto classes of transformers open their models."""

    @classmethod
    def from_pretrained(cls, folder: str | Path, **options: Any) -> Any:
        """Open a parser.

        Args:
            folder: A checkpoint of a run, or what `save_pretrained` wrote.
            **options: As of `from_pretrained` of any model.

        Returns:
            The parser, ready to parse.
        """
        config = open_config(Path(folder))
        return head_class(config).from_pretrained(folder, config=config, **(OURS | options))
