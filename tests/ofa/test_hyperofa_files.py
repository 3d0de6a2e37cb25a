"""Files that the code of HyperOFA's authors has written."""

import json
import pickle

import numpy
import pytest
import torch
from safetensors.torch import load_file
from tiny import model
from torch import nn
from transformers import AutoModelForMaskedLM

from ofa.hypernetwork.folder import read_folder
from ofa.hypernetwork.predict import read_predictions
from semeqv.text.models import families
from semeqv.text.models.opening import open_model, open_tokenizer

families.know("ofa-hypernetwork")
families.know("factorised")
FILES = "--mapping mapping --source_matrix source_matrix.npy --allow_pickle"
KEPT, WIDTH = 6, 8


class Theirs(nn.Module):
    """A network of HyperOFA, written from its description: names and formula are those of its code."""

    def __init__(self, kind, vectors):
        super().__init__()
        rows = torch.cat([torch.from_numpy(vectors), torch.zeros(1, WIDTH)])
        self.word_vector_emb_layer = nn.Embedding.from_pretrained(rows, padding_idx=len(vectors))
        if kind == "bilstm":
            self.lstm = nn.LSTM(WIDTH, 5, 2, batch_first=True, bidirectional=True)
            sizes = (10, 2 * KEPT)
        else:
            layer = nn.TransformerEncoderLayer(WIDTH, 2, 8 * WIDTH, 0.0, batch_first=True)
            self.encoder_block = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            sizes = (WIDTH, 2 * WIDTH)
        self.linear_output_layers = nn.Sequential(
            nn.Linear(*sizes), nn.GELU(), nn.Dropout(0.0), nn.Linear(sizes[1], KEPT)
        )

    def forward(self, words):
        states = self.word_vector_emb_layer(torch.tensor([words]))
        if hasattr(self, "lstm"):
            _, (last, _) = self.lstm(states)
            return self.linear_output_layers(torch.cat([last[-2], last[-1]], 1))[0]
        return self.linear_output_layers(self.encoder_block(states).mean(1))[0]


@pytest.fixture
def theirs(mapping, tmp_path):
    """A mapping, its coordinates as numpy decomposes the same embedding, and the turn from theirs to ours."""
    folder, before = mapping
    left, _, _ = numpy.linalg.svd(before.get_input_embeddings().weight.detach().numpy(), full_matrices=False)
    coordinates = left[:, :KEPT].copy()
    coordinates[:, 1] *= -1 if (coordinates[:, 1] @ folder.coordinates[:, 1].numpy()) > 0 else 1  # one sign at least
    numpy.save(tmp_path / "source_matrix.npy", coordinates)
    turn = numpy.sign((coordinates * folder.coordinates.numpy()).sum(0))
    assert -1 in turn
    return folder, torch.from_numpy(turn).float()


def checkpoint(path, network):
    """A file as Lightning saves it."""
    state = {f"model.{name}": each for name, each in network.state_dict().items()}
    torch.save({"epoch": 3, "global_step": 9, "state_dict": state, "callbacks": {"x": {"best_model_score": 1.0}}}, path)


@pytest.mark.parametrize("kind", ["bilstm", "setformer"])
def test_a_checkpoint_predicts_what_it_did(run_cli, theirs, tmp_path, kind):
    folder, turn = theirs
    torch.manual_seed(0)
    network = Theirs(kind, folder.vectors).eval()
    checkpoint(tmp_path / "model-epoch=39.ckpt", network)
    (tmp_path / "model_config.yaml").write_text("model_hps: {num_heads: 2, dropout: 0.3}\ntraining_hps: {lr: 1e-4}\n")
    line = f"cli ofa convert --from model-epoch=39.ckpt --output hyper {FILES}"
    if kind == "setformer":
        assert "attention heads" in run_cli(line, code=2).err
    said = run_cli(f"{line} --hypernetwork_config_path model_config.yaml").out
    assert f"{kind}, 2 layers, vectors of 8 numbers to 6 coordinates" in said
    model = open_model(tmp_path / "hyper").eval()
    assert model.config.dropout == 0.3
    run_cli("cli model load --from hyper cli ofa predict --mapping mapping")
    found = read_predictions(tmp_path / "predictions.safetensors")
    for subword, row in list(zip(found.subwords.tolist(), found.coordinates))[:30]:
        words = folder.target.word_set(subword).tolist()
        with torch.no_grad():
            torch.testing.assert_close(row, network(words) * turn, rtol=1e-3, atol=1e-5)
    said = run_cli("cli model load --from hyper cli ofa evaluate --mapping mapping", code=2).err
    assert "which subwords this hypernetwork was trained on" in said


def test_predictions_are_turned_to_our_signs(run_cli, theirs, tmp_path):
    _, turn = theirs
    rows = {int(i): numpy.random.default_rng(i).normal(size=KEPT).astype(numpy.float32) for i in range(390, 300, -1)}
    (tmp_path / "prediction_dict.pkl").write_bytes(pickle.dumps(rows))
    line = "cli ofa convert --from prediction_dict.pkl --output p.safetensors --mapping mapping"
    assert "--allow_pickle" in run_cli(line, code=2).err
    assert "--source_matrix" in run_cli(f"{line} --allow_pickle", code=2).err
    assert "90 subwords" in run_cli(f"{line} --source_matrix source_matrix.npy --allow_pickle").out
    tensors = load_file(tmp_path / "p.safetensors")
    for subword, row in zip(tensors["subwords"].tolist(), tensors["coordinates"]):
        torch.testing.assert_close(row, torch.from_numpy(rows[subword]) * turn)
    init = "cli ofa init hyperofa --from old --target_tokenizer target --keep_dim 6 --output new"
    run_cli(f"{init} --predictions p.safetensors")
    counts = json.loads((tmp_path / "new/initialisation.json").read_text())["counts"]
    assert counts["predicted"] > 0


def test_what_does_not_fit_is_named(run_cli, theirs, tmp_path):
    folder, _ = theirs
    network = Theirs("bilstm", folder.vectors[::-1].copy())
    checkpoint(tmp_path / "x.ckpt", network)
    line = "cli ofa convert --from x.ckpt --output hyper"
    assert "--mapping MAPPING" in run_cli(f"{line} --allow_pickle", code=2).err
    assert "is a pickle. Say --allow_pickle" in run_cli(f"{line} {FILES}".replace("--allow_pickle", ""), code=2).err
    assert "other word vectors" in run_cli(f"{line} {FILES}", code=2).err
    numpy.save(tmp_path / "source_matrix.npy", numpy.random.default_rng(0).normal(size=folder.coordinates.shape))
    assert "of another embedding" in run_cli(f"{line} {FILES}", code=2).err
    numpy.save(tmp_path / "source_matrix.npy", numpy.zeros((3, 3)))
    assert "is (3, 3), the coordinates" in run_cli(f"{line} {FILES}", code=2).err
    (tmp_path / "source_matrix.npy").write_bytes(b"no array")
    assert "cannot be read as an array" in run_cli(f"{line} {FILES}", code=2).err
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(["no dictionary"]))
    numpy.save(tmp_path / "source_matrix.npy", folder.coordinates.numpy())
    said = run_cli(f"cli ofa convert --from p.pkl --output p.safetensors {FILES}", code=2).err
    assert "holds no predictions by the ids" in said
    assert not (tmp_path / "hyper").exists()
    assert not (tmp_path / "p.safetensors").exists()


def test_their_mapping_is_read(run_cli, theirs, vectors, tmp_path):
    folder, _ = theirs
    said = {"source": {7: [3, 1], 250: [2]}, "target": {numpy.int64(399): [0, 900, 0], 5: []}}
    (tmp_path / "data").mkdir()

    def write():
        for side, words in said.items():
            (tmp_path / f"data/{side}_subword_to_word_mapping.pkl").write_bytes(pickle.dumps(words))

    write()
    line = f"cli ofa mapping --from old --target_tokenizer target --vectors {vectors} --keep_dim 6 --path read"
    line += " --mapping_data data"
    assert "--allow_pickle" in run_cli(line, code=2).err
    assert "2 old and 1 new subwords" in run_cli(f"{line} --allow_pickle").out
    found = read_folder(tmp_path / "read")
    assert (found.source.word_set(7).tolist(), found.source.word_set(250).tolist()) == ([1, 3], [2])
    assert found.target.word_set(399).tolist() == [0, 900]
    assert found.target.degree.sum() == 2
    assert found.fingerprint == folder.fingerprint
    for side, words, error in (
        ("source", {7: [10**6]}, "speaks of word 1,000,000"),
        ("source", {-3: [1]}, "speaks of subword -3"),
        ("target", {7: ["x"]}, "something else than numbers"),
        ("target", [7], "no lists of words"),
    ):
        said = {"source": {7: [1]}, "target": {7: [1]}} | {side: words}
        write()
        assert error in run_cli(f"{line} --allow_pickle --path other", code=2).err
    assert not (tmp_path / "other").exists()


@pytest.fixture
def old(save, tokenizers, tmp_path):
    """A model and a new tokenizer, in folders."""
    first, second = tokenizers["bpe", "lume"], tokenizers["bpe", "drask"]
    before = model("roberta", first)
    save(before, first)
    second.save_pretrained(tmp_path / "target")
    return before


@pytest.mark.parametrize("form", ["factorised", "dense", "whole"])
def test_a_target_matrix_becomes_a_model(run_cli, old, tmp_path, form):
    draw, kept = numpy.random.default_rng(0), 16 if form == "whole" else 5
    rows, primitives = draw.normal(size=(400, kept)), draw.normal(size=(kept, 16))
    (tmp_path / "made").mkdir()
    numpy.save(tmp_path / "made/target_matrix.npy", rows)
    line = "cli ofa init matrix --from old --target_tokenizer target --matrix made --output new"
    if form != "whole":
        numpy.save(tmp_path / "made/primitive_embeddings.npy", primitives)
        assert "say --keep_dim 5" in run_cli(line, code=2).err
        line += f" --keep_dim 5 --form {form}"
    assert "read from a file" in run_cli(line).out
    after = AutoModelForMaskedLM.from_pretrained(tmp_path / "new")
    reads = after.get_input_embeddings()
    expected = torch.from_numpy(rows if form == "whole" else rows @ primitives).float()
    found = reads.weight @ reads.primitives if form == "factorised" else reads.weight
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    lines = [json.loads(each) for each in (tmp_path / "new/provenance.jsonl").read_text().splitlines()]
    assert {each["kind"] for each in lines} == {"read"}
    bias, was = after.get_output_embeddings().bias, old.get_output_embeddings().bias
    same = {token: number for token, number in open_tokenizer(tmp_path / "old").get_vocab().items()}
    shared = [(each["id"], same[each["token"]]) for each in lines if each["token"] in same][10:20]
    assert all(bias[new] == was[number] for new, number in shared)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((399, 16), "has 399 rows, the new tokenizer 400 tokens"),
        ((400, 20), "rows of 20 numbers; a row of the model"),
    ],
)
@pytest.mark.usefixtures("old")
def test_a_matrix_of_another_shape_is_refused(run_cli, tmp_path, shape, said):
    numpy.save(tmp_path / "x.npy", numpy.zeros(shape))
    line = "cli ofa init matrix --from old --target_tokenizer target --matrix x.npy --output new"
    assert said in run_cli(line, code=2).err
    assert not (tmp_path / "new").exists()
