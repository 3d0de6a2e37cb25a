"""The algebra of vectors against the formulas on whole tensors, in torch."""

import subprocess
import sys

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForTokenClassification, AutoTokenizer
from vector_models import body, model_of, saved

from crosslingual import Checkpoint, TaskVector, analogy, slerp, ties
from crosslingual.names import BODIES, prefix_of
from semeqv.runs.errors import UserError
from semeqv.text.models import families

AUTO = {"gpt2": AutoModelForCausalLM, "llama": AutoModelForCausalLM, "bert-tags": AutoModelForTokenClassification}


@pytest.fixture
def three(tmp_path):
    """A base, what became of it, and a model of a task, as folders and as tensors."""
    models = {"base": model_of("bert", 0), "tuned": model_of("bert-mlm", 1), "task": model_of("bert-tags", 2)}
    folders = {name: saved(model, tmp_path / name) for name, model in models.items()}
    return folders, {name: body(model) for name, model in models.items()}


def same(vector, formula):
    """Whether a vector has the bits of a formula on every tensor."""
    found = {name: torch.from_numpy(numbers) for name, numbers in vector.tensors()}
    assert found.keys() == formula.keys()
    return all(torch.equal(found[name], formula[name]) for name in formula)


def test_importing_is_cheap():
    program = (
        "import sys, crosslingual, crosslingual.plugin; print({'torch', 'numpy', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_neither_opening_nor_adding_nor_saving_imports_torch(three, tmp_path):
    folders, _ = three
    program = f"""
import sys
from crosslingual import Checkpoint
task, tuned, base = map(Checkpoint.open, {[str(folders[name]) for name in ("task", "tuned", "base")]})
(task + 0.5 * (tuned - base)).save({str(tmp_path / "new")!r})
print({{'torch', 'transformers'}} & set(sys.modules))"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_linear_combinations_have_the_bits_of_the_formula(three):
    folders, tensors = three
    base, tuned, task = (Checkpoint.open(folders[name]) for name in ("base", "tuned", "task"))
    names = sorted(tensors["base"])
    b, u, t = ({name: tensors[each][name] for name in names} for each in ("base", "tuned", "task"))
    tau, other = tuned - base, task - base
    assert same(tau, {n: u[n] - b[n] for n in names})
    assert same(task + 0.3 * tau, {n: t[n] + 0.3 * (u[n] - b[n]) for n in names})
    assert same(tau + task, {n: t[n] + (u[n] - b[n]) for n in names})
    assert same(task - tau, {n: t[n] - (u[n] - b[n]) for n in names})
    assert same(-tau, {n: -(u[n] - b[n]) for n in names})
    assert same(base + 0.7 * tau + 0.1 * other, {n: b[n] + 0.7 * (u[n] - b[n]) + 0.1 * (t[n] - b[n]) for n in names})
    assert same(
        analogy(tau, other, 0.5 * tau), {n: 0.5 * (u[n] - b[n]) + ((t[n] - b[n]) - (u[n] - b[n])) for n in names}
    )


def test_some_tensors_and_some_layers(three):
    folders, tensors = three
    tau = Checkpoint.open(folders["tuned"]) - (base := Checkpoint.open(folders["base"]))
    full = {name: tensors["tuned"][name] - each for name, each in tensors["base"].items()}
    first = {name: each for name, each in full.items() if name.startswith("encoder.layer.0.")}
    assert same(tau.only("layer 0"), first)
    assert same(tau.only("encoder.layer.0.*"), first)
    assert same(
        tau.only("layer 0") + tau.only("embeddings"), first | {n: e for n, e in full.items() if "embeddings" in n}
    )
    assert same(tau - tau.only("layer 0"), {n: e - e if n in first else e for n, e in full.items()})
    kept = {n: e + 2 * first[n] if n in first else e for n, e in tensors["base"].items()}
    assert same(base + 2 * tau.only("layer 0"), kept)
    factors = {"layer 0": 0.25, "*.bias": 3.0}
    wanted = {n: e * (3.0 if n.endswith(".bias") else 0.25 if n in first else 0.0) for n, e in full.items()}
    assert same(tau.by_layer(factors, others=0.0), wanted)
    with pytest.raises(UserError, match=r"No tensor is called 'layer 7'; .* embeddings, layer 0, layer 1"):
        tau.only("layer 7")


def flat(tensors):
    return torch.cat([each.flatten() for each in tensors.values()])


def top(tensors, density, scope):
    def least(values):
        return values.abs().sort(descending=True).values[max(1, int(density * len(values))) - 1]

    whole = least(flat(tensors))
    limits = {name: whole if scope == "model" else least(each.flatten()) for name, each in tensors.items()}
    return {name: each * (each.abs() >= limits[name]) for name, each in tensors.items()}


@pytest.mark.parametrize("scope", ["model", "tensor"])
@pytest.mark.parametrize("density", [1e-9, 0.2, 0.5, 1.0])
def test_the_greatest_numbers_are_kept_exactly(three, scope, density):
    folders, tensors = three
    tau = Checkpoint.open(folders["tuned"]) - Checkpoint.open(folders["base"])
    full = {name: tensors["tuned"][name] - tensors["base"][name] for name in sorted(tensors["base"])}
    assert same(tau.top(density, scope), top(full, density, scope))
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        tau.top(0)


def test_ties_is_that_of_the_paper(three, tmp_path):
    folders, tensors = three
    base = Checkpoint.open(folders["base"])
    saved(model_of("bert", 3), tmp_path / "third")
    names = ("tuned", "task", "third")
    vectors = [Checkpoint.open(tmp_path / name) - base for name in names]
    tensors["third"] = body(model_of("bert", 3))
    trimmed = [top({n: tensors[each][n] - e for n, e in tensors["base"].items()}, 0.3, "model") for each in names]
    wanted = {}
    for name in tensors["base"]:
        stack = torch.stack([each[name] for each in trimmed])
        sign = stack.sum(0).sign()
        agrees = (stack * sign) > 0
        wanted[name] = (stack * agrees).sum(0) / agrees.sum(0).clamp(min=1)
    found = {name: torch.from_numpy(each) for name, each in ties(vectors, 0.3).tensors()}
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=1e-7)


def test_numbers_are_dropped_by_the_seed_and_the_rest_is_scaled(three):
    folders, _ = three
    tau = Checkpoint.open(folders["tuned"]) - Checkpoint.open(folders["base"])
    full, once, again = (dict(each.tensors()) for each in (tau, tau.dropped(0.75, 1), tau.dropped(0.75, 1)))
    other, kept, total = dict(tau.dropped(0.75, 2).tensors()), 0, 0
    for name, numbers in full.items():
        assert (once[name] == again[name]).all()
        left = once[name] != 0
        assert (once[name][left] == numbers[left] * 4).all()
        kept, total = kept + left.sum(), total + left.size
    assert abs(kept / total - 0.25) < 0.02
    assert any((once[name] != other[name]).any() for name in once)
    with pytest.raises(ValueError, match="below 1"):
        tau.dropped(1, 0)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_slerp_goes_along_the_arc(three, share):
    folders, tensors = three
    found = slerp(Checkpoint.open(folders["task"]), Checkpoint.open(folders["tuned"]), share)
    for name, numbers in found.tensors():
        a, b = (tensors[each][name].double() for each in ("task", "tuned"))
        angle = torch.arccos((a * b).sum() / a.norm() / b.norm())
        wanted = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
        torch.testing.assert_close(torch.from_numpy(numbers).double(), wanted, rtol=1e-6, atol=1e-6)


def test_slerp_of_models_that_hardly_differ_goes_along_the_arc_too(tmp_path):
    models = [model_of("bert"), model_of("bert")]
    with torch.no_grad():
        for parameter in models[1].parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    ends = [Checkpoint.open(saved(model, tmp_path / str(place))) for place, model in enumerate(models)]
    for name, numbers in slerp(*ends, 0.5).tensors():
        a, b = (body(model)[name].double() for model in models)
        angle = torch.arccos((a * b).sum() / a.norm() / b.norm())
        wanted = torch.sin(0.5 * angle) / torch.sin(angle) * (a + b)
        torch.testing.assert_close(torch.from_numpy(numbers).double(), wanted, rtol=1e-6, atol=1e-6)


def test_slerp_of_what_is_alike_is_a_line(three):
    folders, tensors = three
    task = Checkpoint.open(folders["task"])
    for name, numbers in slerp(task, task, 0.3).tensors():
        torch.testing.assert_close(torch.from_numpy(numbers), tensors["task"][name], rtol=1e-6, atol=1e-6)


def test_lengths_and_angles(three):
    folders, tensors = three
    base = Checkpoint.open(folders["base"])
    first, second = (Checkpoint.open(folders[name]) - base for name in ("tuned", "task"))
    one, other = (
        {n: (tensors[each][n] - e).double() for n, e in tensors["base"].items()} for each in ("tuned", "task")
    )
    assert first.norm() == pytest.approx(flat(one).norm().item(), rel=1e-6)
    cosine = torch.cosine_similarity(flat(one), flat(other), 0).item()
    assert first.cosine(second) == pytest.approx(cosine, abs=1e-7)
    layer = [flat({n: e for n, e in each.items() if ".layer.1." in n}) for each in (one, other)]
    assert first.norms()["layer 1"] == pytest.approx(layer[0].norm().item(), rel=1e-6)
    assert first.cosines(second)["layer 1"] == pytest.approx(torch.cosine_similarity(*layer, 0).item(), abs=1e-7)
    assert list(first.norms()) == ["embeddings", "layer 0", "layer 1"]


@pytest.mark.parametrize("kind", ["bert-mlm", "bert-tags", "xlmr", "gpt2", "llama"])
@pytest.mark.parametrize("how", ["whole", "shards", "bf16", "fp16"])
def test_what_is_saved_opens_as_the_formula_says(tmp_path, kind, how):
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(how)
    said = {"max_shard_size": "8KB"} if how == "shards" else {}
    base, tuned, task = (model_of(kind, seed) for seed in range(3))
    for name, model in (("base", base), ("tuned", tuned), ("task", task)):
        saved(model, tmp_path / name, dtype=dtype, **said)
    assert (tmp_path / "base" / "model.safetensors.index.json").exists() == (how == "shards")
    vector = Checkpoint.open(tmp_path / "tuned") - Checkpoint.open(tmp_path / "base")
    vector.save(tmp_path / "vector", shard=5000 if how == "shards" else None)
    (Checkpoint.open(tmp_path / "task") + 0.5 * TaskVector.open(tmp_path / "vector")).save(
        tmp_path / "new", shard=9000 if how == "shards" else None
    )
    assert len(list((tmp_path / "new").glob("*.safetensors"))) == 1 or how == "shards"
    made, said = AUTO.get(kind, AutoModelForMaskedLM).from_pretrained(tmp_path / "new", output_loading_info=True)
    assert not said["missing_keys"] | said["unexpected_keys"]
    assert made.dtype == (dtype or torch.float32)
    found, b, u, t = map(body, (made, base, tuned, task))
    for name in b:
        wanted = t[name].float() + 0.5 * (u[name].float() - b[name].float())
        assert torch.equal(found[name], wanted.to(made.dtype)), name
    stored = Checkpoint.open(tmp_path / "task").frame
    head = stored.weights.entries.keys() - set(stored.names.values())
    assert head or kind == "gpt2"
    assert all(torch.equal(made.state_dict()[name], task.state_dict()[name]) for name in head)
    assert AutoTokenizer.from_pretrained(tmp_path / "new").get_vocab()["w7"] == 7
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_a_model_with_a_head_and_a_body_alone_have_the_same_names(tmp_path):
    for place, kind in enumerate(("gpt2", "gpt2-body", "bert", "bert-mlm", "bert-texts", "bert-tags")):
        saved(model_of(kind, place), tmp_path / kind)
    assert set(Checkpoint.open(tmp_path / "gpt2").body.entries) == set(
        Checkpoint.open(tmp_path / "gpt2-body").body.entries
    )
    names = [set(Checkpoint.open(tmp_path / f"bert{end}").body.entries) for end in ("", "-mlm", "-texts", "-tags")]
    assert all(each == names[0] for each in names)
    assert "encoder.layer.0.attention.self.query.weight" in names[0]
    assert not [name for name in names[0] if name.startswith(("pooler", "cls", "bert"))]


def test_precision_can_be_chosen(tmp_path):
    saved(model_of("bert-tags"), tmp_path / "old")
    Checkpoint.open(tmp_path / "old").save(tmp_path / "new", dtype="bfloat16")
    made = AutoModelForTokenClassification.from_pretrained(tmp_path / "new")
    assert made.dtype == torch.bfloat16
    for name, each in model_of("bert-tags").named_parameters():
        assert torch.equal(dict(made.named_parameters())[name], each.bfloat16())
    with pytest.raises(UserError, match="write float32, bfloat16, float16"):
        Checkpoint.open(tmp_path / "old").save(tmp_path / "other", dtype="int8")


def test_a_copy_of_the_embedding_that_a_head_is_tied_to_is_left_out(tmp_path):
    """Files of other programs store it; written as it was, transformers would take the model for untied."""
    model = model_of("gpt2")
    saved(model, tmp_path / "base")
    weights = load_file(tmp_path / "base/model.safetensors")
    weights["lm_head.weight"] = weights["transformer.wte.weight"].clone()
    weights["transformer.h.0.attn.bias"] = torch.ones(1, 1, 4, 4)
    weights["transformer.position_ids"] = torch.arange(4)
    save_file(weights, tmp_path / "base/model.safetensors", metadata={"format": "pt"})
    base = Checkpoint.open(tmp_path / "base")
    assert not base.body.entries.keys() & {"h.0.attn.bias", "position_ids"}
    tau = Checkpoint.open(saved(model_of("gpt2", 1), tmp_path / "tuned")) - base
    (base + tau).save(tmp_path / "new")
    there = load_file(tmp_path / "new/model.safetensors")
    assert there.keys() == weights.keys() - {"lm_head.weight"}
    assert torch.equal(there["transformer.position_ids"], torch.arange(4))
    made = AutoModelForCausalLM.from_pretrained(tmp_path / "new")
    assert made.lm_head.weight.data_ptr() == made.transformer.wte.weight.data_ptr()


def test_names_of_old_files_are_those_of_new_ones(tmp_path):
    model = model_of("bert-mlm")
    saved(model, tmp_path / "new")
    (tmp_path / "old").mkdir()
    old = {}
    for name, each in load_file(tmp_path / "new/model.safetensors").items():
        old[name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")] = each
    save_file(old, tmp_path / "old/model.safetensors", metadata={"format": "pt"})
    (tmp_path / "old/config.json").write_text((tmp_path / "new/config.json").read_text())
    assert (Checkpoint.open(tmp_path / "new") - Checkpoint.open(tmp_path / "old")).norm() == 0
    Checkpoint.open(tmp_path / "old").save(tmp_path / "again")
    made = AutoModelForMaskedLM.from_pretrained(tmp_path / "again")
    assert all(torch.equal(each, made.state_dict()[name]) for name, each in model.state_dict().items())


@pytest.mark.parametrize(
    ("kind", "prefix"), [("mpnet", "mpnet"), ("semeqv-encoder", "encoder"), ("backpack", "backpack"), ("?", "model")]
)
def test_every_kind_of_model_says_what_its_body_is_called(kind, prefix):
    assert prefix_of(kind) == prefix


def test_the_table_of_bodies_is_that_of_transformers():
    for kind, prefix in BODIES.items():
        families.know(kind)
        if kind in transformers.CONFIG_MAPPING:
            assert transformers.MODEL_MAPPING[transformers.CONFIG_MAPPING[kind]].base_model_prefix == prefix, kind


def test_checkpoints_of_runs_are_opened(run_cli, tmp_path, monkeypatch):
    data = "cli dataset babel --documents 20 --block_size 16 --batch_size 2"
    monkeypatch.setenv("SEMEQV_CACHE", str(tmp_path / "cache"))
    adamw, sizes = "cli optimizers adamw", "--layers 1 --heads 2 --embedding_size 8"
    run_cli(
        f"--steps 2 --output run cli tokenizer bpe --vocab_size 300 {data} cli model encoder {sizes} {adamw} cli train"
    )
    run_cli(f"--steps 2 --output tuned cli model load --from run {data} {adamw} cli train")
    run_cli("cli crosslingual vector --from tuned --base run --output vector")
    run_cli("cli crosslingual apply --from run --add 1 vector --output new")
    families.know("semeqv-encoder")
    made, tuned = (
        AutoModelForMaskedLM.from_pretrained(each) for each in ("new", Checkpoint.open("tuned").frame.folder)
    )
    for name, each in tuned.base_model.named_parameters():
        torch.testing.assert_close(made.base_model.state_dict()[name], each.detach(), rtol=1e-5, atol=1e-6)
