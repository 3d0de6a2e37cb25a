"""Inflection: how forms are spelled and judged, and the sentences that learn them."""

import itertools
import json

import numpy
import pytest
from torch.nn import functional

from semeqv.results.statistics import Tallied
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.models import TokenClassifier
from semeqv.tasks.inflection.dataset import UniMorph, batches, forms
from semeqv.tasks.inflection.edits import edited, edits
from semeqv.tasks.inflection.metrics import edit_distance, score_forms
from semeqv.tasks.inflection.spelling import UNKNOWN, CharacterSpelling, Form, lemmas_of
from semeqv.text.models.architectures import BERT
from semeqv.text.models.opening import open_tokenizer
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece

LEMMAS = ["".join(letters) for letters in itertools.product("bdg", "aeo", "tns")]


@pytest.fixture
def table(tmp_path):
    lines = [f"{lemma}\t{lemma}{'s' if tag == 'N;PL' else ''}\t{tag}" for lemma in LEMMAS for tag in ("N;SG", "N;PL")]
    (tmp_path / "toy.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path / "toy.tsv"


@pytest.mark.parametrize("kind", [Bpe, Unigram, Wordpiece])
def test_what_is_spelled_can_be_read(table, kind):
    tokenizer = kind(vocab_size=300 if kind is Bpe else 40).build({("train", None): UniMorph(path=table)})
    words = ["bat", "dos", "gen"] + (["naïve", "日本"] if kind is Bpe else [])
    spelling = CharacterSpelling.of(tokenizer, words, ["N;SG", "N;PL"])
    for word in words:
        tokens = spelling.spelled(word)
        assert spelling.read([*tokens, spelling.end, *tokens]) == word == spelling.read(tokens)
    assert spelling.read([spelling.end]) == ""
    assert spelling.read([*spelling.spelled("b"), 10**6, *spelling.spelled("t")]) == f"b{UNKNOWN}t"
    assert spelling.prompt("bat", "N;SG") != spelling.prompt("bat", "N;PL")


def test_rows_ask_for_the_form_alone(table):
    options = UniMorph(path=table, batch_size=54)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    data = batches(options, tokenizer, None)
    (batch,) = data.batches()
    for row, number in enumerate(data.passing.tolist()):
        form = data.items[number]
        asked = batch["labels"][row] != -100
        spelled = [*data.spelling.spelled(form.form), data.spelling.end]
        assert batch["labels"][row][asked].tolist() == batch["input_ids"][row][asked].tolist() == spelled
        assert batch["input_ids"][row][: int(asked.nonzero()[0])].tolist() == data.spelling.prompt(
            form.lemma, form.features
        )
    with pytest.raises(UserError, match="raise --max_length"):
        batches(UniMorph(path=table, max_length=8), tokenizer, None)


def test_no_lemma_is_in_two_parts(table):
    parts = {split: forms(UniMorph(path=table, holdout=0.2, split=split)) for split in ("train", "validation", "test")}
    lemmas = {split: {form.lemma for form in found} for split, found in parts.items()}
    assert sum(map(len, parts.values())) == 54
    for one, other in itertools.combinations(lemmas.values(), 2):
        assert not one & other
    assert sum(map(len, lemmas.values())) == len(LEMMAS)
    with pytest.raises(ValueError, match="three different columns"):
        UniMorph(path=table, columns=(1, 1, 2))
    table.write_text("a\t\tN\n")
    with pytest.raises(UserError, match="line 1: an empty lemma or form"):
        forms(UniMorph(path=table))


def test_forms_are_counted_lemma_by_lemma(table):
    options = UniMorph(path=table, batch_size=20)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    data = batches(options, tokenizer, None)
    scorer, wrong = data.scorer(), {data.items.index(Form("ban", "bans", "N;PL")), 53}
    assert isinstance(scorer, Tallied)
    rows = iter(data.passing.tolist())
    for batch in data.batches():
        logits = functional.one_hot(batch["input_ids"].roll(-1, dims=1), len(tokenizer)).float()
        for row in range(len(logits)):
            logits[row] *= -1 if next(rows) in wrong else 1
        scorer.take({"logits": logits}, batch)
    tally = scorer.tally()
    lemmas = list(dict.fromkeys(form.lemma for form in data.items))
    assert tally.tolist() == [[2, 1 if lemma in ("ban", data.items[-1].lemma) else 2] for lemma in lemmas]
    assert scorer.measures(tally.sum(0))["accuracy"] == scorer.scores()["accuracy"] == 52 / 54
    assert scorer.measures(tally[:, None])["accuracy"].shape == (27, 1)
    with pytest.raises(
        UserError, match=r"`cli dataset unimorph` is not for a token-classifier. Take: cli model causal"
    ):
        TokenClassifier(layers=1, heads=1, embedding_size=8).build(dataset=data, tokenizer=tokenizer)


def naive_distance(one, other):
    if not one or not other:
        return len(one) + len(other)
    return min(
        naive_distance(one[1:], other) + 1,
        naive_distance(one, other[1:]) + 1,
        naive_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_edit_distances_are_those_of_the_definition():
    generator = numpy.random.default_rng(0)
    for _ in range(60):
        one, other = ("".join(generator.choice(list("ab"), size)) for size in generator.integers(0, 6, size=2))
        assert edit_distance(one, other) == edit_distance(other, one) == naive_distance(one, other)


def test_intervals_are_over_lemmas():
    """Forms of one lemma are right or wrong together: drawn one by one they would pretend to know more."""
    found = [Form(f"l{i // 50}", "f", "N") for i in range(200)]
    right = numpy.array([form.lemma in ("l0", "l1") for form in found])
    scores = score_forms(lemmas_of(found), {"accuracy": right}, 1000)
    assert scores["accuracy"] == 0.5
    assert (scores["accuracy_low"], scores["accuracy_high"]) == (0.0, 1.0)


def test_forms_are_learnt_written_and_counted(run_cli, table, tmp_path):
    (tmp_path / "again.tsv").write_text(table.read_text() + "\n")
    data = f"cli dataset unimorph --path {table} --batch_size 18 --max_length 24"
    held = data.replace("toy", "again")
    sizes = "--layers 1 --heads 2 --embedding_size 32 --block_size 24 --dropout 0"
    run_cli(
        f"--epochs 60 --output run cli tokenizer bpe --vocab_size 280 {data} {held} --split validation {held} "
        f"--split test --name toy cli model gpt2 {sizes} cli optimizers adamw --learning_rate .01 "
        "cli savers default-saver --savebest cli train cli test"
    )
    test = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert test["accuracy_low"] <= test["accuracy"] <= test["accuracy_high"]
    assert test["accuracy"] > 0.2
    out = run_cli(
        f"--output again {data} {held} --split test --name toy cli model causal-lm --from run "
        "cli inflect --csv scores.csv"
    ).out
    assert "Forms by run" in out
    line = json.loads((tmp_path / "again/metrics.jsonl").read_text())
    assert line["accuracy"] == test["accuracy"]  # what one look at the right forms says of greedy search
    assert line["seen_lemmas"] == 1
    rows = [row.split("\t") for row in (tmp_path / "again/toy.tsv").read_text().splitlines()]
    assert numpy.mean([form == found for *_, form, found in rows]) == pytest.approx(line["accuracy"])
    assert numpy.mean([edit_distance(form, found) for *_, form, found in rows]) == pytest.approx(line["edit_distance"])
    run_cli("cli scores again")
    err = run_cli(
        f"--output x {data} cli tokenizer bpe --vocab_size 280 cli model bert --layers 1 --heads 1 --embedding_size 8 "
        "cli optimizers adamw cli train",
        2,
    ).err
    assert "predicts the next token" in err
    new = f"{data} {held} --split test cli tokenizer bpe --vocab_size 280 cli model gpt2 {sizes}"
    assert "drawn anew and never trained" in run_cli(f"--output x {new} cli inflect", 2).err
    assert "nothing to inflect" in run_cli(f"--output x {data} cli model causal-lm --from run cli inflect", 2).err


def test_edits_make_the_form_of_the_lemma():
    assert edits("walk", "walked") == ("+", "+", "+", "+", "+ed")
    assert edits("try", "tries") == ("+", "+", "+", "-ies")
    assert edits("machen", "gemacht") == ("+ge", "+", "+", "+", "+", "-t", "-")
    generator = numpy.random.default_rng(0)
    for _ in range(200):
        one, other = ("".join(generator.choice(list("abc+-"), size)) for size in generator.integers(0, 7, size=2))
        found = edits(one, other)
        assert len(found) == len(one) + 1
        assert edited(one, found) == other
        kept, more = sum(edit.startswith("+") for edit in found[1:]), sum(len(edit) - 1 for edit in found)
        exchanged = sum(edit.startswith("-") and len(edit) > 1 for edit in found[1:])
        assert len(one) - kept + more - exchanged == naive_distance(one, other)
    assert edited("walk", [None] * 5) == "walk"


def test_an_encoder_inflects_by_edits(run_cli, table, tmp_path):
    (tmp_path / "again.tsv").write_text(table.read_text() + "odd\todder\tN;ODD\n")
    data = f"cli dataset unimorph --path {table} --batch_size 18 --max_length 32"
    held = data.replace("toy", "again")
    encoder = "--layers 1 --heads 2 --embedding_size 32 --block_size 32"
    plain = f"cli dataset plain --path {table} --block_size 16 cli tokenizer bpe --vocab_size 280"
    run_cli(f"--steps 2 --output encoder {plain} cli model bert {encoder} cli optimizers adamw cli train")
    run_cli(
        f"--epochs 40 --output run {data} {held} --split test cli model token-classifier --from encoder --dropout 0 "
        "cli optimizers adamw --learning_rate .01 cli callbacks predictions cli train cli test"
    )
    test = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert 0.9 < test["accuracy"] < 1
    assert test["accuracy_low"] <= test["accuracy"] <= test["accuracy_high"]
    assert test["edit_distance"] < 0.2  # the edit of the last form is in no training set
    last = json.loads((tmp_path / "run/predictions-test.jsonl").read_text().splitlines()[-1])
    assert last["texts"] == ["odd", "N;ODD"]
    assert last["label"] == "odder" != last["predicted"]
    run_cli(f"--output again {held} --split test --name toy cli model token-classifier --from run cli inflect")
    line = json.loads((tmp_path / "again/metrics.jsonl").read_text())
    assert line["accuracy"] == pytest.approx(test["accuracy"])
    rows = [row.split("\t") for row in (tmp_path / "again/toy.tsv").read_text().splitlines()]
    assert numpy.mean([form == found for *_, form, found in rows]) == pytest.approx(line["accuracy"])
    assert (
        "The edits are not known"
        in run_cli(f"--output x {held} --split test cli model token-classifier --from encoder cli test", 2).err
    )
    short = f"{data.replace('32', '8')} cli model token-classifier --from encoder cli optimizers adamw"
    assert "raise --max_length" in run_cli(f"--output x {short} cli train", 2).err


def test_edits_are_counted_lemma_by_lemma(table):
    options = UniMorph(path=table, batch_size=20)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    model = TokenClassifier(layers=1, heads=1, embedding_size=8)
    data = options.build(tokenizer, {("train", None): options}, model)
    assert data.labels == ["+", "+s"]
    scorer = data.scorer()
    assert isinstance(scorer, Tallied)
    for batch in data.batches():
        scorer.take({"logits": functional.one_hot(batch["labels"].clamp(min=0), 2).float()}, batch)
    assert scorer.scores() == {"accuracy": 1.0, "edit_distance": 0.0}
    assert scorer.tally().tolist() == [[2, 2, 0]] * 27
    assert scorer.measures(scorer.tally().sum(0))["accuracy"] == 1
    with pytest.raises(UserError, match="an encoder that edits"):
        options.build(tokenizer, {("train", None): options}, BERT())


def test_a_backpack_that_tells_its_loss_alone_is_scored(run_cli, table, tmp_path):
    (tmp_path / "again.tsv").write_text(table.read_text() + "\n")
    data = f"cli dataset unimorph --path {table} --batch_size 18 --max_length 24"
    run_cli(
        f"--steps 2 --output run cli tokenizer bpe --vocab_size 280 {data} {data.replace('toy', 'again')} --split test "
        "cli model backpack --layers 1 --heads 2 --embedding_size 16 --senses 2 --block_size 24 --loss_chunk 8 "
        "cli optimizers adamw cli train cli test"
    )
    test = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert 0 <= test["accuracy"] <= 1
    saved = open_tokenizer(tmp_path / "run")  # which begins texts as training did
    assert saved("bat")["input_ids"][0] == saved.bos_token_id
    assert saved.model_max_length == 24
