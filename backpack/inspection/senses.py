"""The senses of words as an action."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from backpack.inspection.contributions import Extremes, Neighbours, extremes, neighbours
from backpack.inspection.lexicon import Lexicon, Word, token_counts, token_streams
from backpack.inspection.roles import Role, roles
from backpack.inspection.words import check_backpack, word_vectors
from semeqv.grammar.component import check_bounds, component
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.tasks.inference import check_tokenizer, inference, name_of
from semeqv.text.generation import tokenizer_of


@component("backpack senses")
@dataclass(frozen=True, kw_only=True)
class Senses:
    """Show what the senses of words do: as tables, as JSON, and as a page to search.

    A sense C(x)_l of a word adds alpha E C(x)_l to the logits of the next token, and alpha is never negative. So each
    sense is shown by the tokens that it speaks for most, those that it speaks against most, and the senses of other
    words that are nearest by cosine, of the same index and of any. The roles of an index are averages over words.
    Senses are those of the model as it is, so edits count. A word is looked up as it stands after a blank; where it has
    several tokens, their senses are averaged. Data sets of the sentence tell which words are frequent, and which tokens
    follow which. The roles go to metrics.jsonl of the run's folder.

    Args:
        word: A word to show; may be repeated.
        top: How many tokens to name on either side.
        neighbours: How many of the nearest senses to name.
        vocabulary: So many of the most frequent words are averaged over, searched for neighbours, and on the page; 0
            for all. Work grows with its square. Without a data set, the order of the vocabulary stands for frequency.
        json: Write what is known of the words that were asked for, and the roles, to this file.
        html: Write a page with all words to this file. It needs no network and nothing beside it.
    """

    word: list[str] = field(default_factory=list)
    top: int = 10
    neighbours: int = 5
    vocabulary: int = 2000
    json: Path | None = None
    html: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, top=1, neighbours=0, vocabulary=0)

    def build(
        self,
        *,
        model: Any,
        device: str,
        threads: int | None,
        record: Callable[..., None],
        tokenizer: Any = None,
        dataset: Any = None,
    ) -> None:
        """Look at the senses, print them, and write them.

        Args:
            model: A Backpack.
            device: Where to compute.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.
            dataset: By split and name, if the sentence has any.
        """
        found = describe(self, model, tokenizer, dataset, (device, threads))
        for word in found.asked:
            print_word(found, word)
        print_roles(found)
        record(
            [{"measure": "senses", "model": found.model, "words": found.averaged, **role.to_json()}
             for role in found.roles]
        )  # fmt: skip
        if self.json is not None:
            write_text(self.json, json.dumps(asked_for(found), indent=1, ensure_ascii=False) + "\n")
            click.echo(f"wrote {self.json}")
        if self.html is not None:
            text = page(found)
            write_text(self.html, text)
            click.echo(f"wrote {self.html}: {len(found.words)} words, {size_of(text)}")


@dataclass(frozen=True)
class Described:
    """What is known of the senses of some words; all things have a row for each word.

    Args:
        model: What to call the model.
        words: The words; first those that were asked for, then the frequent ones.
        asked: How many were asked for, as their places.
        shown: How each token of the model is shown.
        norms: Norms of their senses.
        extremes: The tokens that they speak for and against.
        same: The nearest senses of the same index.
        anywhere: The nearest senses of any index.
        roles: What each index does.
        averaged: Over how many words that is: the frequent ones.
    """

    model: str
    words: list[Word]
    asked: range
    shown: list[str]
    norms: list[list[float]]
    extremes: Extremes
    same: Neighbours
    anywhere: Neighbours
    roles: list[Role]
    averaged: int


def open_lexicon(model: Any, tokenizer: Any) -> Lexicon:
    """The tokens of a Backpack.

    Args:
        model: The model; `check_backpack` raises `UserError` when it is something else.
        tokenizer: Of the sentence; that of the model's folder if None. `UserError` when they do not belong together.

    Returns:
        The lexicon.
    """
    check_backpack(model)
    tokenizer = tokenizer_of(model) if tokenizer is None else tokenizer
    check_tokenizer(model, tokenizer)
    return Lexicon(tokenizer, model.config.vocab_size)


def describe(
    options: "Senses", model: Any, tokenizer: Any, dataset: Mapping[Any, Any] | None, place: tuple[str, int | None]
) -> Described:
    """Look at the senses of words.

    Args:
        options: Which words, and how much of them.
        model: A Backpack.
        tokenizer: Of the sentence; that of the model's folder if None.
        dataset: Data sets by split and name.
        place: Device, and threads.

    Returns:
        What was found.

    Raises:
        UserError: When the model is no Backpack, a word is unknown, or no token is a word.
    """
    lexicon = open_lexicon(model, tokenizer)
    asked = list(dict.fromkeys(lexicon.find(text) for text in options.word))
    size = len(lexicon.tokenizer)  # beyond it there are rows that were never trained
    frequent = lexicon.frequent(options.vocabulary, token_counts(dataset, model.config.vocab_size))
    if not frequent:
        raise UserError("No token of the vocabulary is a word; senses cannot be compared.")
    texts = {word.tokens for word in asked}
    words = asked + [word for word in frequent if word.tokens not in texts]
    with inference(model, place[0], threads=place[1]):
        head, embeddings = (each().weight[:size] for each in (model.get_output_embeddings, model.get_input_embeddings))
        vectors = word_vectors(model, [word.tokens for word in words]).to(head.device)
        found = extremes(vectors, head, options.top)
        own = list(range(len(words)))
        same, anywhere = (neighbours(vectors, vectors, own, options.neighbours, same=each) for each in (True, False))
        among = {word.tokens for word in frequent}
        single = [place for place, word in enumerate(words) if word.tokens in among]
        one = Extremes(*(each[single] for each in vars(found).values()))
        streams = token_streams(dataset)
        made = roles(
            [words[place] for place in single],
            vectors[single],
            one,
            embeddings=embeddings,
            shown=lexicon.shown,
            streams=streams,
        )
    norms = vectors.norm(dim=-1).tolist()
    return Described(
        model=name_of(model),
        words=words,
        asked=range(len(asked)),
        shown=lexicon.shown,
        norms=norms,
        extremes=found,
        same=same,
        anywhere=anywhere,
        roles=made,
        averaged=len(single),
    )


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


PLACE = "/*DATA*/"


def page(found: Described) -> str:
    """The page.

    Args:
        found: What was found.

    Returns:
        HTML. Data stands in it as JSON that cannot end its element, and gets into the page as text alone.
    """
    template = files("backpack.inspection").joinpath("page.html").read_text(encoding="utf-8")
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
