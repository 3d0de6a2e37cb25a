"""Each model through the Trainer: it learns a batch by heart, and its run is opened again."""

import itertools
from dataclasses import replace

import pytest
import torch
from tiny_models import SMALL

from semeqv.text.models.architectures import BERT, GPT2, Encoder
from semeqv.text.models.embeddings import is_tied
from semeqv.text.models.opening import open_model
from semeqv.train.optimizers import AdamW
from semeqv.train.saver import DefaultSaver
from semeqv.train.trainer import Trainer

IDS = torch.tensor([[2, 3, 4, 5, 6, 7], [7, 3, 5, 2, 6, 4]])
MASKED = torch.tensor([[2, 3, 1, 5, 6, 7], [7, 3, 5, 2, 1, 4]])


class Data:
    vocabulary_size = 10

    def __init__(self, masked):
        labels = torch.where(MASKED != IDS, IDS, -100) if masked else IDS
        self.batch = {"input_ids": MASKED if masked else IDS, "attention_mask": torch.ones_like(IDS), "labels": labels}

    def __len__(self):
        return 1

    def facts(self):
        return {"hash": "0"}

    def stream(self, seed, start=0):
        return itertools.repeat(self.batch)


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        GPT2(**SMALL, dropout=0.0),
        BERT(**SMALL, dropout=0.0),
        Encoder(**SMALL),
        Encoder(**SMALL, positions="learned", sparse_prediction=True),
    ],
)
def test_a_batch_is_learnt_by_heart_and_the_run_opened(options, tie, tmp_path):
    data = Data(masked=not isinstance(options, GPT2))
    torch.manual_seed(0)
    model = replace(options, tie=tie).build(dataset=data)
    with torch.no_grad():
        first = model(**data.batch).loss.item()
    metrics = (
        Trainer()
        .set_model(model)
        .set_optimizer(AdamW(learning_rate=0.01, weight_decay=0.0))
        .set_trainsplit(data)
        .set_output(tmp_path / "run")
        .set_saver(DefaultSaver().build())
        .set_device("cpu")
        .set_steps(60)
        .train()
    )
    assert metrics["loss"].item() < 0.3 * first
    again = open_model(tmp_path / "run").eval()
    assert is_tied(again) == tie
    batch = {name: tensor for name, tensor in data.batch.items() if name != "labels"}
    assert torch.equal(again(**batch).logits, model.eval()(**batch).logits)
