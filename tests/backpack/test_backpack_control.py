"""What edits reach: bias, topics, and the tokens that follow texts."""

import json

import numpy
import pytest
import torch
from spoken_backpack import WORDS, spoken, tokenizer

from backpack.edits.edited import edit
from backpack.edits.steps import Project
from backpack.edits.topics import TopicWords, counted
from backpack.inspection.lexicon import TokenLexicon


def lines_of(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def winobias(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "bias_winobias"
    folder.mkdir(parents=True)
    monkeypatch.setenv("SEMEQV_DATA", str(folder.parent))
    for part, sentences in {"dev": ["bank nurse [he] .", "doctor [she] ."], "test": ["money doctor [he] ."]}.items():
        text = "".join(f"{i} {each}\n" for i, each in enumerate(sentences, 1))
        (folder / f"pro_stereotyped_type1.txt.{part}").write_text(text)
    (folder / "female_occupations.txt").write_text("nurse\n")
    (folder / "male_occupations.txt").write_text("doctor\n")


def test_bias_is_the_mean_of_ratios_and_a_projection_takes_what_words_add(run_cli, tmp_path, winobias):
    model = spoken(tmp_path / "m")
    run_cli("--output runs/a cli model load --from m cli backpack bias")
    dev, test = lines_of(tmp_path / "runs/a")
    odds = []
    for ids in ([2, 7], [8]):
        logits = model(input_ids=torch.tensor([ids])).logits[0, -1]
        odds.append((logits[5] - logits[6]).item())
    assert dev["bias"] == pytest.approx(numpy.mean(numpy.exp(numpy.abs(odds))), rel=1e-5)
    assert dev["first_likelier"] == numpy.mean(numpy.array(odds) > 0)
    assert (dev["texts"], test["texts"]) == (2, 1)
    out = run_cli(
        "--output runs/b cli model load --from m cli backpack edit debias --by projection --output p.json"
    ).out
    assert "Bias, all senses of 2 tokens" in out
    fitted = lines_of(tmp_path / "runs/b")[0]
    assert fitted["before"] == pytest.approx(dev["bias"], rel=1e-5)
    with edit(model, [Project(tokens=(7, 8), token_pairs=((5, 6),))]):
        logits = [model(input_ids=torch.tensor([ids])).logits[0, -1] for ids in ([2, 7], [8])]
    after = numpy.mean([torch.exp((each[5] - each[6]).abs()).item() for each in logits])
    assert fitted["after"] == pytest.approx(after, rel=1e-4)
    run_cli("--output runs/c cli model edited --from m --edits p.json cli backpack bias")
    assert lines_of(tmp_path / "runs/c")[0]["bias"] == pytest.approx(after, rel=1e-4)


def test_a_strong_topic_is_taken_up(run_cli, tmp_path):
    spoken(tmp_path / "m", n_positions=32)
    (tmp_path / "words.tsv").write_text(
        "money\tbank\nmoney\tmoney\nmoney\triver\nclinic\tnurse\nclinic\tdoctor\nclinic\triver\n"
    )
    topics = "cli model load --from m cli backpack topics --lexicon words.tsv --judge m --texts 8 --new 12 --given 1"
    said = "--strengths 0 40 --annealing 1 --output texts.jsonl --csv table.csv"
    run_cli(f"--precision bf16 --output runs/a {topics} {said}")
    lines = {(each["by"], each["strength"]): each for each in lines_of(tmp_path / "runs/a")}
    assert list(lines) == [("senses", 0.0), ("senses", 40.0), ("logits", 40.0)]
    assert lines["logits", 40.0]["given"] > 0.95 > lines["senses", 0.0]["given"]
    assert lines["logits", 40.0]["on_topic"] == 1
    assert lines["senses", 40.0]["given"] > lines["senses", 0.0]["given"]
    assert all(each["topics"] == 2 and each["perplexity"] > 1 for each in lines.values())
    texts = [json.loads(line) for line in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert len(texts) == 3 * 2 * 8
    run_cli(f"--precision bf16 --output runs/b {topics} --strengths 0")
    assert lines_of(tmp_path / "runs/b")[0]["perplexity"] == lines["senses", 0.0]["perplexity"]
    run_cli("cli backpack topics-view --path topics.pdf runs/a")
    assert (tmp_path / "topics.png").stat().st_size > 10_000
    err = run_cli("cli model load --from m cli backpack topics --new 9 --judge m", 2).err
    assert "generated corpus alone" in err
    (tmp_path / "one.tsv").write_text("money\tbank\n")
    assert (
        "two are the least"
        in run_cli("cli model load --from m cli backpack topics --new 9 --judge m --lexicon one.tsv", 2).err
    )


def test_words_of_topics_are_counted():
    money = TopicWords("money", frozenset({"bank", "coin"}), frozenset({"bank"}), (2,))
    water = TopicWords("water", frozenset({"river"}), frozenset({"river"}), (3,))
    assert counted("Bank, coin river x", money, [money, water]) == (1.0, 0.25, 0.25, 1.0)
    assert counted("bank river", money, [money, water])[0] == 0.0
    assert counted("x x x", water, [money, water]) == (0.0, 0.0, 0.0, 0.5)
    assert counted("", money, [money, water]) == (0.0, 0.0, 0.0, 1.0)
    assert len(TokenLexicon(tokenizer(), len(WORDS)).find("bank").tokens) == 1


def test_effects_are_measured_on_beginnings_of_documents(run_cli, tmp_path):
    spoken(tmp_path / "m")
    text = ["bank nurse river money wa wb"] * 3 + ["river money he she"] * 2
    (tmp_path / "text.txt").write_text("\n".join(text) + "\n")
    load, edit = (
        "cli model load --from m",
        "cli backpack edit knowledge --word nurse --remove he --add she --output e.json",
    )
    run_cli(f"{load} {edit}")
    data = "cli dataset plain --path text.txt --split validation"
    effects = "cli backpack effects --edits e.json --word nurse --wanted she --unwanted he"
    run_cli(f"--output runs/a {load} {data} {effects}")
    at, behind, without = lines_of(tmp_path / "runs/a")
    assert [each["kind"] for each in (at, behind, without)] == ["at the word", "behind it", "without it"]
    assert [each["texts"] for each in (at, behind, without)] == [3, 3, 2]
    assert without["divergence"] == pytest.approx(0, abs=1e-6)
    assert at["divergence"] > 1e-6
    other = "river money bank he she wa wb " + "wc " * 400
    (tmp_path / "long.txt").write_text("\n".join([*text[:3], other]) + "\n")
    run_cli(f"--output runs/b {load} {data.replace('text', 'long')} {effects}")
    assert [each["kind"] for each in lines_of(tmp_path / "runs/b")] == ["at the word", "behind it"]
    (tmp_path / "late.txt").write_text(" ".join(["wa"] * 200 + ["nurse"]) + "\n")
    err = run_cli(f"{load} {data.replace('text', 'late')} {effects}", 2).err
    assert "early enough for the 160 tokens" in " ".join(err.split())
    assert "no document" in run_cli(f"{load} {data} {effects.replace('nurse', 'xyz')}", 2).err.lower()
    assert "--texts FILE, or --word" in run_cli(f"{load} cli backpack effects --edits e.json", 2).err
