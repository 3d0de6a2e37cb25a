"""Edits do what their formulas say, go through files, and leave no trace when they are taken back."""

import json

import numpy
import pytest
import torch
from small_backpacks import make, tokens
from spoken_backpack import spoken, tokenizer

from backpack.edits.debias import best_factor, bias_at
from backpack.edits.edited import edit
from backpack.edits.files import open_edits, save_edits
from backpack.edits.steps import Knowledge, Project, Replace, Scale, Topic

CHOSEN = {"tokens": (2, 5), "senses": (0, 3)}
STEPS = [
    Scale(**CHOSEN, factor=-0.5),
    Scale(senses=(1,), factor=0.0),
    Project(tokens=(7,), token_pairs=((5, 6), (3, 4))),
    Knowledge(tokens=(2,), removed_token=3, added_token=4),
    Replace(tokens=(2,), senses=(1,), source_tokens=(3,), source_senses=(2,)),
    Topic(tokens=(4, 3), strength=2.0, annealing=0.5),
]


def edited_table(model, *steps):
    with edit(model, steps):
        return model.sense_table()


def changed(before, after):
    """The tokens and senses that differ."""
    return {tuple(place) for place in (before != after).any(-1).nonzero().tolist()}


def test_scaling_touches_what_is_chosen():
    model = make()
    before = model.sense_table()
    after = edited_table(model, Scale(**CHOSEN, factor=-0.5))
    assert changed(before, after) == {(2, 0), (2, 3), (5, 0), (5, 3)}
    assert torch.equal(after[5, 3], -0.5 * before[5, 3])
    every = edited_table(model, Scale(senses=(1,), factor=0.0))
    assert not every[:, 1].any()
    assert torch.equal(every[:, 2], before[:, 2])
    assert torch.equal(edited_table(model, Scale(tokens=(9,), factor=2.0))[9], 2 * before[9])


def test_projecting_leaves_no_choice_within_a_pair():
    model = make()
    before, head = model.sense_table(), model.lm_head.weight
    after = edited_table(model, Project(tokens=(7,), token_pairs=((5, 6), (3, 4), (5, 6))))
    assert changed(before, after) == {(7, sense) for sense in range(4)}
    logits = after[7] @ head.T
    torch.testing.assert_close(logits[:, 5], logits[:, 6], rtol=0, atol=1e-4)
    torch.testing.assert_close(logits[:, 3], logits[:, 4], rtol=0, atol=1e-4)
    one = edited_table(model, Project(tokens=(7,), token_pairs=((5, 6),)))
    direction = (head[5] - head[6]) / (head[5] - head[6]).norm()
    for sense in range(4):
        expected = before[7, sense] - (before[7, sense] @ direction) * direction
        torch.testing.assert_close(one[7, sense], expected, rtol=1e-4, atol=1e-5)


def test_a_fact_is_exchanged_by_the_formula_of_the_paper():
    model = make()
    with torch.no_grad():  # orthogonal and of different lengths, so that what is said of them is seen apart
        model.lm_head.weight[4] -= model.lm_head.weight[3] * (
            (model.lm_head.weight[4] @ model.lm_head.weight[3]) / model.lm_head.weight[3].square().sum()
        )
        model.lm_head.weight[4] *= 2
    before, head = model.sense_table(), model.lm_head.weight
    after = edited_table(model, Knowledge(tokens=(2,), removed_token=3, added_token=4))
    assert changed(before, after) == {(2, sense) for sense in range(4)}
    removed, added = head[3], head[4]
    phi = added.norm() ** 2 / removed.norm() ** 2
    for sense in range(4):
        own = before[2, sense]
        expected = own + (own @ removed) / removed.norm() ** 2 * (added / phi - removed)
        torch.testing.assert_close(after[2, sense], expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(after[2, sense] @ removed, torch.tensor(0.0), rtol=0, atol=1e-4)
        torch.testing.assert_close(after[2, sense] @ added, own @ added + own @ removed, rtol=1e-4, atol=1e-4)


def test_senses_are_replaced_and_swapped():
    model = make()
    before = model.sense_table()
    after = edited_table(model, Replace(tokens=(2,), senses=(1,), source_tokens=(3,), source_senses=(2,)))
    assert changed(before, after) == {(2, 1)}
    torch.testing.assert_close(after[2, 1], before[3, 2])
    swap = Replace(tokens=(2, 3), senses=(1, 2), source_tokens=(3, 2), source_senses=(2, 1))
    after = edited_table(model, swap)
    assert changed(before, after) == {(2, 1), (3, 2)}
    torch.testing.assert_close(after[2, 1], before[3, 2])
    torch.testing.assert_close(after[3, 2], before[2, 1])
    torch.testing.assert_close(edited_table(model, swap, swap), before)


def test_edits_compose_in_their_order():
    model = make()
    before = model.sense_table()
    copy = Replace(tokens=(2,), senses=(1,), source_tokens=(3,), source_senses=(1,))
    double = Scale(tokens=(3,), factor=2.0)
    torch.testing.assert_close(edited_table(model, double, copy)[2, 1], 2 * before[3, 1])
    torch.testing.assert_close(edited_table(model, copy, double)[2, 1], before[3, 1])


def test_topics_weigh_more_by_the_formula():
    model, ids = make(), tokens(2, 12)
    ids[0, 3] = ids[0, 7] = 4
    plain = model(input_ids=ids, output_contextualization=True).contextualization
    with edit(model, [Topic(tokens=(4, 3), strength=2.0, annealing=0.5)]):
        found = model(input_ids=ids, output_contextualization=True).contextualization
        greedy = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)
        anew = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False, use_cache=False
        )
    assert torch.equal(greedy, anew)
    logits = model.sense_table() @ model.lm_head.weight.T  # (V, k, V)
    z = (logits[..., [4, 3]].mean(-1) - logits.mean(-1)) / logits.std(-1, unbiased=False)
    for row in range(2):
        for i in range(12):
            read = sum(token in (4, 3) for token in ids[row, : i + 1].tolist())
            for j in range(i + 1):
                factor = 1 + 2.0 * 0.5**read * z[ids[row, j]].clamp(min=0)
                expected = plain[row, :, i, j] * factor
                torch.testing.assert_close(found[row, :, i, j], expected, rtol=1e-3, atol=1e-5)


def test_a_topic_does_not_know_what_comes_after_it():
    model, ids = make(), tokens(2, 12)
    topic, later = Topic(tokens=(4, 3), strength=2.0, annealing=0.5), Scale(senses=(1, 2), factor=-1.0)

    def weights(*steps):
        with edit(model, steps):
            return model(input_ids=ids, output_contextualization=True).contextualization

    assert torch.equal(weights(topic, later), weights(topic))
    assert not torch.allclose(weights(later, topic), weights(topic))


def test_files_apply_and_taking_back_leaves_no_trace(tmp_path):
    model, ids = make(), tokens(2, 9)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    before = model(input_ids=ids).logits
    save_edits(tmp_path / "all.json", STEPS, model, tokenizer())
    steps = open_edits([tmp_path / "all.json"], model, tokenizer())
    assert steps == STEPS
    edits = edit(model, steps)
    found = model(input_ids=ids).logits
    assert not torch.equal(found, before)
    with edit(model, [Scale(factor=0.0)]):
        assert not model(input_ids=ids).logits.any()
    assert torch.equal(model(input_ids=ids).logits, found)
    edits.revert()
    assert torch.equal(model(input_ids=ids).logits, before)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, weights[name])
    other = make(seed=1)
    with edit(other, open_edits([tmp_path / "all.json"], other)):
        torch.testing.assert_close(other.senses(torch.tensor([2]))[0, 1], other.senses(torch.tensor([3]))[0, 2] * 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.update(senses=8), "is for a model of 8 senses; this one has 4"),
        (lambda content: content.update(format="x"), "holds no edits"),
        (lambda content: content["tokens"].update({"2": "▁shore"}), "token 2 is '▁shore' there and '▁bank' here"),
        (lambda content: content["edits"][0].update(kind="x"), "is damaged: no edit is called 'x'"),
        (lambda content: content["edits"][0].update(tokens=[50]), "is damaged: 50 is not below 50"),
        (lambda content: content["edits"][0].update(tokens=["a"]), r"is damaged: tokens of scale cannot be \('a',\)"),
        (lambda content: content["edits"][0].update(tokens=7), "is damaged: tokens of scale cannot be 7"),
        (lambda content: content["edits"][0].update(factor="a"), "is damaged: factor of scale cannot be 'a'"),
        (
            lambda content: content["edits"][0].update(factor=10**400, senses=[]),
            "is damaged: senses of scale cannot be",
        ),
        (lambda content: content["edits"][2].update(token_pairs=[[5]]), "is damaged: token_pairs of project cannot be"),
        (lambda content: content["edits"][3].update(added_token=None), "is damaged: added_token of knowledge cannot"),
        (lambda content: content["edits"][4].update(senses=[]), "is damaged: senses of replace cannot be"),
        (lambda content: content["edits"][4].update(senses=[1, 2]), "is damaged: tokens, .* are of different lengths"),
        (lambda content: content["edits"][5].update(tokens=[]), "is damaged: tokens of topic cannot be"),
        (lambda content: content["edits"][5].update(tokens=None), "is damaged: tokens of topic cannot be None"),
        (lambda content: content["edits"][5].update(strength=float("nan")), "is damaged: strength of topic cannot be"),
        (lambda content: content["edits"][0].pop("factor"), "is damaged: .*factor"),
        (lambda content: content.pop("edits"), "is damaged"),
    ],
)
def test_files_that_do_not_fit_are_named(change, said, tmp_path):
    model, path = make(), tmp_path / "e.json"
    save_edits(path, STEPS, model, tokenizer())
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=said) as caught:
        open_edits([path], model, tokenizer())
    assert "\n" not in str(caught.value)


def test_a_sentence_edits_and_every_action_sees_it(run_cli, tmp_path):
    model = spoken(tmp_path / "m")
    start = "cli model load --from m cli backpack edit"
    assert "wrote e.json: scale of bank" in run_cli(f"{start} suppress --word bank --sense 2 --output e.json").out
    run_cli(f"{start} swap --word he --sense 0 --other she --output s.json")
    run_cli(f"{start} replace --word he --sense 1 --by river --by_sense 3 --output r.json")
    run_cli(f"{start} project --word nurse --pair he she --output p.json")
    run_cli(f"{start} knowledge --word bank --remove river --add money --output k.json")
    run_cli(f"{start} topic --word river --word money --output t.json")
    run_cli(f"{start} scale --sense 1 --factor 2 --output f.json")
    ids = torch.tensor([[2, 3]])
    with edit(model, [Scale(tokens=(2,), senses=(2,), factor=0.0)]):
        expected = model(input_ids=ids).logits[0, -1, 5].item()
    line = "cli backpack attribute --prompt 'bank river' --token he --json a.json"
    run_cli(f"cli model edited --from m --edits e.json {line}")
    (found,) = json.loads((tmp_path / "a.json").read_text())
    assert found["logit"] == pytest.approx(expected, abs=1e-4)
    assert (
        "Edits are not written"
        in run_cli("cli model edited --from m --edits e.json cli backpack export --output x", 2).err
    )
    assert "words of m + e.json" in run_cli("cli model edited --from m --edits e.json cli backpack senses").out
    every = "e.json s.json r.json p.json k.json t.json f.json"
    assert (
        "bank"
        in run_cli(f"cli model edited --from m --edits {every} cli generate --prompt bank --max_new_tokens 3").out
    )


def test_effects_are_measured(run_cli, tmp_path):
    model = spoken(tmp_path / "m")
    run_cli("cli model load --from m cli backpack edit knowledge --word bank --remove he --add she --output k.json")
    texts = [("own", "bank"), ("own", "river bank"), ("other", "river money")]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps({"kind": a, "text": b}) + "\n" for a, b in texts))
    line = "cli model load --from m cli backpack effects --edits k.json --texts t.jsonl --wanted she --unwanted he"
    assert "Effects of edits on m" in run_cli(f"--output runs/a {line}").out
    own, other = (json.loads(each) for each in (tmp_path / "runs/a/metrics.jsonl").read_text().splitlines())
    assert (own["kind"], own["texts"], other["texts"]) == ("own", 2, 1)
    assert other["divergence"] == 0
    assert other["same_first"] == 1
    gains = []
    for ids in (torch.tensor([[2]]), torch.tensor([[3, 2]])):
        odds = [model(input_ids=ids).logits[0, -1]]
        with edit(model, [Knowledge(tokens=(2,), removed_token=5, added_token=6)]):
            odds.append(model(input_ids=ids).logits[0, -1])
        gains.append(((odds[1][6] - odds[1][5]) - (odds[0][6] - odds[0][5])).item())
    assert own["log_odds_gained"] == pytest.approx(sum(gains) / 2, abs=1e-3)


def test_the_fitted_factor_has_the_least_bias():
    generator = numpy.random.default_rng(0)
    for centre in (0.4, 3.0, -3.0):
        share = generator.normal(size=200)
        odds = share * (1 - centre) + 0.1 * generator.normal(size=200)
        factor = best_factor(odds, share)
        grid = [bias_at(odds, share, each) for each in numpy.linspace(0, 1, 201)]
        assert bias_at(odds, share, factor) <= min(grid) + 1e-9


def test_debiasing(run_cli, tmp_path, monkeypatch):
    model = spoken(tmp_path / "m")
    folder = tmp_path / "data" / "bias_winobias"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SEMEQV_DATA", str(folder.parent))
    sentences = [
        "[bank doctor] nurse river [he] wa .",
        "nurse [doctor] money [She] wb .",
        "bank [nurse] her [wc] .",
        "bank nurse her [she]",
    ]
    more = ["river [doctor] [she] wd .", "money nurse [he] ."]
    for part, here in (("dev", sentences), ("test", sentences + more)):
        for kind in ("pro", "anti"):
            text = "".join(f"{i} {each}\n" for i, each in enumerate(here, 1))
            (folder / f"{kind}_stereotyped_type1.txt.{part}").write_text(text)
    (folder / "female_occupations.txt").write_text("nurse\nunheard\n")
    (folder / "male_occupations.txt").write_text("doctor\nbuilding worker\n")
    out = run_cli("--output runs/a cli model load --from m cli backpack edit debias --sense 2 --output d.json").out
    assert "Bias, sense 2 of 2 tokens" in out
    (step,) = json.loads((tmp_path / "d.json").read_text())["edits"]
    assert (step["tokens"], step["senses"]) == ([7, 8], [2])
    assert 0 <= step["factor"] <= 1
    dev, test = (json.loads(each) for each in (tmp_path / "runs/a/metrics.jsonl").read_text().splitlines())
    assert test["texts"] == 2
    assert dev["after"] <= min(dev["before"], dev["suppressed"]) + 1e-9
    texts = [torch.tensor([[2, 8, 7, 3]]), torch.tensor([[7, 8, 4]])]
    for name, factor in (("before", 1.0), ("suppressed", 0.0), ("after", step["factor"])):
        with edit(model, [Scale(tokens=(7, 8), senses=(2,), factor=factor)]):
            logits = [model(input_ids=ids).logits[0, -1] for ids in texts]
        expected = sum(torch.exp((each[5] - each[6]).abs()).item() for each in logits) / 2
        assert dev[name] == pytest.approx(expected, rel=1e-4)
    run_cli("cli model load --from m cli backpack edit debias --output d.json")
    several = "cli model load --from m cli backpack edit debias --word 'nurse bank' --word doctor --output e.json"
    assert "'nurse bank' is 2 tokens here" in run_cli(several, code=2).err
    run_cli(f"{several} --pieces")
    (step,) = json.loads((tmp_path / "e.json").read_text())["edits"]
    assert step["tokens"] == [7, 2, 8]
    (folder / "female_occupations.txt").write_text("unheard\n")
    (folder / "male_occupations.txt").write_text("unheard\n")
    assert "say --pieces" in run_cli("cli model load --from m cli backpack edit debias --output e.json", code=2).err


def test_stereotypes(run_cli, tmp_path):
    model = spoken(tmp_path / "m")
    rows = ['0,"he bank, river",she bank river,stereo,gender', "1,wa wb,wa wc,antistereo,age", "2,he,she,stereo,gender"]
    (tmp_path / "c.csv").write_text("\n".join([",sent_more,sent_less,stereo_antistereo,bias_type", *rows]) + "\n")
    out = run_cli("--output runs/a cli model load --from m cli backpack crows-pairs --path c.csv").out
    assert "Stereotypical sentences preferred by m" in out
    lines = [json.loads(each) for each in (tmp_path / "runs/a/metrics.jsonl").read_text().splitlines()]
    assert [(each["kind"], each["pairs"]) for each in lines] == [("age", 1), ("gender", 2), ("all", 3)]
    first = model(input_ids=torch.tensor([[1]])).logits[0, -1]
    run_cli("--output runs/b cli model load --from m cli backpack crows-pairs --path c.csv --kinds gender")
    longer = [torch.tensor([[1, 5, 2, 10, 3]]), torch.tensor([[1, 6, 2, 3]])]
    logs = [model(input_ids=ids).logits[0, :-1].log_softmax(-1) for ids in longer]
    sums = [each[torch.arange(len(each)), ids[0, 1:]].sum() for each, ids in zip(logs, longer)]
    expected = ((first[5] > first[6]).item() + (sums[0] > sums[1]).item()) / 2
    assert lines[1]["stereotypical"] == expected
    err = run_cli("cli model load --from m cli backpack crows-pairs --path c.csv --kinds x", code=2).err
    assert "no pairs of the kind 'x'; it has age, gender" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cli model load --from m cli backpack edit suppress --output e.json", "Say what to edit: --word, --sense"),
        ("cli model load --from m cli backpack edit suppress --sense 9 --output e.json", "9 is not below 4"),
        ("cli model load --from m cli backpack edit project --word he --output e.json", "--pair he she"),
        (
            "cli model load --from m cli backpack edit topic --word he --annealing 2 --output e.json",
            "at least 0 and at most 1",
        ),
        ("cli model load --from m cli backpack edit debias --sense 9 --output e.json", "has senses 0 to 3"),
        ("cli model edited --from m cli generate", "Missing option '--edits'"),
        ("cli model edited --from m --edits nowhere.json cli generate", "nowhere.json: no such file"),
        ("cli model edited --from m --edits m/config.json cli generate", "holds no edits"),
    ],
)
def test_mistakes_of_edits_are_one_line(words, said, run_cli, tmp_path):
    spoken(tmp_path / "m")
    err = run_cli(words, code=2).err
    assert said in err
    assert not (tmp_path / "e.json").exists()
