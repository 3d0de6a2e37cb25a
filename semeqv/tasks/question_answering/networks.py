"""Models that answer questions: the heads of transformers, and one for kinds of models that have none there."""

from __future__ import annotations

from typing import Any

from semeqv.lazy import functional, nn, torch, transformers
from semeqv.runs.errors import UserError
from semeqv.text.models.opening import classes

HEAD = "ForQuestionAnswering"


class Generic:
    """A head that points at the first and the last token of an answer: a linear map of the token vectors."""

    def __init__(self, config: Any):
        super().__init__(config)  # type: ignore[call-arg]
        setattr(self, self.base_model_prefix, transformers.AutoModel.from_config(config))  # type: ignore[attr-defined]
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.post_init()  # type: ignore[attr-defined]

    def forward(
        self,
        input_ids: torch.Tensor,
        *,
        attention_mask: torch.Tensor | None = None,
        start_positions: torch.Tensor | None = None,
        end_positions: torch.Tensor | None = None,
        **rest: Any,
    ) -> transformers.modeling_outputs.QuestionAnsweringModelOutput:
        """Point at answers.

        Args:
            input_ids: `(batch, time)`.
            attention_mask: `(batch, time)`, 0 where there is padding.
            start_positions: The place of each answer's first token, `(batch,)`.
            end_positions: That of its last, `(batch,)`.
            **rest: What else the plain model takes.

        Returns:
            `start_logits` and `end_logits`, `(batch, time)`; with both positions the `loss`, the mean of the two
            cross-entropies in nats.
        """
        body = self.base_model  # type: ignore[attr-defined]
        hidden = body(input_ids, attention_mask=attention_mask, **rest).last_hidden_state
        starts, ends = self.qa_outputs(hidden).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            both = ((starts, start_positions), (ends, end_positions))
            loss = sum(functional.cross_entropy(logits.float(), place) for logits, place in both) / 2
        return transformers.modeling_outputs.QuestionAnsweringModelOutput(
            loss=loss, start_logits=starts, end_logits=ends
        )


def head_class(config: Any) -> type[Any]:
    """Return the class of a model that answers.

    Args:
        config: Of which kind of model.

    Returns:
        That of transformers; for a kind of which transformers has none, a generic one, registered with its Auto class.

    Raises:
        UserError: When there is no plain model of the kind to put a head on.
    """
    if known_classes := classes(transformers.AutoModelForQuestionAnswering, config):
        kind: type[Any] = known_classes[0]
        return kind
    base = next(iter(classes(transformers.AutoModel, config)), None)
    if base is None:
        raise UserError(f"Models of the kind {config.model_type} cannot answer: they have no plain model.")
    namespace = {"__module__": __name__, "base_model_prefix": base.base_model_prefix}
    headed = type(base.__name__.removesuffix("Model") + HEAD, (Generic, base.__bases__[0]), namespace)
    transformers.AutoModelForQuestionAnswering.register(type(config), headed, exist_ok=True)
    return headed
