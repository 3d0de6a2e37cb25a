"""Models that the code of OFA's authors has saved."""

import pytest
import torch
from safetensors.torch import save_file
from tiny import SIZES
from torch.nn import functional
from transformers import AutoModelForMaskedLM, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel

from semeqv.text.models import families
from semeqv.text.models.opening import open_model

families.know("factorised")
KEPT, TOKENS = 5, 300
KINDS = {
    "roberta": (RobertaConfig, RobertaModel, "Roberta"),
    "xlm-roberta": (XLMRobertaConfig, XLMRobertaModel, "XLMRoberta"),
}


def published(kind, pad=1):
    """A model as OFA's code saves it: its configuration and tensors, and a function from ids to logits."""
    configuration, body, name = KINDS[kind]
    config = configuration(**SIZES, vocab_size=TOKENS, num_primitive=KEPT, pad_token_id=pad, type_vocab_size=1)
    config.architectures = [f"{name}AssembledForMaskedLM"]
    torch.manual_seed(0)
    roberta, width = body(config, add_pooling_layer=False).eval(), config.hidden_size
    for parameter in roberta.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    primitives, coordinates = torch.randn(width, KEPT), torch.randn(TOKENS, KEPT)
    dense, norm, bias = torch.randn(width, width), torch.randn(2, width), torch.randn(2, max(width, TOKENS))
    dense_bias, bias = bias[0, :width], bias[1, :TOKENS]
    weights = {f"roberta.{key}": each for key, each in roberta.state_dict().items() if "word_embeddings" not in key}
    weights |= {"roberta.embeddings.primitive_embeddings.weight": primitives}
    weights |= {"roberta.embeddings.target_coordinates.weight": coordinates}
    weights |= {"lm_head.dense.weight": dense, "lm_head.dense.bias": dense_bias}
    weights |= {"lm_head.layer_norm.weight": norm[0], "lm_head.layer_norm.bias": norm[1]}
    weights |= {"lm_head.down_project.weight": primitives.clone(), "lm_head.vocab_project.weight": coordinates.clone()}
    weights |= {"lm_head.vocab_project.bias": bias}

    @torch.no_grad()
    def logits(ids):
        positions = torch.cumsum(ids != pad, 1) * (ids != pad) + pad
        states = roberta(
            inputs_embeds=coordinates[ids] @ primitives.T, position_ids=positions, attention_mask=(ids != pad).long()
        ).last_hidden_state
        states = functional.gelu(functional.linear(states, dense, dense_bias))
        states = functional.layer_norm(states, (width,), norm[0], norm[1], config.layer_norm_eps)
        return states @ primitives @ coordinates.T + bias

    return config, {key: each.contiguous() for key, each in weights.items()}, logits


def save(folder, config, weights, pickle=False):
    config.save_pretrained(folder)
    if pickle:
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        save_file(weights, folder / "model.safetensors", {"format": "pt"})


def ids():
    found = torch.randint(3, TOKENS, (3, 9), generator=torch.Generator().manual_seed(1))
    found[1, 6:] = 1
    return found


def close(model, logits):
    batch = ids()
    with torch.no_grad():
        found = model.eval()(batch, attention_mask=(batch != 1).long()).logits
    real = batch != 1
    torch.testing.assert_close(found[real], logits(batch)[real], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("pickle", [False, True])
def test_logits_are_those_of_the_authors_formula(run_cli, tmp_path, kind, pickle):
    config, weights, logits = published(kind)
    save(tmp_path / "theirs", config, weights, pickle)
    line = "cli ofa convert --from theirs --output ours"
    if pickle:
        assert "--allow_pickle" in run_cli(line, code=2).err
        assert not (tmp_path / "ours").exists()
    assert "300 tokens in 5 coordinates" in run_cli(f"{line} --allow_pickle").out
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "ours")
    close(model, logits)
    reads, predicts = model.get_input_embeddings(), model.get_output_embeddings()
    assert reads.weight is predicts.weight
    assert reads.primitives is predicts.primitives


def test_a_folder_of_theirs_is_opened_as_it_is(tmp_path):
    config, weights, logits = published("xlm-roberta")
    save(tmp_path / "theirs", config, weights)
    close(open_model(tmp_path / "theirs"), logits)
    close(open_model(tmp_path / "theirs", "AutoModelForMaskedLM"), logits)
    config.architectures = ["XLMRobertaForMaskedLM"]  # as code that fine-tunes may have written
    save(tmp_path / "theirs", config, weights)
    close(open_model(tmp_path / "theirs"), logits)


@pytest.mark.parametrize("stored", ["embedding", "head", "bare", "module.", "_orig_mod."])
def test_a_tied_matrix_is_found_under_either_name(run_cli, tmp_path, stored):
    config, weights, logits = published("roberta")
    head, reads = ("down_project.weight", "vocab_project.weight"), ("primitive_embeddings.weight", "coordinates.weight")
    if stored in ("embedding", "head"):
        weights = {
            key: each for key, each in weights.items() if not key.endswith(head if stored == "embedding" else reads)
        }
    elif stored == "bare":
        weights = {key.removeprefix("roberta."): each for key, each in weights.items()}
    else:
        weights = {stored + key: each for key, each in weights.items()}
    save(tmp_path / "theirs", config, weights)
    run_cli("cli ofa convert --from theirs --output ours")
    close(AutoModelForMaskedLM.from_pretrained(tmp_path / "ours"), logits)


def test_a_head_of_its_own_stays_one(run_cli, tmp_path):
    config, weights, _ = published("roberta")
    weights["lm_head.down_project.weight"] = weights["lm_head.down_project.weight"] * 2
    save(tmp_path / "theirs", config, weights)
    run_cli("cli ofa convert --from theirs --output ours")
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "ours")
    assert torch.equal(model.get_output_embeddings().primitives, 2 * model.get_input_embeddings().primitives)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"lm_head.dense.weight": None}, "has no lm_head.dense.weight"),
        ({"classifier.weight": torch.zeros(2, 16)}, "has not: classifier.weight"),
        ({"lm_head.dense.weight": torch.zeros(3, 3)}, "another shape for lm_head.dense.weight"),
        (
            {"lm_head.vocab_project.weight": None, "roberta.embeddings.target_coordinates.weight": None},
            "is no factorised",
        ),
        (
            {"lm_head.down_project.weight": None, "roberta.embeddings.primitive_embeddings.weight": None},
            "has no roberta.emb",
        ),
    ],
)
def test_what_does_not_fit_is_named(run_cli, tmp_path, change, said):
    config, weights, _ = published("roberta")
    save(tmp_path / "theirs", config, {key: each for key, each in (weights | change).items() if each is not None})
    assert said in run_cli("cli ofa convert --from theirs --output ours", code=2).err
    assert not (tmp_path / "ours").exists()


def test_the_configuration_agrees_with_the_tensors(run_cli, tmp_path):
    config, weights, _ = published("roberta")
    config.num_primitive = 6
    save(tmp_path / "theirs", config, weights)
    assert (
        "says num_primitive 6 and vocab_size 300" in run_cli("cli ofa convert --from theirs --output ours", code=2).err
    )
