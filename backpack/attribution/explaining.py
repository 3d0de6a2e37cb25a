"""Predictions explained, as tables and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from backpack.attribution.parts import parts_of
from backpack.senses.lexicon import Lexicon
from semeqv.tasks.measures.report import print_table
from semeqv.text.generation import prompt_ids

if TYPE_CHECKING:
    from backpack.attribution.attribute import Attribute


@dataclass(frozen=True)
class Explained:
    """A logit, or the difference of two, and its parts.

    Args:
        prompt: The text.
        read: Its tokens, as they are shown.
        token: The next token.
        against: The token whose logit is subtracted; None when none is.
        logit: What the model says.
        probability: Of the next token.
        weights: Of the senses at each position, `(time, senses)`.
        logits: What a sense would add with a weight of 1, `(time, senses)`.
    """

    prompt: str
    read: list[str]
    token: str
    against: str | None
    logit: float
    probability: float
    weights: Tensor
    logits: Tensor

    @property
    def added(self) -> Tensor:
        """What each sense adds, `(time, senses)`."""
        return self.weights * self.logits

    def summary(self) -> dict[str, Any]:
        """The whole as a JSON object."""
        by_sense, by_position = self.added.sum(0), self.added.sum(1)
        return {
            "prompt": self.prompt,
            "token": self.token,
            "against": self.against,
            "logit": self.logit,
            "sum_of_parts": self.added.sum().item(),
            "probability": self.probability,
            "by_sense": by_sense.tolist(),
            "by_position": by_position.tolist(),
        }


def explain(options: "Attribute", model: Any, lexicon: Lexicon, prompt: str) -> list[Explained]:
    """Explain what follows a text.

    Args:
        options: Which tokens.
        model: A Backpack, in evaluation mode.
        lexicon: Its tokens.
        prompt: The text; `prompt_ids` raises `UserError` when it does not fit the model.

    Returns:
        One explanation for each token.
    """
    ids = prompt_ids(prompt, lexicon.tokenizer, model, 0)
    asked = [lexicon.single(text) for text in options.token]
    tokens, found = parts_of(model, ids, torch.tensor(asked) if asked else None, options.predictions)
    logits, whole = found.logits, found.whole
    probabilities, said = whole.softmax(-1)[tokens].tolist(), whole[tokens]
    if options.against is not None:
        other = torch.tensor([lexicon.single(options.against)])
        logits = logits - parts_of(model, ids, other)[1].logits
        said = said - whole[other.to(whole.device)]
    read = [lexicon.shown[token] for token in ids[0].tolist()]
    weights, logits = found.weights.cpu(), logits.cpu()
    against = None if options.against is None else options.against.strip()
    return [
        Explained(prompt, read, lexicon.shown[token], against, logit, probability, weights, each)
        for token, logit, probability, each in zip(tokens.tolist(), said.tolist(), probabilities, logits)
    ]


def lines_of(one: Explained) -> Iterator[dict[str, Any]]:
    """All parts as JSON: position, the token there, sense, weight, logit at a weight of 1, and what is added."""
    added, weights, logits = one.added.tolist(), one.weights.tolist(), one.logits.tolist()
    for position, token in enumerate(one.read):
        for sense, part in enumerate(added[position]):
            yield {
                "position": position,
                "read": token,
                "sense": sense,
                "weight": weights[position][sense],
                "unweighted": logits[position][sense],
                "part": part,
            }


def print_explained(one: Explained, top: int) -> None:
    """Print the largest parts, and that they add up.

    Args:
        one: What to print.
        top: How many parts.
    """
    lines = sorted(lines_of(one), key=lambda line: -abs(line["part"]))
    rows = [
        [line["read"], str(line["position"]), str(line["sense"]), f"{line['weight']:.4f}",
         f"{line['unweighted']:+.3f}", f"{line['part']:+.4f}"]
        for line in lines[:top]
    ]  # fmt: skip
    if rest := lines[top:]:
        rows.append([f"{len(rest)} other parts", "", "", "", "", f"{sum(line['part'] for line in rest):+.4f}"])
    rows.append(["all parts", "", "", "", "", f"{one.added.sum().item():+.4f}"])
    rows.append(["the model", "", "", "", "", f"{one.logit:+.4f}"])
    what = f"Logit of {one.token!r}" + (f" less that of {one.against!r}" if one.against is not None else "")
    title = f"{what} after {one.prompt!r} (probability {one.probability:.3g})"
    print_table(title, ["read", "position", "sense", "weight", "at weight 1", "adds"], rows, words=1)
