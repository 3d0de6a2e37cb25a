"""What went wrong in an earlier study of language vectors: each formula as it was there, and as it is here."""

import csv
import random

import numpy
import pytest
import torch
from sweep_material import material, sentence
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.nn import functional
from transformers import PreTrainedTokenizerFast
from vector_models import body, model_of, saved

from crosslingual import Checkpoint
from crosslingual.directions import choices
from crosslingual.results import joined, read_runs
from crosslingual.strengths import with_vectors
from semeqv.tasks.classification.dataset import Item, belongs
from semeqv.tasks.classification.metrics import score_labels
from semeqv.tasks.classification.networks import pooled
from semeqv.tasks.classification.rows import aligned
from semeqv.tasks.classification.words import ConllU, Ner
from semeqv.text.objectives import Masked


def test_strengths_do_not_add_up_over_a_sweep(tmp_path):
    base, tuned, task = model_of("bert"), model_of("bert-mlm", 1), model_of("bert-tags", 2)
    tau = Checkpoint.open(saved(tuned, tmp_path / "tuned")) - Checkpoint.open(saved(base, tmp_path / "base"))
    change = {name: torch.from_numpy(each) for name, each in tau.tensors()}
    theta = {name: each.clone() for name, each in body(task).items()}
    edited = {name: each.clone() for name, each in theta.items()}
    for strength, (point, model) in zip((0.1, 0.2, 0.3), with_vectors(task, [tau], [0.1, 0.2, 0.3])):
        for name, each in edited.items():
            each.add_(strength * change[name])  # as it was: the model of the point before is edited on
        assert point == (strength,)
        assert all(torch.equal(found, theta[name] + strength * change[name]) for name, found in body(model).items())
    name = "encoder.layer.0.output.dense.weight"
    torch.testing.assert_close(edited[name], theta[name] + 0.6 * change[name])


TAGS = ("O", "B-PER", "I-PER")


def test_a_tagger_that_finds_nothing_does_not_beat_one_that_finds_entities():
    draw = numpy.random.default_rng(0)
    gold = numpy.where(draw.random(5000) < 0.08, 1, 0)  # 92% are O
    nothing = numpy.zeros_like(gold)
    finds = numpy.where(gold == 1, draw.random(5000) < 0.7, draw.random(5000) < 0.07).astype(int)
    sizes = numpy.full(500, 10)
    assert (nothing == gold).mean() > (finds == gold).mean()  # as it was: accuracy over words, O among them
    scores = [score_labels(gold, each, sizes, TAGS, entities=True, replicates=0)["f1"] for each in (nothing, finds)]
    assert scores[0] == 0
    assert scores[1] > 0.5


def test_parts_of_a_corpus_are_what_they_are_called_and_stay_so(tmp_path):
    for part in ("train", "dev", "test"):
        (tmp_path / f"en_x-ud-{part}.iob2").write_text(f"1\t{part}\tO\n2\ttwo\tO\n\n")
    for split, part in (("train", "train"), ("validation", "dev"), ("test", "test")):
        assert next(Ner(path=tmp_path, split=split).items()).texts == (part, "two")
    items = [Item((f"word{number}",), ("O",)) for number in range(400)]
    splits = [Ner(path=tmp_path, holdout=0.25, split=split) for split in ("train", "validation", "test")]
    parts = [[item for item in items if belongs(options, item.texts)] for options in splits]
    assert sorted(item for part in parts for item in part) == sorted(items)
    random.shuffle(items)  # as it was: a split drawn anew each time
    assert [[item for item in items if belongs(options, item.texts)] for options in splits] != parts
    assert [sorted(item for item in items if belongs(options, item.texts)) for options in splits] == list(
        map(sorted, parts)
    )


def test_rows_that_are_no_words_are_none(tmp_path):
    rows = ["1-2\tdu\t_\t_", "1\tde\t_\tADP", "2\tle\t_\tDET", "2.1\tlu\t_\tVERB", "3\tlivre\t_\tNOUN"]
    text = "\n".join(
        f"{row}\t_\t_\t{0 if row[0] == '3' else 3}\tx\t_\t_" if row[1] == "\t" else f"{row}\t_\t_\t_\t_\t_\t_"
        for row in rows
    )
    (tmp_path / "fr_x-ud-test.conllu").write_text(text + "\n\n")
    (item,) = ConllU(path=tmp_path, languages=("fr",), split="test").items()
    assert [row.split("\t")[1] for row in rows] == ["du", "de", "le", "lu", "livre"]  # as it was
    assert item == Item(("de", "le", "livre"), ("ADP", "DET", "NOUN"))


def test_a_word_is_more_than_a_bare_mark_of_its_beginning():
    pieces = [("<unk>", 0.0), ("▁", -1.0), *((character, -2.0) for character in "我你他看书")]
    backend = Tokenizer(models.Unigram(pieces, unk_id=0))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="<unk>")
    words = list("我你他看书")
    found = aligned(tokenizer, [words])
    ids, of = torch.from_numpy(found.tokens)[None], torch.from_numpy(found.words)[None]
    hidden = functional.one_hot(ids, len(pieces)).float()
    first = pooled(hidden, of, len(words), "first")[0]  # as it was: the label stands at the first piece
    assert len(first.unique(dim=0)) == 1
    assert len(pooled(hidden, of, len(words), "mean")[0].unique(dim=0)) == len(words)


def test_a_row_without_a_hidden_token_makes_no_loss_of_nothing():
    ids, special = numpy.full((8, 3), 7), [0]
    ids[:, 0] = ids[:, 2] = 0
    logits = torch.zeros(8, 3, 10)
    draw = numpy.random.default_rng(0)
    independent = numpy.where(draw.random(ids.shape) < 0.15, ids, -100)  # as it was: each token by itself
    losses = [functional.cross_entropy(logits[i], torch.from_numpy(independent[i])) for i in range(8)]
    assert torch.stack(losses).mean().exp().isnan()
    _, labels = Masked(0.15, 9, special, 10)(ids, numpy.ones_like(ids, bool), numpy.random.default_rng(0))
    losses = [functional.cross_entropy(logits[i], torch.from_numpy(labels[i])) for i in range(8)]
    assert torch.stack(losses).mean().exp().item() == pytest.approx(10)


def line(part, language, strength, score):
    said = {"measure": "sweep", "part": part, "language": language, "kind": "language" if strength else "none"}
    said["vector"] = "de" if strength else ""
    return {**said, "lambda": strength, "mu": None, "metric": "accuracy", "accuracy": score}


def test_a_strength_that_is_chosen_on_the_test_itself_flatters_noise():
    draw = numpy.random.default_rng(0)
    seen, ours = [], {"fixed": [], "source-dev": [], "oracle": []}
    for _ in range(300):
        lines = [line(part, each, 0.0, 0.5) for part in ("validation", "test") for each in ("en", "de")]
        for strength in (0.25, 0.5, 0.75, 1.0):
            for part, language in (("validation", "en"), ("validation", "de"), ("test", "de")):
                lines.append(line(part, language, strength, 0.5 + 0.01 * draw.normal()))
        tested = [each["accuracy"] for each in lines if (each["part"], each["language"]) == ("test", "de")]
        seen.append(max(tested) - 0.5)  # as it was
        for each in choices(lines, "en", 0.5, False):
            ours[each["choice"]].append(each["accuracy"] - 0.5)
            judge = {"source-dev": "en", "oracle": "de"}.get(each["choice"])
            assert each.get("chosen_on") == judge
    assert numpy.mean(seen) > 0.008
    for gains in ours.values():
        assert abs(numpy.mean(gains)) < 3 * 0.01 / 300**0.5


def test_what_was_measured_without_a_vector_is_there_and_nothing_is_appended(run_cli, tmp_path):
    material(tmp_path)
    options = "--kinds language --lambdas 1 --csv points.csv --replicates 20"
    command = sentence(options).format(folder=tmp_path)
    rows = []
    for _ in range(2):
        run_cli(f"--seed 3 --output run {command}")
        with open(tmp_path / "points.csv", newline="") as file:
            rows.append(list(csv.DictReader(file)))
    assert rows[0] == rows[1]
    none = [row for row in rows[0] if row["lambda"] == "0.0" and row["part"] == "test"]
    assert sorted(row["language"] for row in none) == ["de", "en", "es"]
    assert all(row["seed"] == "3" and float(row["accuracy_low"]) <= float(row["accuracy"]) for row in none)
    cells = joined(read_runs([tmp_path / "run"]))
    assert {each.runs for each in cells} == {1}
    assert {each.kind for each in cells} == {"none", "language"}
