"""HyperOFA, step by step."""

import json

import numpy
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional

from ofa.factorisation import factorise
from ofa.hypernetwork.dataset import Leaving, SubwordBatches, choose_words
from ofa.hypernetwork.folder import read_folder, split_of
from ofa.hypernetwork.networks import HypernetworkConfig, hyper_loss
from ofa.hypernetwork.predict import DEGREES, FACTS, read_predictions
from ofa.hypernetwork.training import Stairs

DATA = "cli ofa dataset mapping --mapping mapping"


@pytest.mark.parametrize("network", ["bilstm", "setformer --heads 2"])
def test_every_step_goes_through(run_cli, mapping, tmp_path, network):
    options = f"cli ofa model {network} --layers 1 --hidden_size 8 cli optimizers adam --learning_rate 1e-2"
    falls = "cli ofa schedulers stairs --every 1"
    run_cli(f"--epochs 2 --output run {DATA} --batch_size 16 {DATA} --split validation {options} {falls} cli train")
    losses = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert {"train", "validation"} <= {line["split"] for line in losses}
    said = run_cli("--output run cli model load --from run cli ofa evaluate --mapping mapping --split validation").out
    assert "ofa" in said
    assert "mean" in said
    run_cli("cli model load --from run cli ofa predict --mapping mapping")
    found = read_predictions(tmp_path / "predictions.safetensors")
    assert (found.matrix, found.source, found.target_tokenizer) == ("input", "old", "target")
    assert found.coordinates.shape == (len(found.subwords), 6)
    line = "cli ofa init hyperofa --from old --target_tokenizer target --keep_dim 6 --output new"
    said = run_cli(f"{line} --predictions predictions.safetensors").out
    assert "predicted by a hypernetwork" in said
    counts = json.loads((tmp_path / "new/initialisation.json").read_text())
    assert counts["words"]["target"]["with words"] == counts["counts"]["predicted"]
    assert "subwords of the old vocabulary are part of words: " in said
    wrong = line.replace("--keep_dim 6", "").replace("new", "other")
    assert "which has 16" in run_cli(f"{wrong} --predictions predictions.safetensors", code=2).err
    assert "--predictions FILE" in run_cli(line.replace("new", "other"), code=2).err


def test_predictions_for_something_else_are_refused(run_cli, mapping, vectors, tmp_path):
    found, _ = mapping
    init = "cli ofa init hyperofa --keep_dim 6 --output new --from old --target_tokenizer target"
    init += " --predictions p.safetensors"

    def write(name="p", **said):
        facts = {key: str(found.facts[key]) for key in FACTS} | said
        tensors = {"subwords": torch.arange(300, 310), "coordinates": torch.ones(10, 6)}
        tensors |= {each: torch.ones(300 + 100 * place, dtype=torch.int64) for place, each in enumerate(DEGREES)}
        save_file(tensors, tmp_path / f"{name}.safetensors", {key: value for key, value in facts.items() if value})

    for said, error in (
        ({"matrix_hash": "0"}, "another model (old)"),
        ({"new_tokens_hash": "0"}, "another tokenizer (target)"),
        ({"matrix": "output"}, "has none of its own"),
        ({"matrix_hash": ""}, "does not say its matrix_hash; write it anew"),
    ):
        write(**said)
        assert error in run_cli(init, code=2).err
    write()
    write("q")
    assert "which another file" in run_cli(f"{init} q.safetensors", code=2).err
    run_cli(init)
    line = "cli ofa mapping --from old --target_tokenizer target --vectors"
    said = run_cli(f"{line} {vectors} --keep_dim 6 --matrix output --path tied")
    assert "--matrix input" in said.err
    assert json.loads((tmp_path / "tied/mapping.json").read_text())["matrix"] == "input"


def test_the_split_and_the_mapping_are_those_of_the_training(run_cli, mapping, vectors, tmp_path):
    options = "cli ofa model bilstm --layers 1 --hidden_size 8 cli optimizers adam"
    run_cli(f"--steps 1 --output run {DATA} --batch_size 16 --seed 3 {options} cli train")
    said = run_cli("--output run cli model load --from run cli ofa evaluate --mapping mapping --split validation").out
    folder, _ = mapping
    config = json.loads(next((tmp_path / "run").rglob("config.json")).read_text())
    assert (config["split_seed"], config["mapping_hash"]) == (3, folder.fingerprint)
    assert f"{len(split_of(folder.trained, 'validation', 3))} held-out" in said
    line = f"cli ofa mapping --from old --target_tokenizer target --vectors {vectors}"
    run_cli(f"{line} --keep_dim 5 --path fewer")
    for action in ("evaluate", "predict"):
        line = f"cli model load --from run cli ofa {action} --mapping fewer"
        assert "trained on another mapping" in run_cli(line, code=2).err


def test_nothing_else_is_replaced_by_a_mapping(run_cli, mapping, vectors, tmp_path):
    line = f"cli ofa mapping --from old --target_tokenizer target --vectors {vectors} --keep_dim 5 --path"
    assert "--path target holds something else" in run_cli(f"{line} target", code=2).err
    run_cli(f"{line} mapping")
    assert read_folder(tmp_path / "mapping").facts["keep_dim"] == 5
    assert not list(tmp_path.glob(".*.tmp"))


def test_the_folder_holds_coordinates_and_words(mapping, tokenizers):
    folder, before = mapping
    embedding = before.get_input_embeddings().weight.detach()
    torch.testing.assert_close(folder.coordinates, factorise(embedding, 6).coordinates)
    parts = [split_of(folder.trained, split, 14) for split in ("train", "validation", "test")]
    assert sorted(numpy.concatenate(parts).tolist()) == folder.trained.tolist()
    assert min(map(len, parts)) > 0


def test_batches_are_a_pure_function_of_seed_and_step(mapping):
    folder, _ = mapping
    data = SubwordBatches(folder, folder.trained, rows=16, most_words=5, leaving=Leaving(), facts={})
    stream = data.stream(3)
    first = [next(stream) for _ in range(2 * len(data))]
    again = data.stream(3, start=len(data) + 2)
    assert all(torch.equal(first[len(data) + 2][name], value) for name, value in next(again).items())
    seen = torch.cat([batch["labels"] for batch in first[: len(data)]])
    assert len(seen.unique(dim=0)) == len(seen) == len(data) * 16
    assert max(batch["vectors"].shape[1] for batch in first) <= 5
    whole = list(data.batches())
    assert sum(len(batch["labels"]) for batch in whole) == len(folder.trained)
    row = whole[0]
    words = folder.source.word_set(int(folder.trained[0]))
    if len(words) <= 5:
        assert torch.equal(row["vectors"][0][row["mask"][0]], torch.from_numpy(folder.vectors[words]))


def test_words_are_left_out_as_the_paper_says():
    words, draw = numpy.arange(10), numpy.random.default_rng(0)
    lengths = [len(choose_words(words, 256, Leaving(), draw)) for _ in range(400)]
    assert min(lengths) >= 5
    assert 150 < sum(length == 10 for length in lengths) < 260
    assert all(len(choose_words(words[:4], 256, Leaving(), draw)) == 4 for _ in range(20))
    assert len(choose_words(words, 3, None, draw)) == 3
    assert {len(choose_words(words, 256, Leaving(2, 0.3, 0.4, 1.0), draw)) for _ in range(50)} == {3}
    assert len(choose_words(words[:3], 256, Leaving(2, 0.0, 0.1, 1.0), draw)) == 1


def test_the_loss_is_that_of_the_formula():
    generator = torch.Generator().manual_seed(0)
    guess, wanted = torch.randn(4, 3, generator=generator), torch.randn(4, 3, generator=generator)
    config = HypernetworkConfig(contrast=0.3, contrast_temperature=0.25)
    contrast = 0.0
    for i in range(4):
        scores = [functional.cosine_similarity(guess[i], wanted[j], dim=0) / 0.25 for j in range(4)]
        contrast -= (scores[i] - torch.logsumexp(torch.stack(scores), 0)) / 4
    expected = 0.3 * contrast + 0.7 * (guess - wanted).abs().mean() / wanted.abs().mean()
    torch.testing.assert_close(hyper_loss(guess, wanted, config), expected)


def test_the_rate_falls_after_so_many_epochs():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = Stairs(factor=0.5, every=2).build(optimizer, {("train", None): range(7)}, accumulation=2)
    rates = []
    for _ in range(13):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    assert rates == [1.0] * 6 + [0.5] * 6 + [0.25]  # an epoch is three steps


CONFIG = """
model_hps: {num_heads: 2, emb_dim: 8, num_layers: 3, dropout: 0.1, max_context_size: 7, padding_idx: 3610267}
training_hps: {batch_size: 16, lr: 1e-2, lr_sched_step_size: 1, lr_sched_gamma: 0.5, contrastive_temp: 0.25,
  loss_lambd: 0.2, weight_decay: 0, epochs: 2, augmentation_threshold: 3, augmentation_min_percentage: 0.4,
  augmentation_keep_all_percentage: 0.6, num_workers: 16}
notes: of a test
"""


def test_every_key_of_the_yaml_of_hyperofa_is_read(run_cli, mapping, tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG)
    path = "--hypernetwork_config_path c.yaml"
    parts = (
        f"{DATA} {path} cli ofa model setformer {path} cli ofa optimizers adam {path} cli ofa schedulers stairs {path}"
    )
    run_cli(f"--epochs 2 --output run {parts} cli train")
    sentence = " ".join(json.loads((tmp_path / "run/run.json").read_text())["sentence"]["parts"]) + " "
    for option in (
        *("batch_size 16", "most_words 7", "augment_above 3", "augment_least 0.4", "augment_probability 0.6"),
        *("heads 2", "layers 3", "dropout 0.1", "contrast 0.2", "temperature 0.25"),
        *("learning_rate 0.01", "weight_decay 0", "factor 0.5", "every 1"),
    ):
        assert f" --{option} " in sentence
    config = json.loads(next((tmp_path / "run").rglob("config.json")).read_text())
    assert (config["activation"], config["hidden_size"], config["num_attention_heads"]) == ("relu", 16, 2)
    (tmp_path / "c.yaml").write_text(CONFIG.replace("emb_dim: 8", "emb_dim: 200"))
    assert "emb_dim 200; the word vectors have 8" in run_cli(f"--output other {parts} cli train", code=2).err
    (tmp_path / "c.yaml").write_text(CONFIG.replace("num_heads", "n_heads"))
    assert "HyperOFA has no model_hps.n_heads" in run_cli(f"--output other {parts} cli train", code=2).err


def test_the_yaml_of_hyperofa_is_read_and_mistakes_are_named(run_cli, tmp_path):
    from ofa.hypernetwork.models import BiLstm

    (tmp_path / "config.yaml").write_text("model_hps:\n  num_layers: 4\n  dropout: 0.1\ntraining_hps:\n  lr: 0.1\n")
    options = BiLstm(hypernetwork_config_path=tmp_path / "config.yaml", dropout=0.2)
    assert (options.layers, options.dropout, options.hidden_size) == (4, 0.2, 800)
    (tmp_path / "bad.yaml").write_text("model_hps:\n  num_layers: many\n")
    assert (
        "num_layers must be a whole number"
        in run_cli(f"{DATA} cli ofa model bilstm --hypernetwork_config_path bad.yaml cli train", code=2).err
    )
    for said in ("num_layers: 1.5", "hidden_dim: true", "hidden_dim: 8.0"):
        (tmp_path / "bad.yaml").write_text(f"model_hps:\n  {said}\n")
        with pytest.raises(ValueError, match="must be a whole number"):
            BiLstm(hypernetwork_config_path=tmp_path / "bad.yaml")
    (tmp_path / "bad.yaml").write_text("model_hps:\n  dropout: true\n")
    with pytest.raises(ValueError, match="must be a number"):
        BiLstm(hypernetwork_config_path=tmp_path / "bad.yaml")
    assert (
        "cli ofa mapping --path mapping"
        in run_cli(f"{DATA} cli ofa model bilstm cli optimizers adam cli train", code=2).err
    )
