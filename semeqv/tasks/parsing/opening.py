"""Opens parsers: on top of any model, or trained ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.tasks.classification.opening import label_names, opened
from semeqv.tasks.parsing.networks import head_class
from semeqv.text.models.opening import one_line, open_config, quiet
from semeqv.text.models.source import config_folder, model_folder
from semeqv.train.compute import torch_device

SIZES = ("arc_size", "relation_size")
PAPER = {"pooling": "mean", "arc_size": 500, "relation_size": 100, "dropout": 0.33}


class Labels(NamedTuple):
    """What a parser tells apart.

    Args:
        relations: The names of the relations, by their numbers.
        tags: The names of the parts of speech; none for no tagger.
    """

    relations: tuple[str, ...]
    tags: tuple[str, ...]


def labels_of(dataset: Any, tagger: bool = True) -> Labels | None:
    """The labels of the treebanks of a run.

    Args:
        dataset: The data sets by (split, name), or one.
        tagger: Whether tags are told apart, too.

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
        labels: What it is to tell apart; as it was trained if None. Where relations differ, what tells arcs and
            relations is drawn anew, where tags differ, the tagger is; it is said on stderr.
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
    known = Labels(label_names(config), tuple(old["tags"])) if old else None
    labels = labels or known
    if labels is None:
        raise UserError(f"{source} is no trained parser: it names no relations. Add: cli dataset treebank")
    kind = prepared(config, labels, sizes)
    with one_line(source), quiet():
        model = opened(kind, folder, config, pretrained, known=known is not None)
    model.config.architectures = [type(model).__name__]
    if not pretrained or known is None:
        return model
    trees = labels.relations != known.relations or any(config.parser[size] != old[size] for size in SIZES)
    tagger = bool(labels.tags) and labels.tags != known.tags
    if trees:
        model.parser.reset_trees()
        click.echo(f"The arcs and relations of {source} start anew: its relations or sizes are others here.", err=True)
    if tagger:
        model.parser.reset_tagger()
        why = "its tags are others here" if known.tags else "it had none"
        click.echo(f"The tagger of {source} starts anew: {why}.", err=True)
    if not trees and not tagger:
        model.source = str(source)  # it can be tested as it is
    return model


def new_parser(config: Any, labels: Labels | None, sizes: Mapping[str, Any] | None = None) -> Any:
    """Make a parser of weights drawn anew.

    Args:
        config: The sizes of the model below the head.
        labels: What it tells apart.
        sizes: Of the head; as in the paper where left out.

    Returns:
        A `PreTrainedModel`.

    Raises:
        UserError: When nobody says what it tells apart.
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
        labels: What it tells apart.
        sizes: Of its head.

    Returns:
        The class of its model.
    """
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
