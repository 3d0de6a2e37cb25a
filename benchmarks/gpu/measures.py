"""What models are measured by."""

from collections.abc import Iterator
from functools import partial

from benchmarks.gpu.device import DRY, PRECISIONS
from benchmarks.gpu.rows import Row, agreeing, losses
from benchmarks.gpu.sentences import ADAMW, BABEL, TOKENIZER, say, side_by_side


def measures() -> Iterator[Row]:
    """What models are measured by, in two precisions, against the CPU."""
    text = f"{BABEL} --block_size 64"
    say(
        f"--steps {8 if DRY else 150} --output lm {TOKENIZER} {text} cli model gpt2 --layers 2 --heads 4 "
        f"--embedding_size 128 {ADAMW} cli train",
        device="cpu",
    )
    sentences = {
        "perplexity": f"cli model load --from lm {text} --split validation cli perplexity",
        "retrieval": "cli model load --from lm cli retrieval --corpus babel --sentences 200 --layer all",
    }
    tags = "cli dataset babel-tags --documents 100"
    tagger = f"cli model token-classifier --from lm {tags} {tags} --split test --name test {ADAMW} cli train cli test"
    side_by_side(
        *(partial(say, f"--output {name}-cpu {line}", device="cpu") for name, line in sentences.items()),
        *(
            partial(say, f"--precision {each} --output {name}-{each} {line}")
            for name, line in sentences.items()
            for each in PRECISIONS
        ),
        *(partial(say, f"--steps 20 --precision {each} --output tagger-{each} {tagger}") for each in PRECISIONS),
    )
    for name in sentences:
        for each in PRECISIONS:
            yield agreeing(f"{name}, {each}", f"{name}-{each}", f"{name}-cpu", 1e-3 if each == "fp32" else 0.1)
    for each in PRECISIONS:
        yield Row(f"tagger, {each}: loss on the test set", f"{losses(f'tagger-{each}', 'test')[0]:.3f}")
