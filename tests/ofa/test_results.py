"""Results of the experiments on vocabularies, from the files of planted runs."""

import json

import pytest

from ofa.results.parts import compared, given, place


def written(folder, *lines):
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def retrieved(corpus, value, **rest):
    line = {"measure": "retrieval", "level": "language", "of": "fr", "corpus": corpus, "direction": "both"}
    for k in (1, 5, 10):
        line |= {f"accuracy@{k}": value, f"accuracy@{k}_low": value - 0.02, f"accuracy@{k}_high": value + 0.02}
    return line | {"tokens": 20.5} | rest


@pytest.fixture
def experiments(tmp_path):
    """Runs of all three experiments."""
    for name, value in (("42-ofa", 0.5), ("43-ofa", 0.52), ("42-subword-mean", 0.3), ("42-bag", 0.6)):
        found = [retrieved(corpus, value) for corpus in ("tatoeba", "flores")]
        written(tmp_path / "fr/measured" / name, *found)
    written(tmp_path / "fr/measured/42-original", retrieved("flores", 0.505, overlap=0.0), retrieved("tatoeba", 0.1))
    facts = {"pairs": 1000, "left out": 7, "test sentences": 20, "found": 3}
    (tmp_path / "fr/text.json").write_text(json.dumps(facts))
    for name, before, after in (
        ("42-ofa", 5, 3),
        ("43-ofa", 5.5, 3.5),
        ("42-random", 9, 3.2),
        ("43-random", 8, 4),
        ("42-ofa-64", 5, 2.5),
        ("42-random-64", 6, 2.8),
    ):
        written(tmp_path / "go/before" / name, {"split": "test", "loss": before})
        written(tmp_path / "go/continued" / name, {"split": "train", "loss": 1}, {"split": "test", "loss": after})
        (tmp_path / "go/continued" / name / "steps.jsonl").write_text(
            '{"step": 1, "loss": 6}\n{"step": 2, "loss": 4}\n'
        )
    for seed, cosine in ((42, 0.5), (43, 0.6)):
        lines = [
            {
                "measure": "hypernetwork",
                "by": by,
                "subwords": 75,
                "cosine": value,
                "relative distance": 1.0,
                "found": 0.1,
                "above ofa": value - 0.45,
                "above ofa_low": value - 0.57,
                "above ofa_high": value - 0.35,
            }
            for by, value in (("bilstm", cosine), ("ofa", 0.45), ("mean", 0.1))
        ]
        written(tmp_path / "hyper/evaluated" / f"{seed}-bilstm", *lines)
    return tmp_path


def test_a_part_of_the_page_says_it_as_it_is(run_cli, experiments):
    page = experiments / "page.md"
    page.write_text("# New vocabularies\n\n<!-- all -->\n<!-- end -->\n\nPublished: table 3.\n")
    out = run_cli(
        "cli ofa report --retrieval fr --pretraining go --hypernetworks hyper "
        "--output page/all.json --markdown page.md --part all"
    ).out
    assert "OFA (0.510 [0.490-0.530]) is above subword-mean (0.300 [0.280-0.320])" in out
    assert "is below bag (0.600 [0.580-0.620])" in out
    assert "cannot be told from original (0.505 [0.485-0.525])" in out
    said = page.read_text()
    assert said.startswith("# New vocabularies\n")
    assert said.endswith("\nPublished: table 3.\n")
    assert "| ofa | aligned text | 2 | 0.510 ± 0.010 |" in said
    assert "0.00% of the sentences of the test occur in the aligned text" in said
    assert "7 pairs were left out, which held 3 of the 20 sentences of the tests" in said
    assert "- Before: the loss of OFA (5.250 ± 0.250) is lower in every seed than that of random" in said
    assert "- After: the loss of OFA (3.250 ± 0.250) cannot be told by the seeds from that of random" in said
    assert "- After: the loss of OFA-64 (2.500) is lower in every seed than that of random-64 (2.800)" in said
    assert "- After: the loss of random-64 (2.800) is lower in every seed than that of OFA (3.250 ± 0.250)" in said
    assert "By cosine bilstm is not to be told from OFA: +0.100 [-0.020, +0.200], subword by subword." in said
    numbers = json.loads((experiments / "page/all.json").read_text())
    assert set(numbers) == {"retrieval fr", "pretraining go", "hypernetworks hyper"}
    assert len(numbers["retrieval fr"]) == 10


def test_layers_stand_side_by_side(run_cli, experiments):
    for name, values in (("42-original", (0.1, 0.2, 0.3)), ("42-ofa", (0.2, 0.4)), ("42-bag", (0.5,))):
        lines = [retrieved("tatoeba", value, layer=layer) for layer, value in enumerate(values)]
        written(experiments / "deep/layers" / name, lines[0] | {"accuracy@10": 0.9}, *lines)  # the last counts
    (experiments / "page.md").write_text("<!-- layers -->\n<!-- end -->\n")
    run_cli("cli ofa report --layers deep --markdown page.md --part layers --output layers.json")
    page = (experiments / "page.md").read_text()
    assert "### French, Tatoeba: accuracy at 10, layer by layer" in page
    assert "| original | the model's own tokenizer | 0.100 | 0.200 | 0.300 |" in page
    assert "| ofa | aligned text | 0.200 | 0.400 |  |" in page
    assert len(json.loads((experiments / "layers.json").read_text())["layers deep"]) == 6


def test_what_is_missing_is_said(run_cli, experiments):
    assert "--retrieval runs/ofa-minilm/fr" in run_cli("cli ofa report", code=2).err
    assert "there is no measured/SEED-METHOD" in run_cli("cli ofa report --retrieval go", code=2).err
    (experiments / "page.md").write_text("# Another page\n")
    assert (
        "has no lines <!-- fr -->" in run_cli("cli ofa report --retrieval fr --markdown page.md --part fr", code=2).err
    )


def test_methods_are_told_apart():
    assert sorted(["ofa", "random", "ofa-200", "ofa-100", "strange"], key=place) == [
        "random",
        "ofa-100",
        "ofa-200",
        "ofa",
        "strange",
    ]
    assert given("ofa-100") == "aligned text"
    assert "cannot be told from" in compared("a", (0.5, 0.4, 0.6), "b", (0.55, 0.5, 0.7))


def test_runs_are_compared_pair_by_pair_where_outcomes_were_kept(run_cli, experiments):
    planted = {"42-ofa": [1] * 60 + [0] * 40, "43-ofa": [1] * 60 + [0] * 40, "42-bag": [1] * 50 + [0] * 50}
    planted["42-subword-mean"] = [0, 1] * 50
    for name, hits in planted.items():
        lines = [{"corpus": "flores", "of": "fr", "layer": 6, "direction": "to", "k": k, "hits": hits} for k in (1, 5)]
        path = experiments / "fr/measured" / name / "outcomes-flores.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        metrics = path.with_name("metrics.jsonl")
        metrics.write_text(metrics.read_text().replace('"of": "fr"', '"of": "fr", "layer": 6'))
    out = run_cli("cli ofa report --retrieval fr").out
    assert "FLORES at 1: OFA is above bag: +0.100 [+0.0" in out
    assert "FLORES at 1: OFA is not to be told from subword-mean: +0.100 [-0.0" in out
    assert "FLORES at 1: OFA (0.510 [0.490-0.530]) cannot be told from original" in out
    assert "Tatoeba at 1: OFA (0.510 [0.490-0.530]) is below bag" in out
