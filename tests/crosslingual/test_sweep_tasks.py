"""Tasks that a sweep can measure: texts, words, and any other that is counted sentence by sentence."""

import json
import random
from types import SimpleNamespace

import numpy
import pytest
import torch
from sweep_material import material
from vector_models import KINDS, model_of, saved

from crosslingual import sweep
from semeqv.runs.errors import UserError
from semeqv.runs.processes import World
from semeqv.tasks.parsing.models import Labels, new_parser
from semeqv.train.compute import Compute
from semeqv.train.metrics import Scorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("material")
    material(made)
    return made


def test_pairs_of_texts_are_swept(folder, run_cli, tmp_path):
    task = model_of("bert-texts", 3)
    task.config.id2label, task.config.label2id = {0: "no", 1: "yes"}, {"no": 0, "yes": 1}
    saved(task, tmp_path / "texts")
    draw = numpy.random.default_rng(0)
    for part in ("validation", "test"):
        rows = [[f"w{draw.integers(1, 30)}" for _ in range(6)] for _ in range(40)]
        lines = [{"a": " ".join(r[:3]), "b": " ".join(r[3:]), "label": "yes" if r[0] < r[3] else "no"} for r in rows]
        (tmp_path / f"{part}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    sets = " ".join(
        f"cli dataset labelled --path {part}.jsonl --columns a b --split {part} --name {name}"
        for part in ("validation", "test")
        for name in ("en", "de")
    )
    said = run_cli(
        f"--output run {sets} cli model sequence-classifier --from texts cli crosslingual sweep --base {folder}/base "
        f"--vector en {folder}/en --vector de {folder}/de --lambdas 0 1 --replicates 20 --metric macro_f1"
    ).out
    assert "labelled: macro_f1 without a vector" in said


def test_parsers_are_swept(folder, run_cli, tmp_path):
    config, _, sizes = KINDS["bert"]
    torch.manual_seed(0)
    small = {"arc_size": 6, "relation_size": 4}
    parser = new_parser(config(**sizes), Labels(("det", "nsubj", "root"), ("ADJ", "NOUN", "VERB")), small)
    saved(parser, tmp_path / "parser")
    draw = numpy.random.default_rng(0)
    for language in ("en", "de"):
        for split in ("dev", "test"):
            rows = []
            for _ in range(12):
                rows += [f"{i}\tw{draw.integers(1, 30)}\t_\tNOUN\t_\t_\t{i - 1}\t{'nsubj' if i > 1 else 'root'}\t_\t_"
                         for i in range(1, 6)] + [""]  # fmt: skip
            (tmp_path / f"{language}_x-ud-{split}.conllu").write_text("\n".join(rows) + "\n")
    sets = " ".join(
        f"cli dataset treebank --path {tmp_path} --languages {name} --split {split} --name {name}"
        for name in ("en", "de")
        for split in ("validation", "test")
    )
    said = run_cli(
        f"--output run {sets} cli model parser --from parser cli crosslingual sweep --base {folder}/base "
        f"--vector en {folder}/en --vector de {folder}/de --lambdas 0 1 --replicates 20 --task parsing"
    ).out
    assert "parsing: las without a vector" in said
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    tests = {line["kind"]: line for line in lines if line.get("part") == "test" and line["language"] == "de"}
    assert {"las", "uas", "upos", "las_gain", "las_gain_low"} <= set(tests["language"])
    assert 0 <= tests["none"]["las"] <= tests["none"]["uas"] <= 1


def test_answers_are_counted_text_by_text(monkeypatch):
    from semeqv.tasks.question_answering.questions import Answer, Question
    from semeqv.tasks.question_answering.windows import AnswerScorer

    questions = [
        Question(name=str(i), context=text, text="Where?", answers=(Answer("in Rome", 0),))
        for i, text in enumerate(("in Rome", "in Rome", "in Rome today"))
    ]
    scorer = AnswerScorer(SimpleNamespace(items=questions, options=SimpleNamespace(characters=False)))
    monkeypatch.setattr(scorer, "answers", lambda: ["in Rome", "in Bonn", "Rome"])
    tally = scorer.tally()
    assert tally.shape == (2, 6)
    found = scorer.measures(tally.sum(0)[None])
    assert found["exact"] == pytest.approx(1 / 3)
    assert found["f1"] == pytest.approx((1 + 0.5 + 2 / 3) / 3)


class Right(Scorer):
    """Counts, in each sentence, the words whose likeliest label is the one with the number 1."""

    def __init__(self, counted):
        super().__init__()
        if counted:
            self.tally = lambda: numpy.concatenate(self.parts)

    def look(self, outputs, batch):
        """Ones and words, (sentences, 2)."""
        ones = (outputs["logits"].argmax(-1) == 1).sum(1)
        return torch.stack([ones, torch.full_like(ones, batch["input_ids"].shape[1])], 1).numpy()

    def measures(self, sums):
        """Their share."""
        return {"las": sums[..., 0] / sums[..., 1]}


class Trees:
    """A data set of some other task."""

    def __init__(self, counted=True):
        self.counted = counted

    def batches(self):
        """Two batches."""
        for seed in (0, 1):
            yield {"input_ids": torch.randint(1, 30, (8, 6), generator=torch.Generator().manual_seed(seed))}

    def scorer(self):
        """Of one pass."""
        return Right(self.counted)


class Halves(World):
    """Does what two processes do, one after the other."""

    def attempt_each(self, act):
        found = []
        for rank in range(2):
            object.__setattr__(self, "rank", rank)
            found.append(act())
        return found


def swept(folder, data, world=None):
    sets = {(part, name): data for part in ("validation", "test") for name in ("en", "de")}
    model = model_of("bert-tags", 5)
    model.trained = True
    result = sweep(
        model,
        sets,
        seed=1,
        compute=Compute("cpu", "fp32", 1),
        world=world,
        vector=[(name, f"{folder}/{name}") for name in ("en", "de")],
        base=f"{folder}/base",
        lambdas=(0, 0.5, 1),
        replicates=30,
        task="parsing",
    )
    return result.points, result.choices


def test_another_task_needs_no_more_than_a_scorer_that_counts_sentences(folder):
    points, choices = swept(folder, Trees())
    assert {line["metric"] for line in points} == {"las"}
    assert {line["sentences"] for line in points} == {16}
    for line in choices:
        assert line["las_low"] <= line["las"] <= line["las_high"]
        assert line["las_gain_low"] <= line["las_gain"] <= line["las_gain_high"]


def test_processes_share_the_points_and_measure_the_same(folder):
    assert swept(folder, Trees(), Halves(size=2)) == swept(folder, Trees())


def test_a_task_that_is_not_counted_so_is_refused(folder):
    with pytest.raises(UserError, match="is not counted sentence by sentence"):
        swept(folder, Trees(counted=False))


def test_a_causal_model_is_swept_as_it_answers_in_text(run_cli, tmp_path):
    """Vectors of a decoder without a head are made, added, and swept by likelihoods and by what is written."""
    sizes = "--layers 1 --heads 2 --embedding_size 16 --block_size 48 --dropout 0"
    for language, seed in (("en", 0), ("de", 1)):
        chance = random.Random(seed)
        rows = [chance.choice((("a red cat", "animal"), ("an old saw", "tool"))) for _ in range(24)]
        (tmp_path / f"{language}.tsv").write_text("".join(f"{text}\t{kind}\n" for text, kind in rows))
        (tmp_path / f"{language}.txt").write_text("".join(f"{text} {kind}\n" for text, kind in rows))
    table = "cli dataset labelled --columns 1 --label 2 --path"
    text, learn = "cli dataset plain --block_size 32 --batch_size 4 --path", "cli optimizers adamw --learning_rate .01"
    new = f"cli tokenizer bpe --vocab_size 280 {text} en.txt cli model gpt2 {sizes} {learn}"
    run_cli(f"--steps 4 --output base {new} cli train")
    run_cli(f"--steps 4 --output spoken {text} de.txt cli model causal-lm --from base {learn} cli train")
    run_cli(
        f"--epochs 40 --output task {table} en.tsv --batch_size 12 cli model causal-lm --from base {learn} cli train"
    )
    run_cli("cli crosslingual vector --from spoken --base base --output vector")
    run_cli("cli crosslingual apply --from task --add 1 vector --output moved")
    sets = f"{table} de.tsv --split test --name de {table} de.tsv --split validation --name de"
    sets += f" {table} de.tsv --split test --name written --generate"
    run_cli(
        f"--output swept {sets} cli model load --from task cli crosslingual sweep --base base --vector de vector "
        "--vector written vector --lambdas 0 1 --replicates 20 --kinds language"
    )
    lines = [json.loads(line) for line in (tmp_path / "swept/metrics.jsonl").read_text().splitlines()]
    points = {
        (line["language"], line["part"], line["lambda"]): line["accuracy"]
        for line in lines
        if "accuracy" in line and "lambda" in line
    }
    assert {line.get("metric") for line in lines if "accuracy" in line} == {"accuracy"}
    assert points["de", "test", 0.0] > 0.8
    assert abs(points["de", "test", 0.0] - points["written", "test", 0.0]) < 0.2
    run_cli(f"--output alone {table} de.tsv --split test cli model load --from task cli test")
    alone = json.loads((tmp_path / "alone/metrics.jsonl").read_text().splitlines()[-1])
    assert alone["accuracy"] == points["de", "test", 0.0]
    run_cli(f"--output added {table} de.tsv --split test --labels animal tool cli model load --from moved cli test")
    added = json.loads((tmp_path / "added/metrics.jsonl").read_text().splitlines()[-1])
    assert added["accuracy"] == points["de", "test", 1.0]
