"""Labelled data as the prompts and answers that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from semeqv.lazy import Integers, NDArray, numpy
from semeqv.runs.errors import UserError
from semeqv.runs.notices import notice_once
from semeqv.runs.reading import read_run
from semeqv.tasks.classification.dataset import (
    batch_options,
    check_no_overlap,
    decided_labels,
    fitted_row,
    items,
    numbered,
)
from semeqv.tasks.classification.rows import UNLABELLED
from semeqv.tasks.overlap import run_of
from semeqv.tasks.prompting.batches import PromptBatches, answer_rows
from semeqv.tasks.prompting.scorers import ChoiceScorer, WrittenAnswerScorer, WrittenLabelScorer
from semeqv.tasks.prompting.spelling import Prompt, Spelling
from semeqv.tasks.prompting.words import WordAnswers, pieces
from semeqv.text.models.source import config_folder, read_config
from semeqv.text.tokenizers.files import add_ends, start_as_trained

if TYPE_CHECKING:
    from semeqv.tasks.classification.dataset import Labelled
    from semeqv.tasks.parsing.dataset import Dependencies
    from semeqv.tasks.prompting.options import Prompted, PromptedTexts, PromptedWords
    from semeqv.tasks.question_answering.dataset import Squad

HEADS = ("Classification", "QuestionAnswering", "DependencyParsing")  # of models that answer by other means


def answers_in_text(model_options: Any) -> bool:
    """Whether a model is one that predicts the next token, and has no head for a task.

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


def refuse_options(options: Prompted) -> None:
    """Refuse options that a model with a head does not read.

    Args:
        options: The data set.

    Raises:
        UserError: When one is said.
    """
    said = {"template": options.template is not None, "generate": getattr(options, "generate", False)}
    said["repeat"] = getattr(options, "repeat", None) is not None
    if wrong := next((name for name, is_said in said.items() if is_said), None):
        raise UserError(
            f"--{wrong} is for a model that predicts the next token (cli model causal-lm, gpt2, backpack); this one "
            "has a head, or is an encoder."
        )


def trained_facts(options: Prompted, model_options: Any) -> Mapping[str, Any]:
    """What the run of a model says of its training set.

    Args:
        options: A data set.
        model_options: The model of the sentence.

    Returns:
        Its facts; nothing when the model is of no run, or was trained on data sets of another kind, or not in text.
    """
    folder = run_of(getattr(model_options, "source", None))
    if folder is None:
        return {}
    found: Mapping[str, Any] = read_run(Path(folder)).get("facts", {}).get("dataset", {}).get("train", {})
    same = found.get("source", {}).get("dataset") == getattr(type(options), "__command__", "")
    return found if same and "template" in found else {}


class Known:
    """The labels of the run that a model was opened from, as `decided_labels` asks for them."""

    def __init__(self, trained: Mapping[str, Any]):
        self.labels = tuple(trained.get("labels") or ())

    def known_labels(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels


def most_tokens(options: Labelled, tokenizer: Any, model_options: Any) -> int:
    """The most tokens of a row; the tokenizer, which is saved beside the model, is told how rows begin.

    Args:
        options: The data set.
        tokenizer: Of the sentence.
        model_options: The model of the sentence.

    Returns:
        How many. Raises `UserError` as `fitted_row` does.
    """
    most = fitted_row(options, tokenizer, model_options, "Prompts are cut by the places of their tokens")
    start_as_trained(tokenizer)
    return most


def batches(
    options: Prompted, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any], model_options: Any
) -> PromptBatches:
    """The prompts and answers of a data set; arguments as of `Labelled.build`.

    Args:
        options: The data set: of texts or of words with labels, or of questions.
        tokenizer: A fast tokenizer of transformers.
        dataset_options: All data sets of the sentence.
        model_options: The model of the sentence, which predicts the next token.

    Returns:
        The data set. `UserError` is raised where a prompt does not fit, a label is unknown, or one is not told from
        another by the tokenizer.
    """
    check_no_overlap(options, dataset_options, model_options)
    longest, trained = most_tokens(options, tokenizer, model_options), trained_facts(options, model_options)
    train = dataset_options.get(("train", None))
    train = train if type(train) is type(options) else None
    told_of = getattr(train, "template", None) or trained.get("template")
    spelling = Spelling(tokenizer, str(options.template or told_of or options.usual_template()))
    add_ends(tokenizer, spelling.begin, (), ())
    if hasattr(options, "longest_answer"):
        return questions(cast("Squad", options), spelling, longest)
    names = decided_labels(options, dataset_options, Known(trained))
    if not options.of_words:
        return texts(cast("PromptedTexts", options), spelling, longest, names)
    asked = cast("PromptedWords", options)
    said = (asked.repeat, getattr(train, "repeat", None), trained.get("repeat"))
    repeat = next((each for each in said if each is not None), True)
    if hasattr(options, "subtypes"):
        from semeqv.tasks.prompting.trees import tree_batches

        return tree_batches(cast("Dependencies", options), spelling, longest, names, repeat=repeat)
    return words(asked, spelling, longest, names, repeat=repeat)


def told(options: Prompted, spelling: Spelling, longest: int, prompts: Sequence[Prompt]) -> dict[str, Any]:
    """The options of the batches of a data set, which say how much was left out.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.
        prompts: The prompts.

    Returns:
        By the names of the parameters of `LabelledBatches`.
    """
    cut = sum(prompt.lost > 0 for prompt in prompts)
    if cut:
        lost = sum(prompt.lost for prompt in prompts)
        notice_once(
            f"{cut:,} of {len(prompts):,} prompts of the {options.split} set are longer than {longest} tokens allow; "
            f"{lost:,} tokens are left out at the ends of their texts (--max_length)."
        )
    facts = {
        "template": spelling.template,
        "prompts": len(prompts),
        "tokens": sum(len(prompt.tokens) for prompt in prompts),
        "cut": cut,
        "max_length": longest,
    }
    return batch_options(options, spelling.tokenizer, longest, facts)


def check_fits(options: Prompted, prompts: Sequence[Prompt], room: Sequence[int]) -> None:
    """Refuse prompts that are too long even without what may be left out: `UserError`."""
    for prompt, size in zip(prompts, room):
        if len(prompt.tokens) > size:
            raise UserError(
                f"A prompt of the {options.split} set takes {len(prompt.tokens)} tokens without the text that may be "
                f"left out, and {max(size, 0)} are left beside its answer; raise --max_length where "
                "the model reads more, or shorten --template."
            )


class Texts:
    """The task of texts with a label.

    Args:
        spelling: How prompts and answers are written.
        gold: The number of each text's label, `(texts,)`.
        answers: The tokens of each label, without the one that ends it.
    """

    of_words = False

    def __init__(self, spelling: Spelling, gold: NDArray[numpy.int64], answers: Sequence[tuple[int, ...]]):
        self.spelling, self.gold, self.counts = spelling, gold, numpy.ones(len(gold), numpy.int64)
        self.numbers = {tokens: number for number, tokens in enumerate(answers)}

    def read(self, written: Sequence[Sequence[int]]) -> Integers:
        """The number of each label that was written; -100 where it is none."""
        return numpy.array([self.numbers.get(tuple(tokens), UNLABELLED) for tokens in written], numpy.int64)


def texts(options: PromptedTexts, spelling: Spelling, longest: int, names: Sequence[str]) -> PromptBatches:
    """The batches of texts with a label.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.
        names: The labels.

    Returns:
        The data set.

    Raises:
        UserError: When no text of a training set has a label, or a template is of two texts where there is one.
    """
    read = items(options)
    if options.split == "train":
        read = tuple(item for item in read if item.labels[0] is not None)
    if not read:
        raise UserError("No text of the training set has a label.")
    if "{text2}" in spelling.template and any(len(item.texts) < 2 for item in read):
        raise UserError(f"--template {spelling.template!r:.60} asks for two texts, and the data set has one.")
    gold, answers = numbered(options, read, names), [(*each, spelling.end) for each in spelling.labels(names)]
    width = max(map(len, answers))
    rows, room = [dict(zip(options.fields, item.texts)) for item in read], [longest - width] * len(read)
    prompts = spelling.prompts(rows, room, {})
    check_fits(options, prompts, room)
    tokens = [prompt.tokens for prompt in prompts]
    asked = [number != UNLABELLED for number in gold.tolist()]
    right = [answers[number] if number != UNLABELLED else () for number in gold.tolist()]
    candidates = None
    if options.split != "train" and not options.generate:
        every = [prompt for prompt in tokens for _ in names]
        learnt = [number == place for number in gold.tolist() for place in range(len(names))]
        candidates = answer_rows(every, answers * len(tokens), learnt)
    said = told(options, spelling, longest, prompts)
    said["facts"] |= {"labels": list(names)}
    return PromptBatches(
        answer_rows(tokens, right, asked),
        read,
        names,
        prompts=numpy.array([len(each) for each in tokens]),
        most=numpy.full(len(tokens), width),
        scorer=WrittenLabelScorer if options.generate else ChoiceScorer,
        task=Texts(spelling, gold, [each[:-1] for each in answers]),
        candidates=candidates,
        **said,
    )


def words(
    options: PromptedWords, spelling: Spelling, longest: int, names: Sequence[str], *, repeat: bool
) -> PromptBatches:
    """The batches of words with labels; a sentence that is too long becomes several rows.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row, prompt and answer together.
        names: The labels.
        repeat: Whether answers repeat the words.

    Returns:
        The data set.

    Raises:
        UserError: When no word of a training set has a label.
    """
    read = items(options)
    gold = numbered(options, read, names)
    task = WordAnswers(spelling, gold, [len(item.texts) for item in read], names, options, repeat=repeat)
    rows = pieces(task, [item.texts for item in read], longest)
    answers = [task.answer(row) for row in rows]
    if options.split == "train":
        kept = [place for place, answer in enumerate(answers) if len(answer) > 1]
        rows, answers = [rows[place] for place in kept], [answers[place] for place in kept]
    if not rows:
        raise UserError("No word of the training set has a label.")
    task.rows = rows
    prompts = [row.prompt for row in rows]
    said = told(options, spelling, longest, prompts)
    said["facts"] |= {"labels": list(names), "sentences": len(read), "repeat": repeat}
    return PromptBatches(
        answer_rows([prompt.tokens for prompt in prompts], answers, [True] * len(rows)),
        read,
        names,
        prompts=numpy.array([len(prompt.tokens) for prompt in prompts]),
        most=numpy.array([row.most for row in rows]),
        scorer=WrittenLabelScorer,
        task=task,
        entities=options.entities,
        **said,
    )


class Questions:
    """The task of questions: their answers are what is written."""

    of_words = False

    def __init__(self, spelling: Spelling, options: Squad):
        self.spelling, self.options = spelling, options


def questions(options: Squad, spelling: Spelling, longest: int) -> PromptBatches:
    """The batches of questions about texts; of a text that is too long, the end is left out.

    Args:
        options: The data set.
        spelling: Its tokenizer and template.
        longest: The most tokens of a row.

    Returns:
        The data set; without an answer, a question's row goes on with the token that ends it.
    """
    from semeqv.tasks.question_answering.dataset import questions as read_questions

    read = read_questions(options)
    firsts = spelling.continued([question.answers[0].text if question.answers else "" for question in read])
    right = [(*tokens[: options.longest_answer], spelling.end) for tokens in firsts]
    most = options.longest_answer + 1
    room = [longest - most] * len(read)
    rows = [{"context": question.context, "question": question.text} for question in read]
    prompts = spelling.prompts(rows, room, {"question": options.longest_question}, kept=("question",))
    check_fits(options, prompts, room)
    said = told(options, spelling, longest, prompts)
    said["facts"] |= {"questions": len(read), "without_answer": sum(not question.answers for question in read)}
    tokens = [prompt.tokens for prompt in prompts]
    return PromptBatches(
        answer_rows(tokens, right, [True] * len(read)),
        read,
        (),
        prompts=numpy.array([len(each) for each in tokens]),
        most=numpy.full(len(tokens), most),
        scorer=WrittenAnswerScorer,
        task=Questions(spelling, options),
        **said,
    )
