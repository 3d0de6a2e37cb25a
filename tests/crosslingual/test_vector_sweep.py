"""A model at many strengths of vectors."""

import pytest
import torch
from transformers import BertModel
from vector_models import body, model_of, saved

from crosslingual import Checkpoint
from crosslingual.strengths import with_vectors
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference


@pytest.fixture
def parts(tmp_path):
    """A model of a task, a vector of another model, both as tensors, and the vector."""
    base, tuned, task = model_of("bert"), model_of("bert-mlm", 1), model_of("bert-tags", 2)
    saved(base, tmp_path / "base")
    saved(tuned, tmp_path / "tuned")
    vector = Checkpoint.open(tmp_path / "tuned") - Checkpoint.open(tmp_path / "base")
    tau = {name: body(tuned)[name] - each for name, each in body(base).items()}
    return task, {name: each.clone() for name, each in body(task).items()}, vector, tau


def test_a_point_does_not_depend_on_those_before_it(parts):
    task, theta, vector, tau = parts
    points = [0.1, 1.0, 0.3, 0.0, 0.3, -2.0]
    for (point,), model in with_vectors(task, [vector], points):
        assert model is task
        for name, found in body(model).items():
            assert torch.equal(found, theta[name] + point * tau[name])
    assert all(torch.equal(found, theta[name]) for name, found in body(task).items())


def test_a_grid_of_two_vectors_has_the_bits_of_the_formula(parts):
    task, theta, vector, tau = parts
    head = task.classifier.weight.clone()
    half = vector.only("layer 1")
    for (one, other), model in with_vectors(task, [vector, half], [(0.5, 0.25), (0.5, 0.75)]):
        for name, found in body(model).items():
            wanted = theta[name] + one * tau[name]
            assert torch.equal(found, wanted + other * tau[name] if ".layer.1." in name else wanted)
        assert torch.equal(task.classifier.weight, head)


def test_the_sweep_and_what_is_saved_are_the_same(parts, tmp_path):
    task, _, vector, _ = parts
    saved(task, tmp_path / "task")
    (Checkpoint.open(tmp_path / "task") + 0.4 * vector).save(tmp_path / "new")
    found = {name: torch.from_numpy(each) for name, each in Checkpoint.open(tmp_path / "new").tensors()}
    for _, model in with_vectors(task, [vector], [0.4]):
        assert all(torch.equal(found[name], each) for name, each in body(model).items())
        assert torch.is_grad_enabled()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_computed_at_a_point_does_not_depend_on_those_before_it(parts, precision):
    task, _, vector, _ = parts
    ids = torch.arange(8)[None]
    with inference(task, "cpu", precision):
        (alone,) = [model(ids).logits for _, model in with_vectors(task, [vector], [3.0])]
        plain, moved = (model(ids).logits for _, model in with_vectors(task, [vector], [0.0, 3.0]))
        again = task(ids).logits
    assert torch.equal(alone, moved)
    assert torch.equal(plain, again)
    assert not torch.equal(plain, moved)


def test_vectors_of_other_tokens_are_refused(tmp_path, parts):
    _, _, vector, _ = parts
    model = BertModel.from_pretrained(saved(model_of("bert"), tmp_path / "other", words=29))
    with pytest.raises(UserError, match="one token would be added to another"):
        next(with_vectors(model, [vector], [0.5]))


def test_a_model_is_what_it_was_when_a_sweep_is_left(parts):
    task, theta, vector, _ = parts
    sweep = with_vectors(task, [vector], [0.5, 1.0])
    next(sweep)
    sweep.close()
    assert all(torch.equal(found, theta[name]) for name, found in body(task).items())


def test_a_model_in_bf16_is_rounded_once(parts):
    task, _, vector, tau = parts
    task = task.bfloat16()
    theta = {name: each.clone() for name, each in body(task).items()}
    assert len(list(with_vectors(task, [vector], [0.5, 0.7]))) == 2
    for (point,), model in with_vectors(task, [vector], [0.7]):
        for name, found in body(model).items():
            assert torch.equal(found, (theta[name].float() + point * tau[name]).bfloat16())


def test_what_does_not_fit_is_one_line(parts):
    task, _, vector, _ = parts
    with pytest.raises(UserError, match="There are 1 vectors, and 2 numbers"):
        next(with_vectors(task, [vector], [(0.1, 0.2)]))
    with pytest.raises(UserError, match=r"has the shape .* in the model"):
        next(with_vectors(model_of("bert", hidden_size=18), [vector], [0.1]))


@pytest.mark.parametrize("kind", ["xlmr", "bert-mlm", "gpt2"])
def test_a_head_that_is_tied_follows_its_embedding(tmp_path, kind):
    model = model_of(kind)
    tau = Checkpoint.open(saved(model_of(kind, 1), tmp_path / "1")) - Checkpoint.open(saved(model, tmp_path / "0"))
    for _, moved in with_vectors(model, [tau], [0.5]):
        reads = moved.get_input_embeddings().weight
        assert torch.equal(reads, moved.get_output_embeddings().weight)
        assert not torch.equal(reads, model_of(kind).get_input_embeddings().weight)
