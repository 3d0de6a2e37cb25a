"""Runs of the study on text, end to end on generated text."""

import json
import shlex
from itertools import pairwise

import numpy
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

import semeqv.text.networks.encoder  # noqa: F401
from semeqv.runs.errors import UserError
from semeqv.text.models.architectures import Encoder
from semeqv.tying.callbacks.embeddings import distances, embeddings

DATA = "cli mlm dataset babel --documents 60 --doubles 5 --block_size 16 --batch_size 16 --packing"
SMALL = "--layers 1 --heads 2 --embedding_size 8 --sparse_prediction"
PARTS = f"cli tokenizer wordpiece --vocab_size 200 {DATA} cli optimizers adamw --learning_rate .01"
MODEL = f"cli model encoder {SMALL}"


def test_a_run_records_the_words_and_their_doubles(run_cli, tmp_path):
    valid = f"{DATA} --split validation"
    line = f"--steps 6 --seeds 3..4 {PARTS} {valid} {MODEL} --tie both cli mlm callbacks cdists --stc 2"
    said = run_cli(f"--output runs {line} cli mlm callbacks embedding --stc 2 cli train").err
    assert "Run 4 of 4: 4-encoderwt" in said
    untied, tied = tmp_path / "runs/3-encoder", tmp_path / "runs/3-encoderwt"
    followed = json.loads((untied / "followed.json").read_text())
    assert followed["every"] == {"steps": 2}
    assert (len(followed["names"]), followed["names"][5]) == (10, followed["names"][0] + "′")
    for folder in (untied, tied):
        snapshots = {side: numpy.load(folder / f"{side}_embeddings.npy") for side in ("input", "output")}
        for side, matrices in snapshots.items():
            recorded = numpy.load(folder / f"{side}_cdists.npy")
            assert recorded.shape == (4, 10, 10)
            naive = [[[numpy.linalg.norm(a - b) for b in matrix] for a in matrix] for matrix in matrices]
            assert recorded == pytest.approx(numpy.array(naive), abs=1e-5)
        assert (snapshots["input"] == snapshots["output"]).all() == (folder == tied)
    last = untied / "checkpoints/step-00000006"
    model, tokenizer = AutoModelForMaskedLM.from_pretrained(last), AutoTokenizer.from_pretrained(last)
    assert len(tokenizer) == model.config.vocab_size == followed["ids"][-1] + 1
    matrix = model.get_output_embeddings().weight.detach()[followed["ids"]]
    assert numpy.load(untied / "output_embeddings.npy")[-1] == pytest.approx(matrix.numpy())
    run = json.loads((untied / "run.json").read_text())
    assert run["facts"]["dataset"]["train"]["doubles"]["words"].split() == followed["names"][:5]
    run_cli(f"--steps 1 --output on {DATA} cli model load --from {untied} cli optimizers adamw cli train")
    assert "wrote" in run_cli("cli mlm report --output mlm.md runs").out
    assert "wrote" in run_cli("cli mlm view --path figure runs/3-encoder runs/4-encoder runs/3-encoderwt").out


def test_an_interrupted_run_ends_where_it_would_have(run_cli, tmp_path):
    line = f"{PARTS} {MODEL} cli mlm callbacks cdists --stc 1 cli savers default-saver --resume"
    run_cli(f"--steps 6 --output whole {line} cli train")
    run_cli(f"--steps 3 --output parts {line} cli train")
    run_cli(f"--steps 6 --output parts {line} cli train")
    whole, parts = (numpy.load(tmp_path / name / "input_cdists.npy") for name in ("whole", "parts"))
    assert (whole == parts).all()


def weights(folder, step):
    return AutoModelForMaskedLM.from_pretrained(folder / f"checkpoints/step-{step:08d}")


@pytest.mark.parametrize("resumed", [False, True])
def test_tied_embeddings_are_one_until_they_are_untied(run_cli, tmp_path, resumed):
    parts = PARTS.replace("--batch_size 16", "--batch_size 64")
    run_cli(f"--epochs 1 --output tied {parts} {MODEL} cli mlm callbacks cdists --stc 1 cli train")
    steps = json.loads((tmp_path / "tied/run.json").read_text())["facts"]["epoch_steps"]
    line = f"{parts} {MODEL} cli mlm callbacks cdists-decouple --stc 1 --etd 1 cli savers default-saver --resume"
    if resumed:
        run_cli(f"--steps {steps - 1} --output apart {line} cli train")
        run_cli(f"--steps {steps + 1} --output apart {line} cli train")
    run_cli(f"--epochs 2 --output apart {line} cli train")
    tied = numpy.load(tmp_path / "tied/input_cdists.npy")
    reads, predicts = (numpy.load(tmp_path / f"apart/{side}_cdists.npy") for side in ("input", "output"))
    assert reads[: steps + 1] == pytest.approx(tied, abs=1e-5)
    assert (reads[: steps + 1] == predicts[: steps + 1]).all()
    assert (reads[steps + 1 :] != predicts[steps + 1 :]).any(axis=(1, 2)).all()
    model = weights(tmp_path / "apart", 2 * steps)
    assert not model.config.tie_word_embeddings
    assert not torch.equal(model.get_input_embeddings().weight, model.get_output_embeddings().weight)


def test_untying_is_the_same_whether_interrupted_or_not(run_cli, tmp_path):
    line = f"{PARTS} {MODEL} cli mlm callbacks cdists-decouple --stc 1 cli savers default-saver --resume"
    parts = line.replace("--batch_size 16", "--batch_size 64")
    run_cli(f"--epochs 2 --output whole {parts} cli train")
    run_cli(f"--epochs 1 --output parts {parts} cli train")
    run_cli(f"--epochs 2 --output parts {parts} cli train")
    whole, parts = (numpy.load(tmp_path / name / "output_cdists.npy") for name in ("whole", "parts"))
    assert (whole == parts).all()


def test_untied_models_have_nothing_to_untie(run_cli, tmp_path):
    line = f"{PARTS} {MODEL} --no-tie".replace("--batch_size 16", "--batch_size 64")
    run_cli(f"--epochs 2 --output with {line} cli mlm callbacks cdists-decouple --stc 1 cli train")
    run_cli(f"--epochs 2 --output without {line} cli mlm callbacks cdists --stc 1 cli train")
    with_it, without = (numpy.load(tmp_path / name / "output_cdists.npy") for name in ("with", "without"))
    assert (with_it == without).all()


def test_distances_of_a_whole_vocabulary_are_refused():
    with pytest.raises(UserError, match="5,000 symbols at most, and these are 5,001"):
        distances(numpy.zeros((5001, 1), numpy.float32))
    model = Encoder(layers=1, heads=1, embedding_size=4, vocab_size=9).build()
    assert embeddings(model, [2, 0])["input"].shape == (2, 4)


@pytest.mark.parametrize(
    "words",
    [
        "hub --of bookcorpus/bookcorpus --holdout .001",
        "europarl --languages en",
        "multiun --holdout .01",
        "moses --path corpus",
        "plain --path corpus.txt --unit block",
        "jsonl --path corpus.jsonl",
        "tsv --path corpus.tsv --columns text",
        "wikitext2",
    ],
)
def test_every_corpus_is_one_segment(run_cli, tmp_path, words):
    line = f"cli mlm dataset {words} --doubles 50 --swap .1 --double_seed 3 cli model encoder cli train"
    run_cli(f"--dump-config config.json {line}")
    (part, _) = json.loads((tmp_path / "config.json").read_text())["parts"]
    said = shlex.split(part)
    assert said[:3] == ["mlm", "dataset", words.split()[0]]
    assert dict(pairwise(said))["--swap"] == "0.1"
