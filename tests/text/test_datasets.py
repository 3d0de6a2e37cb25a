"""Sentences that train language models: corpora, tokenizers, token files and resuming, end to end."""

import dataclasses
import gzip
import json
import re
import time

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from semeqv.babel import lexicon
from semeqv.babel.dataset import Babel
from semeqv.runs.errors import UserError
from semeqv.text.datasets.monolingual import Jsonl, Plain, Tsv
from semeqv.text.datasets.parallel import Europarl, Moses
from semeqv.text.records import Document
from semeqv.text.tokenizers.files import Load
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece, drawn, multiplicities
from semeqv.text.tokens import files as building
from semeqv.text.tokens.words import UNTIDY, unfit
from tests import copies

TRAIN = "cli dataset babel --documents 300 --block_size 32 --batch_size 8"
VALID = "cli dataset babel --documents 40 --block_size 32 --batch_size 8 --split validation"
TOKENIZER = "cli tokenizer bpe --vocab_size 600"
MODEL = "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 32"
LEARN = "cli optimizers adamw --learning_rate .003"


@pytest.fixture
def corpus(tmp_path):
    """Line-aligned files: `corpus.en`, and `corpus.fr.gz`."""
    english = [f"sentence {i} of the house number {i % 7}" for i in range(200)]
    (tmp_path / "corpus.en").write_text("\n".join(english) + "\n")
    with gzip.open(tmp_path / "corpus.fr.gz", "wt") as file:
        file.write("\n".join(line.replace("house", "maison") for line in english) + "\n")
    return tmp_path / "corpus"


def tokenizer_of(corpus, kind=Bpe, **options):
    return kind(**{"vocab_size": 400} | options).build({("train", None): corpus})


def test_a_line_aligned_corpus_is_read(corpus):
    data = Moses(path=corpus, languages=("en", "fr"))
    documents = list(data.corpus())
    assert len(documents) == 400
    assert documents[1] == Document("sentence 0 of the maison number 0", "fr")
    assert set(data.source_facts()["files"]) == {"corpus.en", "corpus.fr.gz"}


def test_held_out_documents_are_in_one_split_alone(corpus):
    texts = [
        {each.text for each in Moses(path=corpus, languages=("en",), holdout=0.1, split=split).corpus()}
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, texts)) == len(set.union(*texts)) == 200
    assert 8 < len(texts[1]) < 35
    both = Moses(path=corpus, languages=("en", "fr"), holdout=0.1, split="validation").corpus()
    assert len(list(both)) == 2 * len(texts[1])


@pytest.mark.parametrize("languages", [("fr",), ("fr", "en"), ("en",)])
def test_what_is_held_out_does_not_depend_on_the_languages_that_are_read(corpus, tmp_path, monkeypatch, languages):
    monkeypatch.setenv("SEMEQV_DATA", str(tmp_path))
    (tmp_path / "europarl").mkdir()
    for pair in (("fr", "en"), ("de", "en")):
        for language in pair:
            lines = "".join(f"{language} {i}\n" for i in range(400))
            (tmp_path / f"europarl/europarl-v7.{'-'.join(pair)}.{language}").write_text(lines)
    pairs = [
        (Moses(path=corpus, holdout=0.1), Moses(path=corpus, languages=languages, holdout=0.1, split="test")),
        (Europarl(holdout=0.1), Europarl(languages=languages, holdout=0.1, split="test")),
        *(
            (Europarl(languages=("en", "fr", "de"), holdout=0.1), Europarl(languages=each, holdout=0.1, split="test"))
            for each in (languages, ("de", "fr", "en"), ("de",))
        ),
    ]
    for train, test in pairs:
        numbers = [{re.search(r"\d+", each.text)[0] for each in data.corpus()} for data in (train, test)]
        assert numbers[1]
        assert not numbers[0] & numbers[1]


def test_files_of_one_language_are_read(tmp_path):
    (tmp_path / "a.txt").write_text("one\n\ntwo\nthree\n")
    (tmp_path / "a.jsonl").write_text('{"meta": {"text": "one"}}\n{"meta": {"text": "two"}}\n')
    (tmp_path / "a.tsv").write_text("id\tde\ten\n1\teins\tone\n")
    texts = [
        [(each.language, each.text) for each in data.corpus()]
        for data in (
            Plain(path=tmp_path / "a.txt", unit="block", language="de"),
            Jsonl(path=tmp_path / "a.jsonl", field="meta.text"),
            Tsv(path=tmp_path / "a.tsv", columns=("en", "de"), languages=("en", "de")),
            Tsv(path=tmp_path / "a.tsv", columns=("3",), languages=("en",), header=True),
        )
    ]
    assert texts[0] == [("de", "one"), ("de", "two\nthree")]
    assert texts[1] == [("en", "one"), ("en", "two")]
    assert texts[2] == [("en", "one"), ("de", "eins")]
    assert texts[3] == [("en", "one")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"corpus_seed": -1}, "--corpus_seed must be at least 0"),
        ({"parallel": 0.0, "joined": True}, "--parallel must be above 0"),
        ({"parallel": 0.0, "objective": "translation"}, "--parallel must be above 0"),
    ],
)
def test_no_such_corpus_is_generated(options, said):
    with pytest.raises(ValueError, match=said):
        Babel(**options)


def test_only_digits_number_a_column(tmp_path):
    (tmp_path / "a.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(UserError, match="has no column '²'"):
        list(Tsv(path=tmp_path / "a.tsv", columns=("²",)).corpus())


def test_blank_texts_are_left_out(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": ""}\n{"text": " \\n"}\n{"text": " one"}\n')
    (tmp_path / "a.tsv").write_text("one\t \n\t\ntwo\tdeux\n")
    assert [each.text for each in Jsonl(path=tmp_path / "a.jsonl").corpus()] == [" one"]
    table = Tsv(path=tmp_path / "a.tsv", columns=("1", "2"), languages=("en", "fr"))
    assert [each.text for each in table.corpus()] == ["one", "two", "deux"]


def test_europarl_is_found_by_split_or_in_whole(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_DATA", str(tmp_path))
    folder = tmp_path / "europarl"
    folder.mkdir()
    with pytest.raises(UserError, match=r"europarl-v7.fr-en.*missing.*statmt\.org/europarl/v7/fr-en\.tgz"):
        list(Europarl().corpus())
    for part in ("", ".dev"):
        for language in ("en", "fr"):
            (folder / f"europarl-v7.fr-en{part}.{language}").write_text(f"{part or 'whole'} {language}\n")
    assert [each.text for each in Europarl(languages=("en",)).corpus()] == ["whole en"]
    assert [each.text for each in Europarl(split="validation").corpus()] == [".dev en", ".dev fr"]


@pytest.mark.parametrize("kind", [Bpe, Wordpiece, Unigram])
def test_tokenizers_are_trained_once_and_open_alone(corpus, kind, cache, capsys):
    data = Moses(path=corpus, languages=("en",))
    made = tokenizer_of(data, kind, vocab_size=330)
    assert len(made) <= 330
    text = "sentence 12 of the house"
    assert made.decode(made(text, add_special_tokens=False).input_ids) == text
    roles = (made.cls_token_id, made.eos_token_id, made.pad_token_id, made.unk_token_id, made.mask_token_id)
    assert sorted(roles) == list(range(5))
    assert made.bos_token_id == (made.cls_token_id if kind is Wordpiece else made.eos_token_id)  # as in training
    wrapped = made(text).input_ids[0] == made.cls_token_id
    assert wrapped == (kind is Wordpiece)
    capsys.readouterr()
    again = tokenizer_of(data, kind, vocab_size=330)
    assert capsys.readouterr().err == ""
    assert again.get_vocab() == made.get_vocab()
    folder = max((cache / "tokenizers").iterdir(), key=lambda each: each.stat().st_mtime_ns)
    assert AutoTokenizer.from_pretrained(folder).get_vocab() == made.get_vocab()
    assert Load(source=str(folder)).build().get_vocab() == made.get_vocab()


def test_a_unigram_tokenizer_reads_one_blank_for_several(corpus):
    made = tokenizer_of(Moses(path=corpus, languages=("en",)), Unigram, vocab_size=60)
    assert made("sentence   of  the house") == made("sentence of the house")
    assert unfit(json.loads(made.backend_tokenizer.to_str())) == UNTIDY


def test_languages_are_sampled_at_a_temperature():
    documents = [Document("x" * 10, "en")] * 900 + [Document("y" * 10, "sw")] * 100
    times = multiplicities(iter(documents), Bpe(temperature=2))
    assert times["sw"] * 100 / (times["en"] * 900) == pytest.approx((1 / 9) ** 0.5)
    assert times["sw"] * 100 + times["en"] * 900 == pytest.approx(1000)
    drawn_times = [drawn(1.25, number) for number in range(4000)]
    assert set(drawn_times) == {1, 2}
    assert sum(drawn_times) / 4000 == pytest.approx(1.25, abs=0.03)


def test_a_changed_grammar_is_tokenised_anew(monkeypatch):
    data = Babel(languages=("lume",), documents=20, block_size=16)
    before, made = data.source_facts(), tokenizer_of(data)
    assert before == Babel(languages=("lume",), documents=20).source_facts() == data.build(made).facts()["source"]
    changed = dataclasses.replace(lexicon.MORPHOLOGIES["lume"], plural="zz")
    monkeypatch.setitem(lexicon.MORPHOLOGIES, "lume", changed)
    assert data.source_facts() != before


def test_a_changed_file_is_tokenised_anew(corpus):
    data = Plain(path=corpus.with_name("corpus.en"), block_size=16)
    made = tokenizer_of(data)
    first = data.build(made)
    corpus.with_name("corpus.en").write_text("sentence of the house\n" * 50)
    second = Plain(path=corpus.with_name("corpus.en"), block_size=16).build(made)
    assert first.facts()["source"]["files"] != second.facts()["source"]["files"]
    assert second.facts()["languages"]["en"]["documents"] == 50


def test_translations_stand_side_by_side(corpus):
    data = Moses(path=corpus, languages=("en", "fr"), objective="translation", batch_size=2, mask_probability=1e-9)
    made = tokenizer_of(data)
    row = next(data.build(made).batches())
    text = made.decode(torch.where(row["labels"] == -100, row["input_ids"], row["labels"])[0])
    pair = "sentence 0 of the house number 0</s>sentence 0 of the maison number 0</s>"
    assert text.replace("<pad>", "") == f"<s>{pair}"


@pytest.mark.parametrize(
    ("train", "held", "said"),
    [
        ("", "", "say the same --holdout in both, --holdout .01 perhaps"),
        ("--holdout .1", "", "say the same --holdout in both"),
        ("--holdout .1", "--holdout .2", "say the same --holdout in both"),
        ("--holdout .1", "--holdout .1 --unit file", "say the same --unit in both"),
        ("--holdout .1", "--holdout .1 --documents 5", ""),
    ],
)
def test_a_held_out_set_has_no_text_of_the_training_set(run_cli, corpus, train, held, said):
    text = f"cli dataset plain --path {corpus}.en --block_size 16 --batch_size 4"
    model = "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 16"
    sentence = f"--steps 1 {TOKENIZER} {text} {train} {text} {held} --split validation {model} {LEARN} cli train"
    if said:
        assert (
            f"The validation set reads text of the training set. So that they share none, {said}"
            in run_cli(sentence, 2).err
        )
    else:
        run_cli(sentence)


def test_sets_are_split_by_the_same_language(tmp_path):
    for language in ("de", "fr"):
        (tmp_path / f"corpus.{language}").write_text("".join(f"{language} {i}\n" for i in range(200)))
    train, held = (
        Moses(path=tmp_path / "corpus", languages=languages, holdout=0.1, split=split)
        for languages, split in ((("de", "fr"), "train"), (("fr",), "validation"))
    )
    made = tokenizer_of(train)
    with pytest.raises(UserError, match="say the same --languages in both"):
        held.build(made, None, {("train", None): train})
    same = Moses(path=tmp_path / "corpus", languages=("fr", "de"), holdout=0.1, split="validation")
    assert len(same.build(made, None, {("train", None): train}))


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_are_numbers_above_zero(corpus, weight):
    with pytest.raises(ValueError, match="--weights must be numbers above 0"):
        Moses(path=corpus, weights=(weight, 1.0))


def test_weights_must_fit(corpus):
    data = Moses(path=corpus, languages=("en", "fr"), weights=(0.2, 0.3, 0.5))
    with pytest.raises(UserError, match="--weights has 3 numbers for 2 languages: en, fr"):
        data.build(tokenizer_of(data))


@pytest.mark.parametrize("languages", [("en", "fr"), ("fr", "en")])
def test_weights_are_those_of_the_languages_in_their_order(tmp_path, monkeypatch, languages):
    monkeypatch.setattr(building, "PIECE", 2000)  # French fills the first piece
    (tmp_path / "corpus.en").write_text("a house\n" * 300)
    (tmp_path / "corpus.fr").write_text("une maison, et encore une autre maison\n" * 300)
    data = Moses(path=tmp_path / "corpus", languages=languages, weights=(0.9, 0.1), batch_size=10, packing=False)
    made = tokenizer_of(data)
    rows = next(data.build(made).stream(0))["input_ids"]
    assert ["maison" in made.decode(row) for row in rows].count(languages[0] == "fr") == 9


def test_a_tokenizer_needs_a_corpus(run_cli):
    assert "trained on the training set" in run_cli(f"{TOKENIZER} {MODEL} cli train {VALID}", code=2).err


def test_data_need_a_tokenizer(run_cli):
    assert "needs a tokenizer. Add: cli tokenizer bpe" in run_cli(f"{TRAIN} {MODEL} {LEARN} cli train", code=2).err


def test_a_language_model_trains_and_opens_as_one_of_transformers(run_cli, tmp_path):
    run_cli(f"--steps 30 --output run {TOKENIZER} {TRAIN} {VALID} {MODEL} {LEARN} cli train")
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["split"] == "validation"
    assert lines[-1]["loss"] < 6
    folder = tmp_path / "run/checkpoints/step-00000030"
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    data = Babel(documents=40, block_size=32, batch_size=8, split="validation").build(tokenizer)
    losses, counts = [], []
    with torch.no_grad():
        for batch in data.batches():
            counts.append(int((batch["labels"] != -100).sum()))
            losses.append(float(model.eval()(**batch).loss) * counts[-1])
    assert sum(losses) / sum(counts) == pytest.approx(lines[-1]["loss"], rel=1e-4)


def test_the_loss_slot_shifts_as_the_model_does(run_cli, tmp_path):
    for name, loss in (("own", ""), ("slot", "cli loss cross-entropy")):
        run_cli(f"--steps 5 --output {name} {TOKENIZER} {TRAIN} {MODEL} --dropout 0 {LEARN} {loss} cli train")
    own, slot = (
        json.loads((tmp_path / name / "metrics.jsonl").read_text().splitlines()[0]) for name in ("own", "slot")
    )
    assert own["loss"] == pytest.approx(slot["loss"], rel=1e-5)
    assert "accuracy" in slot


def test_a_loaded_model_brings_its_tokenizer(run_cli, tmp_path):
    run_cli(f"--steps 3 --output run {TOKENIZER} {TRAIN} {MODEL} {LEARN} cli train")
    run_cli(f"--steps 2 --output more {TRAIN} cli model load --from run {LEARN} cli train")
    assert (tmp_path / "more/checkpoints/step-00000002/tokenizer.json").exists()


def test_masked_models_are_asked_for_masked_tokens(run_cli, tmp_path):
    encoder = "cli model encoder --layers 1 --heads 2 --embedding_size 16 --block_size 32"
    run_cli(f"--steps 3 --output run cli tokenizer wordpiece --vocab_size 600 {TRAIN} {encoder} {LEARN} cli train")
    facts = json.loads((tmp_path / "run/run.json").read_text())
    assert '"objective": "masked"' in json.dumps(facts)


def sentence(output, steps=60):
    saver = "cli savers default-saver --minutes .005 --resume"
    parts = f"{TOKENIZER} {TRAIN} {VALID} {MODEL} {LEARN} {saver}"
    return f"--threads 1 --steps {steps} --output {output} {parts} cli train"


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_batches(run_cli, tmp_path, cache):
    run_cli(sentence("whole"))
    process = copies.start(sentence("killed"), tmp_path, {"SEMEQV_CACHE": str(cache)})
    while not (tmp_path / "killed/checkpoints/last").exists():
        assert process.poll() is None, process.said()
        time.sleep(0.01)
    process.kill()
    assert "Resumed" in run_cli(sentence("killed")).err
    files = [
        next((tmp_path / name).glob("checkpoints/step-00000060/model.safetensors")) for name in ("whole", "killed")
    ]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.slow
def test_two_processes_train_as_one(run_cli, tmp_path, cache):
    parts = f"{TOKENIZER} {TRAIN} {VALID} {MODEL} --dropout 0 {LEARN} cli train"
    run_cli(f"--threads 1 --steps 20 --output one {parts}")
    line = f"--processes 2 --steps 20 --output two {parts}"
    places = [{"SEMEQV_CACHE": str(cache)} | names for names in copies.of_several(2)]
    processes = [copies.start(line, tmp_path, names, output=f"{rank}.output") for rank, names in enumerate(places)]
    assert [process.end()[0] for process in processes] == [0, 0], processes[0].said()
    one, two = (
        [json.loads(line)["loss"] for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert one == pytest.approx(two, rel=1e-5)
