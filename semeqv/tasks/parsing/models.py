"""Parsers: their options, and how they are built or opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import click

from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.tasks.classification.batches import check_task
from semeqv.tasks.classification.models import Classifier, label_names, opened
from semeqv.tasks.inference import check_tokenizer
from semeqv.text.models.architectures import special_tokens
from semeqv.text.models.opening import one_line, open_config, quiet
from semeqv.text.models.source import config_folder, model_folder
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.train.compute import torch_device


@dataclass(frozen=True, kw_only=True)
class Headed:
    """Options of the head of every parser. What is left out is as it was trained, of a trained parser.

    Args:
        pooling: What the vector of a word is: the mean of those of its tokens, that of the first, or of the last; the
            mean if left out.
        arc_size: Width of the vectors that score arcs; 500 if left out, as in the paper.
        relation_size: Width of the vectors that score relations; 100 if left out.
        tagger: Whether parts of speech (UPOS) are predicted too, trained together with the trees; a new parser does
            that if left out.
    """

    pooling: Literal["mean", "first", "last"] | None = None
    arc_size: int | None = None
    relation_size: int | None = None
    tagger: bool | None = None

    def __post_init__(self) -> None:
        check_bounds(self, arc_size=1, relation_size=1)

    def has_tagger(self) -> bool:
        """Return whether parts of speech are predicted, too."""
        return self.tagger is not False

    @property
    def sizes(self) -> dict[str, Any]:
        """What is said of the head, as its configuration has it."""
        given = {
            "pooling": self.pooling,
            "arc_size": self.arc_size,
            "relation_size": self.relation_size,
            "dropout": getattr(self, "dropout", None),
        }
        return {name: value for name, value in given.items() if value is not None}


@component("model parser")
@dataclass(frozen=True, kw_only=True)
class Parser(Headed, Classifier):
    """A dependency parser on top of any encoder or decoder: deep biaffine attention (Dozat & Manning, 2017).

    arXiv 1611.01734. Every word scores every other and the root as its head; the tree is the best one with a single
    word at the root (Chu-Liu/Edmonds). Its checkpoints are folders of the kind of model below it: any Auto class opens
    that, `AutoModelForDependencyParsing` of `semeqv.tasks.parsing.networks` the parser, and so does this command.

    Args:
        dropout: Share of the word vectors, and of what the head makes of them, that is dropped in training; 0.33 if
            left out.
        attention: How the model computes attention: eager is twice as fast on a CPU and on sentences, and taken there
            if left out; elsewhere what transformers takes is.
    """

    head: ClassVar[str] = "ForDependencyParsing"
    word: ClassVar[str] = "parser"

    attention: Literal["auto", "eager", "sdpa"] = "auto"

    def __post_init__(self) -> None:
        Headed.__post_init__(self)
        Classifier.__post_init__(self)

    def known_tags(self) -> tuple[str, ...]:
        """Return the parts of speech of a trained parser; none of another model."""
        if not self.known_labels() or self.tagger is False:
            return ()
        return tuple((self.config.get("parser") or {}).get("tags") or ())

    def has_tagger(self) -> bool:
        """Return whether parts of speech are predicted, too: as --tagger says, else as a trained parser does."""
        return bool(self.known_tags()) if self.tagger is None and self.known_labels() else super().has_tagger()

    def build(self, dataset: Any, tokenizer: Any, device: str = "auto") -> Any:
        """Build the model.

        Args:
            dataset: Tells relations and tags.
            tokenizer: Of the run.
            device: Where it will compute.

        Returns:
            A `*ForDependencyParsing`.
        """
        check_task(dataset, self.word)
        labels = labels_of(dataset, self.has_tagger())
        if bert := self.bert():
            model = new_parser(bert.configuration(tokenizer), labels, self.sizes)
        else:
            model = open_parser(self.source, labels, self.sizes, pretrained=self.pretrained)
            check_tokenizer(model, tokenizer)
        return set_attention(model, self.attention, device)


@component("model bilstm-parser")
@dataclass(frozen=True, kw_only=True)
class BiLSTMParser(Headed):
    """A dependency parser on a bidirectional LSTM whose weights are drawn anew, the control of the others.

    It reads words, the vector of each made of the embeddings of its tokens as --pooling says. Its head is that of `cli
    model parser`, which opens what a run saves.

    Args:
        layers: Layers, each reading in both directions.
        embedding_size: Width of the embeddings, and of each direction of a layer.
        dropout: Share of what each layer and the head reads, and of what the head makes of it, that is dropped in
            training.
        word_dropout: Share of the words whose whole embeddings are dropped in training, so that less is learnt by
            heart; 0.33 in the paper.
    """

    layers: int = 2
    embedding_size: int = 256
    dropout: float = 0.33
    word_dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, layers=1, embedding_size=1, dropout=(0, 0.99), word_dropout=(0, 0.99))

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """Build the model.

        Args:
            dataset: Tells relations and tags.
            tokenizer: Of the run.

        Returns:
            A `BiLSTMForDependencyParsing`.
        """
        from semeqv.tasks.parsing.bilstm import BiLSTMConfig

        check_task(dataset, "parser")
        config = BiLSTMConfig(
            vocab_size=rows_needed(tokenizer),
            embedding_size=self.embedding_size,
            hidden_size=2 * self.embedding_size,
            num_hidden_layers=self.layers,
            hidden_dropout_prob=self.dropout,
            word_dropout_prob=self.word_dropout,
            **special_tokens(tokenizer),
        )
        return new_parser(config, labels_of(dataset, self.has_tagger()), self.sizes)


SIZES = ("arc_size", "relation_size")
PAPER = {"pooling": "mean", "arc_size": 500, "relation_size": 100, "dropout": 0.33}


class Labels(NamedTuple):
    """The relations and tags of a parser.

    Args:
        relations: The names of the relations, by their numbers.
        tags: The names of the parts of speech; none for no tagger.
    """

    relations: tuple[str, ...]
    tags: tuple[str, ...]


def labels_of(dataset: Any, tagger: bool = True) -> Labels | None:
    """Return the labels of the treebanks of a run.

    Args:
        dataset: The data sets by (split, name), or one.
        tagger: Whether tags are predicted, too.

    Returns:
        Those of the first treebank; None when there is none.
    """
    sets = dataset.values() if isinstance(dataset, dict) else [dataset]
    data = next((each for each in sets if hasattr(each, "trees")), None)
    return None if data is None else Labels(tuple(data.labels), tuple(data.tags) if tagger else ())


def open_parser(
    source: str | Path | None,
    labels: Labels | None = None,
    sizes: Mapping[str, Any] | None = None,
    *,
    pretrained: bool = True,
) -> Any:
    """Open a parser.

    Args:
        source: What `--from` names: any model, or a trained parser.
        labels: Its relations and tags; as it was trained if None. Where relations differ, the weights of arcs and
            relations are drawn anew; where tags differ, those of the tagger; it is said on stderr.
        sizes: `pooling`, `arc_size`, `relation_size` and `dropout` of the head; what is left out is as it was trained,
            else as in the paper.
        pretrained: Whether to take over weights; otherwise only the sizes, and all weights are drawn anew.

    Returns:
        A `PreTrainedModel`.

    Raises:
        UserError: When it cannot be opened, or no relations are known.
    """
    folder = model_folder(source) if pretrained else config_folder(source)
    config = open_config(folder)
    old = dict(getattr(config, "parser", None) or {})
    labels_before = Labels(label_names(config), tuple(old["tags"])) if old else None
    labels = labels or labels_before
    if labels is None:
        raise UserError(f"{source} is no trained parser: it names no relations. Add: cli dataset treebank")
    kind = prepared(config, labels, sizes)
    with one_line(source), quiet():
        model = opened(kind, folder, config, pretrained, known=labels_before is not None)
    model.config.architectures = [type(model).__name__]
    if not pretrained or labels_before is None:
        return model
    trees = labels.relations != labels_before.relations or any(config.parser[size] != old[size] for size in SIZES)
    tagger = bool(labels.tags) and labels.tags != labels_before.tags
    if trees:
        model.parser.reset_trees()
        click.echo(f"The arcs and relations of {source} start anew: its relations or sizes are others here.", err=True)
    if tagger:
        model.parser.reset_tagger()
        why = "its tags are others here" if labels_before.tags else "it had none"
        click.echo(f"The tagger of {source} starts anew: {why}.", err=True)
    if not trees and not tagger:
        model.source = str(source)  # it can be tested as it is
    return model


def new_parser(config: Any, labels: Labels | None, sizes: Mapping[str, Any] | None = None) -> Any:
    """Make a parser of weights drawn anew.

    Args:
        config: The sizes of the model below the head.
        labels: Its relations and tags.
        sizes: Of the head; as in the paper where left out.

    Returns:
        A `PreTrainedModel`.

    Raises:
        UserError: When its labels are not known.
    """
    if labels is None:
        raise UserError("A parser from sizes needs a treebank: cli dataset treebank.")
    model = prepared(config, labels, sizes)(config)
    model.config.architectures = [type(model).__name__]
    return model


def prepared(config: Any, labels: Labels, sizes: Mapping[str, Any] | None) -> type[Any]:
    """Write what a parser is into a configuration.

    Args:
        config: The configuration.
        labels: Its relations and tags.
        sizes: Of its head.

    Returns:
        The class of its model.
    """
    from semeqv.tasks.parsing.networks import head_class

    config.id2label = dict(enumerate(labels.relations))
    config.label2id = {name: number for number, name in enumerate(labels.relations)}
    old = getattr(config, "parser", None) or {}
    config.parser = {**PAPER, **old, **(sizes or {}), "tags": list(labels.tags)}
    return head_class(config)


def set_attention(model: Any, attention: str, device: str) -> Any:
    """Choose how a model computes attention.

    Args:
        model: A `PreTrainedModel`; one that computes it in a way of its own is left as it is.
        attention: eager, sdpa, or auto: eager on a CPU.
        device: Where it will compute: auto, cpu, cuda, ...

    Returns:
        The same model.
    """
    on_cpu = torch_device(device, World()).type == "cpu"
    chosen = attention if attention != "auto" else "eager" if on_cpu else None
    if chosen is not None and getattr(model, "_supports_sdpa", False):
        model.set_attn_implementation(chosen)
    return model
