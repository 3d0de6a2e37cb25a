"""Models that answer questions, as components."""

from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.tasks.classification.models import Classifier, set_padding


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
        """None: places are no labels."""
        return ()

    def build(self, tokenizer: Any, dataset: Any = None) -> Any:
        """The model.

        Args:
            tokenizer: Of the run.
            dataset: What it is to answer.

        Returns:
            A `*ForQuestionAnswering`.
        """
        from semeqv.tasks.classification.batches import check_task
        from semeqv.tasks.question_answering.opening import new_answerer, open_answerer
        from semeqv.text.models.opening import check_rows

        check_task(dataset, self.word)
        if bert := self.bert():
            return new_answerer(bert.configuration(tokenizer), dropout=self.dropout)
        model = open_answerer(self.source, pretrained=self.pretrained, dropout=self.dropout)
        check_rows(model, tokenizer, self.source)
        set_padding(model, tokenizer)
        return model
