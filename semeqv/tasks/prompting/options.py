"""Options of labelled data that classifiers label, or causal language models answer in text."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from semeqv.runs.errors import UserError
from semeqv.runs.reading import read_run
from semeqv.tasks.classification.dataset import Labelled, check_no_overlap, decided_labels
from semeqv.tasks.overlap import run_of
from semeqv.tasks.prompting.batches import PromptBatches, most_tokens
from semeqv.tasks.prompting.spelling import Spelling
from semeqv.tasks.prompting.texts import text_prompts
from semeqv.tasks.prompting.words import word_prompts
from semeqv.text.models.source import config_folder, read_config
from semeqv.text.tokenizers.files import add_ends

HEADS = ("Classification", "QuestionAnswering", "DependencyParsing")  # of models that answer by other means


def answers_in_text(model_options: Any) -> bool:
    """Return whether a model is one that predicts the next token, and has no head for a task.

    Args:
        model_options: The model of the sentence, or None.

    Returns:
        True for what has the objective of a causal language model.
    """
    if getattr(model_options, "objective", None) != "causal":
        return False
    source = getattr(model_options, "source", None)
    names = read_config(config_folder(source)).get("architectures") or [] if source is not None else []
    return not any(head in str(name) for name in names for head in HEADS)


def trained_facts(dataset: str, model_options: Any) -> Mapping[str, Any]:
    """Return what the run of a model says of its training set.

    Args:
        dataset: The words of a data set, `dataset ner`.
        model_options: The model of the sentence.

    Returns:
        Its facts; nothing when the model is of no run, or was trained on data sets of another kind, or not in text.
    """
    folder = run_of(getattr(model_options, "source", None))
    if folder is None:
        return {}
    facts: Mapping[str, Any] = read_run(folder).get("facts", {}).get("dataset", {}).get("train", {})
    same = facts.get("source", {}).get("dataset") == dataset
    return facts if same and "template" in facts else {}


class TrainedLabels:
    """The labels of the run that a model was opened from, as `decided_labels` asks for them."""

    def __init__(self, trained: Mapping[str, Any]):
        self.labels = tuple(trained.get("labels") or ())

    def known_labels(self) -> tuple[str, ...]:
        """Return the labels."""
        return self.labels


@dataclass(frozen=True)
class PromptContext:
    """What prompts are made with.

    Args:
        spelling: The tokenizer and the template.
        longest: The most tokens of a row, prompt and answer together.
        dataset_options: All data sets of the sentence.
        train: The training set, where it is of the same kind; else None.
        trained: What the run of the model says of its training set.
    """

    spelling: Spelling
    longest: int
    dataset_options: Mapping[tuple[str, str | None], Any]
    train: Any
    trained: Mapping[str, Any]

    def labels(self, options: Labelled) -> tuple[str, ...]:
        """Return the labels of a data set; `decided_labels` raises `UserError` when they are not known."""
        return decided_labels(options, self.dataset_options, TrainedLabels(self.trained))

    def repeat(self, wanted: bool | None) -> bool:
        """Return whether answers repeat words: as wanted, else as in the training set, else True."""
        choices = (wanted, getattr(self.train, "repeat", None), self.trained.get("repeat"))
        return next((choice for choice in choices if choice is not None), True)


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
        """Return the template of the data set, where none is said."""
        return self.usual

    def check_template(self) -> None:
        """Refuse a template without fields, or with others than those of the data set: `ValueError`."""
        if self.template is None:
            return
        known = " and ".join(f"{{{field}}}" for field in self.fields)
        try:
            fields = {name for _, name, _, _ in string.Formatter().parse(self.template) if name is not None}
        except ValueError as error:
            raise ValueError(
                f"--template {self.template!r:.60}: {error}. A brace of the text is written {{{{."
            ) from None
        if not fields or fields - set(self.fields):
            raise ValueError(f"--template has the fields {known}; {self.template!r:.60} has {listed(fields)}.")

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """Build the data set.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence: the training set among them decides the labels.
            model_options: The model: one that predicts the next token is given prompts and answers.

        Returns:
            Batches of `input_ids` and `labels`, and what else a model with a head needs.
        """
        if answers_in_text(model_options):
            check_no_overlap(self, dataset_options, model_options)
            return self.prompt_batches(self.prompt_context(tokenizer, dataset_options, model_options))
        self.refuse_prompt_options()
        return self.head_batches(tokenizer, dataset_options, model_options)

    def head_batches(
        self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
    ) -> Any:
        """Return the batches for a model with a head; arguments as of `build`."""
        return super().build(tokenizer, dataset_options, model_options)

    def prompt_batches(self, context: PromptContext) -> PromptBatches:
        """Return prompts and answers. `UserError` is raised where a prompt does not fit, or a label is unknown."""
        raise NotImplementedError

    def prompt_context(
        self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
    ) -> PromptContext:
        """Return what prompts are made with: their template, and what the training set decides.

        Args:
            tokenizer: A fast tokenizer of transformers.
            dataset_options: All data sets of the sentence.
            model_options: The model of the sentence, which predicts the next token.

        Returns:
            The context.
        """
        longest = most_tokens(self, tokenizer, model_options)
        trained = trained_facts(getattr(type(self), "__command__", ""), model_options)
        train = dataset_options.get(("train", None))
        train = train if type(train) is type(self) else None
        as_trained = getattr(train, "template", None) or trained.get("template")
        spelling = Spelling(tokenizer, str(self.template or as_trained or self.usual_template()))
        add_ends(tokenizer, spelling.begin, (), ())
        return PromptContext(spelling, longest, dataset_options, train, trained)

    def refuse_prompt_options(self) -> None:
        """Refuse options that a model with a head does not read: `UserError`."""
        given = {"template": self.template is not None, "generate": getattr(self, "generate", False)}
        given["repeat"] = getattr(self, "repeat", None) is not None
        if wrong := next((name for name, is_given in given.items() if is_given), None):
            raise UserError(
                f"--{wrong} is for a model that predicts the next token (cli model causal-lm, gpt2, backpack); this "
                "one has a head, or is an encoder."
            )


def listed(fields: set[str]) -> str:
    """Name the fields of a template."""
    return ", ".join(f"{{{name}}}" for name in sorted(fields)) or "none"


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

    def prompt_batches(self, context: PromptContext) -> PromptBatches:
        """Return texts as prompts, and their labels as answers."""
        return text_prompts(
            self,
            context.spelling,
            context.longest,
            context.labels(self),
            fields=self.fields,
            generate=self.generate,
        )


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

    def prompt_batches(self, context: PromptContext) -> PromptBatches:
        """Return sentences as prompts, and the labels of their words as answers."""
        names, repeat = context.labels(self), context.repeat(self.repeat)
        return word_prompts(self, context.spelling, context.longest, names, repeat=repeat)
