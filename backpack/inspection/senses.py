"""The senses of words: what they favour, what they are near, and a page to search them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import click

from backpack.inspection.contributions import Extremes, NearestSenses, extremes, nearest_senses
from backpack.inspection.lexicon import TokenisedWord, open_lexicon, token_counts, token_streams
from backpack.inspection.roles import Role, roles
from backpack.inspection.words import word_vectors
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.runs.files import write_text
from semeqv.tasks.inference import inference, name_of
from semeqv.train.compute import Compute

PRINTED = 6  # tokens of a cell
PLACE = "/*DATA*/"


@dataclass(frozen=True)
class TokenLogit:
    """A token, and what a sense adds to its logit at a weight of 1.

    Args:
        token: How the token is shown.
        id: Its number.
        logit: What is added.
    """

    token: str
    id: int
    logit: float


@dataclass(frozen=True)
class NearSense:
    """A sense of another word, and how near it is.

    Args:
        word: The word.
        sense: Which of its senses.
        cosine: The cosine.
    """

    word: str
    sense: int
    cosine: float


@dataclass(frozen=True)
class Sense:
    """A sense of a word.

    Args:
        sense: Its index.
        norm: The norm of its vector.
        top: The tokens that it favours most.
        bottom: The tokens that it disfavours most.
        nearest_same: The nearest senses of the same index.
        nearest_any: The nearest senses of any index.
    """

    sense: int
    norm: float
    top: list[TokenLogit]
    bottom: list[TokenLogit]
    nearest_same: list[NearSense]
    nearest_any: list[NearSense]


@dataclass(frozen=True)
class Senses(Result):
    """The senses of some words; all tables have a row for each word.

    Args:
        model: What the model is called.
        words: The words; first those that were looked up, then the frequent ones.
        looked_up: How many were looked up.
        shown: How each token of the model is shown.
        norms: Norms of their senses.
        extremes: The tokens that they favour and disfavour.
        same: The nearest senses of the same index.
        anywhere: The nearest senses of any index.
        roles: What each index does.
        averaged: Over how many words that is: the frequent ones.
        page: The page with all words; None where it was not written.
    """

    model: str
    words: list[TokenisedWord]
    looked_up: int
    shown: list[str]
    norms: list[list[float]]
    extremes: Extremes
    same: NearestSenses
    anywhere: NearestSenses
    roles: list[Role]
    averaged: int
    page: Path | None = None

    def __getitem__(self, text: str) -> list[Sense]:
        """Return the senses of a word; raises `KeyError` when it is not among the words."""
        place = next((place for place, word in enumerate(self.words) if word.text == text), None)
        if place is None:
            raise KeyError(text)
        return self.senses_at(place)

    def senses_at(self, place: int) -> list[Sense]:
        """Return the senses of the word at a place."""

        def tokens(sense: int, side: str) -> list[TokenLogit]:
            columns = (getattr(self.extremes, name)[place, sense].tolist() for name in (side, f"{side}_logits"))
            return [TokenLogit(self.shown[token], token, logit) for token, logit in zip(*columns)]

        def near(sense: int, table: NearestSenses) -> list[NearSense]:
            columns = (column[place, sense].tolist() for column in (table.words, table.senses, table.cosines))
            return [NearSense(self.words[word].text, index, cosine) for word, index, cosine in zip(*columns)]

        return [
            Sense(
                sense,
                norm,
                tokens(sense, "top"),
                tokens(sense, "bottom"),
                near(sense, self.same),
                near(sense, self.anywhere),
            )
            for sense, norm in enumerate(self.norms[place])
        ]

    def show(self) -> None:
        """Print the senses of the words that were looked up, and what each index does."""
        for place in range(self.looked_up):
            print_word(self, place)
        print_roles(self)
        if self.page is not None:
            click.echo(f"wrote {self.page}: {len(self.words)} words, {readable_size(self.page.stat().st_size)}")

    def records(self) -> list[dict[str, Any]]:
        """Return one JSON object for each index."""
        head = {"measure": "senses", "model": self.model, "words": self.averaged}
        return [{**head, **role.to_json()} for role in self.roles]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each token and each neighbour of each sense of the words that were looked up."""
        rows = []
        for place in range(self.looked_up):
            for sense in self.senses_at(place):
                head = {"word": self.words[place].text, "sense": sense.sense, "norm": sense.norm}
                for name in ("top", "bottom", "nearest_same", "nearest_any"):
                    rows += [
                        {**head, "list": name, "rank": rank, **vars(entry)}
                        for rank, entry in enumerate(getattr(sense, name), 1)
                    ]
        return rows

    def objects(self) -> list[dict[str, Any]]:
        """Return one JSON object: the words that were looked up with their senses, and the roles of indices."""
        words = [
            {
                "word": word.text,
                "tokens": [self.shown[token] for token in word.tokens],
                "ids": list(word.tokens),
                "senses": [asdict(sense) for sense in self.senses_at(place)],
            }
            for place, word in enumerate(self.words[: self.looked_up])
        ]
        return [
            {
                "model": self.model,
                "neighbours_among": len(self.words),
                "roles_over": self.averaged,
                "words": words,
                "roles": [role.to_json() for role in self.roles],
            }
        ]


@action("backpack senses")
def senses(
    model: Any,
    tokenizer: Any = None,
    dataset: Mapping[Any, Any] | None = None,
    compute: Compute = Compute(),
    *,
    word: Sequence[str] = (),
    top: Annotated[int, AtLeast(1)] = 10,
    neighbours: Annotated[int, AtLeast(0)] = 5,
    vocabulary: Annotated[int, AtLeast(0)] = 2000,
    html: Path | None = None,
) -> Senses:
    """Show what the senses of words do: as tables, as JSON, and as a page to search.

    A sense C(x)_l of a word adds alpha E C(x)_l to the logits of the next token, and alpha is never negative. So each
    sense is shown by the tokens that it favours most, those that it disfavours most, and the senses of other
    words that are nearest by cosine, of the same index and of any. The roles of an index are averages over words.
    Senses are those of the model as it is, with its edits. A word is looked up as it stands after a blank; where it has
    several tokens, their senses are averaged. The data sets of the sentence give the frequencies of words, and which
    tokens follow which. All is computed in fp32. The roles go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer; that of the model's folder if None.
        dataset: The data sets by split and name; may be left out.
        compute: Where to compute.
        word: A word to show; may be repeated.
        top: How many tokens to name on either side.
        neighbours: How many of the nearest senses to name.
        vocabulary: So many of the most frequent words are averaged over, searched for neighbours, and on the page; 0
            for all. Work grows with its square. Without a data set, the order of the vocabulary stands for frequency.
        html: Write a page with all words to this file. It needs no network and nothing beside it.

    Returns:
        The senses of the words, and what each index does.

    Raises:
        UserError: When the model is not a Backpack, a word is unknown, or no token is a word.
    """
    lexicon = open_lexicon(model, tokenizer)
    looked_up = list(dict.fromkeys(lexicon.find(text) for text in word))
    size = len(lexicon.tokenizer)  # beyond it there are rows that were never trained
    frequent = lexicon.frequent(vocabulary, token_counts(dataset, model.config.vocab_size))
    if not frequent:
        raise UserError("No token of the vocabulary is a word; senses cannot be compared.")
    texts, among = {each.tokens for each in looked_up}, {each.tokens for each in frequent}
    words = looked_up + [each for each in frequent if each.tokens not in texts]
    with inference(model, compute.device, threads=compute.threads):
        head, embeddings = (
            table().weight[:size] for table in (model.get_output_embeddings, model.get_input_embeddings)
        )
        vectors = word_vectors(model, [each.tokens for each in words]).to(head.device)
        favoured, own = extremes(vectors, head, top), list(range(len(words)))
        same, anywhere = (nearest_senses(vectors, vectors, own, neighbours, same=only) for only in (True, False))
        averaged = [place for place, each in enumerate(words) if each.tokens in among]
        by_index = roles(
            [words[place] for place in averaged],
            vectors[averaged],
            Extremes(*(table[averaged] for table in vars(favoured).values())),
            embeddings=embeddings,
            shown=lexicon.shown,
            streams=token_streams(dataset),
        )
    found = Senses(
        model=name_of(model),
        words=words,
        looked_up=len(looked_up),
        shown=lexicon.shown,
        norms=vectors.norm(dim=-1).tolist(),
        extremes=favoured,
        same=same,
        anywhere=anywhere,
        roles=by_index,
        averaged=len(averaged),
    )
    if html is not None:
        write_text(html, page(found))
    return replace(found, page=html)


def print_word(senses: Senses, place: int) -> None:
    """Print the senses of a word."""
    word = senses.words[place]
    parts = f" (mean of {len(word.tokens)} tokens)" if len(word.tokens) > 1 else ""
    rows = []
    for sense in senses.senses_at(place):
        tokens = [" ".join(each.token for each in some[:PRINTED]) for some in (sense.top, sense.bottom)]
        same = ", ".join(f"{near.word} {near.cosine:.2f}" for near in sense.nearest_same[:3])
        anywhere = ", ".join(f"{near.word}/{near.sense} {near.cosine:.2f}" for near in sense.nearest_any[:3])
        rows.append([str(sense.sense), *tokens, same, anywhere, f"{sense.norm:.2f}"])
    columns = ["sense", "favours", "disfavours", "nearest, same sense", "nearest, any sense", "norm"]
    print_table(f"Senses of {word.text!r}{parts} in {senses.model}", columns, rows, words=5)


def print_roles(senses: Senses) -> None:
    """Print what each index does."""
    followed = any(role.follows is not None for role in senses.roles)
    columns = ["sense", "often on top", "in words", "itself", "related"] + ["follows"] * followed + ["common", "norm"]
    rows = []
    for role in senses.roles:
        row = [str(role.sense), " ".join(role.often), f"{role.share:.1%}", f"{role.itself:.1%}", f"{role.related:.1%}"]
        row += [f"{role.follows:.1%}"] if role.follows is not None else []
        rows.append([*row, f"{role.common:.3f}", f"{role.size:.2f}"])
    print_table(f"What senses do, over {senses.averaged:,} words of {senses.model}", columns, rows, words=2)


def readable_size(count: int) -> str:
    """Return a number of bytes as a person reads it."""
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.0f} kB"


def page(senses: Senses) -> str:
    """Make the page.

    Args:
        senses: What it shows.

    Returns:
        HTML. Its data is JSON that cannot end its element, and that the page shows as text alone.
    """
    template = files("backpack.inspection").joinpath("page.html").read_text(encoding="utf-8")
    before, after = template.split(PLACE)
    text = json.dumps(page_data(senses), ensure_ascii=False, separators=(",", ":"))
    return before + without_markup(text) + after


def without_markup(text: str) -> str:
    """Escape JSON so that HTML reads it as nothing but text; it means the same."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def page_data(senses: Senses) -> dict[str, Any]:
    """Return what the page shows; tokens are places in a list of those that occur, logits hundredths, cosines too.

    Args:
        senses: What it shows.

    Returns:
        JSON: `tokens`; `words`, each a text, the places of its tokens and its norms; `senses`, for each word and sense
        the tokens on top and their logits, those at the bottom and theirs, the nearest of the same index (words,
        cosines), and of any (words, senses, cosines); how many words were looked up (`asked`); `roles`, over so many
        words `averaged`.
    """
    extremes = senses.extremes
    used = {token for word in senses.words for token in word.tokens}
    used |= set(extremes.top.flatten().tolist()) | set(extremes.bottom.flatten().tolist())
    tokens = sorted(used)
    place = {token: at for at, token in enumerate(tokens)}
    columns = (
        extremes.top, extremes.top_logits, extremes.bottom, extremes.bottom_logits,
        senses.same.words, senses.same.cosines,
        senses.anywhere.words, senses.anywhere.senses, senses.anywhere.cosines,
    )  # fmt: skip
    table = [
        [[hundredths(cell) if cell.is_floating_point() else cell.tolist() for cell in sense] for sense in zip(*word)]
        for word in zip(*columns)
    ]
    for word in table:
        for sense in word:
            sense[0], sense[2] = ([place[token] for token in sense[side]] for side in (0, 2))
    norms = [[round(100 * norm) for norm in row] for row in senses.norms]
    return {
        "model": senses.model,
        "tokens": [senses.shown[token] for token in tokens],
        "words": [[word.text, [place[t] for t in word.tokens], row] for word, row in zip(senses.words, norms)],
        "asked": senses.looked_up,
        "averaged": senses.averaged,
        "senses": table,
        "roles": [role.to_json() for role in senses.roles],
    }


def hundredths(values: Any) -> list[int]:
    """Return numbers in hundredths, rounded."""
    rounded: list[int] = (100 * values).nan_to_num().round().int().tolist()
    return rounded
