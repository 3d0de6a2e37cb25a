"""The fast pieces beside the formula; gradients, padding, precisions, memory."""

import backpack_formula as formula
import pytest
import torch
from small_backpacks import VARIANTS, make, tokens
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import GPT2Config, GPT2LMHeadModel

from backpack.networks import BackpackConfig, BackpackLMHeadModel, mixing
from backpack.networks.mixing import Mixing, sense_weights, weighted_sum
from backpack.networks.modelling import plain_sum


def layer(state, name, turned=True):
    """A layer of ours as the formula wants it: (out, in)."""
    weight = state[name + ".weight"]
    return (weight.T if turned and weight.ndim == 2 else weight), state.get(name + ".bias")


def by_formula(model, ids):
    """The logits of a sentence by the formula, in fp64."""
    config, state = model.config, {name: each.double() for name, each in model.state_dict().items()}
    gpt2, net = "backpack.gpt2_model.", "backpack.sense_network."
    names = {"ln_1": "ln_1", "c_attn": "attn.c_attn", "c_proj": "attn.c_proj", "ln_2": "ln_2", "c_fc": "mlp.c_fc",
             "mlp_proj": "mlp.c_proj"}  # fmt: skip
    blocks = [{key: layer(state, f"{gpt2}h.{i}.{name}") for key, name in names.items()} for i in range(config.n_layer)]
    e = state[gpt2 + "wte.weight"][ids]
    hidden = formula.trunk(
        e + state[gpt2 + "wpe.weight"][: len(ids)], blocks, layer(state, gpt2 + "ln_f"), config.n_head,
        formula.gelu_new, by_layer=config.scale_attn_by_inverse_layer_idx,
    )  # fmt: skip
    if config.sense_network == "paper":
        names = {"ln": "ln", "ln_1": "block.ln_1", "ln_2": "block.ln_2", "c_fc": "block.mlp.c_fc",
                 "c_proj": "block.mlp.c_proj", "final_fc": "final_mlp.c_fc",
                 "final_proj": "final_mlp.c_proj"}  # fmt: skip
        senses = formula.paper_senses(e, {key: layer(state, net + name) for key, name in names.items()},
                                      config.num_senses, formula.gelu_new)  # fmt: skip
        if config.sense_layout == "feature-major":
            senses = senses.flatten(1).view(len(ids), -1, config.num_senses).transpose(1, 2)
    else:
        names = {"ln": "ln", "c_fc": "mlp.c_fc", "c_proj": "mlp.c_proj", "final_fc": "final_mlp.c_fc",
                 "final_proj": "final_mlp.c_proj", "final_ln": "final_ln"}  # fmt: skip
        senses = formula.multilingual_senses(e, {key: layer(state, net + name) for key, name in names.items()},
                                             config.num_senses, formula.gelu_new)  # fmt: skip
    context = layer(state, "backpack.sense_weight_net.c_attn", turned=False)
    embeddings = state[gpt2 + "wte.weight"] * config.sense_scale
    return formula.logits(embeddings, hidden, senses, context, config.scale_contextualization)


def test_the_scale_by_layer_counts_in_a_backpack_and_in_gpt2():
    backpack, ids = make("paper"), tokens(2, 20)
    expected = torch.stack([by_formula(backpack, row) for row in ids])
    backpack.config.scale_attn_by_inverse_layer_idx = False
    other = torch.stack([by_formula(backpack, row) for row in ids])
    assert (expected - other).abs().max() > 0.01  # a model without the scale would be told apart

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=50, n_positions=20, n_embd=16, n_layer=3, n_head=2, initializer_range=0.3,
        scale_attn_by_inverse_layer_idx=True, activation_function="gelu_pytorch_tanh",
    )  # fmt: skip
    gpt2 = GPT2LMHeadModel(config).eval()
    state = {name: each.detach().double() for name, each in gpt2.transformer.named_parameters()}
    names = {"ln_1": "ln_1", "c_attn": "attn.c_attn", "c_proj": "attn.c_proj", "ln_2": "ln_2", "c_fc": "mlp.c_fc",
             "mlp_proj": "mlp.c_proj"}  # fmt: skip
    blocks = [{key: layer(state, f"h.{i}.{name}") for key, name in names.items()} for i in range(config.n_layer)]
    embedded = state["wte.weight"][ids[0]] + state["wpe.weight"]
    for by_layer in (True, False):
        hidden = formula.trunk(embedded, blocks, layer(state, "ln_f"), 2, formula.gelu_new, by_layer=by_layer)
        difference = (gpt2(input_ids=ids[:1]).logits[0] - hidden @ state["wte.weight"].T).abs().max()
        assert bool(difference < 1e-4) == by_layer


@pytest.mark.parametrize("model_class", [GPT2LMHeadModel, BackpackLMHeadModel])
def test_projections_onto_the_residual_start_smaller(model_class):
    sizes = {"vocab_size": 50, "n_embd": 128, "n_layer": 8, "n_head": 4}
    config = BackpackConfig(num_senses=4, **sizes) if model_class is BackpackLMHeadModel else GPT2Config(**sizes)
    torch.manual_seed(0)
    model = model_class(config)
    trunk = model.backpack.gpt2_model if model_class is BackpackLMHeadModel else model.transformer
    for block in trunk.h:
        for residual in (block.attn.c_proj, block.mlp.c_proj):
            assert residual.weight.std().item() == pytest.approx(0.02 / (2 * 8) ** 0.5, rel=0.05)
        for other in (block.attn.c_attn, block.mlp.c_fc):
            assert other.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert trunk.wte.weight.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_model_is_the_formula(variant):
    model, ids = make(variant), tokens(2, 20)
    found = model(input_ids=ids, labels=ids)
    expected = torch.stack([by_formula(model, row) for row in ids])
    torch.testing.assert_close(found.logits.double(), expected, rtol=1e-4, atol=1e-4)
    loss = torch.stack([formula.next_token_loss(each, row) for each, row in zip(expected, ids)]).mean()
    assert found.loss.item() == pytest.approx(loss.item(), rel=1e-6)


@pytest.mark.parametrize(("variant", "loss"), [("paper", 13.71533), ("multilingual", 5.14556), ("mean", 4.50437)])
def test_the_first_loss(variant, loss):
    ids = tokens(2, 20)
    assert make(variant)(input_ids=ids, labels=ids).loss.item() == pytest.approx(loss, abs=1e-4)


def test_accumulated_gradients_are_divided_by_the_labels_of_all_pieces():
    config = GPT2Config(vocab_size=50, n_embd=16, n_layer=1, n_head=2)
    ids = tokens(2, 9)
    labels = ids.masked_fill(torch.arange(9) < 3, -100)
    for model in (make(), GPT2LMHeadModel(config).eval()):
        alone = model(input_ids=ids, labels=labels).loss
        for count in (48, torch.tensor(48)):
            together = model(input_ids=ids, labels=labels, num_items_in_batch=count).loss
            torch.testing.assert_close(together, alone * 12 / 48)


def padded(rows, time):
    """A mask: the first row is padded on the left, the second on the right."""
    mask = torch.ones(rows, time, dtype=torch.long)
    mask[0, :9] = 0
    mask[1, -9:] = 0
    return mask


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_fast_pieces_have_the_loss_and_gradients_of_the_plain_formula(variant, masked, monkeypatch):
    monkeypatch.setitem(mixing.BLOCK, "cpu", 32)  # several blocks
    monkeypatch.setitem(mixing.GATHERED, "cpu", 2 * 100 * 4 * 16)  # two rows of three at a time
    model, ids = make(variant), tokens()
    mask = padded(*ids.shape) if masked else None
    labels = ids if mask is None else ids.where(mask == 1, -100)
    fast, plain = (
        model(input_ids=ids, attention_mask=mask, labels=labels, output_contextualization=explain)
        for explain in (False, True)
    )
    assert fast.contextualization is None
    assert plain.contextualization.shape == (3, 4, 100, 100)
    assert fast.loss.item() == pytest.approx(plain.loss.item(), rel=1e-6)
    parameters = list(model.parameters())
    for own, other in zip(*(torch.autograd.grad(found.loss, parameters) for found in (fast, plain))):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=2e-6 * max(1.0, other.abs().max().item()))


def test_the_sum_and_its_gradients_in_fp64(monkeypatch):
    monkeypatch.setitem(mixing.BLOCK, "cpu", 3)
    monkeypatch.setitem(mixing.GATHERED, "cpu", 1)
    generator = torch.Generator().manual_seed(0)
    query, key = (torch.randn(2, 3, 8, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    senses = torch.randn(5, 3, 6, generator=generator, dtype=torch.float64)
    places = torch.randint(5, (2, 8), generator=generator)
    seen = torch.rand(2, 8, generator=generator) < 0.7
    inputs = [each.requires_grad_() for each in (query, key, senses)]
    fast = Mixing.apply(*inputs, (places, seen))
    plain = plain_sum(sense_weights(query, key, seen), senses[places])
    torch.testing.assert_close(fast, plain)
    torch.testing.assert_close(weighted_sum(sense_weights(query, key, seen), senses, places), plain)
    slope = torch.randn(plain.shape, generator=generator, dtype=torch.float64)
    for own, other in zip(*(torch.autograd.grad(found, inputs, slope) for found in (fast, plain))):
        torch.testing.assert_close(own, other, rtol=1e-6, atol=1e-6)


def test_padding_changes_nothing():
    model, ids = make(), tokens(1, 30)
    alone = model(input_ids=ids).logits
    for left, right in ((7, 0), (0, 7), (3, 4)):
        row = torch.cat([torch.zeros(1, left, dtype=torch.long), ids, torch.zeros(1, right, dtype=torch.long)], 1)
        mask = torch.cat([torch.zeros(1, left), torch.ones_like(ids), torch.zeros(1, right)], 1).long()
        found = model(input_ids=row, attention_mask=mask).logits
        assert found.isfinite().all()
        torch.testing.assert_close(found[:, left : left + 30], alone, rtol=1e-4, atol=1e-4)


def test_positions_may_be_said():
    model, ids = make(), tokens(1, 6)
    said = model(input_ids=ids, position_ids=torch.arange(10, 16)[None]).logits
    assert not torch.allclose(said, model(input_ids=ids).logits)
    assert torch.equal(model(input_ids=ids, position_ids=torch.arange(6)[None]).logits, model(input_ids=ids).logits)


def test_bf16_is_near_fp32():
    model, ids = make(initializer_range=0.1), tokens()
    found = []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = model(input_ids=ids, labels=ids).loss
        found.append((loss.detach(), torch.autograd.grad(loss, list(model.parameters()))))
    (loss, slopes), (half, halves) = found
    assert half.item() == pytest.approx(loss.item(), rel=5e-3)
    for slope, own in zip(slopes, halves):
        assert own.dtype == torch.float32
        assert (slope - own).norm() <= 0.1 * slope.norm() + 1e-4


def test_only_the_trunk_drops():
    model, ids = make(resid_pdrop=0.5, embd_pdrop=0.5, attn_pdrop=0.5).train(), tokens(2, 10)
    first, second = (model(input_ids=ids).logits for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(model.senses(ids[0]), model.eval().senses(ids[0]))


class Largest(TorchDispatchMode):
    """Watches how large tensors get."""

    elements = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        found = function(*arguments, **keywords or {})
        for each in found if isinstance(found, tuple | list) else (found,):
            if isinstance(each, torch.Tensor):
                self.elements = max(self.elements, each.numel())
        return found


def test_no_tensor_of_everybodys_senses_exists(monkeypatch):
    rows, time, k, d = 8, 128, 4, 16
    model, ids = make(), tokens(rows, time)
    monkeypatch.setitem(mixing.GATHERED, "cpu", time * k * d)
    with Largest() as plain:
        model(input_ids=ids, output_contextualization=True)
    assert plain.elements >= rows * time * k * d
    with Largest() as fast:
        model.backpack(input_ids=ids).last_hidden_state.sum().backward()
    assert fast.elements <= rows * time * d * 4  # the trunk's feed-forward networks


def test_senses_of_a_token_are_the_same_wherever_it_stands():
    model = make()
    table = model.sense_table(several=7)
    assert table.shape == (50, 4, 16)
    torch.testing.assert_close(model.senses(torch.tensor([3, 44])), table[[3, 44]])
    ids = tokens(1, 12)
    out = model(input_ids=ids, output_contextualization=True)
    hidden = plain_sum(out.contextualization, table[ids])
    torch.testing.assert_close(hidden @ model.lm_head.weight.T, out.logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(out.contextualization.sum(-1), torch.ones(1, 4, 12))
    assert (out.contextualization.triu(1) == 0).all()


def test_senses_may_be_taken_from_a_table():
    model, ids = make(), tokens(2, 10)
    before = model(input_ids=ids).logits
    table = model.sense_table()
    model.backpack.use_senses(table)
    torch.testing.assert_close(model(input_ids=ids).logits, before)
    table[:, 2] = 0
    after = model(input_ids=ids).logits
    assert not torch.allclose(after, before)
    assert "backpack.own_table" not in model.state_dict()
    model.backpack.use_senses(None)
    assert torch.equal(model(input_ids=ids).logits, before)
    with pytest.raises(ValueError, match=r"is \(50, 3, 16\) and must be \(50, 4, 16\)"):
        model.backpack.use_senses(table[:, :3])
    model.backpack.use_senses(table)
    with model.backpack.edited(senses=lambda ids, senses: 2 * senses):
        torch.testing.assert_close(model.sense_table(), 2 * table)
    torch.testing.assert_close(model.sense_table(), table)


def test_an_edit_of_senses_and_the_same_edit_of_weights():
    model, ids = make(), tokens(2, 10)
    before = model(input_ids=ids).logits

    def suppress(token_ids, senses):
        scale = torch.ones(len(token_ids), 4, 1)
        scale[token_ids == ids[0, 3], 1] = 0
        return senses * scale

    def forget(weights, token_ids):
        scale = torch.ones(*token_ids.shape, 4)
        scale[token_ids == ids[0, 3], 1] = 0
        return weights * scale.permute(0, 2, 1)[:, :, None]

    with model.backpack.edited(senses=suppress):
        edited = model(input_ids=ids).logits
    with model.backpack.edited(weights=forget):
        torch.testing.assert_close(model(input_ids=ids).logits, edited, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(edited, before)
    assert torch.equal(edited[0, :3], before[0, :3])
    assert torch.equal(model(input_ids=ids).logits, before)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"num_senses": 3}, "must divide"), ({"sense_network": "x"}, "paper or multilingual"),
     ({"sense_layout": "x"}, "sense-major or feature-major")],
)  # fmt: skip
def test_a_wrong_configuration_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        make(**given)
