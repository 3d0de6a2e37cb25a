"""A page on which a person searches the senses of words: one file, no network."""

import json
from importlib.resources import files
from typing import Any

from backpack.senses.describing import Described

PLACE = "/*DATA*/"


def page(found: Described) -> str:
    """The page.

    Args:
        found: What was found.

    Returns:
        HTML. Data stands in it as JSON that cannot end its element, and gets into the page as text alone.
    """
    template = files("backpack.senses").joinpath("page.html").read_text(encoding="utf-8")
    before, after = template.split(PLACE)
    text = json.dumps(data(found), ensure_ascii=False, separators=(",", ":"))
    return before + harmless(text) + after


def harmless(text: str) -> str:
    """JSON that HTML reads as nothing but text, and that means the same."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def data(found: Described) -> dict[str, Any]:
    """What the page shows; tokens are places in a list of those that occur, logits hundredths, cosines too.

    Args:
        found: What was found.

    Returns:
        JSON: `tokens`; `words`, each a text, the places of its tokens and its norms; `senses`, for each word and sense
        the tokens on top and their logits, those at the bottom and theirs, the nearest of the same index (words,
        cosines), and of any (words, senses, cosines); how many words were `asked` for; `roles`, over so many words
        `averaged`.
    """
    extremes = found.extremes
    used = {token for word in found.words for token in word.tokens}
    used |= set(extremes.top.flatten().tolist()) | set(extremes.bottom.flatten().tolist())
    tokens = sorted(used)
    place = {token: at for at, token in enumerate(tokens)}
    senses = [
        [[hundredths(each) if each.is_floating_point() else each.tolist() for each in one] for one in zip(*rows)]
        for rows in zip(
            extremes.top, extremes.top_logits, extremes.bottom, extremes.bottom_logits,
            found.same.words, found.same.cosines,
            found.anywhere.words, found.anywhere.senses, found.anywhere.cosines,
        )
    ]  # fmt: skip
    for word in senses:
        for one in word:
            one[0], one[2] = ([place[token] for token in one[side]] for side in (0, 2))
    norms = [[round(100 * norm) for norm in row] for row in found.norms]
    return {
        "model": found.model,
        "tokens": [found.shown[token] for token in tokens],
        "words": [[word.text, [place[t] for t in word.tokens], row] for word, row in zip(found.words, norms)],
        "asked": len(found.asked),
        "averaged": found.averaged,
        "senses": senses,
        "roles": [role.to_json() for role in found.roles],
    }


def hundredths(values: Any) -> list[int]:
    """Numbers in hundredths, rounded."""
    rounded: list[int] = (100 * values).nan_to_num().round().int().tolist()
    return rounded
