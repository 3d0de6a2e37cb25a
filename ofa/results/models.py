"""What continued pretraining says of the methods."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

from ofa.results.parts import Part, given, mean, runs
from semeqv.results.tables import Table
from semeqv.runs.reading import Line, read_metrics

STEPS = "steps.jsonl"
RIVALS = ("random", "subword-mean", "pairs")


def pretraining(folder: Path) -> Part:
    """Read the losses of all methods, before and after continued pretraining.

    Args:
        folder: Of the run.

    Returns:
        A table, what it shows, and the numbers.
    """
    before, after = losses(folder, "before"), losses(folder, "continued")
    path = {
        method: [on_the_way(folder / "continued" / f"{seed}-{method}") for seed in seeds]
        for method, seeds in after.items()
    }
    rows, numbers = [], list[dict[str, Any]]()
    for method, seeds in sorted(after.items(), key=lambda item: fmean(item[1].values())):
        start = list(before.get("subword-mean" if method == "pairs" else method, {}).values())
        rows.append(
            [
                method,
                given(method),
                str(len(seeds)),
                mean(start) if start else "",
                mean(path[method]),
                mean(list(seeds.values())),
            ]
        )
        numbers += [
            {"method": method, "seed": int(seed), "before": before.get(method, {}).get(seed), "after": loss, "way": way}
            for (seed, loss), way in zip(seeds.items(), path[method])
        ]
    columns = ("method", "is given", "seeds", "before", "on the way", "after")
    table = Table(f"Masked-LM loss on held-out text, {folder.name}", columns, rows, words=2)
    return Part("pretraining", folder.name, [table], verdicts(before, after), numbers)


def losses(folder: Path, inside: str) -> dict[str, dict[str, float]]:
    """Return the last loss on held-out text, by method and seed."""
    by_method: dict[str, dict[str, float]] = defaultdict(dict)
    for method, seed, lines in runs(folder, inside):
        tested = [line for line in lines if line.record.get("split") == "test" and "loss" in line.record]
        if tested:
            by_method[method][seed] = tested[-1].number_at("loss")
    return by_method


def on_the_way(folder: Path) -> float:
    """Average the training loss over all steps."""
    lines: list[Line] = read_metrics(folder / STEPS)
    return fmean(line.number_at("loss") for line in lines)


def verdicts(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]]) -> list[str]:
    """Say which loss is lower, as far as the ranges of the seeds tell."""
    sentences = []
    for when, losses in (("before", before), ("after", after)):
        for one, rival in rivals(after):
            own, theirs = (list(losses.get(each, {}).values()) for each in (one, rival))
            if own and theirs:
                how = "cannot be told by the seeds from"
                if max(own) < min(theirs):
                    how = "is lower in every seed than"
                elif min(own) > max(theirs):
                    how = "is higher in every seed than"
                sentence = f"the loss of {one} ({mean(own)}) {how} that of {rival} ({mean(theirs)})"
                sentences.append(f"{when.capitalize()}: {sentence.replace('ofa', 'OFA')}.")
    return sentences


def rivals(methods: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what is compared: OFA with its rivals, with random rows in as many coordinates, and these with OFA."""
    yield from (("ofa", each) for each in RIVALS)
    for few in (each.removeprefix("ofa-") for each in methods if each.startswith("ofa-")):
        yield f"ofa-{few}", f"random-{few}"
        yield f"random-{few}", "ofa"


NUMBERS = ("cosine", "relative distance", "found")
ABOVE = ("above ofa", "above ofa_low", "above ofa_high")


def hypernetworks(folder: Path) -> Part:
    """Read what was measured on held-out subwords.

    Args:
        folder: Of the run.

    Returns:
        A table, what it shows, and the numbers.
    """
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    numbers = list[dict[str, Any]]()
    subwords = 0
    for _, seed, lines in runs(folder, "evaluated"):
        last = {line.record["by"]: line for line in lines if line.record.get("measure") == "hypernetwork"}
        for by, line in last.items():
            subwords = int(line.number_at("subwords"))
            for name in (*NUMBERS, *ABOVE):
                scores[by][name].append(line.number_at(name))
            numbers.append({"by": by, "seed": int(seed)} | {name: line.number_at(name) for name in (*NUMBERS, *ABOVE)})
    rows = []
    for by, values in scores.items():
        fixed = by in ("ofa", "mean")  # the same whatever the seed
        cells = [mean(values[name][:1] if fixed else values[name]) for name in NUMBERS]
        rows.append([by, "" if fixed else str(len(values["cosine"])), *cells])
    title = f"Coordinates of {subwords:,} held-out subwords, {folder.name}"
    sentences = [verdict(by, scores) for by in scores if by not in ("ofa", "mean")]
    return Part(
        "hypernetworks", folder.name, [Table(title, ("by", "seeds", *NUMBERS), rows, words=2)], sentences, numbers
    )


def verdict(by: str, scores: dict[str, dict[str, list[float]]]) -> str:
    """Say whether a hypernetwork predicts better than OFA, on average over seeds, as far as the interval tells."""
    difference, low, high = (fmean(scores[by][name]) for name in ABOVE)
    how = "above" if low > 0 else "below" if high < 0 else "not to be told from"
    return f"By cosine {by} is {how} OFA: {difference:+.3f} [{low:+.3f}, {high:+.3f}], subword by subword."
