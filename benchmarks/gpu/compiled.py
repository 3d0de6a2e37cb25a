"""Compiled modules on rows of many widths."""

from collections.abc import Iterator
from functools import partial

from benchmarks.gpu.device import BF16, DRY
from benchmarks.gpu.replicas import INCLUDED
from benchmarks.gpu.rows import Row, close, losses, seconds_of
from benchmarks.gpu.sentences import ADAMW, BABEL, ENCODER, TOKENIZER, counted, say, side_by_side


def compiled() -> Iterator[Row]:
    """Compiled modules on rows of many widths: graphs, seconds and losses."""
    steps, layers = (8, 1) if DRY else (150, 2)
    data = f"{TOKENIZER} {BABEL} --batch_size 8 --no-packing"
    models = {
        "gpt2": f"{data} cli model gpt2 --layers {layers} --heads 4 --embedding_size 128",
        "backpack": f"{data} cli model backpack --layers {layers} --heads 4 --embedding_size 128 --senses 4",
        "encoder": f"{data} --objective masked {ENCODER.replace('layers 2', f'layers {layers}')}",
    }
    settings = f"--steps {steps} --record_steps {steps} --precision {BF16}"
    said = {}
    for how, way in (("--compile", "graphs"), ("--no-compile", None)):
        said[how] = side_by_side(
            *(
                partial(say, f"{settings} {how} --output {name}{how} {parts} {ADAMW} cli train", way=way)
                for name, parts in models.items()
            )
        )
    for name, printed in zip(models, said["--compile"]):
        (count,) = counted(printed)
        found = f"{count['graphs']} for {count['widths']} widths, {count['late']} in the second half of the steps"
        yield Row(f"{name}: graphs", found, "none in the second half", count["graphs"] > 0 and count["late"] == 0)
        for how in said:
            what = f"{name} {how}: seconds for {steps} steps, the three models at once{INCLUDED[how]}"
            yield Row(what, seconds_of(f"{name}{how}"))
        one, other = (losses(f"{name}{how}") for how in said)
        yield close(f"{name}: losses compiled against eager", one, other, 0.02)
