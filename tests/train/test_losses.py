"""The losses."""

import pytest
import torch
from torch import nn

from semeqv.train.losses import CrossEntropy, cross_entropy
from tests.sentences import DATA, MODEL, OPTIMIZER, VALID


@pytest.mark.parametrize("classes", [3, 500])
def test_a_class_that_is_ruled_out_does_no_harm(classes):
    logits = torch.zeros(1, classes)
    logits[0, 0] = -torch.inf
    found = cross_entropy({"logits": logits}, {"labels": torch.tensor([1])})["loss"]
    torch.testing.assert_close(found, torch.tensor(classes - 1.0).log())


@pytest.mark.parametrize("classes", [7, 500])
def test_cross_entropy_is_torchs(classes):
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 9, classes, requires_grad=True), torch.randint(classes, (2, 9), dtype=torch.int32)
    labels[0, :4] = -100
    ours = cross_entropy({"logits": logits}, {"labels": labels})
    theirs = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten().long(), ignore_index=-100)
    torch.testing.assert_close(ours["loss"], theirs)
    (a,), (b,) = torch.autograd.grad(ours["loss"], logits), torch.autograd.grad(theirs, logits)
    torch.testing.assert_close(a, b)
    right = (logits.argmax(-1) == labels)[labels != -100].float().mean()
    torch.testing.assert_close(ours["accuracy"], right)


@pytest.mark.parametrize("classes", [7, 500])
@pytest.mark.parametrize("smoothing", [0.1, 0.9])
def test_smoothed_cross_entropy_is_torchs(classes, smoothing):
    torch.manual_seed(0)
    logits, labels = torch.randn(2, 9, classes, requires_grad=True), torch.randint(classes, (2, 9), dtype=torch.int32)
    labels[0, :4] = -100
    ours = CrossEntropy(label_smoothing=smoothing).build()({"logits": logits}, {"labels": labels})
    theirs = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten().long(), label_smoothing=smoothing)
    torch.testing.assert_close(ours["loss"], theirs)
    (a,), (b,) = (torch.autograd.grad(loss, logits, retain_graph=True) for loss in (ours["loss"], theirs))
    torch.testing.assert_close(a, b)
    plain = cross_entropy({"logits": logits}, {"labels": labels})
    torch.testing.assert_close(ours["cross_entropy"], plain["loss"])
    assert ours["accuracy"] == plain["accuracy"]


def test_without_labels_there_is_no_loss():
    batch = {"labels": torch.full((2, 3), -100)}
    found = CrossEntropy(label_smoothing=0.1).build()({"logits": torch.randn(2, 3, 5)}, batch)
    assert [value.item() for value in found.values()] == [0, 0, 0]


def test_smoothing_of_nothing_is_what_it_was():
    assert CrossEntropy().build() is cross_entropy
    with pytest.raises(ValueError, match=r"--label_smoothing must be from 0 to below 1, not 1.0\."):
        CrossEntropy(label_smoothing=1.0)


def test_replicas_smooth_too(run_cli):
    smooth = "cli loss cross-entropy --label_smoothing 0.1"
    assert (
        "cross_entropy" in run_cli(f"--seeds 1..2 --epochs 2 {DATA} {VALID} {MODEL} {smooth} {OPTIMIZER} cli train").out
    )
