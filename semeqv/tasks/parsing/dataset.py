"""Treebanks as data sets: CoNLL-U files, sentences and their trees."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.grammar.component import alias, component
from semeqv.tasks.classification.options import Item
from semeqv.tasks.classification.words import Treebank
from semeqv.tasks.prompting.options import PromptedWords


@component("dataset treebank")
@dataclass(frozen=True, kw_only=True)
class Dependencies(Treebank, PromptedWords):
    """Sentences of a treebank (CoNLL-U, Universal Dependencies) with their trees, for a parser.

    Files are found by their names, `en_ewt-ud-train.conllu`, in --path or anywhere in $SEMEQV_DATA. Words are what has
    a number of its own: tokens of several words and nodes that are not written are none. Plain text, a sentence a line
    in a file named `.txt`, can be parsed too: words and marks of punctuation are told apart. Scores are UAS and LAS,
    and UPOS of a parser that tags, as the CoNLL 2018 shared task counts them: relations without their subtypes.

    A causal language model writes the head and the relation of each word, `2:nsubj`; the tree is the one with most of
    these arcs. It reads no sentence that takes more than --max_length tokens with its tree, and `cli test` scores it.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer: text
            with the field {text}, the words with blanks between them. If left out, that of the training set, else
            "Text: {text} Tree:". Not for parsers.
        labels: All relations, where the training set lacks some. They are those of the training set if left out, or of
            the model, when it is a trained parser that knows all of them.
        max_length: The most tokens of a sentence, fewer where the model reads fewer at once; of a longer one, fewer
            tokens of each word are read, then fewer words.
        subtypes: Tell `acl:relcl` from `acl`; else relations are read without what stands behind the colon.
        annotated: Whether the files say trees; without them, sentences can be parsed, and nothing is scored.
    """

    usual: ClassVar[str] = "Text: {text} Tree:"

    max_length: int = alias("block_size", 256)
    subtypes: bool = False
    annotated: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.annotated and self.split == "train":
            raise ValueError("--no-annotated is not for training.")

    def items(self) -> Iterator[Item]:
        """The sentences, each word with its relation."""
        from semeqv.tasks.parsing.reading import relations_of, sentences

        for sentence in sentences(self):
            yield Item(tuple(word.form for word in sentence.words), tuple(relations_of(self, sentence)))

    def line_of(self, label: str) -> str:
        """The files."""
        return ", ".join(map(str, self.sources().values()))

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides relations and tags.
            model_options: The model, which decides them when it is a trained parser.

        Returns:
            Batches of `input_ids`, `words`, and heads (`labels`), `relations` and `tags`; of prompts and answers for a
            model that predicts the next token.
        """
        from semeqv.tasks.parsing.reading import batches
        from semeqv.tasks.prompting import reading as prompting

        if prompting.answers_in_text(model_options):
            return prompting.batches(self, tokenizer, dataset_options, model_options)
        prompting.refuse_options(self)
        return batches(self, tokenizer, dataset_options, model_options)
