"""Tables of forms as data sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from semeqv.grammar.component import component
from semeqv.tasks.classification.options import Item, Labelled


@component("dataset unimorph")
@dataclass(frozen=True, kw_only=True)
class UniMorph(Labelled):
    """Forms of lemmas (UniMorph; Batsuren et al., 2022, arXiv 2205.03608), for a model that inflects.

    A line of the file is a lemma, a form and its features, such as `dog`, `dogs` and `N;PL`, with tabs between them.
    A causal model (cli model gpt2, causal-lm) reads features and lemma and writes the form, a character at a time, each
    in the tokens that it has by itself. An encoder (cli model token-classifier --from BERT) reads the same and tags
    each character of the lemma with an edit: keep it, leave it out, write something behind it or in its place; its
    labels are the edits of the training set. The score is the share of the forms that are right from the first to the
    last character when the likeliest token, or edit, is always taken; `cli inflect` also says how far off the others
    are.

    Args:
        holdout: Share of the lemmas, chosen by a hash, that are kept for validation with all their forms, and as many
            for test; the rest is for training. So no lemma is in two parts, which would make it easy (Goldman et al.,
            2022, arXiv 2108.05682). 0 when each split has a file of its own, or to read all of it.
        sentences: Read so many forms at most; 0 for all.
        labels: Not for forms: the edits of an encoder are those of the training set, or of a trained one.
        max_length: The most tokens of a row, features, lemma and form together; a longer one is refused.
        path: The file.
        columns: The columns of lemma, form and features, counted from 1; `1 3 2` in files of later shared tasks.
    """

    of_words: ClassVar[bool] = False

    path: Path = field()
    columns: tuple[int, int, int] = (1, 2, 3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.labels:
            raise ValueError("--labels is not for forms.")
        if sorted(set(self.columns)) != sorted(self.columns) or min(self.columns) < 1:
            raise ValueError("--columns takes three different columns, counted from 1.")

    def sources(self) -> Mapping[str, Path]:
        """The file."""
        from semeqv.text.location import locate

        file = locate(str(self.path), self.path)
        return {file.name: file}

    def items(self) -> Iterator[Item]:
        """Lemma, form and features of each line."""
        from semeqv.tasks.inflection.reading import every_form

        for form in every_form(self):
            yield Item(tuple(form), (None,))

    def corpus(self) -> Iterator[Any]:
        """The lines of this split, to train a tokenizer on; yields `Document`s."""
        from semeqv.tasks.inflection.reading import forms
        from semeqv.text.records import Document

        for form in forms(self):
            yield from map(Document, form)

    def line_of(self, label: str) -> str:
        """The file."""
        return str(self.path)

    def build(self, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer of the run, or of the model.
            dataset_options: The data sets of the sentence; one that is held out shares no text with the training set.
            model_options: The model: one that predicts the next token, or a classifier of words.

        Returns:
            Batches of `input_ids` and `labels`.
        """
        from semeqv.tasks.classification.reading import check_no_overlap
        from semeqv.tasks.inflection.edited import edit_batches
        from semeqv.tasks.inflection.reading import batches

        check_no_overlap(self, dataset_options, model_options)
        if getattr(model_options, "word", None) == "token-classifier":
            return edit_batches(self, tokenizer, dataset_options, model_options)
        return batches(self, tokenizer, model_options)
