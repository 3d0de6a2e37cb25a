"""Byte-pair encoding that goes on where a tokenizer has ended.

Merges that were learnt on single characters cannot stand behind those of another tokenizer: what they put together, the
old merges have put together in another way by then, and most of them would never apply.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from semeqv.text.tokenizers.encoding import literal
from semeqv.text.tokenizers.spelling import BYTE, SENTENCE_PIECE

FIRST = 0x10000  # a token is written as one character from here on, of which none is a blank
LEAST = 2  # a pair that occurs once tells nothing


def continued(tokenizer: Any, texts: Iterable[list[str]], count: int) -> list[tuple[str, str]]:
    """Learn the next merges: the pairs of the tokens that text is cut into, the most frequent first.

    Args:
        tokenizer: A fast tokenizer of transformers, of byte-pair encoding; it neither cuts texts off nor pads them.
        texts: Texts, some at a time.
        count: How many, at most; fewer where no pair occurs twice.

    Returns:
        Pairs of tokens, old and new, as the tokenizer writes them.
    """
    tokens = {number: token for token, number in tokenizer.get_vocab().items()}
    alphabet = [chr(FIRST + number) for number in tokens]
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + count, min_frequency=LEAST, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(written(tokenizer, tokens, texts), trainer)
    inside = len(getattr(tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None) or "")
    spelled = {character: tokens[ord(character) - FIRST] for character in alphabet}
    merges = []
    for one, other in json.loads(backend.to_str())["model"]["merges"]:
        merges.append((spelled[one], spelled[other]))
        spelled[one + other] = spelled[one] + spelled[other][inside:]
    return merges


def written(tokenizer: Any, tokens: dict[int, str], texts: Iterable[list[str]]) -> Iterator[str]:
    """Texts with a character for each token, and a blank where no merge may reach.

    Args:
        tokenizer: The tokenizer.
        tokens: Its tokens, by id.
        texts: Texts, some at a time.

    Yields:
        A line for each text.
    """
    backend = tokenizer.backend_tokenizer
    alone = {*tokenizer.all_special_ids, *backend.get_added_tokens_decoder()}
    alone |= {number for number, token in tokens.items() if BYTE.fullmatch(token)}
    begins = {number for number, token in tokens.items() if token.startswith(SENTENCE_PIECE.mark)}
    whole = backend.pre_tokenizer is None  # then a text is one word, and its words begin with a mark
    for some in texts:
        for encoded in literal(tokenizer).encode_batch(some, add_special_tokens=False):
            line, last = list[str](), None
            for number, word in zip(encoded.ids, encoded.word_ids):
                if word != last or number in alone or (whole and number in begins):
                    line.append(" ")
                line.append(" " if number in alone else chr(FIRST + number))
                last = word
            yield "".join(line)
