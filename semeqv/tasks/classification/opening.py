"""Opens classifiers: on top of any model, or trained ones."""

from pathlib import Path
from typing import Any

import click
import torch
from torch import nn

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.networks import head_class, of_words
from semeqv.text.models.opening import listed, load_weights, one_line, open_config, quiet
from semeqv.text.models.source import config_folder, model_folder


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
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    kind = head_class(config, head)
    if head == "ForTokenClassification":
        kind = of_words(kind)
        config.word_pooling = pooling or getattr(config, "word_pooling", "mean")
    return kind


def finished(model: Any, dropout: float | None) -> Any:
    """The model, its head dropping so much of what it reads, and its configuration naming its class."""
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


@torch.no_grad()
def draw_head(model: Any) -> None:
    """Draw the weights of all that is above the base model anew."""
    for part in head_parts(model):
        if callable(reset := getattr(part, "reset_parameters", None)):
            reset()
        model._init_weights(part)


def head_parts(model: Any) -> list[nn.Module]:
    """All modules above the base model."""
    return [part for module in model.children() if module is not model.base_model for part in module.modules()]


def label_names(config: Any) -> tuple[str, ...]:
    """The labels of a trained classifier, in their order; none when a configuration names none.

    Args:
        config: A configuration, or the content of a `config.json`.

    Returns:
        Their names. `LABEL_0` and the like are how transformers says that nobody named any.
    """
    said = config.get("id2label") if isinstance(config, dict) else config.id2label
    named = {int(number): str(name) for number, name in (said or {}).items()}
    if not named or all(name == f"LABEL_{number}" for number, name in named.items()):
        return ()
    return tuple(named[number] for number in sorted(named))
