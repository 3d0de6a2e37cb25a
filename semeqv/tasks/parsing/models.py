"""Parsers as components."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from semeqv.grammar.component import check_bounds, component
from semeqv.tasks.classification.models import Classifier


@dataclass(frozen=True, kw_only=True)
class Headed:
    """Options of the head of every parser. What is left out is as it was trained, of a trained parser.

    Args:
        pooling: What the vector of a word is: the mean of those of its tokens, that of the first, or of the last; the
            mean if left out.
        arc_size: Width of the vectors that arcs are told by; 500 if left out, as in the paper.
        relation_size: Width of those that relations are told by; 100 if left out.
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
        """Whether parts of speech are predicted, too."""
        return self.tagger is not False

    @property
    def sizes(self) -> dict[str, Any]:
        """What is said of the head, as its configuration has it."""
        said = {
            "pooling": self.pooling,
            "arc_size": self.arc_size,
            "relation_size": self.relation_size,
            "dropout": getattr(self, "dropout", None),
        }
        return {name: value for name, value in said.items() if value is not None}


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
        """The parts of speech of a trained parser; none of another model."""
        if not self.known_labels() or self.tagger is False:
            return ()
        return tuple((self.config.get("parser") or {}).get("tags") or ())

    def has_tagger(self) -> bool:
        """Whether parts of speech are predicted, too: as --tagger says, else as a trained parser does."""
        return bool(self.known_tags()) if self.tagger is None and self.known_labels() else super().has_tagger()

    def build(self, dataset: Any, tokenizer: Any, device: str = "auto") -> Any:
        """The model.

        Args:
            dataset: Tells relations and tags.
            tokenizer: Of the run.
            device: Where it will compute.

        Returns:
            A `*ForDependencyParsing`.
        """
        from semeqv.tasks.classification.batches import check_task
        from semeqv.tasks.inference import check_tokenizer
        from semeqv.tasks.parsing.opening import labels_of, new_parser, open_parser, set_attention

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
        """The model.

        Args:
            dataset: Tells relations and tags.
            tokenizer: Of the run.

        Returns:
            A `BiLSTMForDependencyParsing`.
        """
        from semeqv.tasks.classification.batches import check_task
        from semeqv.tasks.parsing.bilstm import BiLSTMConfig
        from semeqv.tasks.parsing.opening import labels_of, new_parser
        from semeqv.text.models.architectures import special_tokens
        from semeqv.text.tokenizers.spelling import rows_needed

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
