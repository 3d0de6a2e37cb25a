"""The plain edits as actions: suppress, scale, replace, swap, project, exchange a fact, prefer a topic."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backpack.edits.files import write
from backpack.edits.steps import Knowledge, Project, Replace, Scale, Step, Topic
from backpack.inspection.lexicon import Lexicon
from backpack.inspection.senses import open_lexicon
from semeqv.grammar.component import check_bounds, component
from semeqv.runs.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Edit(ABC):
    """An edit that is written to a file; the model that it is made with stays as it is.

    Args:
        output: The file to write. `cli model edited --from MODEL --edits FILE` opens a model with it.
    """

    output: Path

    @abstractmethod
    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit.

        Args:
            lexicon: The tokens of the model.

        Returns:
            Its steps.
        """

    def build(self, model: Any, tokenizer: Any = None) -> None:
        """Write the edit.

        Args:
            model: A Backpack.
            tokenizer: Of the run; that of the model's folder if None.
        """
        lexicon = open_lexicon(model, tokenizer)
        write(self, self.steps(lexicon), model, lexicon)


@dataclass(frozen=True, kw_only=True)
class Choosing(Edit):
    """An edit of some senses of some words.

    Args:
        word: A word, as it stands after a blank, whose tokens are edited; may be repeated. Every token if left out.
        sense: The index of a sense; may be repeated. All senses if left out.
    """

    word: list[str] = field(default_factory=list)
    sense: list[int] = field(default_factory=list)

    def chosen(self, lexicon: Lexicon) -> dict[str, Any]:
        """The tokens and the senses, as a step takes them; `UserError` when neither was said."""
        if not self.word and not self.sense:
            raise UserError("Say what to edit: --word, --sense, or both.")
        tokens = tuple(dict.fromkeys(token for text in self.word for token in lexicon.find(text).tokens))
        return {"tokens": tokens or None, "senses": tuple(self.sense) or None}


@component("backpack edit suppress")
@dataclass(frozen=True, kw_only=True)
class Suppress(Choosing):
    """Let senses say nothing: they become 0."""

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit: a factor of 0."""
        return [Scale(**self.chosen(lexicon), factor=0.0)]


@component("backpack edit scale")
@dataclass(frozen=True, kw_only=True)
class ScaleSenses(Choosing):
    """Let senses say more, less, or the contrary: they are multiplied.

    Args:
        factor: By what.
    """

    factor: float

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit."""
        return [Scale(**self.chosen(lexicon), factor=self.factor)]


@component("backpack edit project")
@dataclass(frozen=True, kw_only=True)
class ProjectOut(Choosing):
    """Let senses say the same of both words of a pair.

    They are projected onto what is orthogonal to the differences of the pairs' output embeddings (nullspace projection,
    Ravfogel et al., 2020, arXiv 2004.07667, with directions that are given).

    Args:
        pair: Two words of one token each, such as he she; may be repeated.
    """

    pair: list[tuple[str, str]] = field(default_factory=list)

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit; `UserError` when no pair was said."""
        if not self.pair:
            raise UserError("Say between which words senses shall not choose: --pair he she.")
        pairs = tuple((lexicon.single(first), lexicon.single(second)) for first, second in self.pair)
        return [Project(**self.chosen(lexicon), token_pairs=pairs)]


@component("backpack edit replace")
@dataclass(frozen=True, kw_only=True)
class ReplaceSense(Edit):
    """Let a sense of a word be a sense of another one.

    Args:
        word: The word, of one token.
        sense: Which of its senses is replaced.
        by: The other word, of one token.
        by_sense: Which of its senses takes the place; that of the same index if left out.
    """

    word: str
    sense: int
    by: str
    by_sense: int | None = None

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit."""
        source = self.sense if self.by_sense is None else self.by_sense
        tokens, sources = (lexicon.single(self.word),), (lexicon.single(self.by),)
        return [Replace(tokens=tokens, senses=(self.sense,), source_tokens=sources, source_senses=(source,))]


@component("backpack edit swap")
@dataclass(frozen=True, kw_only=True)
class Swap(Edit):
    """Let two senses change places.

    Args:
        word: A word of one token.
        sense: One of its senses.
        other: Another word of one token, or the same.
        other_sense: One of its senses; that of the same index if left out.
    """

    word: str
    sense: int
    other: str
    other_sense: int | None = None

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit: either replaces the other."""
        tokens = lexicon.single(self.word), lexicon.single(self.other)
        senses = self.sense, self.sense if self.other_sense is None else self.other_sense
        return [Replace(tokens=tokens, senses=senses, source_tokens=tokens[::-1], source_senses=senses[::-1])]


@component("backpack edit knowledge")
@dataclass(frozen=True, kw_only=True)
class ExchangeFact(Choosing):
    """Let what the senses of a word say for one word be said for another.

    A sense C becomes C + (C . E_r / |E_r|^2) (E_a / phi - E_r), where E are output embeddings, r is the word to remove,
    a the one to add, and phi = |E_a|^2 / |E_r|^2 (Hewitt et al., 2023, arXiv 2305.16765). `cli backpack
    effects` measures what it does to texts that it is meant for, and to others.

    Args:
        remove: A word of one token.
        add: Another.
    """

    remove: str
    add: str

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit."""
        removed, added = lexicon.single(self.remove), lexicon.single(self.add)
        return [Knowledge(**self.chosen(lexicon), removed_token=removed, added_token=added)]


@component("backpack edit topic")
@dataclass(frozen=True, kw_only=True)
class PreferTopic(Edit):
    """Let senses that speak for a topic weigh more.

    Weights are multiplied by 1 + strength * max(0, z) * annealing^n: z is how much a sense speaks for the words of the
    topic, in standard deviations of what it says over the vocabulary; n is how many words of the topic have been read.
    The idea is that of Hewitt et al. (2023, arXiv 2305.16765); these formulas are this project's.

    Args:
        word: A word of the topic, of one token; may be repeated.
        strength: How much more; 0 changes nothing.
        annealing: From 0 to 1: what is left of the strength after each word of the topic; 1 for no annealing.
    """

    word: list[str] = field(default_factory=list)
    strength: float = 1.0
    annealing: float = 0.9

    def __post_init__(self) -> None:
        check_bounds(self, strength=0, annealing=(0, 1))

    def steps(self, lexicon: Lexicon) -> list[Step]:
        """The edit; `UserError` when no word was said."""
        if not self.word:
            raise UserError("Say the words of the topic: --word.")
        tokens = tuple(dict.fromkeys(lexicon.single(text) for text in self.word))
        return [Topic(tokens=tokens, strength=self.strength, annealing=self.annealing)]
