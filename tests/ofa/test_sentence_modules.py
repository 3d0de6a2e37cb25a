"""Encoders of sentences that are given new tokens."""

import json

import numpy
import pytest
import torch
from tiny import model
from transformers import AutoModel, AutoTokenizer

KIND = "sentence_transformers.models"
INIT = "cli ofa init mean --from old --target_tokenizer target --output new"


@pytest.fixture
def sentences(save, tokenizers, tmp_path):
    """A folder of sentence-transformers with a small model, beside a new tokenizer; gives what `modules.json` says."""
    first, second = tokenizers["wordpiece", "lume"], tokenizers["bpe", "drask"]
    first.model_max_length = 38
    old = save(model("body", first), first)
    first.model_max_length = int(1e30)
    second.save_pretrained(tmp_path / "target")
    modules = [
        {"idx": place, "name": str(place), "path": f"{place}_{kind}" if place else "", "type": f"{KIND}.{kind}"}
        for place, kind in enumerate(("Transformer", "Pooling", "Normalize"))
    ]
    write(old / "modules.json", modules)
    write(old / "sentence_bert_config.json", {"max_seq_length": 12, "do_lower_case": True})
    write(old / "config_sentence_transformers.json", {"__version__": {}, "prompts": {"query": "q: "}})
    (old / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}
    write(old / "1_Pooling" / "config.json", pooling)
    (old / "README.md").write_text("The old model.\n")
    return modules


def write(path, value):
    path.write_text(json.dumps(value))


def test_the_modules_stay(run_cli, sentences, tmp_path):
    run_cli(INIT)
    new = tmp_path / "new"
    assert json.loads((new / "modules.json").read_text()) == sentences
    assert (new / "1_Pooling/config.json").read_text() == (tmp_path / "old/1_Pooling/config.json").read_text()
    assert (new / "2_Normalize").is_dir()
    assert json.loads((new / "sentence_bert_config.json").read_text()) == {"max_seq_length": 12}
    settings = json.loads((new / "config_sentence_transformers.json").read_text())
    assert settings["prompts"] == {"query": "q: "}
    assert not (new / "README.md").exists()
    assert AutoTokenizer.from_pretrained(new).model_max_length == 38


@pytest.mark.usefixtures("sentences")
def test_it_is_opened_as_an_encoder_of_sentences(run_cli, tmp_path):
    library = pytest.importorskip("sentence_transformers", reason="needs pip install -e '.[minilm]'")
    run_cli(INIT)
    encoder = library.SentenceTransformer(str(tmp_path / "new"), device="cpu")
    texts = ["gåk dråkesh", "krøgagesh " * 30]
    found = encoder.encode(texts)
    numpy.testing.assert_allclose(numpy.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert encoder.max_seq_length == 12
    tokenizer, body = AutoTokenizer.from_pretrained(tmp_path / "new"), AutoModel.from_pretrained(tmp_path / "new")
    batch = tokenizer(texts, padding=True, truncation=True, max_length=12, return_tensors="pt")
    mask = batch["attention_mask"][..., None]
    with torch.no_grad():
        states = body.eval()(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    means = (states * mask).sum(1) / mask.sum(1)
    numpy.testing.assert_allclose(found, torch.nn.functional.normalize(means).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("modules.json", "no list", "holds no JSON list"),
        ("modules.json", [{"path": ""}], "no list of modules"),
        ("modules.json", [{"path": "../old", "type": "a.Pooling"}], "is no folder beside it"),
        ("modules.json", [{"path": "3_Dense", "type": "a.Dense"}], "has no 3_Dense, the Dense of its modules.json"),
        ("modules.json", [{"path": "", "type": "a.StaticEmbedding"}], "made for the old tokens"),
        ("sentence_bert_config.json", [], "holds no JSON object"),
    ],
)
@pytest.mark.usefixtures("sentences")
def test_modules_that_cannot_stay_are_named(run_cli, tmp_path, name, value, said):
    write(tmp_path / "old" / name, value)
    assert said in run_cli(INIT, code=2).err
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("sentences")
def test_another_model_becomes_none(run_cli, tmp_path):
    (tmp_path / "old/modules.json").unlink()
    run_cli(INIT)
    assert not [each.name for each in (tmp_path / "new").iterdir() if "sentence" in each.name or each.is_dir()]
