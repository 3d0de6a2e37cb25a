"""Questions: where answers stand, which span is best, how answers are judged, and the sentences that train on them."""

import importlib
import itertools
import json
import re
import string
from collections import Counter

import numpy
import pytest
import torch
from transformers import AutoModelForQuestionAnswering, BertConfig, BertForMaskedLM, set_seed

from semeqv.grammar.plugins import command
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.models import TokenClassifier
from semeqv.tasks.question_answering.dataset import Squad, every_question
from semeqv.tasks.question_answering.metrics import best_span, f1_of, normalised, score_answers
from semeqv.tasks.question_answering.models import open_answerer
from semeqv.tasks.question_answering.questions import Answer, Question, read_questions
from semeqv.tasks.question_answering.windows import windows
from semeqv.text.models.opening import open_model
from semeqv.text.models.source import config_folder as checkpoint
from semeqv.text.networks.encoder import EncoderConfig, EncoderForMaskedLM
from semeqv.text.tokenizers.trained import Wordpiece

NAMES = ["Ada", "Ben", "Cleo", "Dan", "Eva", "Finn"]
THINGS = ["bread", "milk", "tea", "salt", "rice", "oil"]


def squad(count, impossible=False):
    """Texts of three sentences, a question about each."""
    articles = []
    for number in range(count):
        pairs = [(NAMES[(number + i) % 6], THINGS[(number * 5 + 2 * i) % 6]) for i in range(3)]
        context = " ".join(f"{name} bought the {thing}." for name, thing in pairs)
        asked = []
        for name, thing in pairs:
            answer = {"text": thing, "answer_start": context.index(f"{name} bought the {thing}") + len(name) + 12}
            asked.append({"id": f"{number}-{name}", "question": f"What did {name} buy?", "answers": [answer]})
        if impossible:
            absent = next(name for name in NAMES if name not in context)
            asked.append(
                {"id": f"{number}-no", "question": f"What did {absent} buy?", "answers": [], "is_impossible": True}
            )
        articles.append({"title": str(number), "paragraphs": [{"context": context, "qas": asked}]})
    return {"version": "1.1", "data": articles}


@pytest.fixture
def folder(tmp_path):
    for part, count in (("train", 12), ("dev", 6), ("test", 6)):
        (tmp_path / f"{part}-v1.1.json").write_text(json.dumps(squad(count) | {"part": part}))
    return tmp_path


@pytest.fixture
def tokenizer(folder):
    return Wordpiece(vocab_size=150).build({("train", None): Squad(path=folder)})


def test_answers_are_the_tokens_that_they_stand_in(folder, tokenizer):
    questions = list(read_questions(folder / "train-v1.1.json"))
    for longest, stride in ((64, 8), (26, 4), (22, 0)):
        rows = windows(tokenizer, questions, longest=longest, stride=stride, longest_question=10)
        starts = numpy.append(0, rows.ends[:-1])
        answered = set()
        for row, (start, end) in enumerate(zip(starts, rows.ends)):
            question = questions[rows.questions[row]]
            assert end - start <= longest
            first, last = rows.first[row], rows.last[row]
            if first:
                answered.add(question.name)
                begin, finish = rows.begins[start + first], rows.finishes[start + last]
                assert question.context[begin:finish].strip() == question.answers[0].text
            else:
                assert last == 0
            places = numpy.flatnonzero(rows.begins[start:end] >= 0)
            assert (numpy.diff(places) == 1).all()
        if stride:
            assert answered == {question.name for question in questions}
        for number, question in enumerate(questions):  # every character of a text is in a window
            own = numpy.concatenate(
                [numpy.arange(starts[r], rows.ends[r]) for r in numpy.flatnonzero(rows.questions == number)]
            )
            seen = {
                place
                for token in own
                if rows.begins[token] >= 0
                for place in range(rows.begins[token], rows.finishes[token])
            }
            assert seen >= {place for place, letter in enumerate(question.context) if letter != " "}
    with pytest.raises(UserError, match="say a smaller --stride"):
        windows(tokenizer, questions, longest=16, stride=10, longest_question=10)


def test_the_best_span_is_the_best_of_all_spans():
    generator = numpy.random.default_rng(0)
    for _ in range(100):
        size, longest = int(generator.integers(1, 9)), int(generator.integers(1, 5))
        starts, ends = generator.integers(0, 4, size=(2, size)).astype(float)
        allowed = numpy.zeros(size, bool)
        begin = int(generator.integers(0, size))
        allowed[begin : int(generator.integers(begin, size)) + 1] = True
        spans = [
            (starts[i] + ends[j], i, j)
            for i, j in itertools.product(range(size), repeat=2)
            if allowed[i] and allowed[j] and i <= j < i + longest
        ]
        best = max(score for score, *_ in spans)
        first = min((i, j) for score, i, j in spans if score == best)
        assert best_span(starts, ends, allowed, longest) == (best, *first)
    assert best_span(starts, ends, numpy.zeros(size, bool), 3) is None


def official(answer, golds):
    """The formula of the official script, step by step."""

    def clean(text):
        text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
        return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())

    def f1(one, other):
        one, other = clean(one).split(), clean(other).split()
        common = Counter(one) & Counter(other)
        if not one or not other:
            return int(one == other)
        if not sum(common.values()):
            return 0
        precision, recall = sum(common.values()) / len(one), sum(common.values()) / len(other)
        return 2 * precision * recall / (precision + recall)

    return max(clean(answer) == clean(gold) for gold in golds), max(f1(answer, gold) for gold in golds)


def test_answers_are_judged_as_by_the_official_formula():
    pairs = [
        ("The Broncos!", ["Denver Broncos", "broncos"]),
        ("in the year 1999", ["1999"]),
        ("", ["x"]),
        ("an apple a day", ["apple day", "the apple"]),
        ("U.S.A.", ["USA"]),
    ]
    questions = [
        Question(str(i), "?", f"text {i % 2}", tuple(Answer(gold, 0) for gold in golds))
        for i, (_, golds) in enumerate(pairs)
    ]
    found = score_answers(questions, [answer for answer, _ in pairs], 100)
    expected = numpy.mean([official(answer, golds) for answer, golds in pairs], axis=0)
    assert [found["exact"], found["f1"]] == pytest.approx(expected)
    assert found["f1_low"] <= found["f1"] <= found["f1_high"]
    assert set(found) == {"exact", "f1", "exact_low", "exact_high", "f1_low", "f1_high"}
    assert normalised("The  A-Team's") == "ateams"
    assert f1_of("北京市", "北京") == 0
    assert f1_of("北京市", "北京", "zh") == pytest.approx(0.8)


def test_punctuation_of_every_script_is_none_of_the_characters():
    asked = [Question("1", "?", "t", (Answer("北京", 0),), "zh")]
    for answer in ("北京。", "《北京》", "北 京", "“北京”", "北京"):
        assert score_answers(asked, [answer], 0, characters=True) == {"exact": 1.0, "f1": 1.0}
    assert score_answers(asked, ["北京。"], 0) == {"exact": 0.0, "f1": 0.0}  # the script of SQuAD knows ASCII alone
    assert normalised("¿b + c?", "es") == "b c"


@pytest.mark.parametrize(
    ("language", "answer", "expected"),
    [
        ("en", "The cat, an ox and a Die", "cat ox and die"),
        ("de", "Die Katze des Hauses, ein Haus, the a", "katze hauses haus the a"),
        ("es", "¡La casa de los García, una the!", "casa de garcía the"),
        ("vi", "Những ngôi nhà của tôi là a", "ngôi nhà tôi a"),
        ("ar", "الكتاب، والقلم", "كتاب و قلم"),
        ("hi", "एक किताब। the", "एक किताब the"),
        ("zh", "在《北京》 the NBA", "在 北 京 the nba"),
        ("ja", "東京タワー", "東 京 タ ワ ー"),
        ("th", "กข the", "ก ข the"),
        ("ru", "Дом a 北", "дом a 北"),
    ],
)
def test_answers_are_normalised_by_the_rules_of_their_language(language, answer, expected):
    assert normalised(answer, language) == expected
    question = Question("1", "?", "t", (Answer(expected, 0),), {"de": "deu"}.get(language, language))
    assert score_answers([question], [answer], 0, characters=True) == {"exact": 1.0, "f1": 1.0}


def test_questions_have_the_language_of_their_file(folder, tmp_path):
    for language in ("de", "es"):
        (tmp_path / f"mlqa.{language}.test.json").write_bytes((folder / "train-v1.1.json").read_bytes())
    read = every_question(Squad(path=tmp_path, languages=("es", "de"), split="test"))
    assert [question.language for question in read] == ["es"] * (len(read) // 2) + ["de"] * (len(read) // 2)


def test_questions_are_for_models_that_answer(folder, tokenizer):
    data = Squad(path=folder, max_length=48, stride=8).build(tokenizer, {}, None)
    with pytest.raises(
        UserError, match=r"`cli dataset squad` is not for a token-classifier. Take: cli model question-"
    ):
        TokenClassifier(layers=1, heads=1, embedding_size=8).build(dataset=data, tokenizer=tokenizer)


def test_questions_without_an_answer_are_judged_apart():
    asked = [Question("1", "?", "t", (Answer("x y", 0),)), Question("2", "?", "t", ()), Question("3", "?", "u", ())]
    found = score_answers(asked, ["x", "", "z"], 0)
    assert found == pytest.approx({"exact": 1 / 3, "f1": (2 / 3 + 1) / 3, "answered_f1": 2 / 3, "unanswered": 0.5})


@pytest.mark.parametrize("kind", ["bert", "encoder"])
def test_a_model_that_answers_survives_its_folder(tmp_path, kind):
    set_seed(0)
    sizes = {
        "vocab_size": 30,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
    }
    made = BertForMaskedLM(BertConfig(**sizes)) if kind == "bert" else EncoderForMaskedLM(EncoderConfig(**sizes))
    made.save_pretrained(tmp_path / "lm")
    model = open_answerer(tmp_path / "lm", dropout=0.0).eval()
    assert not hasattr(model, "source")
    model.save_pretrained(tmp_path / "qa")
    batch = {
        "input_ids": torch.tensor([[1, 5, 6, 2]]),
        "start_positions": torch.tensor([1]),
        "end_positions": torch.tensor([2]),
    }
    command()
    for again in (
        open_answerer(tmp_path / "qa"),
        open_model(tmp_path / "qa"),
        AutoModelForQuestionAnswering.from_pretrained(tmp_path / "qa"),
    ):
        assert type(again).__name__ == type(model).__name__
        torch.testing.assert_close(again.eval()(**batch).loss, model(**batch).loss)
    assert open_answerer(tmp_path / "qa").source == str(tmp_path / "qa")


def test_questions_are_learnt_answered_and_written_down(run_cli, folder):
    data = f"cli dataset squad --path {folder} --max_length 48 --stride 8 --batch_size 8"
    sizes = "--layers 1 --heads 2 --embedding_size 32 --dropout 0"
    run_cli(
        f"--epochs 25 --output run cli tokenizer wordpiece --vocab_size 150 {data} {data} --split validation "
        f"{data} --split test --name own cli model question-answerer {sizes} cli optimizers adamw --learning_rate .01 "
        "cli savers default-saver --savebest --metric f1 cli callbacks predictions cli train cli test"
    )
    lines = [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text().splitlines()]
    test = lines[-1]
    assert test["f1_low"] <= test["f1"] <= test["f1_high"]
    assert test["exact"] <= test["f1"]
    assert test["f1"] > 0.3
    records = [json.loads(line) for line in (folder / "run/predictions-own.jsonl").read_text().splitlines()]
    assert len(records) == 18
    assert sum(record["predicted"] in record["label"] for record in records) / 18 <= test["exact"] + 1e-9
    run_cli(f"--output again {data} --split test --name own cli model question-answerer --from run cli test")
    assert json.loads((folder / "again/metrics.jsonl").read_text())["f1"] == test["f1"]
    assert AutoModelForQuestionAnswering.from_pretrained(checkpoint(folder / "run")).config.num_labels == 2
    # Data in which some questions have no answer.
    (folder / "two").mkdir()
    for part in ("train", "test"):
        (folder / f"two/{part}-v2.0.json").write_text(json.dumps(squad(6, impossible=True) | {"part": part}))
    data = data.replace(str(folder), str(folder / "two"))
    run_cli(
        f"--steps 3 --output two-run {data} {data} --split test cli model question-answerer --from run "
        "cli optimizers adamw cli train cli test"
    )
    last = json.loads((folder / "two-run/metrics.jsonl").read_text().splitlines()[-1])
    assert {"answered_f1", "unanswered", "unanswered_low"} <= set(last)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "has no list 'data'"),
        ('{"data": []}', "holds no question"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', "has no text 'context'"),
        ('{"data": [{"paragraphs": [{"context": "ab", "qas": [{"id": "q", "question": "?"}]}]}]}', "no list 'answers'"),
    ],
)
def test_what_is_no_squad_is_said(tmp_path, content, message):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(UserError, match=message):
        list(read_questions(tmp_path / "x.json"))


@pytest.mark.parametrize(("start", "message"), [(1, "does not stand at 1"), (-1, "is no place"), ("0", "is no place")])
def test_an_answer_that_is_not_there_is_said(tmp_path, start, message):
    record = {"id": "q7", "question": "?", "answers": [{"text": "ab", "answer_start": start}]}
    whole = {"data": [{"paragraphs": [{"context": "abc", "qas": [record]}]}]}
    (tmp_path / "x.json").write_text(json.dumps(whole))
    with pytest.raises(UserError, match=f"question 'q7'.*{message}"):
        list(read_questions(tmp_path / "x.json"))
    with pytest.raises(UserError, match="no such file"):
        list(read_questions(tmp_path / "y.json"))


def test_questions_are_read_as_the_hub_stores_them(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="reads Parquet; it comes with the extra `data`")
    writer = importlib.import_module("pyarrow.parquet")
    rows = {
        "id": ["1", "2"],
        "title": ["t", "t"],
        "context": ["Ada bought tea."] * 2,
        "question": ["What?", "Who left?"],
    }
    answers = [{"text": ["tea"], "answer_start": [11]}, {"text": [], "answer_start": []}]
    path = tmp_path / "data/validation-00000-of-00001.parquet"
    path.parent.mkdir()
    writer.write_table(arrow.table(rows | {"answers": answers}), path)
    found = every_question(Squad(path=tmp_path, split="validation"))
    assert found == (
        Question("1", "What?", "Ada bought tea.", (Answer("tea", 11),)),
        Question("2", "Who left?", "Ada bought tea.", ()),
    )
    answers[0]["answer_start"] = [3]
    writer.write_table(arrow.table(rows | {"answers": answers}), path)
    with pytest.raises(UserError, match="'tea' does not stand at 3"):
        list(read_questions(path))
    writer.write_table(arrow.table(rows), path)
    with pytest.raises(UserError, match="row 1 has no list 'text'"):
        list(read_questions(path))
