"""Forms as they are read, and the batches that they become."""

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.batching import batch_options
from semeqv.tasks.classification.reading import of_split
from semeqv.tasks.classification.rows import UNLABELLED, Rows
from semeqv.tasks.inflection.batches import FormBatches
from semeqv.tasks.inflection.spelling import Spelling
from semeqv.tasks.prompting.reading import most_tokens
from semeqv.text.cache import key_of
from semeqv.text.readers.table import read_rows
from semeqv.text.tokenizers.saving import add_ends

if TYPE_CHECKING:
    from semeqv.tasks.inflection.dataset import UniMorph


class Form(NamedTuple):
    """A form of a lemma.

    Args:
        lemma: The lemma.
        form: The form.
        features: What it is the form for: `V;PST`.
    """

    lemma: str
    form: str
    features: str


def every_form(options: "UniMorph") -> tuple[Form, ...]:
    """All forms of the file of a data set, read once while the file is the same."""
    return read(options, key_of(options.source_facts()))


@functools.lru_cache(maxsize=8)
def read(options: "UniMorph", key: str) -> tuple[Form, ...]:
    """Read a table of forms.

    Args:
        options: The data set.
        key: Says in what state its file is.

    Returns:
        Its forms, at least one.

    Raises:
        UserError: When a lemma or a form is empty.
    """
    found = list[Form]()
    (file,) = options.sources().values()
    for row in read_rows(file, options.columns, header=None):
        form = Form(*row.values)
        if not form.lemma or not form.form:
            raise UserError(f"{file}, line {row.line}: an empty lemma or form.")
        found.append(form)
    return tuple(found)


def forms(options: "UniMorph") -> tuple[Form, ...]:
    """The forms of a data set that belong to its split; all of a lemma belong to one.

    Args:
        options: The data set.

    Returns:
        The forms, at least one; `of_split` raises `UserError` when there is none.
    """
    return of_split(options, every_form(options), lambda form: (form.lemma,))


def batches(options: "UniMorph", tokenizer: Any, model_options: Any) -> FormBatches:
    """The batches of a data set, for a causal model.

    Args:
        options: The data set.
        tokenizer: A fast tokenizer of transformers.
        model_options: The model of the sentence.

    Returns:
        The data set.

    Raises:
        UserError: When the model does not predict the next token, or a row is too long.
    """
    if getattr(model_options, "objective", "causal") != "causal":
        raise UserError(
            "Forms are written by a model that predicts the next token, cli model causal-lm, or by an encoder that "
            "edits the characters of the lemma, cli model token-classifier --from ENCODER."
        )
    found = forms(options)
    spelling = Spelling.of(tokenizer, [word for form in found for word in form[:2]], [form.features for form in found])
    prompts = [spelling.prompt(form.lemma, form.features) for form in found]
    answers = [[*spelling.spelled(form.form), spelling.end] for form in found]
    lengths = [len(prompt) + len(answer) for prompt, answer in zip(prompts, answers)]
    longest = most_tokens(options, tokenizer, model_options)
    add_ends(tokenizer, spelling.begin, (), ())
    if max(lengths) > longest:
        form = found[int(numpy.argmax(lengths))]
        raise UserError(f"{' '.join(form)!r:.80} takes {max(lengths)} tokens, more than {longest}; raise --max_length.")
    tokens = [token for pair in zip(prompts, answers) for part in pair for token in part]
    labels = [label for prompt, answer in zip(prompts, answers) for label in [*[UNLABELLED] * len(prompt), *answer]]
    ends = numpy.cumsum(lengths)
    rows = Rows(
        numpy.array(tokens, numpy.int64), ends, numpy.array(labels, numpy.int64), ends, numpy.arange(len(found))
    )
    facts = {
        "forms": len(found),
        "lemmas": len({form.lemma for form in found}),
        "tokens": len(tokens),
    }
    return FormBatches(rows, found, spelling, **batch_options(options, tokenizer, longest, facts))
