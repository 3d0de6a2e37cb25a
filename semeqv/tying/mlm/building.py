"""From a corpus to batches in which words are swapped for their doubles."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from semeqv.runs.errors import UserError
from semeqv.text.datasets.tokenised import made_objective, token_files
from semeqv.text.objectives import Objective
from semeqv.text.tokenizers.spelling import rows_needed
from semeqv.text.tokens.batches import TokenBatches
from semeqv.text.tokens.files import TokenFile
from semeqv.train.batches import Batch
from semeqv.tying.mlm.context_free import context_free_loss
from semeqv.tying.mlm.datasets import Doubled
from semeqv.tying.mlm.doubles import Doubles, common_words, counted, doubles_in, undoubled, with_doubles
from semeqv.tying.mlm.swapping import Swapped

if TYPE_CHECKING:
    from semeqv.text.datasets.corpus import Corpus


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
    objective = made_objective(cast("Corpus", corpus), tokenizer, data.said["objective"])
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
    folder, facts = token_files(corpus.undoubled(), tokenizer, together=False)
    return [TokenFile.open(folder, language, rows_needed(tokenizer)).tokens for language in facts["languages"]]
