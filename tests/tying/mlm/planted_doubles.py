"""Run folders in which words end at a known distance from their doubles."""

import json

import numpy

WORDS = tuple(["the", "of", "to", "and", "in", "that", "is", "for", "we", "this", "on", "it"])
PAIRS = {
    "doubles": [(i, i + 12) for i in range(12)],
    "random": [(i, (i + 5) % 12) for i in range(12)],
    "neighbours": [(i, i + 1) for i in range(11)],
}
SENTENCE = [
    "mlm dataset plain --split validation --swap 0.9",
    "mlm dataset plain --split train --swap {swap}",
    "model encoder",
    "optimizers adamw --learning_rate 0.001",
]
FACTS = {"dataset": {"validation": {"doubles": {"loss without context": 5.5}}}}


def experiment(parent, *, near, cost=0.0, models=("encoder", "encoderwt"), loss=5.0, swap=0.5, name="planted"):
    """Write runs of three seeds: distances of about 2, to doubles at the end `near` of that; `cost` of tying."""
    for seed in (1, 2, 3):
        for model in models:
            folder = parent / name / f"{seed}-{model}"
            folder.mkdir(parents=True)
            generator = numpy.random.default_rng(seed)
            array = generator.uniform(1.9, 2.1, (5, 24, 24)).astype(numpy.float32)
            array[-1, range(12), range(12, 24)] *= near
            tied = model.endswith("wt")
            numpy.save(folder / "input_cdists.npy", array)
            numpy.save(folder / "output_cdists.npy", array if tied else 1.5 * array)
            names = [*WORDS, *(word + "′" for word in WORDS)]
            (folder / "followed.json").write_text(
                json.dumps({"every": {"steps": 50}, "names": names, "pairs": PAIRS}, ensure_ascii=False)
            )
            (folder / "run.json").write_text(
                json.dumps({"sentence": {"parts": [part.format(swap=swap) for part in SENTENCE]}, "facts": FACTS})
            )
            line = {"step": 200, "split": "validation", "loss": loss + cost * tied}
            (folder / "metrics.jsonl").write_text(json.dumps(line).replace("NaN", "null") + "\n")
    return parent / name
