"""A Backpack as what other programs make of a model: states, embeddings, heads for tasks, exported programs."""

import json

import pytest
import torch
from small_backpacks import VARIANTS, make, tokens
from transformers import DynamicCache, StaticCache

from backpack.model import Backpack
from backpack.networks.modelling import CACHE, plain_sum


@pytest.mark.parametrize("variant", VARIANTS)
def test_states_are_those_of_the_trunk_and_then_o(variant):
    model, ids = make(variant), tokens(2, 10)
    outputs = model(input_ids=ids, output_hidden_states=True, output_contextualization=True)
    trunk = model.backpack.gpt2_model(input_ids=ids, output_hidden_states=True)
    assert len(outputs.hidden_states) == model.config.n_layer + 2
    for state, expected in zip(outputs.hidden_states, trunk.hidden_states):
        assert torch.equal(state, expected)
    assert torch.equal(outputs.hidden_states[-2], trunk.last_hidden_state)
    body = model.backpack(input_ids=ids, output_hidden_states=True)
    torch.testing.assert_close(outputs.hidden_states[-1], body.last_hidden_state)
    assert body.hidden_states[-1] is body.last_hidden_state
    o = plain_sum(outputs.contextualization, model.sense_table()[ids]) * model.config.sense_scale
    torch.testing.assert_close(outputs.hidden_states[-1], o)
    torch.testing.assert_close(model.lm_head(o), outputs.logits)
    assert model(input_ids=ids).hidden_states is None


def test_the_configuration_and_return_dict_are_obeyed():
    model, ids = make(), tokens(2, 10)
    logits = model(input_ids=ids).logits
    assert torch.equal(*model(input_ids=ids, return_dict=False), logits)
    model.config.output_hidden_states = True
    model.config.return_dict = False
    first, states = model(input_ids=ids)
    assert torch.equal(first, logits)
    assert len(states) == 4
    model.set_attn_implementation("eager")
    weights = model(input_ids=ids, output_attentions=True, return_dict=True).attentions
    assert [each.shape for each in weights] == 2 * [(2, 2, 10, 10)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_embeddings_of_tokens_are_read_as_the_tokens(variant):
    model, ids = make(variant), tokens(3, 12)
    mask = torch.ones_like(ids)
    mask[1, :4] = 0
    embedded = model.get_input_embeddings()(ids)
    for kind in (model, model.backpack):
        said, given = kind(input_ids=ids, attention_mask=mask)[0], kind(inputs_embeds=embedded, attention_mask=mask)[0]
        torch.testing.assert_close(given, said)
    alpha = model(inputs_embeds=embedded, output_contextualization=True).contextualization
    torch.testing.assert_close(alpha, model(input_ids=ids, output_contextualization=True).contextualization)
    new = {"attention_mask": mask, "max_new_tokens": 15, "do_sample": False}
    expected = model.generate(ids, **new)[:, 12:]
    for cache in (True, False):
        assert torch.equal(model.generate(inputs_embeds=embedded, use_cache=cache, **new), expected)
    assert torch.equal(model.generate(inputs_embeds=embedded, num_beams=3, **new),
                       model.generate(ids, num_beams=3, **new)[:, 12:])  # fmt: skip


def test_a_prompt_of_embeddings_is_learnt():
    model, ids = make(), tokens(1, 6)
    prompt = torch.nn.Parameter(torch.randn(1, 4, 16, generator=torch.Generator().manual_seed(0)))
    adam = torch.optim.Adam([prompt], lr=0.1)
    labels = torch.cat([torch.full((1, 4), -100), ids], 1)
    losses = []
    for _ in range(30):
        embedded = torch.cat([prompt, model.get_input_embeddings()(ids)], 1)
        losses.append(model(inputs_embeds=embedded, labels=labels).loss)
        adam.zero_grad()
        losses[-1].backward()
        adam.step()
    assert losses[-1] < 0.5 * losses[0]


def test_embeddings_and_tokens_share_a_cache():
    model, ids = make(), tokens(2, 9)
    embedded = model.get_input_embeddings()(ids)
    expected, cache, found = model(input_ids=ids).logits, DynamicCache(), []
    with torch.no_grad():
        for start, end, kind in ((0, 4, "ids"), (4, 7, "embeddings"), (7, 9, "ids")):
            piece = {"input_ids": ids[:, start:end]} if kind == "ids" else {"inputs_embeds": embedded[:, start:end]}
            found.append(model(**piece, use_cache=True, **{CACHE: cache}).logits)
    torch.testing.assert_close(torch.cat(found, 1), expected, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match=r"without gradients and without edits: say use_cache=False"):
        model(input_ids=ids[:, :1], use_cache=True, **{CACHE: cache})


def test_where_senses_go_by_tokens_embeddings_are_refused():
    model, ids = make(), tokens(2, 5)
    embedded = model.get_input_embeddings()(ids)
    with pytest.raises(ValueError, match="give one of them"):
        model(input_ids=ids, inputs_embeds=embedded)
    with pytest.raises(ValueError, match="give one of them"):
        model()
    with (
        model.backpack.edited(senses=lambda ids, senses: 2 * senses),
        pytest.raises(ValueError, match="inputs_embeds belong to no token"),
    ):
        model(inputs_embeds=embedded)
    with (
        model.backpack.edited(weights=lambda weights, ids: 2 * weights),
        pytest.raises(ValueError, match="inputs_embeds belong to no token"),
    ):
        model(inputs_embeds=embedded)
    model.backpack.use_senses(model.sense_table())
    with pytest.raises(ValueError, match="inputs_embeds belong to no token"):
        model(inputs_embeds=embedded)


def test_a_model_in_training_reads_embeddings_too():
    model = Backpack(layers=1, heads=2, embedding_size=16, block_size=32, senses=4, vocab_size=20, dropout=0.0).build()
    ids = torch.randint(20, (2, 9))
    embedded = model.get_input_embeddings()(ids)
    outputs = model(inputs_embeds=embedded, labels=ids, output_hidden_states=True)
    torch.testing.assert_close(outputs.loss, model(input_ids=ids, labels=ids).loss)
    assert len(outputs.hidden_states) == 3


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("given", ["tokens", "mask", "embeddings"])
def test_an_exported_program_holds_for_every_batch_and_length(variant, given):
    model = make(variant)

    def batch(rows, time):
        ids = tokens(rows, time, seed=time)
        if given == "embeddings":
            return {"inputs_embeds": model.get_input_embeddings()(ids).detach()}
        mask = torch.ones_like(ids)
        mask[:, : time // 3] = 0
        return {"input_ids": ids} | ({"attention_mask": mask} if given == "mask" else {})

    sizes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("time", max=160)}
    with torch.no_grad():
        program = torch.export.export(model, (), batch(3, 12), dynamic_shapes=dict.fromkeys(batch(3, 12), sizes))
    for rows, time in ((2, 2), (5, 33), (2, 160)):
        found = program.module()(**batch(rows, time)).logits
        torch.testing.assert_close(found, model(**batch(rows, time)).logits, rtol=1e-4, atol=1e-4)


def test_what_a_program_cannot_hold_is_refused():
    model, ids = make(), tokens(2, 5)
    with pytest.raises(ValueError, match="exported without a cache and without edits"):
        torch.export.export(model, (), {"input_ids": ids, "use_cache": True}, strict=False)
    with (
        model.backpack.edited(senses=lambda ids, senses: 2 * senses),
        pytest.raises(ValueError, match="exported without a cache and without edits"),
    ):
        torch.export.export(model, (), {"input_ids": ids}, strict=False)
    with pytest.raises(ValueError, match="generates with a DynamicCache, not with StaticCache"):
        model(input_ids=ids, use_cache=True, **{CACHE: StaticCache(config=model.config, max_cache_len=10)})


TRAIN = "--steps 2 --output {} {} {} cli optimizers adamw cli train"
TREE = "1\tthe\t_\tDET\t_\t_\t2\tdet\t_\t_\n2\tdog\t_\tNOUN\t_\t_\t0\troot\t_\t_\n\n"


@pytest.fixture
def pretrained(run_cli):
    data = "cli tokenizer bpe --vocab_size 400 cli dataset babel --documents 40 --block_size 32 --batch_size 4"
    run_cli(TRAIN.format("run", data, "cli model backpack --layers 1 --heads 2 --embedding_size 16 --block_size 32 "
                     "--senses 4"))  # fmt: skip
    return run_cli


@pytest.mark.parametrize(
    ("data", "model"),
    [
        ("cli dataset babel-tags --documents 30 --batch_size 8", "token-classifier"),
        ("cli dataset babel-topics --documents 30 --batch_size 8", "sequence-classifier"),
        ("cli dataset treebank --path trees.conllu --batch_size 2", "parser"),
        ("cli dataset squad --path questions.json --max_length 30 --stride 4 --batch_size 2", "question-answerer"),
    ],
)
def test_heads_for_tasks_read_a_backpack(data, model, pretrained, tmp_path):
    (tmp_path / "trees.conllu").write_text(4 * TREE)
    answer = {"text": "dog", "answer_start": 4}
    question = {"id": "1", "question": "who sees?", "answers": [answer]}
    paragraph = {"context": "the dog sees a cat", "qas": [question]}
    content = {"version": "1.1", "data": [{"title": "a", "paragraphs": [paragraph]}]}
    (tmp_path / "questions.json").write_text(json.dumps(content))
    pretrained(TRAIN.format("task", data, f"cli model {model} --from run"))
    data = f"{data} --split test --name held".replace("trees", "held").replace("questions", "other")
    (tmp_path / "held.conllu").write_text(4 * TREE.replace("dog", "cat"))
    (tmp_path / "other.json").write_text(json.dumps(content).replace("sees", "hears"))
    pretrained(f"--output again {data} cli model {model} --from task cli test")
    assert (tmp_path / "again" / "metrics.jsonl").read_text()


def test_states_of_every_layer_are_compared(pretrained, tmp_path):
    pretrained("--output found cli model load --from run cli retrieval --corpus babel --layer all --sentences 20")
    lines = [json.loads(line) for line in (tmp_path / "found" / "metrics.jsonl").read_text().splitlines()]
    assert {line["layer"] for line in lines} == {0, 1, 2}
