"""How the tokens of a vocabulary are written: their letters, and whether they begin a word."""

from dataclasses import dataclass
from typing import Any

from semeqv.runs.errors import UserError
from semeqv.text.tokenizers.spelling import BYTE_LEVEL, Convention, byte_level, convention_of


@dataclass(frozen=True)
class Form:
    """A token as it is written.

    Args:
        text: Its letters.
        whole: Whether it can be a whole word, or at least begin (or end) one.
    """

    text: str
    whole: bool

    @property
    def shape(self) -> tuple[bool, bool, bool]:
        """What it has in common with all tokens that are written the same way: its mark, and its case."""
        return self.whole, self.text.islower(), self.text.isupper()


def forms_of(tokenizer: Any, size: int, shortest: int) -> tuple[dict[Form, int], Convention]:
    """The tokens of letters in a vocabulary.

    Args:
        tokenizer: A tokenizer of transformers.
        size: Rows of the embedding; tokens beyond it are left out.
        shortest: The fewest letters.

    Returns:
        Form to id, the lowest id where several tokens have one form; and the convention of the vocabulary.

    Raises:
        UserError: When there are hardly any.
    """
    tokens = tokenizer.get_vocab()
    convention = convention_of(tokens)
    special = set(tokenizer.all_special_ids)
    forms: dict[Form, int] = {}
    for token, number in sorted(tokens.items(), key=lambda item: item[1]):
        text, marked = convention.split(token)
        if convention == BYTE_LEVEL:
            text = (byte_level(text) or b"").decode("utf-8", "replace")
        if len(text) >= shortest and text.isalpha() and number < size and number not in special:
            forms.setdefault(Form(text, marked == convention.whole), number)
    if len(forms) < 10:
        raise UserError(
            f"The tokenizer has only {len(forms)} tokens of {shortest} letters or more; nothing to compare."
        )
    return forms, convention
