"""Classifiers as components."""

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from semeqv.engine.component import component
from semeqv.engine.errors import UserError

SHIFTED = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "data2vec-text")


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A model with a head that tells labels apart.

    Args:
        source: A run folder (its best checkpoint, else the last), a checkpoint, a Hugging Face folder, or a name on the
            hub (owner/model, or owner/model@revision). Of any model, a new head is put on it; a trained classifier is
            opened with its own.
        pretrained: Start from the weights there; else only the sizes are taken, and all weights drawn anew.
        dropout: Share of what the head reads that is dropped in training; as the kind of model has it if left out.
    """

    head: ClassVar[str] = ""

    source: str | None = field(default=None, metadata={"alias": "from"})
    pretrained: bool = True
    dropout: float | None = None

    def __post_init__(self) -> None:
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise ValueError(f"--dropout must be from 0 to below 1, not {self.dropout}.")

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """What the model's `config.json` says; read once, as finding a checkpoint compares its hashes."""
        from semeqv.text.models.source import config_folder, read_config

        return read_config(config_folder(self.source))

    def known_labels(self) -> tuple[str, ...]:
        """The labels of a trained classifier with this head; none of another model."""
        from semeqv.tasks.classification.opening import label_names

        config = self.config
        trained = self.pretrained and any(str(name).endswith(self.head) for name in config.get("architectures") or ())
        return label_names(config) if trained else ()

    def most_tokens(self) -> int | None:
        """The most tokens that the model reads at once; None when there is no limit, or nobody said."""
        config = self.config
        most = config.get("max_position_embeddings") or config.get("n_positions")
        if not isinstance(most, int) or most <= 0 or config.get("positions") == "none":
            return None
        return most - (int(config.get("pad_token_id") or 1) + 1) * (config.get("model_type") in SHIFTED)

    def provide_tokenizer(self) -> Any:
        """The tokenizer of the model's folder, for a sentence that says none; None when it has none."""
        from semeqv.text.models.opening import has_tokenizer, open_tokenizer

        return open_tokenizer(self.source) if has_tokenizer(self.source) else None

    def opened(self, dataset: Any, tokenizer: Any, **options: Any) -> Any:
        """The model, for the labels of the data.

        Args:
            dataset: The data sets by (split, name); the first that has labels tells them.
            tokenizer: The tokenizer of the run.
            **options: Of `open_classifier`.

        Returns:
            A `PreTrainedModel`.

        Raises:
            UserError: When it cannot be opened, or the tokenizer has more tokens than the model.
        """
        from semeqv.tasks.classification.opening import open_classifier

        sets = dataset.values() if isinstance(dataset, dict) else [dataset]
        labels = next((tuple(each.labels) for each in sets if hasattr(each, "labels")), None)
        model = open_classifier(
            self.source, self.head, labels, pretrained=self.pretrained, dropout=self.dropout, **options
        )
        rows = model.get_input_embeddings().weight.shape[0]
        if len(tokenizer) > rows:
            raise UserError(
                f"The tokenizer has {len(tokenizer)} tokens, {self.source} knows {rows}; take the one that it was "
                "trained with."
            )
        if model.config.pad_token_id is None:
            model.config.pad_token_id = tokenizer.pad_token_id
        return model


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

    pooling: Literal["mean", "first", "last"] | None = None

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """The model.

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

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """The model.

        Args:
            dataset: Tells the labels.
            tokenizer: Of the run.

        Returns:
            A `*ForSequenceClassification`.
        """
        return self.opened(dataset, tokenizer)
