"""Exact attribution: which sense of which token adds what to a logit.

A Backpack is log-linear in its senses, so that the parts are exact (Hewitt et al., 2023, arXiv 2305.16765, equations 3
and 4): the logit of a token v after a text is the sum over positions j and senses l of alpha^l_j E_v C(x_j)_l, where
alpha is the weight that the context gives to a sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from backpack.inspection.lexicon import open_lexicon
from semeqv.grammar.action import AtLeast, Result, action
from semeqv.lazy import torch
from semeqv.results.tables import print_table
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference, name_of
from semeqv.text.generation import prompt_ids
from semeqv.train.compute import Compute


@dataclass(frozen=True)
class Parts:
    """What the senses at all positions add to the logits of the token that follows a text.

    Args:
        weights: `(time, senses)`: alpha at the last position, times the model's `sense_scale`.
        logits: `(tokens, time, senses)`: E_v C(x_j)_l, what a sense would add with a weight of 1.
        whole: `(vocabulary,)`: the logits of the model.
    """

    weights: torch.Tensor
    logits: torch.Tensor
    whole: torch.Tensor

    @property
    def added(self) -> torch.Tensor:
        """Return what each sense adds, `(tokens, time, senses)`; the sum over positions and senses is the logit."""
        return self.weights * self.logits


@dataclass(frozen=True)
class Attribution:
    """A logit, or the difference of two, and its parts.

    Args:
        model: What the model is called.
        prompt: The text.
        read: Its tokens, as they are shown.
        token: The next token.
        against: The token whose logit is subtracted; None when none is.
        logit: That of the model.
        probability: Of the next token.
        weights: Of the senses at each position, `(time, senses)`.
        logits: What a sense would add with a weight of 1, `(time, senses)`.
    """

    model: str
    prompt: str
    read: list[str]
    token: str
    against: str | None
    logit: float
    probability: float
    weights: torch.Tensor
    logits: torch.Tensor

    @property
    def added(self) -> torch.Tensor:
        """Return what each sense adds, `(time, senses)`; the sum is the logit."""
        return self.weights * self.logits

    def summary(self) -> dict[str, Any]:
        """Return the whole as a JSON object: the logit, the sum of its parts, and the sums by sense and by position."""
        return {
            "prompt": self.prompt,
            "token": self.token,
            "against": self.against,
            "logit": self.logit,
            "sum_of_parts": self.added.sum().item(),
            "probability": self.probability,
            "by_sense": self.added.sum(0).tolist(),
            "by_position": self.added.sum(1).tolist(),
        }

    def parts(self) -> Iterator[dict[str, Any]]:
        """Yield all parts: position, the token there, sense, weight, logit at a weight of 1, and what is added."""
        added, weights, logits = self.added.tolist(), self.weights.tolist(), self.logits.tolist()
        for position, token in enumerate(self.read):
            for sense, part in enumerate(added[position]):
                yield {
                    "position": position,
                    "read": token,
                    "sense": sense,
                    "weight": weights[position][sense],
                    "unweighted": logits[position][sense],
                    "part": part,
                }

    def show(self, top: int) -> None:
        """Print the largest parts by absolute value, and that all add up to the logit."""
        lines = sorted(self.parts(), key=lambda line: -abs(line["part"]))
        rows = [
            [line["read"], str(line["position"]), str(line["sense"]), f"{line['weight']:.4f}",
             f"{line['unweighted']:+.3f}", f"{line['part']:+.4f}"]
            for line in lines[:top]
        ]  # fmt: skip
        if rest := lines[top:]:
            rows.append([f"{len(rest)} other parts", "", "", "", "", f"{sum(line['part'] for line in rest):+.4f}"])
        rows.append(["all parts", "", "", "", "", f"{self.added.sum().item():+.4f}"])
        rows.append(["the model", "", "", "", "", f"{self.logit:+.4f}"])
        what = f"Logit of {self.token!r}" + (f" less that of {self.against!r}" if self.against is not None else "")
        title = f"{what} after {self.prompt!r} (probability {self.probability:.3g})"
        print_table(title, ["read", "position", "sense", "weight", "at weight 1", "adds"], rows, words=1)


@dataclass(frozen=True)
class Attributions(Result):
    """Attributions of several logits.

    Args:
        attributions: One for each text and token.
        top: How many parts of each to show.
    """

    attributions: list[Attribution]
    top: int

    def __iter__(self) -> Iterator[Attribution]:
        return iter(self.attributions)

    def __getitem__(self, place: int) -> Attribution:
        return self.attributions[place]

    def show(self) -> None:
        """Print the largest parts of each."""
        for attribution in self:
            attribution.show(self.top)

    def records(self) -> list[dict[str, Any]]:
        """Return one object for each logit."""
        return [{"measure": "attribution", "model": each.model, **each.summary()} for each in self]

    def objects(self) -> list[dict[str, Any]]:
        """Return one object for each logit, with all its parts."""
        return [{**each.summary(), "parts": list(each.parts())} for each in self]

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each part."""
        return [
            {"prompt": each.prompt, "token": each.token, "against": each.against, **part}
            for each in self
            for part in each.parts()
        ]


@action("backpack attribute")
def attribute(
    model: Any,
    tokenizer: Any = None,
    compute: Compute = Compute(),
    *,
    prompt: Sequence[str] = (),
    token: Sequence[str] = (),
    against: str | None = None,
    predictions: Annotated[int, AtLeast(1)] = 3,
    top: Annotated[int, AtLeast(1)] = 10,
) -> Attributions:
    """Attribute the logits of the next token to what each sense at each position adds.

    A Backpack is log-linear in its senses, so that the parts are exact (Hewitt et al., 2023, arXiv 2305.16765,
    equations 3 and 4): the logit of a token v after a text is the sum over positions j and senses l of alpha^l_j E_v
    C(x_j)_l, where alpha is the weight that the context gives to a sense. With --against the difference of two logits
    is taken apart, which is the logarithm of how many times more probable one token is than the other. Senses and
    weights are those of the model as it is, with its edits. Lines go to metrics.jsonl of the run's folder.

    Args:
        model: A Backpack.
        tokenizer: Its tokenizer; that of the model's folder if None.
        compute: Where to compute.
        prompt: The text; may be repeated.
        token: A next token to explain, as it stands after a blank; may be repeated. The likeliest ones if left out.
        against: Explain by how much a token is likelier than this one.
        predictions: So many of the likeliest tokens, when none is named.
        top: How many of the largest parts to print, by absolute value.

    Returns:
        One attribution for each text and token.

    Raises:
        UserError: When there is no text.
    """
    if not prompt:
        raise UserError('There is no text to explain: --prompt "...".')
    lexicon = open_lexicon(model, tokenizer)
    wanted = torch.tensor([lexicon.single(word) for word in token]) if token else None
    other, name = None if against is None else lexicon.single(against), name_of(model)
    with inference(model, compute.device, threads=compute.threads):
        attributions = [
            attribution
            for text in prompt
            for attribution in attributions_of(
                model, lexicon, text, tokens=wanted, against=other, likeliest=predictions, name=name
            )
        ]
    return Attributions(attributions, top)


def attributions_of(
    model: Any,
    lexicon: Any,
    prompt: str,
    *,
    tokens: torch.Tensor | None = None,
    against: int | None = None,
    likeliest: int = 1,
    name: str = "",
) -> list[Attribution]:
    """Attribute what follows a text; other arguments are as those of `parts_of`.

    Args:
        model: A Backpack, in evaluation mode.
        lexicon: Its tokens.
        prompt: The text; `prompt_ids` raises `UserError` when it does not fit the model.
        tokens: `(tokens,)`, whose logits; the likeliest next ones if None.
        against: The token whose logit is subtracted.
        likeliest: How many of the likeliest.
        name: What the model is called.

    Returns:
        One attribution for each token.
    """
    ids = prompt_ids(prompt, lexicon.tokenizer, model, 0)
    tokens, parts = parts_of(model, ids, tokens, likeliest)
    logits, probabilities, sums = parts.logits, parts.whole.softmax(-1)[tokens].tolist(), parts.whole[tokens]
    if against is not None:
        logits = logits - parts_of(model, ids, torch.tensor([against]))[1].logits
        sums = sums - parts.whole[against]
    read = [lexicon.shown[token] for token in ids[0].tolist()]
    shown = None if against is None else lexicon.shown[against]
    weights, logits = parts.weights.cpu(), logits.cpu()
    return [
        Attribution(name, prompt, read, lexicon.shown[token], shown, logit, probability, weights, each)
        for token, logit, probability, each in zip(tokens.tolist(), sums.tolist(), probabilities, logits)
    ]


def parts_of(
    model: Any, ids: torch.Tensor, tokens: torch.Tensor | None = None, likeliest: int = 1
) -> tuple[torch.Tensor, Parts]:
    """Take logits apart.

    Args:
        model: A Backpack, in evaluation mode.
        ids: `(1, time)`, a text without padding.
        tokens: `(tokens,)`, whose logits; the likeliest next ones if None.
        likeliest: How many of those.

    Returns:
        The tokens, `(tokens,)`, and the parts of their logits, in fp32.
    """
    with torch.no_grad():
        outputs = model(input_ids=ids, output_contextualization=True)
        whole = outputs.logits[0, -1].float()
        tokens = whole.topk(min(likeliest, len(whole))).indices if tokens is None else tokens.to(whole.device)
        weights = outputs.contextualization[0, :, -1].T.float() * model.config.sense_scale
        senses = model.senses(ids[0]).float()
        logits = torch.einsum("vd,jld->vjl", model.get_output_embeddings().weight[tokens].float(), senses)
    return tokens, Parts(weights, logits, whole)
