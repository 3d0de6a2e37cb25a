"""Options of labelled data that a causal language model answers in text."""

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.tasks.classification.dataset import Labelled


@dataclass(frozen=True, kw_only=True)
class Prompted(Labelled):
    """Options of data that classifiers label, or causal language models answer in text.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before it writes its
            answer: text with the fields of the data set in braces. If left out, that of the training set, else one of
            the data set's own. Not for models with a head.
    """

    fields: ClassVar[tuple[str, ...]] = ("text",)
    usual: ClassVar[str] = ""

    template: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_template()

    def usual_template(self) -> str:
        """The template of the data set, where none is said."""
        return self.usual

    def check_template(self) -> None:
        """Refuse a template without fields, or with others than those of the data set: `ValueError`."""
        if self.template is None:
            return
        known = " and ".join(f"{{{field}}}" for field in self.fields)
        try:
            found = {name for _, name, _, _ in string.Formatter().parse(self.template) if name is not None}
        except ValueError as error:
            raise ValueError(
                f"--template {self.template!r:.60}: {error}. A brace of the text is written {{{{."
            ) from None
        if not found or found - set(self.fields):
            raise ValueError(f"--template has the fields {known}; {self.template!r:.60} has {listed(found)}.")

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides the labels.
            model_options: The model: one that predicts the next token is given prompts and answers.

        Returns:
            Batches of `input_ids` and `labels`, and what else a classifier needs.
        """
        from semeqv.tasks.prompting.reading import answers_in_text, batches, refuse_options

        if answers_in_text(model_options):
            return batches(self, tokenizer, dataset_options, model_options)
        refuse_options(self)
        return super().build(tokenizer, dataset_options, model_options)


def listed(found: set[str]) -> str:
    """Name the fields of a template."""
    return ", ".join(f"{{{name}}}" for name in sorted(found)) or "none"


@dataclass(frozen=True, kw_only=True)
class PromptedTexts(Prompted):
    """Options of texts with a label.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer, the
            label: text with the fields {text}, and {text2} for the second of two. If left out, that of the training
            set, else "Text: {text} Label:", of pairs "Text: {text} Other: {text2} Label:". Not for models with a head.
        generate: Let a causal language model write its answer, which is right when it is the label and nothing else. If
            left out, it takes the label that it finds likeliest.
    """

    fields: ClassVar[tuple[str, ...]] = ("text", "text2")
    usual: ClassVar[str] = "Text: {text} Label:"

    generate: bool = False


@dataclass(frozen=True, kw_only=True)
class PromptedWords(Prompted):
    """Options of words with labels.

    Args:
        template: What a causal language model (cli model gpt2, backpack, causal-lm, load) reads before its answer: text
            with the field {text}, the words with blanks between them. If left out, that of the training set, else
            "Text: {text} Labels:". Not for models with a head.
        repeat: Let the answer of a causal language model repeat each word before its label (Raman et al., 2022, arXiv
            2203.08378), which keeps the two together; else it is the labels alone, in the order of the words. If left
            out, as in the training set, else words are repeated.
    """

    usual: ClassVar[str] = "Text: {text} Labels:"

    repeat: bool | None = None
