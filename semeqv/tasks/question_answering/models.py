"""Models that answer questions: their options, and how they are opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.tasks.classification.batches import check_task
from semeqv.tasks.classification.models import Classifier, finished, opened, set_padding
from semeqv.tasks.question_answering.networks import HEAD, head_class
from semeqv.text.models.opening import check_rows, one_line, open_config, quiet
from semeqv.text.models.source import config_folder, model_folder


@component("model question-answerer")
@dataclass(frozen=True, kw_only=True)
class QuestionAnswerer(Classifier):
    """A model that points at the span of a text which answers a question, on top of any encoder or decoder.

    It is the `*ForQuestionAnswering` of transformers, whose `from_pretrained` opens what a run saves; a kind of model
    that has none gets a linear head. Without an answer it points at the first token of a row.
    """

    head: ClassVar[str] = "ForQuestionAnswering"
    word: ClassVar[str] = "question-answerer"

    def known_labels(self) -> tuple[str, ...]:
        """Return nothing: places are no labels."""
        return ()

    def build(self, tokenizer: Any, dataset: Any = None) -> Any:
        """Build the model.

        Args:
            tokenizer: Of the run.
            dataset: What it is to answer.

        Returns:
            A `*ForQuestionAnswering`.
        """
        check_task(dataset, self.word)
        if bert := self.bert():
            return new_answerer(bert.configuration(tokenizer), dropout=self.dropout)
        model = open_answerer(self.source, pretrained=self.pretrained, dropout=self.dropout)
        check_rows(model, tokenizer, self.source)
        set_padding(model, tokenizer)
        return model


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
