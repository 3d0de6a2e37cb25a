"""Labelled data as prompts and answers: which tokens they are, what is learnt, and how answers are judged."""

import json
import random

import numpy
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from backpack.model import Backpack
from semeqv.results.statistics import Tallied
from semeqv.runs.errors import UserError
from semeqv.tasks.classification.babel import BabelTags
from semeqv.tasks.classification.models import SequenceClassifier
from semeqv.tasks.classification.texts import Table
from semeqv.tasks.classification.words import Ner, Tagged
from semeqv.tasks.parsing.dataset import Dependencies
from semeqv.tasks.prompting.options import answers_in_text
from semeqv.tasks.prompting.spelling import Spelling
from semeqv.tasks.question_answering.dataset import Squad
from semeqv.text.generation import greedy
from semeqv.text.models.architectures import GPT2
from semeqv.text.models.load import CausalLM, Load
from semeqv.text.tokenizers.encoding import first_token
from semeqv.text.tokenizers.trained import Bpe, Unigram, Wordpiece

SIZES = "--layers 2 --heads 2 --embedding_size 32 --block_size 64 --dropout 0"
KINDS = {"fruit": ["apple", "pear", "plum"], "animal": ["cat", "dog", "cow"], "a tool": ["saw", "axe", "hoe"]}
SMALL = {"layers": 1, "heads": 2, "embedding_size": 16, "dropout": 0.0, "initializer_range": 0.3}


def texts(count, seed):
    """Texts with the kind of the thing in them, as lines of a table."""
    chance = random.Random(seed)
    kinds = [chance.choice(list(KINDS)) for _ in range(count)]
    return [
        f"the {chance.choice(('red', 'old', 'big'))} {chance.choice(KINDS[kind])} is here\t{kind}" for kind in kinds
    ]


@pytest.fixture
def table(tmp_path):
    for part, count, seed in (("train", 150, 0), ("test", 30, 1)):
        (tmp_path / f"{part}.tsv").write_text("\n".join(["text\tlabel", *texts(count, seed)]) + "\n")
    return tmp_path / "train.tsv"


def sentences(count, seed):
    """Sentences of words that are always the same part of speech, as files with a word a line."""
    chance = random.Random(seed)
    columns = (("DET", ["the", "a"]), ("NOUN", ["cat", "dog", "sun"]), ("VERB", ["sees", "eats"]))
    lines = [[f"{chance.choice(words)}\t{tag}" for tag, words in columns] for _ in range(count)]
    return "\n\n".join("\n".join(each) for each in lines) + "\n"


def built(options, tokenizer, model=None, **others):
    train = others.pop("train", options)
    return options.build(tokenizer, {("train", None): train, (options.split, options.name): options}, model or GPT2())


@pytest.mark.parametrize("kind", [Bpe, Unigram, Wordpiece])
def test_rows_are_the_prompt_the_answer_and_its_end(table, kind):
    options = Table(path=table, batch_size=8, template="{text} is about")
    (table.parent / "all.tsv").write_text(f"text\tlabel\nabout {' '.join(KINDS)}\tx\n{table.read_text()}")
    every = Table(path=table.parent / "all.tsv")
    tokenizer = kind(vocab_size=300 if kind is Bpe else 70).build({("train", None): every})
    data = built(options, tokenizer)
    spelling = Spelling(tokenizer, options.template)
    labels = dict(zip(sorted(KINDS), spelling.labels(sorted(KINDS))))
    for batch in data.batches():
        asked = batch["labels"] != -100
        for row, mask in zip(batch["input_ids"].tolist(), asked.tolist()):
            first, last = mask.index(True), len(mask) - mask[::-1].index(True)
            text = tokenizer.decode(row[len(spelling.begin) : first])
            assert sum(mask) == last - first
            kind_of = next(name for name, things in KINDS.items() if any(f" {each} " in text for each in things))
            assert row[first:last] == [*labels[kind_of], tokenizer.eos_token_id or tokenizer.sep_token_id]
            prompt = f"{text.strip().removesuffix(' is about')} is about"
            assert row[:first] == [*spelling.begin, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
        assert torch.equal(batch["labels"][asked], batch["input_ids"][asked])
    if kind is Bpe:  # what follows a text is what a tokenizer makes of the two together
        whole = tokenizer("here is about a tool", add_special_tokens=False)["input_ids"]
        before = tokenizer("here is about", add_special_tokens=False)["input_ids"]
        assert tuple(whole[len(before) :]) == labels["a tool"]


def test_the_loss_is_that_of_answers_alone(table):
    options = Table(path=table, batch_size=16)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    torch.manual_seed(0)
    model, data = GPT2(**SMALL).build(tokenizer).eval(), built(options, tokenizer)
    batch = next(data.stream(0))
    with torch.no_grad():
        outputs = model(**batch)
    nats = []
    for row, asked, logits in zip(batch["input_ids"], batch["labels"] != -100, outputs.logits.double()):
        places = asked.nonzero()[:, 0].tolist()
        nats += [float(-logits[place - 1].log_softmax(-1)[row[place]]) for place in places]
    assert float(outputs.loss) == pytest.approx(numpy.mean(nats), rel=1e-5)


def test_likelihoods_of_labels_are_those_of_the_definition(table):
    options = Table(path=table, split="test", batch_size=7, replicates=0, sentences=20)
    train = Table(path=table.with_name("test.tsv"))
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    torch.manual_seed(0)
    model, data = GPT2(**SMALL).build(tokenizer).eval(), built(options, tokenizer, train=train)
    scorer, asked = data.scorer(), 0
    assert isinstance(scorer, Tallied)
    assert data.rows.tokens[0] == built(train, tokenizer).rows.tokens[0] == first_token(tokenizer, masked=False)
    assert tokenizer("a")["input_ids"][0] == data.rows.tokens[0]  # the tokenizer that is saved begins texts so, too
    with torch.no_grad():
        for batch in data.batches():
            asked += int((batch["labels"] != -100).any(1).sum())
            scorer.take(model(**batch), batch, model=model)
    assert asked == 20  # a loss is asked of the right label alone
    spelling = data.task.spelling
    for item, found in zip(data.items, scorer.likelihoods()):
        (prompt,) = spelling.prompts([{"text": item.texts[0]}], [60], {})
        for answer, nats in zip(spelling.labels(data.labels), found):
            row = [*prompt.tokens, *answer, spelling.end]
            with torch.no_grad():
                scores = model(torch.tensor([row])).logits[0].double().log_softmax(-1)
            right = sum(float(scores[place - 1, row[place]]) for place in range(len(prompt.tokens), len(row)))
            assert nats == pytest.approx(right, rel=1e-4)
    silent = data.scorer()  # a model that tells its loss alone is asked again
    with torch.no_grad():
        for batch in data.batches():
            silent.take({}, batch, model=model)
    assert silent.scores() == scorer.scores()


@pytest.mark.parametrize("family", [GPT2, Backpack])
def test_what_is_written_does_not_depend_on_the_rows_beside_it(table, family):
    tokenizer = Bpe(vocab_size=300).build({("train", None): Table(path=table)})
    torch.manual_seed(0)
    model = family(**SMALL, block_size=24).build(tokenizer).eval()
    prompts = [[5, 6, 7], [9] * 20, [8], list(range(10, 20))]
    most = [21, 4, 23, 3]
    options = {"end": tokenizer.eos_token_id, "pad": tokenizer.eos_token_id}
    together = greedy(model, prompts, most, **options)
    for prompt, limit, found in zip(prompts, most, together):
        assert len(found) <= limit
        assert greedy(model, [prompt], [limit], **options) == [found]
        tokens = list(prompt)
        for token in found:
            with torch.no_grad():
                assert int(model(torch.tensor([tokens])).logits[0, -1].argmax()) == token
            tokens.append(token)
    assert any(together)


def test_long_prompts_lose_the_end_of_their_texts(tmp_path, capsys):
    context = " ".join(f"word{i % 7}" for i in range(60))
    record = {"context": context, "qas": [{"id": "1", "question": "what is said first?", "answers": []}]}
    record["qas"][0]["answers"] = [{"text": "word0", "answer_start": 0}]
    (tmp_path / "train-v1.json").write_text(json.dumps({"data": [{"paragraphs": [record]}]}))
    options = Squad(path=tmp_path, max_length=60, longest_answer=4, longest_question=8)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    data = built(options, tokenizer)
    (batch,) = data.batches()
    said = tokenizer.decode(batch["input_ids"][0])
    assert "Context: word0 word1" in said
    assert "Question: what is said first" in said
    assert "Answer: word0" in said
    assert batch["input_ids"].shape[1] <= 60
    assert data.facts()["cut"] == 1
    assert "1 of 1 prompts of the train set are longer than 60 tokens allow" in capsys.readouterr().err
    with pytest.raises(UserError, match="raise --max_length where the model reads more"):
        built(Squad(path=tmp_path, max_length=12, longest_answer=4), tokenizer)
    assert built(Squad(path=tmp_path, longest_answer=4), tokenizer, GPT2(block_size=48)).longest == 48


def test_long_sentences_become_several_rows(tmp_path):
    (tmp_path / "train").write_text(
        "".join(f"word{i % 5}\tL{i % 2}\n" for i in range(40)) + "\nx" + "y" * 90 + "\tL1\n"
    )
    options = Tagged(path=tmp_path / "train", max_length=64)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    data = built(options, tokenizer)
    assert data.lengths.max() <= 64
    assert len(data) * data.size == len(data.rows) > 2
    task = data.task
    read = task.read([task.answer(row) for row in task.rows])
    assert read.tolist() == data.gold.tolist() == [i % 2 for i in range(40)] + [1]
    assert [row.first for row in task.rows] == sorted(row.first for row in task.rows)
    with pytest.raises(UserError, match="raise --max_length"):
        built(Tagged(path=tmp_path / "train", max_length=8), tokenizer)


@pytest.mark.parametrize("repeat", [True, False])
def test_answers_about_words_are_read_word_by_word(tmp_path, repeat):
    (tmp_path / "en-train.iob2").write_text("1\tAda\tB-PER\n2\tBen\tI-PER\n3\tsees\tO\n4\tRome\tB-LOC\n")
    options = Ner(path=tmp_path, repeat=repeat)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    task = built(options, tokenizer).task
    (row,), names = task.rows, dict(enumerate(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]))
    right = task.answer(row)
    text = "Ada B-PER Ben I-PER sees O Rome B-LOC" if repeat else "B-PER I-PER O B-LOC"
    assert tokenizer.decode(right[:-1]).strip() == text

    def read(said):
        written = [token for each in task.spelling.continued(said.split()) for token in each]
        return [names[number] for number in task.read([written])]

    assert read(text) == ["B-PER", "I-PER", "O", "B-LOC"]
    assert read("") == ["O"] * 4
    if repeat:
        assert read("Ada B-PER Rome B-LOC") == ["B-PER", "O", "O", "B-LOC"]  # the answer leaves two out
        assert read("Ada B-PER Bon I-PER sees Rome B-LOC") == ["B-PER", "I-PER", "O", "B-LOC"]
    else:
        assert read("B-PER nothing I-PER") == ["B-PER", "I-PER", "O", "O"]


def test_words_without_a_label_are_not_asked_for(tmp_path):
    (tmp_path / "train").write_text("a\tX\nb\t_\nc\tY\n\nd\t_\n")
    options = Tagged(path=tmp_path / "train")
    tokenizer = Bpe(vocab_size=280).build({("train", None): options})
    data = built(options, tokenizer)
    assert len(data.rows) == 1
    assert tokenizer.decode(data.task.answer(data.task.rows[0])[:-1]).strip() == "a X c Y"
    alone = built(Tagged(path=tmp_path / "train", repeat=False), tokenizer).task
    assert tokenizer.decode(alone.answer(alone.rows[0])[:-1]).strip() == "X _ Y"
    assert alone.read([alone.answer(row) for row in alone.rows]).tolist() == [0, -100, 1, -100]


def test_special_looking_text_stays_text(tmp_path):
    lines = ["the <s> and </s> here\tx", "a <|endoftext|> there\ty"] * 4
    (tmp_path / "train.tsv").write_text("\n".join(["text\tlabel", *lines]) + "\n")
    options = Table(path=tmp_path / "train.tsv")
    tokenizer = Unigram(vocab_size=40).build({("train", None): options})
    (batch,) = built(options, tokenizer).batches()
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id, tokenizer.pad_token_id}
    for row in batch["input_ids"].tolist():
        assert sum(token in special for token in row) == 2  # one before the prompt, and one that ends the answer


def test_what_does_not_fit_is_refused_in_one_line(table, tmp_path):
    with pytest.raises(ValueError, match=r"--template has the fields \{text\} and \{text2\}; .* has \{txet\}"):
        Table(path=table, template="{txet}")
    with pytest.raises(ValueError, match="has none"):
        Table(path=table, template="no field")
    with pytest.raises(ValueError, match="A brace of the text is written"):
        Table(path=table, template="{text")
    with pytest.raises(ValueError, match=r"{context} and {question}"):
        Squad(template="{text}")
    with pytest.raises(ValueError, match=r"\{text\}; .*\{tags\}"):
        BabelTags(template="{tags}")
    tokenizer = Bpe(vocab_size=300).build({("train", None): Table(path=table)})
    with pytest.raises(UserError, match="asks for two texts"):
        built(Table(path=table, template="{text} {text2}"), tokenizer)
    head = SequenceClassifier(layers=1, heads=1, embedding_size=8)
    for said in ({"template": "{text}"}, {"generate": True}):
        with pytest.raises(UserError, match=f"--{next(iter(said))} is for a model that predicts the next token"):
            built(Table(path=table, **said), tokenizer, head)
    with pytest.raises(
        UserError, match=r"`cli dataset labelled` is not for a sequence-classifier. Take: cli model causal"
    ):
        head.build(dataset=built(Table(path=table), tokenizer), tokenizer=tokenizer)
    words = Tokenizer(models.WordLevel({"[UNK]": 0, "</s>": 1, "x": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    coarse = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", eos_token="</s>")
    with pytest.raises(UserError, match=r"writes the label 'fruit' as 'animal'|writes the label .* as "):
        built(Table(path=table), coarse)
    endless = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
    with pytest.raises(UserError, match="no token that ends a text"):
        built(Table(path=table), endless)


def test_a_head_is_not_asked_in_text(table, tmp_path):
    assert answers_in_text(GPT2())
    assert answers_in_text(Backpack())
    assert not answers_in_text(None)
    assert not answers_in_text(SequenceClassifier(layers=1, heads=1, embedding_size=8))
    for name, expected in (("GPT2LMHeadModel", True), ("GPT2ForSequenceClassification", False)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", "architectures": [name]}))
        assert answers_in_text(Load(source=str(folder))) == expected
    (tmp_path / "GPT2LMHeadModel/config.json").write_text(
        json.dumps({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_positions": 48})
    )
    assert CausalLM(source=str(tmp_path / "GPT2LMHeadModel")).most_tokens() == 48


def test_texts_are_learnt_chosen_and_written(run_cli, table, tmp_path):
    data = "cli dataset labelled --path train.tsv --batch_size 30"
    test = "cli dataset labelled --path test.tsv --split test"
    train = f"--epochs 24 --etv 6 --output run cli tokenizer bpe --vocab_size 300 {data} --template '{{text}}. Kind:'"
    (tmp_path / "dev.tsv").write_text((tmp_path / "test.tsv").read_text() + "\n")
    held = "cli dataset labelled --path dev.tsv --split validation"
    written = f"{test} --name written --generate"
    run_cli(
        f"{train} {held} cli model gpt2 {SIZES} cli optimizers adamw "
        "--learning_rate .01 cli savers default-saver --savebest --metric accuracy cli train"
    )
    again = f"cli model load --from run {test} {written} cli callbacks predictions"
    run_cli(f"--output again {again} cli test")
    lines = [json.loads(line) for line in (tmp_path / "again/metrics.jsonl").read_text().splitlines()]
    assert {line["name"] for line in lines} == {None, "written"}
    for line in lines:  # likelihood and greedy search agree on what was learnt
        assert line["accuracy"] > 0.9
        assert line["accuracy_low"] <= line["accuracy"] <= line["accuracy_high"]
    rows = [json.loads(line) for line in (tmp_path / "again/predictions-written.jsonl").read_text().splitlines()]
    assert {row["predicted"] for row in rows} <= set(KINDS)
    facts = json.loads((tmp_path / "again/run.json").read_text())["facts"]["dataset"]
    assert facts["test"]["template"] == "{text}. Kind:"  # as it was trained
    squad = {"data": [{"paragraphs": [{"context": "a cat", "qas": [{"id": "1", "question": "?", "answers": []}]}]}]}
    (tmp_path / "test-v2.json").write_text(json.dumps(squad))  # of another task, whose template is not the same
    run_cli("--output other cli dataset squad --path test-v2.json --split test cli model load --from run cli test")
    facts = json.loads((tmp_path / "other/run.json").read_text())["facts"]["dataset"]
    assert facts["test"]["template"] == Squad.usual
    assert (
        "The labels are not known"
        in run_cli(f"--output x cli tokenizer load --from run {test} cli model gpt2 {SIZES} cli test", 2).err
    )
    assert (
        "which run was trained on"
        in run_cli(f"--output x cli model load --from run {test.replace('test.tsv', 'train.tsv')} cli test", 2).err
    )


def test_words_are_learnt_and_resumed(run_cli, tmp_path):
    for part, count, seed in (("train", 90, 0), ("test", 20, 1)):
        (tmp_path / part).write_text(sentences(count, seed))
    data = "cli dataset tagged --path train --batch_size 15 cli dataset tagged --path test --split test"
    model = f"cli model gpt2 {SIZES} cli optimizers adamw --learning_rate .01"
    saver = "cli savers default-saver --resume cli train cli test"
    line = f"--output {{}} cli tokenizer bpe --vocab_size 280 {data} {model} {saver}"
    run_cli(f"--epochs 16 {line.format('whole')}")
    run_cli(f"--epochs 8 {line.format('half')}")
    assert "Resumed" in run_cli(f"--epochs 16 {line.format('half')}").err
    whole, half = (
        [json.loads(each) for each in (tmp_path / name / "metrics.jsonl").read_text().splitlines()][-1]
        for name in ("whole", "half")
    )
    assert whole["accuracy"] > 0.9
    assert whole == half


def test_questions_are_learnt_by_a_model_that_has_no_padding_token(run_cli, tmp_path):
    for part, count in (("train", 60), ("test", 12)):
        chance, records = random.Random(part), []
        for number in range(count):
            thing = chance.choice(["bread", "milk", "tea", "salt"])
            context = f"{chance.choice(['Ada', 'Ben'])} bought {thing} today."
            asked = {"id": f"{part}{number}", "question": "What was bought?"}
            asked["answers"] = [{"text": thing, "answer_start": context.index(thing)}]
            records.append({"context": context, "qas": [asked]})
        (tmp_path / f"{part}-v1.json").write_text(json.dumps({"data": [{"paragraphs": records}]}))
    letters = pre_tokenizers.ByteLevel.alphabet()
    plain = Tokenizer(models.BPE({each: place for place, each in enumerate(["<end>", *sorted(letters)])}, []))
    plain.pre_tokenizer, plain.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>")
    assert fast.pad_token is None
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=257, n_positions=128, n_embd=32, n_layer=2, n_head=2, resid_pdrop=0, attn_pdrop=0)
    GPT2LMHeadModel(config).save_pretrained("base")
    fast.save_pretrained("base")
    run_cli(
        "--epochs 30 --output run cli dataset squad --path . --batch_size 12 --longest_answer 8 cli dataset squad "
        "--path . --split test --longest_answer 8 cli model causal-lm --from base cli optimizers adamw "
        "--learning_rate .01 cli train cli test"
    )
    test = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert test["exact"] > 0.6
    assert test["f1"] >= test["exact"]


def treebank(path, *sentences):
    """Write a treebank: words as FORM/HEAD/RELATION."""
    lines = []
    for sentence in sentences:
        for number, word in enumerate(sentence.split(), 1):
            form, head, relation = word.split("/")
            lines.append(f"{number}\t{form}\t_\tX\t_\t_\t{head}\t{relation}\t_\t_")
        lines.append("")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_trees_are_read_from_what_is_written(tmp_path, capsys):
    long = "".join(random.Random(0).choices("abcdefghijklmnop", k=200))
    path = treebank(tmp_path / "t.conllu", "the/2/det cat/3/nsubj sleeps/0/root", "go/0/root", f"{long}/0/root")
    options = Dependencies(path=path, max_length=100)
    tokenizer = Bpe(vocab_size=300).build({("train", None): options})
    data = built(options, tokenizer)
    assert "1 of 3 sentences of the train set take more than 100 tokens" in capsys.readouterr().err
    scorer, spelled = data.scorer(), data.task.spelling.continued
    assert isinstance(scorer, Tallied)

    def said(*texts):
        rows = [[token for each in spelled(text.split()) for token in each] for text in texts]
        scorer.parts = [[rows[row] for row in data.passing.tolist()]]
        return [[(word.head, word.deprel) for word in sentence.words] for sentence in scorer.parsed()]

    truth = ["the 2:det cat 3:nsubj sleeps 0:root", "go 0:root"]
    assert [tokenizer.decode(data.task.answer(row)[:-1]).strip() for row in data.task.rows] == truth
    unread = [(0, "dep")]
    assert said(*truth) == [[(2, "det"), (3, "nsubj"), (0, "root")], [(0, "root")], unread]
    assert scorer.scores() == pytest.approx({"las": 4 / 5, "uas": 1}, abs=1e-9)
    assert scorer.tally()[:, :3].tolist() == [[3, 3, 3], [1, 1, 1], [1, 0, 1]]
    # Two roots and a circle are no tree; an arc that is not taken has no relation.
    assert said("the 2:det cat 1:det sleeps 0:root", "nothing")[0][2] == (0, "root")
    heads = [head for head, _ in said("the 0:root cat 0:root sleeps 0:root", "go 0:root")[0]]
    assert heads.count(0) == 1
    with pytest.raises(UserError, match="Every sentence takes more than 16 tokens"):
        built(Dependencies(path=path, max_length=16), tokenizer)


def test_trees_are_learnt(run_cli, tmp_path):
    tree = "{}/2/det {}/3/nsubj {}/0/root"
    for part, seed in (("train", 0), ("test", 1)):
        chance = random.Random(seed)
        words = (("the", "a"), ("cat", "dog", "sun"), ("sees", "eats"))
        rows = [tree.format(*(chance.choice(each) for each in words)) for _ in range(60)]
        treebank(tmp_path / f"en-{part}.conllu", *rows)
    data = "cli dataset treebank --path . --max_length 64"
    run_cli(
        f"--epochs 12 --output run cli tokenizer bpe --vocab_size 280 {data} --batch_size 15 {data} --split test "
        f"cli model gpt2 {SIZES} cli optimizers adamw --learning_rate .01 cli train cli test"
    )
    test = json.loads((tmp_path / "run/metrics.jsonl").read_text().splitlines()[-1])
    assert test["las"] > 0.8
    assert test["las_low"] <= test["las"] <= test["uas"]
    parser = "cli tokenizer bpe --vocab_size 280 cli model bilstm-parser cli optimizers adamw cli train"
    assert (
        "--repeat is for a model that predicts the next token" in run_cli(f"--output x {data} --repeat {parser}", 2).err
    )
