"""Common words, and the doubles that stand for them half of the time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from semeqv.lazy import NDArray, numpy, tokenizers, transformers
from semeqv.runs.errors import UserError
from semeqv.text.datasets.tokenised import word_beginnings
from semeqv.text.objectives import HIDDEN, KEPT, Objective, Rows, Truth
from semeqv.text.tokenizers.spelling import convention_of, rows_needed, tokens_by_id

PRIME = "′"  # a double is spelled like its word, with a prime: the′
PIECE = 2**24  # tokens counted at a time


@dataclass(frozen=True)
class Doubles:
    """Words of a tokenizer and their doubles.

    Args:
        words: What the words are spelled like, the most frequent first.
        word_ids: Their tokens.
        double_ids: The tokens of their doubles, in the same order.
        seed: Draws the random pairs.
    """

    words: tuple[str, ...]
    word_ids: tuple[int, ...]
    double_ids: tuple[int, ...]
    seed: int

    @property
    def ids(self) -> list[int]:
        """The tokens whose embeddings the study records: the words, then their doubles."""
        return [*self.word_ids, *self.double_ids]

    @property
    def names(self) -> list[str]:
        """What these tokens are spelled like."""
        return [*self.words, *(word + PRIME for word in self.words)]

    def pairs(self) -> dict[str, list[tuple[int, int]]]:
        """Pairs of places in `ids` to compare.

        Returns:
            `doubles`: each word and its double. `random`: each word and another word, each the other of one (a random
            permutation without fixed points). `neighbours`: words that follow each other in frequency.
        """
        count = len(self.words)
        order = numpy.random.default_rng(self.seed).permutation(count).tolist()
        cycle = dict(zip(order, [*order[1:], order[0]]))
        return {
            "doubles": [(place, count + place) for place in range(count)],
            "random": [(place, cycle[place]) for place in range(count)],
            "neighbours": list(pairwise(range(count))),
        }

    def divided(self, counts: NDArray[Any], swap: float) -> NDArray[Any]:
        """How often each token is expected where words are swapped for doubles.

        Args:
            counts: How often it is in the text as it was, `(vocabulary,)`.
            swap: The probability of a swap.

        Returns:
            `(vocabulary,)` floats.
        """
        found = counts.astype(float)
        words = list(self.word_ids)
        found[list(self.double_ids)] = swap * found[words]
        found[words] *= 1 - swap
        return found

    def to_json(self) -> dict[str, Any]:
        """The names, ids and pairs."""
        return {"names": self.names, "ids": self.ids, "pairs": self.pairs()}

    def facts(self) -> dict[str, Any]:
        """What defines them, in few lines."""
        return {"words": " ".join(self.words), "first double": self.double_ids[0], "seed": self.seed}


def undoubled(tokenizer: Any) -> Any:
    """A tokenizer as it was before it had doubles: text that is tokenised never holds one.

    Args:
        tokenizer: A fast tokenizer of transformers, with doubles or without.

    Returns:
        Another one; later changes of the first leave it alone.
    """
    said = json.loads(tokenizer.backend_tokenizer.to_str())
    said["added_tokens"] = [token for token in said["added_tokens"] if not is_double(token["content"], token)]
    found = tokenizers.Tokenizer.from_str(json.dumps(said))
    return transformers.PreTrainedTokenizerFast(tokenizer_object=found, **tokenizer.special_tokens_map)


def is_double(content: str, token: Any) -> bool:
    """Whether an added token, as JSON, is the double of a word."""
    return len(content) > 1 and content.endswith(PRIME) and not token["special"]


def doubles_in(tokenizer: Any) -> list[int]:
    """The words, as tokens, whose doubles a tokenizer has, in the order of the doubles."""
    said = json.loads(tokenizer.backend_tokenizer.to_str())["added_tokens"]
    doubles = sorted((token["id"], token["content"]) for token in said if is_double(token["content"], token))
    return [tokenizer.convert_tokens_to_ids(content.removesuffix(PRIME)) for _, content in doubles]


def with_doubles(tokenizer: Any, word_ids: Sequence[int], seed: int) -> Doubles:
    """Give a tokenizer the doubles of some words, unless it has them.

    They are ordinary tokens after all others, spelled like the word with a prime; checkpoints keep them.

    Args:
        tokenizer: A fast tokenizer of transformers; it is changed.
        word_ids: The words.
        seed: Draws the random pairs.

    Returns:
        The words and their doubles.
    """
    spelled = tokenizer.convert_ids_to_tokens(list(word_ids))
    new = [tokenizers.AddedToken(token + PRIME, normalized=False, special=False) for token in spelled]
    tokenizer.add_tokens(new)
    double_ids = tokenizer.convert_tokens_to_ids([str(token) for token in new])
    words = tuple(text_of(tokenizer, number) for number in word_ids)
    return Doubles(words, tuple(word_ids), tuple(double_ids), seed)


def text_of(tokenizer: Any, number: int) -> str:
    """What a token that begins a word is spelled like, without the blank before it."""
    return str(tokenizer.convert_tokens_to_string([tokenizer.convert_ids_to_tokens(number)])).strip()


def common_words(texts: Iterable[NDArray[Any]], tokenizer: Any, count: int) -> list[int]:
    """The tokens that are most often a whole word: letters only, more than one.

    Args:
        texts: Tokens of the training text, `(tokens,)` each.
        tokenizer: The tokenizer.
        count: How many to find.

    Returns:
        As many tokens, the most frequent first; of equally frequent ones the lower number.

    Raises:
        UserError: When there are fewer.
    """
    begins, continues = word_beginnings(tokenizer), continuations(tokenizer)
    counts = counted(texts, rows_needed(tokenizer), lambda token, after: begins[token] & ~continues[after])
    counts[tokenizer.all_special_ids] = 0
    found = list[int]()
    for number in numpy.argsort(-counts, kind="stable").tolist():
        if len(found) == count or not counts[number]:
            break
        if re.fullmatch(r"[^\W\d_]{2,}", text_of(tokenizer, number)):
            found.append(number)
    if len(found) < count:
        raise UserError(f"Only {len(found)} tokens are words of the training text; lower --doubles {count}.")
    return found


def counted(
    texts: Iterable[NDArray[Any]], vocabulary: int, counts_at: Callable[[Any, Any], NDArray[numpy.bool_]] | None = None
) -> NDArray[numpy.int64]:
    """How often each token occurs.

    Args:
        texts: Tokens, `(tokens,)` each; they end with a separator.
        vocabulary: How many tokens there are.
        counts_at: From tokens and those after them: which occurrences count; all if left out.

    Returns:
        `(vocabulary,)`.
    """
    counts = numpy.zeros(vocabulary, numpy.int64)
    for text in texts:
        for start in range(0, len(text), PIECE):
            tokens = numpy.asarray(text[start : start + PIECE + 1]).astype(numpy.int64)
            tokens, after = tokens[:PIECE], numpy.append(tokens[1:], tokens[-1])[:PIECE]
            counts += numpy.bincount(tokens[counts_at(tokens, after)] if counts_at else tokens, minlength=vocabulary)
    return counts


def continuations(tokenizer: Any) -> NDArray[numpy.bool_]:
    """Which tokens go on with the word before them, `(vocabulary,)`: those that begin none and start with a letter."""
    split = convention_of(tokenizer.get_vocab()).split
    texts = [split(token)[0] for token in tokens_by_id(tokenizer)]
    found: NDArray[numpy.bool_] = ~word_beginnings(tokenizer) & numpy.array([text[:1].isalnum() for text in texts])
    return found


class Swapped:
    """An objective on text in which words are swapped for their doubles, each occurrence on its own.

    Args:
        objective: What is asked of that text.
        doubles: The words and their doubles.
        probability: That an occurrence is swapped.
        vocabulary: How many tokens there are, doubles included.
    """

    def __init__(self, objective: Objective, doubles: Doubles, probability: float, vocabulary: int):
        self.objective, self.probability, self.overlap = objective, probability, objective.overlap
        self.double_of = numpy.arange(vocabulary)
        self.double_of[list(doubles.word_ids)] = doubles.double_ids

    def __call__(self, ids: Rows, real: Truth, generator: numpy.random.Generator) -> tuple[Rows, Rows]:
        """Inputs and labels, `(rows, time)` both; the labels of swapped words are their doubles."""
        swapped = generator.random(ids.shape) < self.probability
        return self.objective(numpy.where(swapped, self.double_of[ids], ids), real, generator)


def context_free_loss(counts: NDArray[Any], ordinary: int) -> float:
    """The lowest loss of masked prediction that a model can have on a text whose other tokens it does not see.

    It sees what stands in the place that it is asked for: the mask, the token itself, or any ordinary token
    (Devlin et al., 2019, arXiv 1810.04805, section 3.1). The loss is the entropy of the token given that.

    Args:
        counts: How often each token is in the text, `(tokens,)`.
        ordinary: From how many tokens the one that replaces another is drawn.

    Returns:
        Nats a token asked for.
    """
    share = counts[counts > 0] / counts.sum()  # (tokens of the text,)
    surprise = -numpy.log(share)
    entropy = share @ surprise
    chance = (1 - HIDDEN - KEPT) / ordinary  # that a certain token replaces another
    odds = KEPT / chance * share  # of a token: that it was there before, against that it replaces another
    stayed = (KEPT + chance) * share @ -numpy.log((odds + share) / (odds + 1))
    replaced = chance * (entropy - share * surprise + (1 - share) * numpy.log(odds + 1)).sum()
    unseen = chance * (ordinary - len(share)) * entropy  # what replaces others and is never in this text
    return float(HIDDEN * entropy + stayed + replaced + unseen)
