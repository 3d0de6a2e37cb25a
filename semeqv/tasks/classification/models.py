"""Classifiers of words and of texts: their options, and how they are built or opened."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import click

from semeqv.grammar.component import component
from semeqv.lazy import nn, no_grad, torch
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batches import check_task
from semeqv.text.models.architectures import BERT
from semeqv.text.models.opening import (
    check_rows,
    has_tokenizer,
    listed,
    load_weights,
    one_line,
    open_config,
    open_tokenizer,
    quiet,
)
from semeqv.text.models.source import SHIFTED, config_folder, model_folder, positions_of, read_config


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A model with a head that predicts labels.

    Args:
        source: A run folder (its best checkpoint, else the last), a checkpoint, a Hugging Face folder, or a name on the
            hub (owner/model, or owner/model@revision). Of any model, a new head is put on it; a trained classifier is
            opened with its own.
        pretrained: Start from the weights there; else only the sizes are taken, and all weights drawn anew.
        layers: In place of --from, the three sizes of a BERT whose weights are drawn anew: its layers,
        heads: its attention heads,
        embedding_size: and its width.
        dropout: Share of what the head reads that is dropped in training; as the kind of model has it if left out.
    """

    head: ClassVar[str] = ""
    word: ClassVar[str] = ""

    source: str | None = field(default=None, metadata={"alias": "from"})
    pretrained: bool = True
    layers: int | None = None
    heads: int | None = None
    embedding_size: int | None = None
    dropout: float | None = None

    def __post_init__(self) -> None:
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(f"--dropout must be from 0 to below 1, not {self.dropout}.")
        given = [size for size in (self.layers, self.heads, self.embedding_size) if size is not None]
        if given and self.source is not None:
            raise ValueError("--from brings its own sizes; leave out --layers, --heads and --embedding_size.")
        if given and len(given) < 3:
            raise ValueError("--layers, --heads and --embedding_size go together; say all three.")
        if given:
            self.bert()

    def bert(self) -> BERT | None:
        """Return the options of the model that the sizes ask for; None when none are said."""
        if self.layers is None or self.heads is None or self.embedding_size is None:
            return None
        return BERT(layers=self.layers, heads=self.heads, embedding_size=self.embedding_size)

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """What the model's `config.json` says; read once, as finding a checkpoint compares its hashes."""
        return read_config(config_folder(self.source))

    def known_labels(self) -> tuple[str, ...]:
        """Return the labels of a trained classifier with this head; none of another model."""
        if self.bert():
            return ()
        config = self.config
        trained = self.pretrained and any(str(name).endswith(self.head) for name in config.get("architectures") or ())
        return label_names(config) if trained else ()

    def most_tokens(self) -> int | None:
        """Return the most tokens that the model reads at once; None when no limit is known."""
        bert = self.bert()
        return bert.block_size if bert else positions_of(self.config)

    def provide_tokenizer(self) -> Any:
        """Return the tokenizer of the model's folder, for a sentence that says none; None when it has none."""
        return open_tokenizer(self.source) if not self.bert() and has_tokenizer(self.source) else None

    def opened(self, dataset: Any, tokenizer: Any, **options: Any) -> Any:
        """Return the model, for the labels of the data.

        Args:
            dataset: The data sets by (split, name); the labels are those of the first that has some.
            tokenizer: The tokenizer of the run.
            **options: Of `open_classifier`.

        Returns:
            A `PreTrainedModel`.

        Raises:
            UserError: When it cannot be opened, the data is of another task, it has no labels for a model with new
                weights, or the tokenizer has more tokens than the model.
        """
        check_task(dataset, self.word)
        sets = dataset.values() if isinstance(dataset, dict) else [dataset]
        labels = next((tuple(each.labels) for each in sets if hasattr(each, "labels")), None)
        if bert := self.bert():
            if labels is None or tokenizer is None:
                raise UserError("A model from sizes needs a tokenizer and labelled data: cli tokenizer, cli dataset.")
            return new_classifier(bert.configuration(tokenizer), self.head, labels, dropout=self.dropout, **options)
        model = open_classifier(
            self.source, self.head, labels, pretrained=self.pretrained, dropout=self.dropout, **options
        )
        check_rows(model, tokenizer, self.source)
        set_padding(model, tokenizer)
        return model


def set_padding(model: Any, tokenizer: Any) -> None:
    """Let a model know what batches are padded with: a decoder finds the last token of a text by it.

    Args:
        model: A `PreTrainedModel`.
        tokenizer: Of the run, which says it.

    Raises:
        UserError: When the tokenizer has no padding token, and none that ends texts.
    """
    config = model.config
    if tokenizer.pad_token_id is None:
        if config.pad_token_id is None:
            raise UserError(
                "The tokenizer has no padding token, and none that ends a text (pad_token, eos_token); a classifier of "
                "texts needs one."
            )
    elif config.pad_token_id is None or config.model_type not in SHIFTED:
        config.pad_token_id = tokenizer.pad_token_id


@component("model token-classifier")
@dataclass(frozen=True, kw_only=True)
class TokenClassifier(Classifier):
    """A classifier of words, on top of any encoder or decoder: part-of-speech tagger, named-entity recogniser.

    It is the `*ForTokenClassification` of transformers, whose head sees words: the vectors of a word's tokens become
    one. `from_pretrained` opens what a run saves, and then classifies tokens; with `--pooling first` the logits of the
    first token of a word are those of the word, with `--pooling mean` the mean over its tokens is (for a linear head).

    Args:
        pooling: What the vector of a word is: the mean of those of its tokens, that of the first, or of the last. As it
            was trained, else the mean, if left out.
    """

    head: ClassVar[str] = "ForTokenClassification"
    word: ClassVar[str] = "token-classifier"

    pooling: Literal["mean", "first", "last"] | None = None

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """Build the model.

        Args:
            dataset: Tells the labels.
            tokenizer: Of the run.

        Returns:
            A `*ForTokenClassification` that also takes `words`.
        """
        return self.opened(dataset, tokenizer, pooling=self.pooling)


@component("model sequence-classifier")
@dataclass(frozen=True, kw_only=True)
class SequenceClassifier(Classifier):
    """A classifier of texts or of pairs of texts, on top of any encoder or decoder.

    It is the `*ForSequenceClassification` of transformers, whose `from_pretrained` opens what a run saves. A kind of
    model that has none gets a linear head on the mean of its token vectors.
    """

    head: ClassVar[str] = "ForSequenceClassification"
    word: ClassVar[str] = "sequence-classifier"

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """Build the model.

        Args:
            dataset: Tells the labels.
            tokenizer: Of the run.

        Returns:
            A `*ForSequenceClassification`.
        """
        return self.opened(dataset, tokenizer)


def open_classifier(
    source: str | Path | None,
    head: str,
    labels: tuple[str, ...] | None = None,
    *,
    pooling: str | None = None,
    pretrained: bool = True,
    dropout: float | None = None,
) -> Any:
    """Open a classifier.

    Args:
        source: What `--from` names: any model, or a trained classifier.
        head: `ForTokenClassification` or `ForSequenceClassification`.
        labels: The names of the labels, in their order; those in the configuration if None. Where the two differ, or
            it has another head, its head is drawn anew, and it is said on stderr.
        pooling: How the tokens of a word become one vector: mean, first or last; as it was trained, else mean, if None.
        pretrained: Whether to take over weights; otherwise only the sizes, and all weights are drawn anew.
        dropout: Share of what the head reads that is dropped in training; as its kind has it if None.

    Returns:
        A `PreTrainedModel` of the kind's own class for the head.

    Raises:
        UserError: When it cannot be opened, or no labels are known.
    """
    folder = model_folder(source) if pretrained else config_folder(source)
    config = open_config(folder)
    known = label_names(config)
    names = known if labels is None else tuple(labels)
    if not names:
        raise UserError(f"{source} is no trained classifier: it names no labels.")
    kind = prepared(config, head, names, pooling)
    same = names == known and any(str(name).endswith(head) for name in config.architectures or ())
    with one_line(source), quiet():
        model = finished(opened(kind, folder, config, pretrained, known=same), dropout)
    if pretrained and same:
        model.source = str(source)  # it can be tested as it is
    elif pretrained and known:
        click.echo(f"The head of {source} starts anew: it is for other labels, or another task.", err=True)
    return model


def new_classifier(
    config: Any, head: str, labels: tuple[str, ...], *, pooling: str | None = None, dropout: float | None = None
) -> Any:
    """Make a classifier of weights drawn anew.

    Args:
        config: Its sizes.
        head: As of `open_classifier`, and so are the others.
        labels: The names of the labels.
        pooling: Mean if None.
        dropout: As its kind has it if None.

    Returns:
        A `PreTrainedModel`.
    """
    return finished(prepared(config, head, labels, pooling)(config), dropout)


def prepared(config: Any, head: str, names: tuple[str, ...], pooling: str | None) -> type[Any]:
    """Write labels (and how words are pooled) into a configuration.

    Args:
        config: The configuration.
        head: Which head.
        names: The labels.
        pooling: As it says itself, else mean, if None.

    Returns:
        The class of its model.
    """
    from semeqv.tasks.classification.networks import head_class, of_words

    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    kind = head_class(config, head)
    if head == "ForTokenClassification":
        kind = of_words(kind)
        config.word_pooling = pooling or getattr(config, "word_pooling", "mean")
    return kind


def finished(model: Any, dropout: float | None) -> Any:
    """Return the model, its head dropping so much of what it reads, and its configuration naming its class."""
    for part in head_parts(model):
        if dropout is not None and isinstance(part, nn.Dropout):
            part.p = dropout
    model.config.architectures = [type(model).__name__]
    return model


def opened(kind: type[Any], folder: Path, config: Any, pretrained: bool, known: bool) -> Any:
    """Open a classifier of a class.

    Args:
        kind: The class.
        folder: Where its weights are.
        config: Its configuration.
        pretrained: Whether to take them over.
        known: Whether the head there is for these labels.

    Returns:
        The model, in float32; what was not taken over is drawn anew, and named on stderr when it is more than a head.
    """
    if not pretrained:
        return kind(config)
    model = load_weights(kind, folder, config, folder, dtype=torch.float32, ignore_mismatched_sizes=True)
    if not known:
        draw_head(model)
    below = [name for name in model.new_weights if name.startswith(f"{model.base_model_prefix}.")]
    if below:
        click.echo(f"{folder} has no {listed(below)}: {len(below)} weights start anew.", err=True)
    return model


@no_grad
def draw_head(model: Any) -> None:
    """Draw the weights of all that is above the base model anew."""
    for part in head_parts(model):
        if callable(reset := getattr(part, "reset_parameters", None)):
            reset()
        model._init_weights(part)


def head_parts(model: Any) -> list[nn.Module]:
    """Return all modules above the base model."""
    return [part for module in model.children() if module is not model.base_model for part in module.modules()]


def label_names(config: Any) -> tuple[str, ...]:
    """Return the labels of a trained classifier, in their order; none when a configuration names none.

    Args:
        config: A configuration, or the content of a `config.json`.

    Returns:
        Their names. Names like `LABEL_0`, which transformers gives, are none.
    """
    names = config.get("id2label") if isinstance(config, dict) else config.id2label
    named = {int(number): str(name) for number, name in (names or {}).items()}
    if not named or all(name == f"LABEL_{number}" for number, name in named.items()):
        return ()
    return tuple(named[number] for number in sorted(named))
