"""What --from names: each kind, and what is refused."""

import json
import pickle
import shutil
from functools import partial

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import SMALL, make_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model
from transformers.models.auto import auto_factory

from semeqv.runs import checkpoint
from semeqv.runs.errors import UserError
from semeqv.runs.files import sha256
from semeqv.tasks.classification.models import open_classifier
from semeqv.tasks.inference import with_new_weights
from semeqv.text.models import source as sources
from semeqv.text.models.architectures import BERT, GPT2, Encoder
from semeqv.text.models.load import CausalLM, Load, MaskedLM
from semeqv.text.models.opening import architecture, open_model, open_tokenizer
from semeqv.text.models.source import model_folder
from semeqv.text.tokenizers.files import opened
from semeqv.train.saver import accompany
from semeqv.train.trainer import Trainer

HEAD = "ForSequenceClassification"
IDS = torch.tensor([[1, 2, 3, 4]])


def run_folder(path, gpt2, tokenizer):
    """A run with two checkpoints, as the engine writes them, each a Hugging Face folder too."""
    for step, scale in ((1, 1.0), (2, 2.0)):
        folder = path / "checkpoints" / checkpoint.name_of(step)
        weights = {name: scale * tensor for name, tensor in gpt2.state_dict().items()}
        trainer = Trainer().set_model(gpt2).set_tokenizer(tokenizer)
        beside = partial(accompany, trainer, 0)
        checkpoint.write(folder, checkpoint.Checkpoint(weights, {}, {"step": step}), accompany=beside)
    checkpoint.point(path / "checkpoints", "last", 2)
    return path


@pytest.fixture
def run(tmp_path, gpt2, tokenizer):
    return run_folder(tmp_path / "run", gpt2, tokenizer)


def test_a_hugging_face_folder(folder, gpt2):
    for model in (open_model(folder), Load(source=str(folder)).build(), CausalLM(source=str(folder)).build()):
        assert type(model) is type(gpt2)
        assert model.predicts_next
        assert torch.equal(model.eval()(IDS).logits, gpt2.eval()(IDS).logits)


def renamed(folder, target, rename):
    """The folder, its tensors under other names (None leaves one out)."""
    shutil.copytree(folder, target)
    tensors = {new: tensor for name, tensor in load_file(folder / "model.safetensors").items() if (new := rename(name))}
    save_file(tensors, target / "model.safetensors", metadata={"format": "pt"})
    return target


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: f"_orig_mod.{name}",
        lambda name: f"module.{name}",
        lambda name: f"module._orig_mod.{name}",
        lambda name: f"_orig_mod.module.{name}",
        lambda name: name.replace("transformer.h.0.", "transformer.h.0._orig_mod."),
        lambda name: name.replace("transformer.", "transformer._orig_mod."),
    ],
)
def test_names_that_wrappers_give_are_known(folder, gpt2, tmp_path, rename, capsys):
    model = open_model(renamed(folder, tmp_path / "wrapped", rename))
    assert torch.equal(model.eval()(IDS).logits, gpt2.eval()(IDS).logits)
    assert not model.new_weights
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        (lambda name: f"network.{name}", r"does not hold a GPT2Model: 28 of its 28 weights are missing"),
        (lambda name: None, "without a tensor in it"),
        (lambda name: None if "h.1." in name else name, r"12 of its 28 weights are missing \(transformer.h.1"),
        (lambda name: None if "wte" in name or "lm_head" in name else name, "transformer.wte.weight"),
    ],
)
@pytest.mark.parametrize("opening", [open_model, lambda folder: open_classifier(folder, HEAD, ("a", "b"))])
def test_a_body_without_its_weights_is_refused(folder, tmp_path, rename, said, opening):
    with pytest.raises(UserError, match=said):
        opening(renamed(folder, tmp_path / "other", rename))


def test_weights_of_other_sizes_are_refused(folder, tmp_path):
    target = renamed(folder, tmp_path / "other", lambda name: name)
    config = json.loads((target / "config.json").read_text())
    (target / "config.json").write_text(json.dumps(config | {"n_embd": 32}))
    with pytest.raises(UserError, match="other"):
        open_model(target)
    with pytest.raises(UserError, match=r"26 of its 28 weights are of other sizes"):
        open_classifier(target, HEAD, ("a", "b"))


def test_a_new_head_is_told_in_results(tmp_path, tokenizer, capsys):
    config = GPT2(**SMALL, tie=False).build(tokenizer).config
    GPT2Model(config).save_pretrained(tmp_path / "body")
    model = open_model(tmp_path / "body", "AutoModelForCausalLM")
    assert model.new_weights == ["lm_head.weight"]
    assert "has no lm_head.weight: 1 weights of GPT2LMHeadModel start anew" in capsys.readouterr().err
    assert with_new_weights([{"a": 1}], model) == [{"a": 1, "new_weights": 1}]
    model.trained = True
    assert with_new_weights([{"a": 1}], model) == [{"a": 1}]


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/model.safetensors", "pytorch_model.bin"])
def test_an_index_names_safetensors_of_its_folder_alone(folder, name):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(UserError, match="safetensors files of the same folder"):
        open_model(folder)


def test_a_run_is_its_best_else_last_checkpoint(run, gpt2):
    assert model_folder(run).name == "step-00000002"
    checkpoint.point(run / "checkpoints", "best", 1)
    for said in (run, run / "checkpoints", run / "checkpoints" / "step-00000001"):
        assert model_folder(said).name == "step-00000001"
        assert torch.equal(open_model(said).eval()(IDS).logits, gpt2.eval()(IDS).logits)
    assert len(open_tokenizer(run)) == 10


def test_a_damaged_checkpoint_is_refused(run):
    file = run / "checkpoints" / "step-00000002" / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UserError, match=r"model\.safetensors is damaged"):
        open_model(run)


def test_a_run_of_no_hugging_face_model_is_named(tmp_path):
    path = tmp_path / "checkpoints" / checkpoint.name_of(1)
    checkpoint.write(path, checkpoint.Checkpoint({"a": torch.zeros(1)}, {}, {}))
    checkpoint.point(path.parent, "last", 1)
    with pytest.raises(UserError, match=r"is no Hugging Face model: it has no config\.json \(in .*step-00000001\)"):
        open_model(tmp_path)


def test_a_folder_of_several_runs_is_named(tmp_path):
    for name in ("42-gpt2", "43-gpt2"):
        (tmp_path / name / "checkpoints").mkdir(parents=True)
    with pytest.raises(UserError, match="holds several runs; name one of them: 42-gpt2, 43-gpt2"):
        open_model(tmp_path)


@pytest.fixture
def offline(monkeypatch):
    monkeypatch.setattr(sources, "online", lambda: False)


@pytest.mark.usefixtures("offline")
def test_a_hub_name_is_looked_up_in_the_cache(folder, monkeypatch, tmp_path):
    commit = "0" * 40
    repository = tmp_path / "hub" / "models--owner--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    folder.rename(repository / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    model = open_model("owner/model")
    assert model.source == "owner/model"
    assert model_folder("owner/model@main").name == commit


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["gpt2", "owner/nothing", "runs/missing"])
def test_a_hub_that_cannot_be_reached_is_one_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=rf"--from {name}: no folder here .* cannot be reached") as caught:
        open_model(name)
    assert "\n" not in str(caught.value)


def test_modules_of_sentence_transformers_are_fetched():
    from huggingface_hub.utils import filter_repo_objects

    modules = ["modules.json", "1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors"]
    model = ["config.json", "model.safetensors", "tokenizer.json", "sentence_bert_config.json", "vocab.txt"]
    others = [
        "onnx/config.json",
        "2_Dense/pytorch_model.bin",
        "openvino/a/b.json",
        "2024/config.json",
        "1_Pooling/a/b.json",
    ]
    found = filter_repo_objects(
        [*modules, *model, *others], allow_patterns=sources.FETCHED, ignore_patterns=sources.LEFT
    )
    assert list(found) == [*modules, *model]


def test_no_pickle_is_asked_of_the_hub():
    from fnmatch import fnmatch

    for name in ("pytorch_model.bin", "modeling_own.py", "flax_model.msgpack", "state.pt", "tf_model.h5"):
        assert not any(fnmatch(name, pattern) for pattern in sources.FETCHED)
    for name in ("config.json", "model.safetensors", "model-00001-of-00002.safetensors", "vocab.txt"):
        assert any(fnmatch(name, pattern) for pattern in sources.FETCHED)


@pytest.mark.parametrize(
    ("said", "words"),
    [(None, "Say which model: --from"), ("/no/such/folder", "no such folder"), ("../x", "no such folder")],
)
def test_what_is_nothing_is_one_line(said, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=words):
        open_model(said)


def test_a_file_and_an_empty_folder_are_named(tmp_path):
    (tmp_path / "model.safetensors").write_text("x")
    with pytest.raises(UserError, match="is a file; name its folder"):
        open_model(tmp_path / "model.safetensors")
    with pytest.raises(UserError, match=r"it has no config\.json"):
        open_model(tmp_path)


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def test_pickles_of_factorised_models_have_a_converter(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="Save the model as safetensors"):
        open_model(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_primitive": 4}))
    with pytest.raises(UserError, match=r"Convert it: cli ofa convert --from .* --output FOLDER --allow_pickle"):
        open_model(folder)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.ckpt"])
@pytest.mark.bad_input("B8")
def test_pickles_are_never_opened(folder, name):
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match=f"{name}, which may run code"):
        open_model(folder)
    (folder / name).unlink()
    with pytest.raises(UserError, match="no weights as safetensors"):
        open_model(folder)


@pytest.mark.bad_input("B10")
def test_code_that_comes_with_a_model_is_never_run(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "own.py").write_text("raise SystemExit('code was run')")
    auto = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": auto, "model_type": "own"}))
    with pytest.raises(UserError, match="needs code that comes with it, which is never run here"):
        open_model(folder)
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": auto}))
    assert type(open_model(folder)).__name__ == "GPT2LMHeadModel"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "holds no JSON object"),
        ('{"model_type": "nothing"}', "is of a kind unknown"),
        ("{}", "is of a kind unknown"),
        ('{"model_type": "gpt2"}', "names no architecture; say what it is"),
        ('{"model_type": "gpt2", "architectures": ["Nothing"]}', "the architecture Nothing, which is unknown"),
        ('{"model_type": "gpt2", "n_layer": "many"}', "cannot be opened"),
    ],
)
def test_a_wrong_configuration_is_one_line(folder, text, words):
    (folder / "config.json").write_text(text)
    with pytest.raises(UserError, match=words) as caught:
        open_model(folder)
    assert "\n" not in str(caught.value)


def test_weights_that_are_wrong_are_one_line(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_embd": 32}))
    with pytest.raises(UserError, match="cannot be opened") as caught:
        open_model(folder)
    assert "\n" not in str(caught.value)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UserError, match="cannot be opened"):
        open_model(folder)


def test_the_purpose_must_fit(folder, tmp_path):
    for kind, name in ((BERT, "bert"), (Encoder, "encoder")):
        kind(**SMALL, vocab_size=10).build().save_pretrained(tmp_path / name)
        assert not hasattr(MaskedLM(source=str(tmp_path / name)).build(), "predicts_next")
    with pytest.raises(UserError, match=r"is an encoder .* write: cli model masked-lm"):
        CausalLM(source=str(tmp_path / "bert")).build()
    with pytest.raises(UserError, match="no causal-lm; write: cli model load"):
        CausalLM(source=str(tmp_path / "encoder")).build()
    with pytest.raises(UserError, match="no masked-lm; write: cli model load"):
        MaskedLM(source=str(folder)).build()


def test_weights_that_start_anew_are_named(tmp_path, capsys):
    BERT(**SMALL, vocab_size=10).build().bert.save_pretrained(tmp_path)
    model = MaskedLM(source=str(tmp_path)).build()
    assert type(model).__name__ == "BertForMaskedLM"
    assert "6 weights of BertForMaskedLM start anew" in capsys.readouterr().err
    assert type(Load(source=str(tmp_path)).build()).__name__ == "BertModel"


def test_weights_are_kept_as_asked(folder):
    open_model(folder).bfloat16().save_pretrained(folder)
    assert Load(source=str(folder)).build().dtype == torch.float32
    assert Load(source=str(folder), dtype="saved").build().dtype == torch.bfloat16


def test_a_tokenizer_of_another_model_is_refused(folder):
    assert Load(source=str(folder)).build(make_tokenizer())
    with pytest.raises(UserError, match=r"has 12 tokens, .* knows 10; .*: cli ofa init mean --from .*folder"):
        Load(source=str(folder)).build(make_tokenizer([f"word{i}" for i in range(10)]))


def test_a_saved_tokenizer_does_not_say_how_it_was_opened(folder, tmp_path):
    make_tokenizer().save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    before = json.loads(path.read_text())
    path.write_text(json.dumps(before | {"is_local": True, "local_files_only": True}))  # as earlier versions saved it
    (tmp_path / "alone").mkdir()
    for name in ("tokenizer_config.json", "tokenizer.json"):
        (tmp_path / "alone" / name).write_bytes((folder / name).read_bytes())
    for found in (open_tokenizer(folder), opened(str(tmp_path / "alone")), opened(str(folder))):
        found.save_pretrained(tmp_path / "saved")
        after = json.loads((tmp_path / "saved/tokenizer_config.json").read_text())
        assert after.keys() - before.keys() <= {"tokenizer_class", "backend"}
        assert not {"is_local", "local_files_only", "trust_remote_code"} & after.keys()


def test_a_folder_without_a_tokenizer_is_one_line(gpt2, tmp_path):
    gpt2.save_pretrained(tmp_path)
    with pytest.raises(UserError, match=r"has no tokenizer\. Add: cli tokenizer"):
        open_tokenizer(tmp_path)


def test_the_words_of_the_command_line(run_cli, folder, tmp_path):
    run_cli(f"--dump-config {tmp_path}/a.json cli model load --from {folder} --no-tie")
    assert f"--source {folder} --tie False" in json.loads((tmp_path / "a.json").read_text())["parts"][0]
    assert "Say which model" in run_cli("cli model load cli generate", code=2).err


def test_finding_an_architecture_imports_no_other_model(monkeypatch, tmp_path):
    def keys(self):
        pytest.fail("the configurations of all models were imported")

    monkeypatch.setattr(auto_factory._LazyAutoMapping, "keys", keys)
    config = GPT2Config(architectures=["GPT2LMHeadModel"])
    assert architecture(config, tmp_path) is GPT2LMHeadModel


def test_a_checkpoint_is_hashed_once_however_many_ask_for_it(run_cli, run, monkeypatch):
    hashed = []
    monkeypatch.setattr(checkpoint, "SETTLED", -(10**12))
    monkeypatch.setattr(checkpoint, "VERIFIED", {})
    monkeypatch.setattr(checkpoint, "sha256", lambda path: hashed.append(path.name) or sha256(path))
    run_cli(f"cli model load --from {run} cli generate --prompt the --max_new_tokens 2")
    assert sorted(hashed) == sorted(set(hashed))
    assert "model.safetensors" in hashed


def test_a_checkpoint_that_changes_is_hashed_again(run, monkeypatch):
    monkeypatch.setattr(checkpoint, "SETTLED", -(10**12))
    folder = model_folder(run)
    assert model_folder(run) == folder
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(UserError, match="is damaged"):
        model_folder(run)
