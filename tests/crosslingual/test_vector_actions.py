"""Vectors on the command line."""

import json

import pytest
import torch
from transformers import AutoModelForTokenClassification
from vector_models import body, model_of, saved

from crosslingual.figures.vectors import read_cosines


@pytest.fixture
def folders(tmp_path, run_cli):
    """A base, two models trained from it, and a model of a task; the tensors of each."""
    models = {"base": model_of("bert-mlm"), "es": model_of("bert-mlm", 1), "de": model_of("bert-mlm", 2)}
    models["ner"] = model_of("bert-tags", 3)
    for name, model in models.items():
        saved(model, tmp_path / name)
    return {name: body(model) for name, model in models.items()}


def opened(folder):
    return body(AutoModelForTokenClassification.from_pretrained(folder))


def test_a_vector_is_made_applied_and_taken_off(folders, run_cli, tmp_path):
    said = run_cli("cli crosslingual vector --from es --base base --output vectors/es").out
    assert said.startswith("wrote vectors/es: ")
    assert json.loads((tmp_path / "vectors/es/vector.json").read_text())["formula"] == "es - base"
    run_cli("cli crosslingual apply --from ner --add 0.5 vectors/es --add -0.25 de --base base --output new")
    for name, found in opened("new").items():
        e, d, b, n = (folders[each][name] for each in ("es", "de", "base", "ner"))
        assert torch.equal(found, n + 0.5 * (e - b) + -0.25 * (d - b))
    said = json.loads((tmp_path / "new/merge.json").read_text())
    assert said["formula"] == "ner + 0.5 * vectors/es + (-0.25 * (de - base))"
    assert said["copied from the first model"] == ["classifier.bias", "classifier.weight"]
    run_cli("cli crosslingual apply --from ner --add 0 vectors/es --output new --overwrite --dtype float16")
    assert opened("new")["embeddings.LayerNorm.bias"].dtype == torch.float16


def test_a_model_that_has_diverged_makes_no_vector(folders, run_cli, tmp_path):
    broken = model_of("bert-mlm", 4)
    with torch.no_grad():
        broken.bert.embeddings.LayerNorm.bias[3] = torch.nan
    saved(broken, tmp_path / "broken")
    said = run_cli("cli crosslingual vector --from broken --base base --output vector", code=2).err
    assert "a number in 'embeddings.LayerNorm.bias' that is not finite" in said
    assert not (tmp_path / "vector").exists()


def test_a_label_too_many_is_one_line(folders, run_cli):
    words = "cli crosslingual compare es de --base base --label one --label two --label three"
    assert "3 labels for 2 vectors" in run_cli(words, code=2).err


@pytest.mark.parametrize("method", ["linear", "ties --density 0.3", "dare", "dare --density 1", "slerp"])
def test_models_are_merged(folders, run_cli, method):
    run_cli(f"--seed 3 cli crosslingual merge --method {method} --base base --add 1 es --add 3 de --output one")
    run_cli("cli crosslingual vector --from es --base base --output es-base")
    run_cli(f"--seed 3 cli crosslingual merge --method {method} --base base --add 1 es-base --add 3 de --output two")
    one, two = opened("one"), opened("two")
    for name in one:
        torch.testing.assert_close(one[name], two[name])
    if method in ("linear", "dare --density 1"):
        for name, base in folders["base"].items():
            wanted = base + ((folders["es"][name] - base) + 3 * (folders["de"][name] - base))
            assert torch.equal(one[name], wanted)
    if method == "dare":
        changed = torch.cat([(one[name] != base).flatten() for name, base in folders["base"].items()])
        assert abs(changed.float().mean() - 0.19) < 0.02
        run_cli("--seed 4 cli crosslingual merge --method dare --base base --add 1 es --add 3 de --output three")
        three = opened("three")
        assert any(not torch.equal(one[name], three[name]) for name in one)


def test_vectors_are_compared_and_drawn(folders, run_cli, tmp_path):
    run_cli("cli crosslingual vector --from es --base base --output vectors/es")
    line = (
        "--output run cli crosslingual compare vectors/es de ner --base base --label Spanish --csv cosines.csv --layers"
    )
    said = run_cli(line).out
    assert "Cosines of vectors, layer 1" in said
    es, de = (torch.cat([(folders[n][k] - b).flatten() for k, b in folders["base"].items()]) for n in ("es", "de"))
    cosine = torch.cosine_similarity(es, de, 0).item()
    for path in ("run", "cosines.csv"):
        found = read_cosines(tmp_path / path, "all")
        assert found.labels == ["Spanish", "de", "ner"]
        assert found.matrix[0][1] == found.matrix[1][0] == pytest.approx(cosine, abs=1e-6)
        assert found.matrix[2][2] == pytest.approx(1)
    run_cli("cli vectors-view run cosines.csv --layer all --layer 'layer 0' --output figures/cosines --title Cosines")
    assert (tmp_path / "figures/cosines.png").stat().st_size > 1000
    run_cli("cli vectors-view run --palette viridis --output figures/other")
    assert "no palette for a heatmap" in run_cli("cli vectors-view run --palette deep", code=2).err
    (tmp_path / "no.csv").write_text("measure,layer,first,second,cosine\ncosine of vectors,all,a,b,much\n")
    assert "'cosine' should be a number, not 'much'" in run_cli("cli vectors-view no.csv", code=2).err
    assert (
        "no line has cosines of 'layer 9'; there is all"
        in run_cli("cli vectors-view run --layer 'layer 9'", code=2).err
    )
    (tmp_path / "no.csv").write_text("measure,layer,first,second,cosine\ncosine of vectors,all,a,b,1\n")
    assert "no line has the cosine of a and a" in run_cli("cli vectors-view no.csv", code=2).err


@pytest.fixture
def others(folders, tmp_path, capsys):
    """Models that do not fit to the others; what saving them says is not heard."""
    saved(model_of("bert-mlm", dtype="bfloat16"), tmp_path / "bf16", dtype=torch.bfloat16)
    saved(model_of("bert-mlm", hidden_size=18), tmp_path / "wide")
    saved(model_of("bert-mlm", num_hidden_layers=3), tmp_path / "deep")
    saved(model_of("bert-mlm"), tmp_path / "words", words=29)
    saved(model_of("gpt2"), tmp_path / "gpt2")
    capsys.readouterr()
    return sorted(each.name for each in tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vector --base base --output new", "Missing option '--source' / '--from'"),
        ("vector --from es --output new", "Missing option '--base'"),
        ("vector --from es --base base", "Missing option '--output'"),
        ("vector --from es --base nowhere/at/all --output new", "nowhere/at/all"),
        ("vector --from es --base base --output ner", "ner is there already"),
        ("vector --from es --base base --output ner --overwrite", "was not written by this program"),
        ("vector --from es --base bf16 --output new", "F32 in es and BF16 in bf16"),
        ("vector --from es --base wide --output new", "has the shape [16] in es and [18] in wide"),
        ("vector --from es --base deep --output new", "es lacks 'encoder.layer.2."),
        ("vector --from es --base words --output new", "The tokenizers of es and words differ"),
        ("vector --from es --base gpt2 --output new", "tensors differ): another model"),
        ("apply --from ner --output new", "--add FACTOR VECTOR"),
        ("apply --add 1 es --output new", "'--from'"),
        ("apply --from ner --add 1 es --output new", "--base MODEL"),
        ("apply --from ner --add 1 es --base base", "Missing option '--output'"),
        ("apply --from ner --add 9e37 es --base base --output new --dtype float16", "where fp16 ends"),
        ("merge --add 1 es --output new", "--base MODEL"),
        ("merge --base base --add 1 es --output new --method slerp", "--add twice"),
        ("merge --base base --add 1 es --output new --density 2", "--density must be above 0"),
        ("merge --base base --add 1 es --output new --density 1", "for ties and dare, not for linear"),
        ("compare es", "two or more vectors"),
        ("compare es de", "--base MODEL"),
        ("compare es es --base base", "two vectors have one name"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(others, run_cli, tmp_path, line, said):
    found = run_cli(f"cli crosslingual {line}", code=2)
    assert said in found.err
    assert len(found.err.splitlines()) <= 2
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "runs") == others
