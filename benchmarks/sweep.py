"""A model of 278M parameters at eleven strengths of a vector, against opening it anew for each.

Ours holds model and vector once and computes each point in place of the last (`crosslingual.strengths.with_vectors`).
The peer does what one would write by hand: it opens the model by `from_pretrained` at each strength and adds the
vector, a dictionary of tensors that it holds, to it. At every point all tensors of the body must be the same to the
bit.
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.merge import XLMR, Case, models
from benchmarks.paired import Row, pairs, summary

STRENGTHS = [step / 10 for step in range(11)]
ROUNDS = 3


def run(case: Case = XLMR) -> list[Row]:
    """CPU and wall time of a sweep, nothing measured in it."""
    import torch
    from transformers import XLMRobertaForMaskedLM

    from crosslingual import Checkpoint
    from crosslingual.strengths import with_vectors

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = models(folder, case)
        opened = {each: XLMRobertaForMaskedLM.from_pretrained(folder / each) for each in ("task", "tuned", "base")}
        start, end = (opened[each].roberta.state_dict() for each in ("base", "tuned"))
        tau = {each: end[each] - start[each] for each in start}
        vector = Checkpoint.open(folder / "tuned") - Checkpoint.open(folder / "base")
        model = opened.pop("task")

        def added(strength: float) -> Any:
            anew = XLMRobertaForMaskedLM.from_pretrained(folder / "task")
            with torch.no_grad():
                for each, tensor in anew.roberta.state_dict().items():
                    tensor.add_(strength * tau[each])
            return anew

        def ours() -> None:
            for _ in with_vectors(model, [vector], STRENGTHS):
                pass

        def peer() -> None:
            for strength in STRENGTHS:
                added(strength)

        for (strength,), moved in with_vectors(model, [vector], STRENGTHS):
            both = zip(moved.roberta.parameters(), added(strength).roberta.parameters())
            assert all(torch.equal(one, other) for one, other in both), f"the points at {strength} differ"
        found = pairs(ours, peer, ROUNDS)
    rows = []
    for place, quantity in enumerate(("CPU", "wall")):
        medians = summary([each[place] for each in found], [each[place + 2] for each in found])
        said = f"{quantity}: eleven points, fp32, files in the page cache; peer: `from_pretrained` at each, vector held"
        what = f"sweep of {len(STRENGTHS)} strengths, {count / 1e6:.0f}M parameters, {quantity}"
        rows.append(Row(what, *medians, "s", said))
    return rows
