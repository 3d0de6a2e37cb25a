"""The study of vocabularies from Python: what a cell of a notebook does."""

import copy

import pytest
import torch
from tiny import model

from ofa import METHODS, EmbeddingOptions, FactorisedForMaskedLM, transplant
from ofa.vectors.word_vectors import read_vectors
from semeqv.text.models.opening import open_model


@pytest.mark.parametrize("name", ["subword-mean", "ofa"])
def test_a_model_is_given_a_new_vocabulary(tokenizers, vectors, save, run_cli, *, name, capsys):
    old, new = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    bert = model("bert", old)
    before = copy.deepcopy(bert.state_dict())
    options = {"vectors": read_vectors(vectors)} if name == "ofa" else {}

    made = transplant(bert, old, new, name, **options)
    rows = made.model.get_input_embeddings().weight

    assert capsys.readouterr().out == ""  # functions print nothing
    assert rows.shape == (400, 16)
    assert sum(made.counts.values()) == 400
    for line in made.provenance():
        if line["kind"] == "copied":
            assert torch.equal(rows[line["id"]], bert.get_input_embeddings().weight[line["from"][0]["id"]])
    assert len(made.rows("combined")) == made.counts["combined"]
    assert all(torch.equal(before[key], tensor) for key, tensor in bert.state_dict().items())

    folder = save(bert, old).parent  # and as a command
    new.save_pretrained(folder / "target")
    vectors_option = f"--vectors {vectors}" if name == "ofa" else ""
    run_cli(f"cli ofa init {name} --from old --target_tokenizer target --output by-command {vectors_option}")
    assert torch.equal(open_model(folder / "by-command").get_input_embeddings().weight, rows)
    made.save(folder / "by-function")
    for file in ("model.safetensors", "provenance.jsonl", "tokenizer.json"):
        assert (folder / "by-command" / file).read_bytes() == (folder / "by-function" / file).read_bytes()


def test_embeddings_are_factorised(tokenizers):
    old, new = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    made = transplant(model("bert", old), old, new, "mean", embedding=EmbeddingOptions(keep_dim=6))
    assert isinstance(made.model, FactorisedForMaskedLM)
    assert made.model.get_input_embeddings().weight.shape == (400, 6)


def test_a_method_that_is_not_there_is_named(tokenizers):
    with pytest.raises(ValueError, match=f"There is no method 'best'; there is {', '.join(METHODS)}"):
        transplant(None, None, None, "best")
