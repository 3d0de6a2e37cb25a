"""What is remembered gives the tokens that computing anew gives."""

import copy

import pytest
import torch
from small_backpacks import VARIANTS, make, tokens
from transformers import DynamicCache, StaticCache

from backpack.networks.modelling import CACHE


def generate(model, ids, **given):
    given = {"attention_mask": torch.ones_like(ids), "max_new_tokens": 20, "do_sample": False} | given
    return model.generate(ids, **given)


def uncached(model, ids, new=20):
    """Greedy tokens by the plain formula."""
    for _ in range(new):
        logits = model(input_ids=ids, output_contextualization=True).logits
        ids = torch.cat([ids, logits[:, -1].argmax(-1, keepdim=True)], 1)
    return ids


@pytest.mark.parametrize("variant", VARIANTS)
def test_greedy_tokens_are_those_without_a_cache(variant):
    model, ids = make(variant), tokens(3, 8)
    expected = uncached(model, ids)
    assert torch.equal(generate(model, ids), expected)
    assert torch.equal(generate(model, ids, use_cache=False), expected)
    assert len(expected[:, 8:].unique()) > 2


def test_a_padded_batch_is_each_prompt_alone():
    model, length = make(), (3, 7, 5)
    prompts = [tokens(1, each, seed=each) for each in length]
    batch = torch.cat([torch.cat([torch.zeros(1, 7 - each.shape[1], dtype=torch.long), each], 1) for each in prompts])
    found = generate(model, batch, attention_mask=(batch != 0).long())
    for row, prompt in zip(found, prompts):
        assert torch.equal(row[7:], generate(model, prompt)[0, prompt.shape[1] :])


def test_beams_and_sampling():
    model, ids = make(), tokens(2, 6)
    for given in ({"num_beams": 3}, {"num_beams": 2, "num_return_sequences": 2}):
        assert torch.equal(generate(model, ids, **given), generate(model, ids, use_cache=False, **given))
    found = []
    for cache in (True, False):
        torch.manual_seed(0)
        found.append(generate(model, ids, do_sample=True, top_k=0, use_cache=cache))
    assert torch.equal(*found)


def test_a_cache_goes_on_piece_by_piece():
    model, ids = make(), tokens(2, 12)
    expected = model(input_ids=ids).logits
    cache, found = DynamicCache(), []
    with torch.no_grad():
        for piece in ids.split((5, 1, 6), 1):
            out = model(input_ids=piece, cache=cache, use_cache=True)
            assert out[CACHE] is cache
            found.append(out.logits)
    torch.testing.assert_close(torch.cat(found, 1), expected, rtol=1e-4, atol=1e-4)
    assert [layer.get_seq_length() for layer in cache.layers] == [12, 12, 12]
    cache.crop(-6)
    with_gradients = model(input_ids=ids[:, 6:9], cache=cache, use_cache=True).logits
    with torch.no_grad():
        without = model(input_ids=ids[:, 9:], cache=cache, use_cache=True).logits
    torch.testing.assert_close(torch.cat([with_gradients, without], 1), expected[:, 6:], rtol=1e-4, atol=1e-4)


def test_a_copy_of_a_cache_goes_on_without_a_copy_of_the_model():
    model, ids = make(), tokens(2, 9)
    expected = model(input_ids=ids).logits[:, 6:]
    with torch.no_grad():
        cache = model(input_ids=ids[:, :6], use_cache=True)[CACHE]
        copied = {}
        twin = copy.deepcopy(cache, copied)
        assert not {id(part) for part in model.modules()} & set(copied)
        found = [model(input_ids=ids[:, 6:], cache=each).logits for each in (twin, cache)]
    for each in found:
        torch.testing.assert_close(each, expected, rtol=1e-4, atol=1e-4)


def test_each_token_is_computed_once():
    model, ids = make(), tokens(2, 6)
    asked = []
    model.backpack.sense_network.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    found = generate(model, ids)
    assert sum(asked) == len(found[:, :-1].unique())


def test_edits_count_in_generation():
    model, ids = make(), tokens(2, 6)
    table = model.sense_table()
    table[:, 1] *= -3
    before = generate(model, ids)
    model.backpack.use_senses(table)
    by_table = generate(model, ids)
    assert not torch.equal(by_table, before)
    assert torch.equal(by_table, generate(model, ids, use_cache=False))
    model.backpack.use_senses(None)
    scale = torch.tensor([1.0, -3.0, 1.0, 1.0])
    with model.backpack.edited(senses=lambda _, senses: senses * scale[:, None]):
        assert torch.equal(generate(model, ids), by_table)
    with model.backpack.edited(weights=lambda weights, _: weights * scale[:, None, None]):
        assert torch.equal(generate(model, ids), by_table)
    assert torch.equal(generate(model, ids), before)


def test_logits_are_computed_where_they_are_wanted():
    model, ids = make(), tokens(2, 6)
    whole = model(input_ids=ids).logits
    torch.testing.assert_close(model(input_ids=ids, logits_to_keep=2).logits, whole[:, -2:])
    torch.testing.assert_close(model(input_ids=ids, logits_to_keep=torch.tensor([0, 3])).logits, whole[:, [0, 3]])
    assert CACHE not in model(input_ids=ids)


def test_another_kind_of_cache_is_refused():
    model, ids = make(), tokens(1, 4)
    with pytest.raises(ValueError, match="generates with a DynamicCache, not with StaticCache"):
        model(input_ids=ids, cache=StaticCache(config=model.config, max_cache_len=10), use_cache=True)
