"""Senses as tables and as JSON."""

from typing import Any

from backpack.senses.describing import Described
from backpack.senses.lexicon import Word
from semeqv.results.tables import print_table

PRINTED = 6  # tokens of a cell


def senses_of(found: Described, place: int) -> list[dict[str, Any]]:
    """What is known of the senses of a word.

    Args:
        found: What was found.
        place: Of the word.

    Returns:
        For each sense its index, norm, tokens on top and at the bottom with logits, and neighbours with cosines.
    """
    made = []
    for sense, norm in enumerate(found.norms[place]):
        one: dict[str, Any] = {"sense": sense, "norm": norm}
        for name in ("top", "bottom"):
            tokens, logits = (getattr(found.extremes, each)[place, sense].tolist() for each in (name, f"{name}_logits"))
            one[name] = [
                {"token": found.shown[token], "id": token, "logit": logit} for token, logit in zip(tokens, logits)
            ]
        for name, near in (("nearest_same", found.same), ("nearest_any", found.anywhere)):
            rows = zip(*(each[place, sense].tolist() for each in (near.words, near.senses, near.cosines)))
            one[name] = [{"word": found.words[word].text, "sense": of, "cosine": cosine} for word, of, cosine in rows]
        made.append(one)
    return made


def asked_for(found: Described) -> dict[str, Any]:
    """The words that were asked for, and the roles of senses, as JSON."""
    words = [{**said(found, found.words[place]), "senses": senses_of(found, place)} for place in found.asked]
    return {
        "model": found.model,
        "neighbours_among": len(found.words),
        "roles_over": found.averaged,
        "words": words,
        "roles": [role.to_json() for role in found.roles],
    }


def said(found: Described, word: Word) -> dict[str, Any]:
    """A word and its tokens."""
    return {"word": word.text, "tokens": [found.shown[token] for token in word.tokens], "ids": list(word.tokens)}


def print_word(found: Described, place: int) -> None:
    """Print the senses of a word."""
    word = found.words[place]
    parts = f" (mean of {len(word.tokens)} tokens)" if len(word.tokens) > 1 else ""
    rows = []
    for one in senses_of(found, place):
        tokens = [" ".join(each["token"] for each in one[name][:PRINTED]) for name in ("top", "bottom")]
        near = ", ".join(f"{each['word']} {each['cosine']:.2f}" for each in one["nearest_same"][:3])
        any_ = ", ".join(f"{each['word']}/{each['sense']} {each['cosine']:.2f}" for each in one["nearest_any"][:3])
        rows.append([str(one["sense"]), *tokens, near, any_, f"{one['norm']:.2f}"])
    columns = ["sense", "speaks for", "speaks against", "nearest, same sense", "nearest, any sense", "norm"]
    print_table(f"Senses of {word.text!r}{parts} in {found.model}", columns, rows, words=5)


def print_roles(found: Described) -> None:
    """Print what each index does."""
    followed = any(role.follows is not None for role in found.roles)
    columns = ["sense", "often on top", "in words", "itself", "related"] + ["follows"] * followed + ["common", "norm"]
    rows = []
    for role in found.roles:
        row = [str(role.sense), " ".join(role.often), f"{role.share:.1%}", f"{role.itself:.1%}", f"{role.related:.1%}"]
        row += [f"{role.follows:.1%}"] if role.follows is not None else []
        rows.append([*row, f"{role.common:.3f}", f"{role.size:.2f}"])
    print_table(f"What senses do, over {found.averaged:,} words of {found.model}", columns, rows, words=2)


def size_of(text: str) -> str:
    """How large a text is, in words."""
    size = len(text.encode())
    return f"{size / 2**20:.1f} MB" if size >= 2**20 else f"{size / 2**10:.0f} kB"
