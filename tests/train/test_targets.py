"""Batches, and parts of them, weigh by their targets: those of a causal model, and none at all."""

import itertools

import pytest
import torch
from torch import nn

from semeqv.train.losses import CrossEntropy
from semeqv.train.optimizers import AdamW
from semeqv.train.trainer import Trainer


class Tokens(nn.Module):
    """A model of tokens with a loss of its own: NaN where nothing is to be predicted, as in Hugging Face models."""

    def __init__(self, causal):
        super().__init__()
        torch.manual_seed(0)
        self.map, self.predicts_next = nn.Embedding(5, 5), causal

    def forward(self, input_ids, labels):
        logits = self.map(input_ids)
        wanted, said = (labels[:, 1:], logits[:, :-1]) if self.predicts_next else (labels, logits)
        loss = nn.functional.cross_entropy(said.flatten(0, 1), wanted.flatten(), ignore_index=-100)
        return {"loss": loss, "logits": logits}


class Rows:
    """The same batches again and again, each of one row of 6 tokens, of which as many as said have a label."""

    def __init__(self, *counts, together=False):
        ids = torch.arange(6 * len(counts)).reshape(len(counts), 6) % 5
        labels = torch.stack([row.where(torch.arange(6) < count, -100) for row, count in zip(ids, counts)])
        batch = {"input_ids": ids, "labels": labels}
        rows = [{name: each[i : i + 1] for name, each in batch.items()} for i in range(len(counts))]
        self.made = [batch] if together else rows

    def __len__(self):
        return len(self.made)

    def stream(self, seed, start=0):
        return itertools.cycle(self.made)

    def batches(self):
        return iter(self.made)


@pytest.mark.parametrize("own", [True, False], ids=["own loss", "cross-entropy"])
@pytest.mark.parametrize(("causal", "counts"), [(True, (6, 2)), (False, (6, 2)), (True, (6, 1)), (False, (3, 0))])
def test_rows_apart_are_rows_together(causal, counts, own):
    found = []
    for together in (True, False):
        data, model = Rows(*counts, together=together), Tokens(causal)
        trainer = Trainer().set_model(model).set_trainsplit(data).set_validsplit(data).set_steps(3)
        trainer.set_loss_fn(None if own else CrossEntropy().build(model)).set_optimizer(AdamW(learning_rate=0.1))
        metrics = trainer.set_accumulation(len(data)).set_device("cpu").train()
        found.append((torch.tensor(metrics["loss"]), model.map.weight.detach()))
    torch.testing.assert_close(*found)
    assert found[0][1].isfinite().all()
