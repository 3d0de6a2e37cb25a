"""The parts of a prediction as an action."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semeqv.engine.component import check_bounds, component
from semeqv.engine.errors import UserError


@component("backpack attribute")
@dataclass(frozen=True, kw_only=True)
class Attribute:
    """Take the logits of the next token apart into what each sense at each position adds.

    A Backpack is log-linear in its senses, so that the parts are exact (Hewitt et al., 2023, arXiv 2305.16765,
    equations 3 and 4): the logit of a token v after a text is the sum over positions j and senses l of alpha^l_j E_v
    C(x_j)_l, where alpha tells how much the context asks for a sense. With --against the difference of two logits is
    taken apart, which is the logarithm of how many times more probable one token is than the other. Senses and weights
    are those of the model as it is, so edits count. Lines go to metrics.jsonl of the run's folder.

    Args:
        prompt: The text; may be repeated.
        token: A next token to explain, as it stands after a blank; may be repeated. The likeliest ones if left out.
        against: Explain by how much a token is likelier than this one.
        predictions: So many of the likeliest tokens, when none is named.
        top: How many of the largest parts to print, by absolute value.
        json: Write all parts to this file.
        csv: Write all parts, one a line, to this file.
    """

    prompt: list[str] = field(default_factory=list)
    token: list[str] = field(default_factory=list)
    against: str | None = None
    predictions: int = 3
    top: int = 10
    json: Path | None = None
    csv: Path | None = None

    def __post_init__(self) -> None:
        check_bounds(self, predictions=1, top=1)

    def build(
        self, *, model: Any, device: str, threads: int | None, record: Callable[..., None], tokenizer: Any = None
    ) -> None:
        """Take apart, print, and write.

        Args:
            model: A Backpack.
            device: Where to compute.
            threads: Of a CPU.
            record: Adds lines to metrics.jsonl.
            tokenizer: Of the run; that of the model's folder if None.

        Raises:
            UserError: When there is no text.
        """
        import json

        import click

        from backpack.attribution.explaining import explain, lines_of, print_explained
        from backpack.senses.describing import open_lexicon
        from semeqv.engine.runs import write_text
        from semeqv.tasks.measures.inference import inference, name_of
        from semeqv.tasks.measures.report import write_csv

        if not self.prompt:
            raise UserError('There is no text to explain: --prompt "...".')
        lexicon = open_lexicon(model, tokenizer)
        with inference(model, device, threads=threads):
            found = [each for prompt in self.prompt for each in explain(self, model, lexicon, prompt)]
        for one in found:
            print_explained(one, self.top)
        record([{"measure": "attribution", "model": name_of(model), **one.summary()} for one in found])
        if self.json is not None:
            said = [{**one.summary(), "parts": list(lines_of(one))} for one in found]
            write_text(self.json, json.dumps(said, indent=1, ensure_ascii=False) + "\n")
            click.echo(f"wrote {self.json}")
        if self.csv is not None:
            lines = [{"prompt": one.prompt, "token": one.token, "against": one.against, **line}
                     for one in found for line in lines_of(one)]  # fmt: skip
            write_csv(self.csv, lines)
