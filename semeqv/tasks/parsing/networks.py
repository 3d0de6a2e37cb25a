"""Parsers as models of transformers: any plain model, and a biaffine head on the vectors of words."""

import functools
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel
from transformers.utils import ModelOutput

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.networks import pooled
from semeqv.text.models.opening import OURS, classes, open_config

UNSAID = -100
LEAK = 0.1  # of the nonlinearity, as in the paper


class Found(NamedTuple):
    """What the head says of some sentences.

    Args:
        arcs: How well each word hangs on the root (column 0) and on each word, `(B, W, W + 1)`; minus infinity where
            there is no such word, or it is the word itself.
        relations: Of each word to the head that was given for it, `(words, relations)`; None when none were.
        likeliest: The likeliest relation of each word to each head, `(B, W, W + 1)`; None when nobody asked.
        tags: Of each word, `(B, W, tags)`; None without a tagger.
    """

    arcs: Tensor
    relations: Tensor | None
    likeliest: Tensor | None
    tags: Tensor | None


class Biaffine(nn.Module):
    """Arcs, relations and perhaps tags of words.

    The four networks of the paper (arcs and relations, as dependent and as head) are two products: each half of their
    outputs is one of them.

    Args:
        width: Of the word vectors.
        arcs: Width of the vectors that score arcs.
        relations: Width of the vectors that score relations.
        relation_labels: How many relations there are.
        tag_labels: How many parts of speech; 0 for no tagger.
        dropout: Share of the word vectors, and of what the networks make of them, that is dropped in training.
    """

    def __init__(self, width: int, *, arcs: int, relations: int, relation_labels: int, tag_labels: int, dropout: float):
        super().__init__()
        self.dropout, self.relation_labels = dropout, relation_labels
        self.root = nn.Parameter(torch.empty(width))
        self.arc_layer = nn.Linear(width, 2 * arcs)
        self.relation_layer = nn.Linear(width, 2 * relations)
        self.arc_weight = nn.Parameter(torch.empty(arcs, arcs))
        self.arc_bias = nn.Parameter(torch.empty(arcs))  # how likely a word is to be a head at all
        self.relation_weight = nn.Parameter(torch.empty(relations + 1, relation_labels * (relations + 1)))
        self.tagger = nn.Linear(width, tag_labels) if tag_labels else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew: the networks orthogonal and the bilinear forms zero, as in the authors' code."""
        self.reset_trees()
        self.reset_tagger()

    @torch.no_grad()
    def reset_trees(self) -> None:
        """Draw those of arcs and relations anew."""
        nn.init.normal_(self.root)
        for layer in (self.arc_layer, self.relation_layer):
            nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)
        for weight in (self.arc_weight, self.arc_bias, self.relation_weight):
            nn.init.zeros_(weight)

    @torch.no_grad()
    def reset_tagger(self) -> None:
        """Draw those of the tagger anew, if there is one."""
        if self.tagger is not None:
            nn.init.xavier_uniform_(self.tagger.weight)
            nn.init.zeros_(self.tagger.bias)

    def forward(self, words: Tensor, real: Tensor, heads: Tensor | None = None, every: bool = True) -> Found:
        """Look at sentences.

        Args:
            words: Word vectors, `(B, W, H)`.
            real: Where there is a word, `(B, W)`.
            heads: The head of each word, `(B, W)`, counted from 1, 0 for the root, -100 for none, when the relations to
                them are asked for.
            every: Whether to find the likeliest relation to every head, too.

        Returns:
            The scores.
        """
        words = self.drop(words)
        root = self.root.to(words.dtype).expand(len(words), 1, -1)
        rooted = torch.cat([root, words], dim=1)  # (B, W + 1, H), the root first
        arc_heads, arc_words = self.drop(functional.leaky_relu(self.arc_layer(rooted), LEAK)).chunk(2, dim=-1)
        arcs = (arc_words[:, 1:] @ self.arc_weight + self.arc_bias) @ arc_heads.transpose(1, 2)
        shut = ~functional.pad(real, (1, 0), value=True)[:, None] | itself(arcs)
        arcs = arcs.float().masked_fill(shut, -torch.inf)
        as_heads, as_words = self.drop(functional.leaky_relu(self.relation_layer(rooted), LEAK)).chunk(2, dim=-1)
        as_heads, as_words = (functional.pad(each, (0, 1), value=1.0) for each in (as_heads, as_words[:, 1:]))
        return Found(
            arcs,
            None if heads is None else self.relations(as_words, as_heads, heads),
            self.likeliest(as_words, as_heads) if every else None,
            None if self.tagger is None else self.tagger(words),
        )

    def relations(self, words: Tensor, every: Tensor, heads: Tensor) -> Tensor:
        """Return the scores of each relation between words and their heads.

        Args:
            words: As dependents, `(B, W, R + 1)`.
            every: As heads, the root first, `(B, W + 1, R + 1)`.
            heads: `(B, W)`, -100 for none.

        Returns:
            `(words, relations)`, the words that have a head, row after row.
        """
        labelled = heads != UNSAID
        chosen = heads[:, :, None] == torch.arange(every.shape[1], device=heads.device)  # (B, W, W + 1)
        theirs = (chosen.to(every.dtype) @ every)[labelled]  # a product, which is the same in every run on any device
        left = (words[labelled] @ self.relation_weight).view(len(theirs), self.relation_labels, theirs.shape[-1])
        return torch.matmul(left, theirs[..., None])[..., 0]

    def likeliest(self, words: Tensor, every: Tensor) -> Tensor:
        """Return the likeliest relation of every word to every head, `(B, W, W + 1)`, one sentence at a time."""
        rows = []
        for word, head in zip(words, every):
            left = (word @ self.relation_weight).view(len(word), self.relation_labels, head.shape[-1])
            rows.append((left @ head.T).argmax(1))  # over (W, relations, W + 1)
        return torch.stack(rows)

    def drop(self, vectors: Tensor) -> Tensor:
        """Drop some of the numbers, in training."""
        return dropped(vectors, self.dropout) if self.training else vectors


def dropped(vectors: Tensor, share: float) -> Tensor:
    """Drop some of the numbers of vectors, the same ones in the whole sentence, as in the paper; so it costs little.

    Args:
        vectors: `(B, places, width)`.
        share: How many.

    Returns:
        Vectors of the same shape, what is left of them made larger to make up for it.
    """
    if not share:
        return vectors
    mask = torch.empty_like(vectors[:, :1]).bernoulli_(1 - share)
    return vectors * (mask / (1 - share))


def itself(arcs: Tensor) -> Tensor:
    """Return where a word would be its own head, `(W, W + 1)`."""
    words, heads = (torch.arange(size, device=arcs.device) for size in arcs.shape[1:])
    return words[:, None] + 1 == heads


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
        parser, kind = config.parser, classes(AutoModel, config)[0]
        unpooled = {"add_pooling_layer": False} if "add_pooling_layer" in inspect.signature(kind).parameters else {}
        setattr(self, self.base_model_prefix, kind(config, **unpooled))  # type: ignore[attr-defined]
        self.parser = Biaffine(
            config.hidden_size,
            arcs=parser["arc_size"],
            relations=parser["relation_size"],
            relation_labels=len(config.id2label),
            tag_labels=len(parser["tags"]),
            dropout=parser["dropout"],
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
        guesses = self.parser(vectors, real, labels, every=labels is None or not self.training)  # type: ignore[attr-defined]
        outputs = {"logits": guesses.arcs, "likeliest": guesses.likeliest, "tag_logits": guesses.tags}
        if labels is None:
            return ParserOutput(**outputs)
        labelled = labels != UNSAID
        loss = cross_entropy(guesses.arcs[labelled], labels[labelled])
        if relations is not None:
            loss = loss + cross_entropy(guesses.relations, relations[labelled])
        if tags is not None and guesses.tags is not None:
            loss = loss + cross_entropy(guesses.tags.flatten(0, 1), tags.flatten())
        return ParserOutput(loss=loss, **outputs)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over the labels that are not -100, in nats; 0 when there is none.

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
    """Return the parser on top of a plain model of transformers, `BertForDependencyParsing` of `BertModel`."""
    namespace = {"__module__": __name__, "base_model_prefix": kind.base_model_prefix}
    return type(kind.__name__.removesuffix("Model") + HEAD, (OfTrees, kind.__bases__[0]), namespace)


def head_class(config: Any) -> type[Any]:
    """Return the class of a parser.

    Args:
        config: Of which kind of model.

    Returns:
        A `PreTrainedModel`.

    Raises:
        UserError: When there is no plain model of the kind.
    """
    base = classes(AutoModel, config)
    if not base:
        raise UserError(f"Models of the kind {config.model_type} cannot be parsers: they have no plain model.")
    kind: Any = base[0]
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
