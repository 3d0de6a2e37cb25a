"""Corpora in which common words have doubles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from semeqv.babel import dataset as babel
from semeqv.grammar.component import alias, check_bounds, component
from semeqv.lazy import NDArray
from semeqv.runs.errors import UserError
from semeqv.text.datasets import monolingual, parallel
from semeqv.text.datasets.corpus import Corpus
from semeqv.text.datasets.tokenised import objective_of, token_files
from semeqv.text.objectives import Objective
from semeqv.text.tokenizers.files import opened
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.text.tokens.batches import TokenBatches
from semeqv.text.tokens.files import TokenFile
from semeqv.train.batches import Batch
from semeqv.tying.mlm.doubles import (
    Doubles,
    Swapped,
    common_words,
    context_free_loss,
    counted,
    doubles_in,
    undoubled,
    with_doubles,
)


@dataclass(frozen=True, kw_only=True)
class Doubled:
    """What every corpus of the study can be told, besides what that corpus can; it stands before it among the bases.

    Args:
        doubles: How many words have a double: the most frequent ones of the training text that are one token of letters
            only, and longer than one.
        swap: Probability that an occurrence of such a word is swapped for its double.
        double_seed: Draws the random pairs of words that the study compares with words and their doubles, the same in
            every run.
    """

    doubles: int = 100
    swap: float = 0.5
    double_seed: int = 14

    def __post_init__(self) -> None:
        if getattr(self, "objective", None) == "translation":
            raise ValueError("--objective is causal or masked here; translation has no doubles.")
        super().__post_init__()  # type: ignore[misc]
        check_bounds(self, doubles=2, swap=(0, 1), double_seed=0)

    def undoubled(self) -> Corpus:
        """The same corpus without doubles."""
        kind: Any = next(base for base in type(self).__mro__[1:] if "__command__" in vars(base))
        plain: Corpus = kind(**{field.name: getattr(self, field.name) for field in fields(kind)})
        return plain

    def source_facts(self) -> dict[str, Any]:
        """What the text depends on; doubles are none of it."""
        return self.undoubled().source_facts()

    def corpus(self) -> Iterator[Any]:
        """The documents of this split, as they are; yields `Document`s."""
        yield from self.undoubled().corpus()

    def build(
        self,
        tokenizer: Any,
        model_options: Any = None,
        dataset_options: Mapping[tuple[str, str | None], Any] | None = None,
    ) -> Any:
        """The data.

        Args:
            tokenizer: The tokenizer; it is given the doubles, as tokens of its own, unless it has them.
            model_options: Its `objective` is what the model is for.
            dataset_options: The data sets of the sentence; the training set tells which words are common.

        Returns:
            Batches as those of any corpus, some words in them swapped for their doubles.
        """
        return doubled_batches(self, tokenizer, model_options, dataset_options or {})


@component("mlm dataset babel")
@dataclass(frozen=True, kw_only=True)
class Babel(Doubled, babel.Babel):
    """Generated documents in an invented language, common words with doubles; nothing is downloaded."""

    languages: tuple[str, ...] = ("lume",)


@component("mlm dataset europarl")
@dataclass(frozen=True, kw_only=True)
class Europarl(Doubled, parallel.Europarl):
    """Proceedings of the European Parliament (Koehn, 2005), common words with doubles; see `cli dataset europarl`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset multiun")
@dataclass(frozen=True, kw_only=True)
class MultiUn(Doubled, parallel.MultiUn):
    """Documents of the United Nations (Eisele & Chen, 2010), common words with doubles; see `cli dataset multiun`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset moses")
@dataclass(frozen=True, kw_only=True)
class Moses(Doubled, parallel.Moses):
    """Sentences, a file for each language, common words with doubles; see `cli dataset moses`."""

    languages: tuple[str, ...] = ("en",)


@component("mlm dataset plain")
@dataclass(frozen=True, kw_only=True)
class Plain(Doubled, monolingual.Plain):
    """A file of plain text, common words with doubles; see `cli dataset plain`."""


@component("mlm dataset jsonl")
@dataclass(frozen=True, kw_only=True)
class Jsonl(Doubled, monolingual.Jsonl):
    """A file with a JSON object on each line, common words with doubles; see `cli dataset jsonl`."""


@component("mlm dataset tsv")
@dataclass(frozen=True, kw_only=True)
class Tsv(Doubled, monolingual.Tsv):
    """A table with columns set apart by tabs, common words with doubles; see `cli dataset tsv`."""


@component("mlm dataset wikitext2")
@dataclass(frozen=True, kw_only=True)
class WikiText2(Doubled, monolingual.WikiText2):
    """WikiText-2 (Merity et al., 2017), common words with doubles; see `cli dataset wikitext2`."""


@component("mlm dataset hub")
@dataclass(frozen=True, kw_only=True)
class Hub(Doubled, monolingual.Hub):
    """A data set of the Hugging Face hub, common words with doubles: `--of bookcorpus/bookcorpus`."""


@component("mlm dataset default")
@dataclass(frozen=True, kw_only=True)
class Default(Doubled, monolingual.Hub):
    """The text of the study's original code: BookCorpus (Zhu et al., 2015), split by the tokenizer of BERT.

    It is `cli mlm dataset hub --of bookcorpus/bookcorpus`, a tenth of it for validation and a tenth for test, and is
    fetched from the hub, as the tokenizer is. Without a connection write `cli mlm dataset europarl`, or `--of FOLDER`.

    Args:
        of: The data set.
        tokenizer: The tokenizer, where the sentence has no `cli tokenizer`: a folder, or a name on the hub.
    """

    obsolete: ClassVar[dict[str, str]] = {
        "--map_batch_size": "text is read as a stream.",
        "--drop_last": "rows that fill no batch come in another epoch's order, and validation reads all rows.",
    }

    of: str = "bookcorpus/bookcorpus"
    tokenizer: str = "google-bert/bert-base-uncased"
    holdout: float = 0.1
    mask_probability: float = alias("mlm_prb", 0.15)
    swap: float = alias("swp_prb", 0.5)

    def provide_tokenizer(self) -> Any:
        """Open the tokenizer, for a sentence that says none.

        Returns:
            The tokenizer.

        Raises:
            UserError: When it is not here and cannot be had.
        """
        try:
            return opened(self.tokenizer)
        except UserError as error:
            said = str(error).removeprefix(f"--from {self.tokenizer}: ")
            raise UserError(
                f"The tokenizer {self.tokenizer} of `cli mlm dataset default`: {said} Name a folder with --tokenizer, "
                "or train one: cli tokenizer wordpiece --lowercase"
            ) from error


class DoubledBatches:
    """Batches of a corpus in which words are swapped for their doubles.

    What is swapped in training is a pure function of seed and step, and the same in every pass over another split.

    Args:
        data: Batches of the corpus; their objective is changed.
        objective: What is asked of the text, doubles in it.
        doubles: The words and their doubles.
        swap: Probability that an occurrence of a word is swapped.
        vocabulary: How many tokens there are, doubles included.
    """

    def __init__(self, data: TokenBatches, objective: Objective, doubles: Doubles, swap: float, vocabulary: int):
        self.data, self.followed = data, doubles
        data.objective = Swapped(objective, doubles, swap, vocabulary)
        data.said["doubles"] = doubles.facts() | {"swap": swap}

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.data)

    def stream(self, seed: int, start: int = 0) -> Iterator[Batch]:
        """Training batches without end, from a step on."""
        return self.data.stream(seed, start)

    def batches(self) -> Iterator[Batch]:
        """One pass over all rows, always the same."""
        return self.data.batches()

    def facts(self) -> dict[str, Any]:
        """What is known of the corpus, of the words and of their doubles."""
        return self.data.facts()


def doubled_batches(
    corpus: Doubled, tokenizer: Any, model_options: Any, dataset_options: Mapping[tuple[str, str | None], Any]
) -> DoubledBatches:
    """The batches of a corpus, words swapped for their doubles.

    Args:
        corpus: The corpus.
        tokenizer: The tokenizer; it is given the doubles, unless it has them.
        model_options: Its `objective` is what the model is for.
        dataset_options: The data sets of the sentence.

    Returns:
        The data set.

    Raises:
        UserError: When the tokenizer has doubles of another number of words, or nothing tells which words are common.
    """
    plain = undoubled(tokenizer)
    words = doubles_in(tokenizer)
    if words and len(words) != corpus.doubles:
        raise UserError(f"The tokenizer has {len(words)} doubles; say --doubles {len(words)} of every data set.")
    doubles = with_doubles(tokenizer, words or chosen_words(corpus, plain, dataset_options), corpus.double_seed)
    data = corpus.undoubled().build(plain, model_options, dataset_options)
    objective = objective_of(corpus.undoubled().row_options(data.said["objective"]), tokenizer)
    found = DoubledBatches(data, objective, doubles, corpus.swap, rows_needed(tokenizer))
    if data.said["objective"] == "masked":
        counts = counted(token_texts(corpus, plain), rows_needed(tokenizer))
        counts[tokenizer.all_special_ids] = 0
        ordinary = len(tokenizer) - len(set(tokenizer.all_special_ids))
        loss = context_free_loss(doubles.divided(counts, corpus.swap), ordinary)
        data.said["doubles"]["loss without context"] = round(loss, 4)
    return found


def chosen_words(corpus: Doubled, tokenizer: Any, dataset_options: Mapping[tuple[str, str | None], Any]) -> list[int]:
    """The words that get doubles, the most common ones of the training text.

    Args:
        corpus: Of any split; it says how many.
        tokenizer: A tokenizer without doubles.
        dataset_options: The data sets of the sentence, the training set among them.

    Returns:
        Tokens, the most frequent first.

    Raises:
        UserError: When no training set has doubles.
    """
    train = corpus if getattr(corpus, "split", None) == "train" else dataset_options.get(("train", None))
    if not isinstance(train, Doubled):
        raise UserError("The words that have doubles are those of the training text. Add: cli mlm dataset ...")
    return common_words(token_texts(train, tokenizer), tokenizer, corpus.doubles)


def token_texts(corpus: Doubled, tokenizer: Any) -> list[NDArray[Any]]:
    """The tokens of a split, `(tokens,)` for each language, as they are without doubles."""
    folder, facts = token_files(corpus.undoubled().text(), tokenizer, together=False)
    return [TokenFile.open(folder, language, rows_needed(tokenizer)).tokens for language in facts["languages"]]
