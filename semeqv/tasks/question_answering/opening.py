"""Opens models that answer questions: on top of any model, or trained ones."""

from pathlib import Path
from typing import Any

from semeqv.tasks.classification.opening import finished, opened
from semeqv.tasks.question_answering.networks import HEAD, head_class
from semeqv.text.models.opening import one_line, open_config, quiet
from semeqv.text.models.source import config_folder, model_folder


def open_answerer(source: str | Path | None, *, pretrained: bool = True, dropout: float | None = None) -> Any:
    """Open a model that answers questions; `UserError` is raised when it cannot be opened.

    Args:
        source: What `--from` names: any model, on which a new head is put, or one that answers.
        pretrained: Whether to take over weights; otherwise only the sizes, and all weights are drawn anew.
        dropout: Share of what the head reads that is dropped in training; as its kind has it if None.

    Returns:
        A `PreTrainedModel`.
    """
    folder = model_folder(source) if pretrained else config_folder(source)
    config = open_config(folder)
    trained = any(str(name).endswith(HEAD) for name in config.architectures or ())
    config.num_labels = 2
    with one_line(source), quiet():
        model = finished(opened(head_class(config), folder, config, pretrained, known=trained), dropout)
    if pretrained and trained:
        model.source = str(source)  # it can be tested as it is
    return model


def new_answerer(config: Any, *, dropout: float | None = None) -> Any:
    """Make a model that answers questions, of weights drawn anew.

    Args:
        config: Its sizes.
        dropout: As its kind has it if None.

    Returns:
        A `PreTrainedModel`.
    """
    config.num_labels = 2
    return finished(head_class(config)(config), dropout)
