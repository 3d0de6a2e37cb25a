"""Perplexity beside naive loops with transformers, beside formulas, and beside the bound of the generated corpus."""

import json
import math

import numpy
import pytest
import torch

from semeqv.babel.dataset import Babel
from semeqv.babel.grammar import Grammar
from semeqv.babel.reader import BayesReader
from semeqv.runs.errors import UserError
from semeqv.tasks.inference import inference
from semeqv.tasks.likelihood.babel_bound import babel_bound
from semeqv.tasks.likelihood.perplexity import likelihood, perplexity
from semeqv.tasks.likelihood.scoring import Likelihood, LikelihoodScorer
from semeqv.tasks.likelihood.windows import windows
from semeqv.text.datasets.parallel import Moses
from semeqv.train.compute import Compute
from tests.tasks.conftest import ENGLISH, FRENCH

REGIME = ("cpu", "fp32", 1)


def measured(model, tokenizer, corpus, options=None, **layout):
    """The lines of `cli perplexity`, by language."""
    key, said = ("validation", None), {"path": corpus, "split": "validation", "block_size": 16, **layout}
    component = said.pop("component", None) or Moses(**said)
    data = component.build(tokenizer)
    found = perplexity(model, {key: data}, tokenizer, {key: component}, Compute(*REGIME), **(options or {}))
    return {line["language"]: line for line in found.records()}


def tokens_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def running(tokenizer, lines):
    """Documents as packed data sets have them: each between the token that begins it, and the separator."""
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    return [token for line in lines for token in [begin, *tokens_of(tokenizer, line), end]]


def loss_sum(model, row, asked=0, begin=None):
    """The nats of a row from a place on, as transformers computes them; what begins a document is not asked for."""
    ids = torch.tensor([row])
    labels = ids.clone()
    labels[:, :asked] = -100
    labels[ids == begin] = -100
    count = int((labels[:, 1:] != -100).sum())
    with torch.no_grad():
        return float(model(input_ids=ids, labels=labels).loss.double()) * count, count


def test_packed_text_equals_a_naive_loop(gpt2, tokenizer, corpus):
    for rows in (1, 3, 7):
        found = measured(gpt2, tokenizer, corpus, batch_size=rows)
        total, number = 0.0, 0
        for language, lines in (("en", ENGLISH), ("fr", FRENCH)):
            text = running(tokenizer, lines)
            sums = [
                loss_sum(gpt2, text[start : start + 16], 0, tokenizer.bos_token_id)
                for start in range(0, len(text) - 1, 15)
            ]
            nats, count = map(sum, zip(*sums))
            assert count == len(text) - 40 == found[language]["tokens"]
            assert found[language]["perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-5)
            assert found[language]["separators"] == 40
            size = sum(len(line.encode()) for line in lines)
            assert found[language]["bits_per_byte"] == pytest.approx(nats / math.log(2) / size, rel=1e-5)
            total, number = total + nats, number + count
        assert found["all"]["perplexity"] == pytest.approx(math.exp(total / number), rel=1e-5)


def test_a_sliding_window_equals_brute_force(gpt2, tokenizer, corpus):
    found = measured(gpt2, tokenizer, corpus, {"stride": 5}, languages=("en",), batch_size=4)
    text, sums, end = running(tokenizer, ENGLISH), [], 0
    for start in range(0, len(text), 5):
        begun, end = end, min(start + 16, len(text))
        sums.append(loss_sum(gpt2, text[start:end], begun - start, tokenizer.bos_token_id))
        if end == len(text):
            break
    nats, count = map(sum, zip(*sums))
    assert count == len(text) - 40
    assert found["en"]["nats_per_token"] == pytest.approx(nats / count, rel=1e-5)
    wider = measured(gpt2, tokenizer, corpus, languages=("en",))
    assert wider["en"]["nats_per_token"] != found["en"]["nats_per_token"]


def test_separate_documents_equal_a_naive_loop(gpt2, tokenizer, corpus):
    found = measured(gpt2, tokenizer, corpus, languages=("en",), packing=False, batch_size=6, block_size=40)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    nats, count = map(sum, zip(*(loss_sum(gpt2, [bos, *tokens_of(tokenizer, line), eos]) for line in ENGLISH)))
    assert (found["en"]["tokens"], found["en"]["separators"]) == (count, 40)
    assert found["en"]["nats_per_token"] == pytest.approx(nats / count, rel=1e-5)
    without = measured(gpt2, tokenizer, corpus, {"separators": False}, languages=("en",), packing=False)
    assert (without["en"]["tokens"], without["en"]["separators"]) == (count - 40, 0)


def test_long_documents_are_read_in_windows(gpt2, tokenizer, corpus):
    found = measured(gpt2, tokenizer, corpus, {"stride": 3}, languages=("en",), packing=False, block_size=8)
    nats, count = 0.0, 0
    for line in ENGLISH:
        text = [tokenizer.bos_token_id, *tokens_of(tokenizer, line), tokenizer.eos_token_id]
        end = 0
        for start in range(0, len(text), 3):
            begun, end = end, min(start + 8, len(text))
            more, number = loss_sum(gpt2, text[start:end], begun - start)
            nats, count = nats + more, count + number
            if end == len(text):
                break
    assert found["en"]["tokens"] == count
    assert found["en"]["nats_per_token"] == pytest.approx(nats / count, rel=1e-5)


@pytest.mark.parametrize("packing", [False, True])
def test_a_pass_over_a_set_is_its_perplexity(gpt2, tokenizer, corpus, packing):
    said = {"languages": ("en",), "packing": packing, "block_size": 8}
    found = measured(gpt2, tokenizer, corpus, **said)["en"]
    nats, count = 0.0, 0
    for batch in Moses(path=corpus, split="validation", **said).build(tokenizer).batches():
        asked = int((batch["labels"] != -100).sum())
        with torch.no_grad():
            nats, count = nats + float(gpt2(**batch).loss.double()) * asked, count + asked
    assert (found["tokens"], found["nats_per_token"]) == (count, pytest.approx(nats / count, rel=1e-5))


def test_pseudo_perplexity_hides_one_token_at_a_time(bert, tokenizer, corpus):
    options = {"pseudo": True}
    found = measured(bert, tokenizer, corpus, options, languages=("fr",), objective="masked", batch_size=3)["fr"]
    nats, count = 0.0, 0
    for line in FRENCH:
        pieces = tokens_of(tokenizer, line)
        for start in range(0, len(pieces), 14):
            row = [tokenizer.cls_token_id, *pieces[start : start + 14], tokenizer.eos_token_id]
            for place in range(1, len(row) - 1):
                hidden = [*row[:place], tokenizer.mask_token_id, *row[place + 1 :]]
                with torch.no_grad():
                    logits = bert(input_ids=torch.tensor([hidden])).logits[0, place]
                nats, count = nats - float(logits.log_softmax(-1)[row[place]]), count + 1
    assert (found["tokens"], found["separators"]) == (count, 0)
    assert found["pseudo_perplexity"] == pytest.approx(math.exp(nats / count), rel=1e-4)


def test_windows_ask_for_every_token_once():
    for time, stride in ((8, 7), (8, 3), (8, 1), (5, 5)):
        lengths = numpy.array([0, 1, 7, 8, 9, 30])
        starts = numpy.cumsum(lengths) - lengths
        found = windows(starts, lengths, time, stride)
        asked = [
            start + place
            for start, first, last in zip(found.start, found.first, found.end)
            for place in range(first, last)
        ]
        assert sorted(asked) == list(range(lengths.sum()))
        assert found.lengths.max() <= time
        later = found.begin > 0
        assert (found.first[later] - found.begin[later] == time - stride).all()


def test_what_cannot_be_measured_is_refused(gpt2, bert, tokenizer, corpus):
    with pytest.raises(UserError, match="say --pseudo"):
        measured(bert, tokenizer, corpus)
    with pytest.raises(UserError, match="leave out --pseudo"):
        measured(gpt2, tokenizer, corpus, {"pseudo": True})
    with pytest.raises(UserError, match="--stride 16 is too long for rows of 16 tokens; 15 at most"):
        measured(gpt2, tokenizer, corpus, {"stride": 16})
    with pytest.raises(UserError, match="reads at most 40 tokens"):
        measured(gpt2, tokenizer, corpus, block_size=48)
    with pytest.raises(UserError, match="nothing to measure on"):
        measured(gpt2, tokenizer, corpus, {"splits": ("test",)})
    with pytest.raises(UserError, match="Perplexity is that of a corpus"):
        perplexity(gpt2, {("test", None): []}, tokenizer=tokenizer, compute=Compute(*REGIME), overlap=False)


def test_words_are_counted_as_wikitext_counts_them(gpt2, tokenizer, corpus):
    found = measured(gpt2, tokenizer, corpus, {"words": True}, languages=("en",))["en"]
    assert found["words"] == sum(len(line.split()) + 1 for line in ENGLISH)
    nats = found["nats_per_token"] * found["tokens"]
    assert found["word_perplexity"] == pytest.approx(math.exp(nats / found["words"]))


def test_words_that_stand_together_are_counted_together(gpt2, tokenizer, corpus):
    found = measured(gpt2, tokenizer, corpus, {"words": True}, joined=True)["en+fr"]
    assert found["words"] == sum(len(line.split()) + 1 for line in [*ENGLISH, *FRENCH])


def test_sentences_of_pairs_have_no_bound(tokenizer):
    data = Babel(documents=20, languages=("lume",), joined=True, split="test").build(tokenizer)
    assert babel_bound(data.facts(), "lume", exact=True) is None


def test_numbers_beyond_all_bounds_are_infinite():
    assert Likelihood(nats=1e6, tokens=1).perplexity == math.inf
    assert math.isnan(Likelihood().perplexity)


@pytest.mark.parametrize("separators", [True, False])
def test_the_bound_is_that_of_the_reader_in_tokens_of_the_model(gpt2, tokenizer, separators):
    data = Babel(documents=60, languages=("drask",), split="test", block_size=16)
    batches = data.build(tokenizer)
    part, facts = batches.parts[0], batches.facts()
    size = facts["languages"]["drask"]["bytes"]
    with inference(gpt2, *REGIME) as regime:
        found = likelihood(
            LikelihoodScorer(gpt2, regime),
            part.file,
            part.layout,
            stride=None,
            special=[],
            separators=separators,
            size=size,
        )
    bound = babel_bound(facts, "drask", exact=True)
    documents = list(Grammar().documents("test", 60))
    nats = sum(numpy.concatenate(each).sum() for each in BayesReader(Grammar(), "drask").surprisals(documents))
    nats += separators * math.log(5) * sum("drask" in document.sentences for document in documents)
    assert bound.bytes == size
    said = bound.facts(found)
    assert said["bound_perplexity"] == pytest.approx(math.exp(nats / found.tokens))
    assert said["bound_bits_per_byte"] == pytest.approx(nats / math.log(2) / size)
    assert said["bound_exact"]
    assert said["bound_perplexity"] < found.perplexity
    assert babel_bound({"source": {"corpus": "dataset moses"}}, "en", exact=True) is None


def test_a_bound_of_the_first_documents_is_close(gpt2, tokenizer, monkeypatch):
    facts = Babel(documents=400, languages=("lume",), split="test").build(tokenizer).facts()
    measurement = Likelihood(1.0, 1000, 10, facts["languages"]["lume"]["bytes"])
    whole = babel_bound(facts, "lume", exact=True).facts(measurement)
    monkeypatch.setattr("semeqv.tasks.likelihood.babel_bound.FEW", 100)
    part = babel_bound(facts, "lume", exact=False).facts(measurement)
    assert not part["bound_exact"]
    assert part["bound_nats_per_token"] == pytest.approx(whole["bound_nats_per_token"], rel=0.03)


TRAIN = "cli dataset babel --documents 120 --block_size 32 --batch_size 8"
SETS = (
    "cli dataset babel --documents 20 --block_size 32 --split validation "
    "cli dataset babel --documents 20 --block_size 32 --split test --name t"
)
MODEL = "cli model gpt2 --layers 1 --heads 2 --embedding_size 16 --block_size 32"
PARTS = f"cli tokenizer bpe --vocab_size 500 {TRAIN} {SETS} {MODEL} cli optimizers adamw --learning_rate .003"


def test_a_sentence_trains_measures_and_tests(run_cli, tmp_path):
    said = run_cli(
        f"--steps 12 --output run {PARTS} cli callbacks perplexity cli train "
        "cli perplexity --bound --words --csv p.csv cli test"
    )
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    logged = next(line for line in lines if "epoch" in line and "perplexity" in line)
    loss = next(line for line in lines if line.get("split") == "validation" and "loss" in line)
    assert logged["perplexity"] == pytest.approx(math.exp(loss["loss"]))
    found = [line for line in lines if line.get("measure") == "perplexity"]
    keys = [(line["split"], line["name"], line["language"]) for line in found]
    each = [("validation", None), ("test", "t")]
    assert sorted(map(str, keys)) == sorted(str((*set_, lang)) for set_ in each for lang in ("lume", "drask", "all"))
    total = next(line for line in found if (line["split"], line["language"]) == ("validation", "all"))
    assert total["perplexity"] == pytest.approx(logged["perplexity"], rel=1e-5)
    assert all(line["bound_perplexity"] < line["perplexity"] for line in found if line["language"] != "all")
    assert lines[-1]["split"] == "test"
    assert "loss" in lines[-1]
    assert "least" in said.out
    assert "of the" in said.out
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 7


def test_a_run_is_measured_later_beside_its_training_text(run_cli, tmp_path, corpus):
    files = f"--path {corpus} --languages en --block_size 16"
    parts = f"cli tokenizer bpe --vocab_size 300 cli dataset moses {files} {MODEL} cli optimizers adamw"
    run_cli(f"--steps 2 --output run {parts} cli train")
    line = f"--output later cli model load --from run cli dataset moses {files} --split test cli perplexity"
    assert "100.00% of the 40 lines of test occur in the training text (moses)." in run_cli(line).out
    found = [json.loads(line) for line in (tmp_path / "later/metrics.jsonl").read_text().splitlines()]
    assert (found[0]["overlap"], found[0]["overlap_with"]) == (1.0, "moses")
    corpus.with_name("corpus.en").write_text("all of it is new\n" * 9)
    assert "100.00% of the 9 lines of test occur in the training text (moses (changed since))" in run_cli(line).out
    corpus.with_name("corpus.en").rename(tmp_path / "else.en")
    other = line.replace(f"--path {corpus}", f"--path {tmp_path}/else")
    assert "cannot be compared" in run_cli(other).err


def test_masked_models_log_a_masked_perplexity(run_cli, tmp_path):
    line = PARTS.replace("cli tokenizer bpe", "cli tokenizer wordpiece").replace("cli model gpt2", "cli model bert")
    run_cli(f"--steps 2 --output run {line} cli callbacks perplexity cli train")
    text = (tmp_path / "run/metrics.jsonl").read_text()
    assert '"masked_perplexity"' in text
