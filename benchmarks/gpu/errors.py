"""Ids beyond the model."""

import itertools
from collections.abc import Iterator

import torch

from benchmarks.gpu.device import DEVICE
from benchmarks.gpu.rows import Row
from benchmarks.gpu.sentences import ADAMW, BABEL, TOKENIZER, say


class Beyond:
    """Tokens that a model of 50 knows, but for one in the third batch."""

    def __len__(self) -> int:
        return 4

    def stream(self, seed: int, start: int = 0) -> Iterator[dict[str, torch.Tensor]]:
        for i in itertools.count(start):
            ids = torch.arange(8).reshape(2, 4) + (45 if i == 2 else 0)
            yield {"input_ids": ids, "labels": ids}


def errors() -> Iterator[Row]:
    """Ids beyond the model, last: on CUDA they would end the process."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from semeqv.runs.errors import UserError
    from semeqv.train.optimizers import AdamW
    from semeqv.train.trainer import Trainer

    data = f"{TOKENIZER} {BABEL} --block_size 64"
    model = "cli model gpt2 --layers 1 --heads 1 --embedding_size 8"
    say(f"--steps 2 --output small {data.replace('1000', '400')} {model} {ADAMW} cli train")
    said = say(f"--steps 2 --output beyond {data} cli model load --from small {ADAMW} cli train", code=2)
    last = said.strip().splitlines()[-1]
    yield Row("a tokenizer with more tokens than the model", last[:100], "one line", last.startswith("Error"))

    network = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1))
    trainer = Trainer().set_model(network).set_optimizer(AdamW()).set_trainsplit(Beyond()).set_steps(4)
    told = "no error"
    try:
        trainer.set_device(DEVICE).set_bars(False, False, False, False).train()
    except UserError as error:
        told = str(error)
    right = "token id 52" in told
    yield Row("an id beyond the model, in the third batch", told[:100], "an error that names the id", right)
