"""Classifiers as components."""

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import component
from semeqv.runs.errors import UserError
from semeqv.text.models.bert import BERT
from semeqv.text.models.source import SHIFTED


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A model with a head that tells labels apart.

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
        said = [size for size in (self.layers, self.heads, self.embedding_size) if size is not None]
        if said and self.source is not None:
            raise ValueError("--from brings its own sizes; leave out --layers, --heads and --embedding_size.")
        if said and len(said) < 3:
            raise ValueError("--layers, --heads and --embedding_size go together; say all three.")
        if said:
            self.bert()

    def bert(self) -> BERT | None:
        """The options of the model that the sizes ask for; None when none are said."""
        if self.layers is None or self.heads is None or self.embedding_size is None:
            return None
        return BERT(layers=self.layers, heads=self.heads, embedding_size=self.embedding_size)

    @functools.cached_property
    def config(self) -> dict[str, Any]:
        """What the model's `config.json` says; read once, as finding a checkpoint compares its hashes."""
        from semeqv.text.models.source import config_folder, read_config

        return read_config(config_folder(self.source))

    def known_labels(self) -> tuple[str, ...]:
        """The labels of a trained classifier with this head; none of another model."""
        from semeqv.tasks.classification.opening import label_names

        if self.bert():
            return ()
        config = self.config
        trained = self.pretrained and any(str(name).endswith(self.head) for name in config.get("architectures") or ())
        return label_names(config) if trained else ()

    def most_tokens(self) -> int | None:
        """The most tokens that the model reads at once; None when there is no limit, or nobody said."""
        from semeqv.text.models.source import positions_of

        bert = self.bert()
        return bert.block_size if bert else positions_of(self.config)

    def provide_tokenizer(self) -> Any:
        """The tokenizer of the model's folder, for a sentence that says none; None when it has none."""
        from semeqv.text.models.opening import has_tokenizer, open_tokenizer

        return open_tokenizer(self.source) if not self.bert() and has_tokenizer(self.source) else None

    def opened(self, dataset: Any, tokenizer: Any, **options: Any) -> Any:
        """The model, for the labels of the data.

        Args:
            dataset: The data sets by (split, name); the first that has labels tells them.
            tokenizer: The tokenizer of the run.
            **options: Of `open_classifier`.

        Returns:
            A `PreTrainedModel`.

        Raises:
            UserError: When it cannot be opened, the data is of another task, it has no labels for a model with new
                weights, or the tokenizer has more tokens than the model.
        """
        from semeqv.tasks.classification.batches import check_task
        from semeqv.tasks.classification.opening import new_classifier, open_classifier
        from semeqv.text.models.opening import check_rows

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
    word: ClassVar[str] = "sequence-classifier"

    def build(self, dataset: Any, tokenizer: Any) -> Any:
        """The model.

        Args:
            dataset: Tells the labels.
            tokenizer: Of the run.

        Returns:
            A `*ForSequenceClassification`.
        """
        return self.opened(dataset, tokenizer)
