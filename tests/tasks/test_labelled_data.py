"""Labelled data sets: which files, which labels, which batches."""

import dataclasses
import gzip
import importlib
import itertools
import json
from pathlib import Path

import numpy
import pytest
import torch

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.babel import BabelTags, BabelTopics
from semeqv.tasks.classification.dataset import Item, items
from semeqv.tasks.classification.finding import find_files
from semeqv.tasks.classification.texts import Table, Xnli
from semeqv.tasks.classification.words import ConllU, Ner, Tagged
from semeqv.tasks.parsing.dataset import Dependencies
from semeqv.tasks.question_answering.dataset import Squad
from semeqv.text.readers import hub
from semeqv.text.readers.xnli import LABELS
from semeqv.text.records import Row
from semeqv.text.tokenizers.trained import Bpe, Wordpiece

BLANK = "_\t_\t_\t_\t_\t_"


def conllu(path, *sentences):
    """Write a treebank: words as FORM/UPOS."""
    lines = []
    for sentence in sentences:
        lines.append("# a comment")
        for number, word in enumerate(sentence.split(), 1):
            form, _, upos = word.partition("/")
            lines.append(f"{number}\t{form}\t_\t{upos or '_'}\t{BLANK}")
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def iob2(path, *sentences):
    """Write tags of entities: words as FORM/TAG."""
    lines = ["\n".join(word.replace("/", "\t") for word in sentence.split()) for sentence in sentences]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


def built(options, *others, tokenizer=None, model=None, kind=Bpe):
    sets = {(each.split, each.name): each for each in (options, *others)}
    tokenizer = tokenizer or kind(vocab_size=300).build(sets)
    return options.build(tokenizer, sets, model)


class Trained:
    """What the options of a trained classifier tell."""

    def __init__(self, *labels):
        self.labels = labels

    def known_labels(self):
        return self.labels


@pytest.fixture
def treebank(tmp_path):
    tmp_path = tmp_path / "data" / "ud"
    tmp_path.mkdir(parents=True)
    conllu(tmp_path / "en_x-ud-train.conllu", "the/DET cat/NOUN sat/VERB", "Bob/PROPN sat/VERB", "a/DET b/_ c/NOUN")
    conllu(tmp_path / "en_x-ud-dev.conllu", "the/DET dog/NOUN", "Bob/PROPN sat/VERB ./PUNCT")
    conllu(tmp_path / "en_x-ud-test.conllu", "a/DET dog/NOUN sat/VERB")
    conllu(tmp_path / "de_y-ud-test.conllu", "ein/DET Hund/NOUN")
    return tmp_path


def test_words_of_a_treebank_get_what_its_column_says(treebank):
    data = built(ConllU(path=treebank, batch_size=3))
    assert data.labels == ["DET", "NOUN", "PROPN", "VERB"]
    batch = next(data.batches())
    assert batch["labels"].shape == (3, 3)
    by_sentence = {tuple(row) for row in batch["labels"].tolist()}
    assert by_sentence == {(0, 1, 3), (2, 3, -100), (0, -100, 1)}
    assert batch["words"].max() == 2
    assert (batch["words"] >= 0).sum() < batch["attention_mask"].sum()  # special tokens are of no word
    assert (batch["words"][batch["attention_mask"] == 0] == -1).all()
    assert data.facts()["labels"] == data.labels


def test_an_unknown_label_is_named_with_its_line(treebank):
    train, valid = ConllU(path=treebank), ConllU(path=treebank, split="validation")
    with pytest.raises(UserError, match=r"en_x-ud-dev.conllu, line 8: the label 'PUNCT' of the validation set is none"):
        built(valid, train)
    said = ("DET", "NOUN", "PROPN", "PUNCT", "VERB")
    assert built(ConllU(path=treebank, split="validation", labels=said), train).labels == list(said)
    train = ConllU(path=treebank, labels=said)
    assert built(valid, train).labels == built(train).labels == list(said)


def test_labels_come_from_a_trained_classifier_that_knows_them(treebank):
    test = ConllU(path=treebank, split="test")
    tokenizer = Bpe(vocab_size=300).build({("train", None): ConllU(path=treebank)})
    trained = Trained("VERB", "NOUN", "DET", "X", "PROPN")
    assert built(test, tokenizer=tokenizer, model=trained).labels == list(trained.labels)
    assert built(test, ConllU(path=treebank), model=trained).labels == list(trained.labels)
    assert built(test, ConllU(path=treebank), model=Trained("A", "B")).labels == ["DET", "NOUN", "PROPN", "VERB"]
    with pytest.raises(UserError, match="The labels are not known"):
        built(test, tokenizer=tokenizer)


def test_types_of_entities_have_other_names_elsewhere(tmp_path):
    (tmp_path / "train.iob2").write_text("1\tAnna\tB-PERSON\n2\tBerg\tI-PERSON\n3\tin\tO\n4\tRom\tB-LOC\n\n")
    (item,) = Ner(path=tmp_path / "train.iob2", rename=("PERSON=PER", "ORGANIZATION=ORG")).items()
    assert item.labels == ("B-PER", "I-PER", "O", "B-LOC")
    with pytest.raises(ValueError, match="--rename says an old and a new type"):
        Ner(path=tmp_path / "train.iob2", rename=("PERSON",))


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("de_y-ud-test.conllu", "fr"),
        ("de_y-ud-test.conllu", "en"),
        ("xx_y-ud-test.conllu", "en"),  # a code that is in no list
        ("test-kab.conllu", "fr"),
        ("treebank.test.deu.conllu.xz", "fr"),
        ("no_nynorsk-ud-test.conllu", "en"),
        ("de/test", "fr"),
        ("fra_Latn/test.conllu", "en"),
        ("plain/de/test", "fr"),
    ],
)
def test_files_of_another_language_are_not_read(tmp_path, name, language):
    (tmp_path / "data" / name).parent.mkdir(parents=True)
    (tmp_path / "data" / name).write_text("")
    folder = tmp_path / "data/plain/de" if name.startswith("plain") else tmp_path / "data"
    with pytest.raises(UserError, match=f"no file of {language!r} for test; its files are of .* --languages"):
        ConllU(path=folder, languages=(language,), split="test").sources()


@pytest.mark.parametrize("dataset", [Ner, ConllU, Xnli, Squad, Dependencies])
def test_no_data_set_falls_back_to_another_language(tmp_path, dataset):
    for ending in (".iob2", ".conllu", ".tsv", ".json"):
        (tmp_path / f"de-test{ending}").write_text("")
    kind = {Ner: ".iob2"}.get(dataset)
    if kind:
        (tmp_path / "de-test.tsv").unlink()
    assert dataset(path=tmp_path, languages=("de",), split="test").sources()
    for language in ("fr", "en"):
        with pytest.raises(UserError, match="its files are of de"):
            dataset(path=tmp_path, languages=(language,), split="test").sources()


def test_a_file_that_says_no_language_will_do(tmp_path):
    for name in ("train.conllu", "my_words-test.conllu"):
        (tmp_path / name).write_text("")
    assert list(ConllU(path=tmp_path, languages=("fr",)).sources()) == ["train.conllu"]


def test_codes_of_two_and_of_three_letters_are_one_language(tmp_path):
    for name in ("deu-test.conllu", "eng_Latn.test.conllu"):
        (tmp_path / name).write_text("")
    assert list(ConllU(path=tmp_path, languages=("de", "en"), split="test").sources()) == [
        "deu-test.conllu",
        "eng_Latn.test.conllu",
    ]


def test_folders_called_by_languages_hold_parts_without_endings(tmp_path):
    for language in ("en", "fr"):
        for part in ("train", "dev", "test"):
            (tmp_path / language).mkdir(exist_ok=True)
            iob2(tmp_path / language / part, f"{language}/B-LOC {part}/O")
    both = Ner(path=tmp_path, languages=("en", "fr"), split="validation")
    assert [item.texts for item in items(both)] == [("en", "dev"), ("fr", "dev")]
    assert list(both.sources()) == ["en/dev", "fr/dev"]
    assert [item.texts for item in items(Ner(path=tmp_path / "fr", languages=("fr",)))] == [("fr", "train")]
    with pytest.raises(UserError, match="its files are of en, fr"):
        Ner(path=tmp_path, languages=("de",)).sources()


def test_a_file_that_is_named_is_read_and_its_language_said(tmp_path, capsys):
    iob2(tmp_path / "de-test.iob2", "a/O")
    assert items(Ner(path=tmp_path / "de-test.iob2", split="test"))
    assert "is read as 'en', though its name says 'de'" in capsys.readouterr().err


def labels_of(path, **options):
    return [item.labels[0] for item in items(Table(path=path, **options))]


def test_one_class_has_one_spelling(tmp_path):
    (tmp_path / "a.tsv").write_text("text\tlabel\na\t1.0\nb\t 1\nc\t-2.00\nd\t1.5\ne\t\nf\tv1.0\n")
    assert labels_of(tmp_path / "a.tsv") == ["1", "1", "-2", "1.5", None, "v1.0"]
    assert labels_of(tmp_path / "a.tsv", labels=("1.0", "1"))[:2] == ["1.0", "1"]
    (tmp_path / "a.csv").write_text("text, label\na b, x\nc,y \n")
    for quoted in (False, True):
        found = items(Table(path=tmp_path / "a.csv", separator=",", quoted=quoted))
        assert [(item.texts, item.labels) for item in found] == [(("a b",), ("x",)), (("c",), ("y",))]


@pytest.mark.parametrize("missing", ["nan", "NaN", "<NA>", "null"])
def test_missing_values_are_no_classes(tmp_path, missing):
    (tmp_path / "a.tsv").write_text(f"text\tlabel\na\tx\nb\t{missing}\n")
    with pytest.raises(UserError, match=r"a.tsv, line 3: the label '.*' is how programs write that a value is missing"):
        labels_of(tmp_path / "a.tsv")
    assert labels_of(tmp_path / "a.tsv", labels=("x", missing)) == ["x", missing]
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": NaN}\n')
    with pytest.raises(UserError, match="field 'label' is nan"):
        labels_of(tmp_path / "a.jsonl")


def test_a_header_is_no_row_of_a_table_with_numbered_columns(tmp_path, capsys):
    options = {"columns": ("1",), "label": "2"}
    (tmp_path / "a.tsv").write_text("text\tlabel\na\tx\nb\ty\n")
    assert labels_of(tmp_path / "a.tsv", **options) == ["x", "y"]
    assert "a.tsv: the first line names the columns (text, label)" in capsys.readouterr().err
    assert labels_of(tmp_path / "a.tsv", **options, header=False)[0] == "label"
    (tmp_path / "b.tsv").write_text("satz\tklasse\n" + "a\tx\nb\ty\n" * 2)
    with pytest.raises(
        UserError, match=r"b.tsv: the label 'klasse' of the first line is that of no other. Say --header"
    ):
        labels_of(tmp_path / "b.tsv", **options)
    assert labels_of(tmp_path / "b.tsv", **options, header=True) == ["x", "y"] * 2
    assert len(labels_of(tmp_path / "b.tsv", **options, header=False)) == 5


def test_languages_before_words_are_left_out(tmp_path, capsys):
    (train,) = items(Ner(path=iob2(tmp_path / "en-train.tsv", "en:Rome/B-LOC en::/O en:10:30/O")))
    assert train.texts == ("Rome", ":", "10:30")
    assert "en-train.tsv: every word begins with 'en:', which is left out" in capsys.readouterr().err
    path = iob2(tmp_path / "en-dev.tsv", "en:Rome/B-LOC en:is/O old/O")
    with pytest.raises(UserError, match=r"2 of 3 words begin with 'en:'. Say --prefix en"):
        items(Ner(path=path))
    for prefix, texts in (("en", ("Rome", "is", "old")), ("", ("en:Rome", "en:is", "old"))):
        assert items(Ner(path=path, prefix=prefix))[0].texts == texts
    assert items(Ner(path=iob2(tmp_path / "plain.tsv", "10:30/O x:y/O")))[0].texts == ("10:30", "x:y")


def test_tags_have_a_beginning_and_an_inside_for_every_type(tmp_path):
    iob2(tmp_path / "train.iob2", "Bob/B-PER sat/O in/O New/B-LOC York/I-LOC", "Acme/B-ORG 's/O X/B-X")
    iob2(tmp_path / "test.iob2", "Bob/B-PER Smith/I-PER of/O Q/B-MISC")
    train = Ner(path=tmp_path / "train.iob2", outside=("X",))
    assert built(train).labels == ["O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"]
    assert train.entities
    with pytest.raises(UserError, match=r"test.iob2, line 4: the label 'B-MISC' of the test set"):
        built(Ner(path=tmp_path / "test.iob2", split="test"), train)
    assert built(Ner(path=tmp_path / "test.iob2", split="test", outside=("MISC",)), train)
    with pytest.raises(ValueError, match="go together"):
        Ner(word_column=1)


def test_files_are_found_by_the_words_of_their_names(treebank, monkeypatch):
    (found,) = find_files(treebank, ("de",), "test", (".conllu",)).values()
    assert found.name == "de_y-ud-test.conllu"
    conllu(treebank / "en_z-ud-test.conllu", "x/X")
    with pytest.raises(UserError, match=r"several files of 'en' for test: en_x-ud-test.conllu, en_z-ud-test.conllu"):
        ConllU(path=treebank, split="test").sources()
    assert list(ConllU(path=treebank, split="test", treebank="z").sources()) == ["en_z-ud-test.conllu"]
    with pytest.raises(UserError, match=r"no file of 'de' for train; of this language there is de_y-ud-test.conllu"):
        ConllU(path=treebank, languages=("de",)).sources()
    monkeypatch.setenv("SEMEQV_DATA", str(treebank.parent))
    assert list(ConllU(split="validation").sources()) == ["en_x-ud-dev.conllu"]
    both = ConllU(split="test", treebank=None, languages=("de",)).sources()
    assert list(both) == ["de_y-ud-test.conllu"]
    monkeypatch.delenv("SEMEQV_DATA")
    with pytest.raises(UserError, match="SEMEQV_DATA"):
        ConllU().sources()


def test_a_corpus_in_one_part_is_split(tmp_path):
    file = conllu(tmp_path / "all.conllu", *(f"w{i}/A v{i % 7}/B" for i in range(300)))
    parts = [
        {item.texts for item in items(ConllU(path=file, holdout=0.1, split=split))}
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    assert 15 < len(parts[1]) < 50
    assert len(items(ConllU(path=file, sentences=12))) == 12


def test_what_is_read_again_is_what_is_there_now(tmp_path):
    options = ConllU(path=conllu(tmp_path / "a.conllu", "a/A"))
    assert items(options)[0].labels == ("A",)
    conllu(tmp_path / "a.conllu", "a/B b/B")
    assert items(options)[0].labels == ("B", "B")


def test_pairs_and_tables_have_one_label(tmp_path):
    rows = ["label\tpremise\thypothesis", "neutral\tHe sat.\tHe stood.", "contradictory\tA cat.\tNo cat at all."]
    (tmp_path / "xnli.dev.en.tsv").write_text("\n".join(rows) + "\n")
    (tmp_path / "t.tsv").write_text("topic\ttext\nsport\tthey ran fast\nlaw\tit is\nlaw\tso be it\n")
    pairs = Xnli(path=tmp_path, split="validation")
    train = Table(path=tmp_path / "t.tsv", columns=("text",), label="topic")
    tokenizer = Wordpiece(vocab_size=70).build({("train", None): train})
    with pytest.raises(UserError, match=r"reads .*en.tsv, as the training set does.* say the same --holdout in both"):
        built(pairs, Xnli(path=tmp_path / "xnli.dev.en.tsv"), tokenizer=tokenizer)
    (tmp_path / "xnli.train.en.tsv").write_text("\n".join([rows[0], *rows[:0:-1]]) + "\n")
    data = built(pairs, Xnli(path=tmp_path), tokenizer=tokenizer)
    batch = next(data.batches())
    assert data.labels == ["entailment", "neutral", "contradiction"]
    assert sorted(batch["labels"].tolist()) == [1, 2]
    assert "words" not in batch
    data = built(train, tokenizer=tokenizer)
    assert data.labels == ["law", "sport"]
    (tmp_path / "t2.tsv").write_text("topic\ttext\n\nart\tit is\n")
    with pytest.raises(UserError, match=r"t2.tsv, line 3: the label 'art' of the test set"):
        built(Table(path=tmp_path / "t2.tsv", label="topic", split="test"), train, tokenizer=tokenizer)
    pair = tmp_path / "xnli.dev.en.tsv"
    with pytest.raises(UserError, match=r"xnli.dev.en.tsv has no column `language`"):
        items(Xnli(path=pair, split="validation", languages=("en", "de")))
    assert len(items(Xnli(path=pair, split="validation", languages=("de",)))) == 2
    lines = [f"{row}\t{said}" for row, said in zip(rows, ("language", "en", "de"))]
    (tmp_path / "both.tsv").write_text("\n".join(lines) + "\n")
    both = items(Xnli(path=tmp_path / "both.tsv", split="validation", languages=("de", "en")))
    assert [item.labels for item in both] == [("contradiction",), ("neutral",)]
    one, other = (Xnli(path=tmp_path / "both.tsv", languages=(each,)) for each in ("en", "de"))
    assert len(built(dataclasses.replace(one, split="test"), other, tokenizer=tokenizer).items) == 1
    with pytest.raises(UserError, match="as the training set does"):
        built(dataclasses.replace(one, split="test"), one, tokenizer=tokenizer)
    with pytest.raises(ValueError, match="one column or two"):
        Table(path=tmp_path / "t.tsv", columns=("a", "b", "c"))


def test_json_lines_are_labelled_too(tmp_path):
    lines = [b'{"say": {"a": "they ran"}, "b": "fast", "sort": 1}', b'{"say": {"a": "it is"}, "b": "so", "sort": true}']
    for name, packed in (("t.jsonl", bytes), ("t.jsonl.gz", gzip.compress)):
        (tmp_path / name).write_bytes(packed(b"\n".join(lines) + b"\n"))
        data = Table(path=tmp_path / name, columns=("say.a", "b"), label="sort")
        assert [item.texts for item in items(data)] == [("they ran", "fast"), ("it is", "so")]
        assert [item.labels for item in items(data)] == [("1",), ("true",)]
        assert data.line_of("true") == f"{tmp_path / name}, line 2"
    with pytest.raises(UserError, match=r"t.jsonl, line 1: no field 'text'"):
        items(Table(path=tmp_path / "t.jsonl"))


def test_batches_are_a_function_of_seed_and_position():
    data = built(BabelTags(documents=60, batch_size=8, grouping=4))
    whole = list(itertools.islice(data.stream(7), 2 * len(data)))
    later = list(itertools.islice(data.stream(7, start=5), 4))
    for ours, theirs in zip(whole[5:], later):
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    rows = [tuple(row[row >= 0].tolist()) for batch in whole[: len(data)] for row in batch["labels"]]
    again = [tuple(row[row >= 0].tolist()) for batch in whole[len(data) :] for row in batch["labels"]]
    assert rows != again
    assert len(rows) == len(data) * 8 <= len(data.rows)


def test_an_epoch_takes_every_row_once_and_like_lengths_together():
    plain, grouped = (built(BabelTags(documents=60, batch_size=8, grouping=grouping)) for grouping in (1, 16))
    padding = []
    for data in (plain, grouped):
        seen = []
        data.made = lambda rows, seen=seen: seen.append(rows) or {}
        for step in range(len(data)):
            data.batch(3, step)
        rows = numpy.concatenate(seen)
        assert len(set(rows.tolist())) == len(rows) == 8 * len(data)
        padding.append(sum((data.lengths[each].max() - data.lengths[each]).sum() for each in seen))
    assert padding[1] < padding[0] / 2


def test_a_pass_is_over_all_rows_and_always_the_same():
    data = built(BabelTags(documents=30, split="validation", batch_size=7), BabelTags(documents=30))
    first, second = list(data.batches()), list(data.batches())
    assert sum(len(batch["labels"]) for batch in first) == len(data.rows)
    assert all(torch.equal(a["input_ids"], b["input_ids"]) for a, b in zip(first, second))


def test_senses_are_those_of_content_words():
    item, tags = (next(BabelTags(documents=5, label=label).items()) for label in ("sense", "pos"))
    for sense, pos in zip(item.labels, tags.labels):
        assert (sense is not None) == (pos in ("NOUN", "VERB", "ADJ", "ADV"))
    topics = list(BabelTopics(documents=20).items())
    assert all(len(topic.texts) == len(topic.labels) == 1 for topic in topics)
    assert len({topic.labels for topic in topics}) > 3
    with pytest.raises(ValueError, match="lume and drask"):
        BabelTags(languages=("en",))


def test_a_scorer_puts_rows_back_into_their_order():
    data = built(BabelTags(documents=12, split="test", batch_size=5, max_length=16), BabelTags(documents=30))
    assert len(data.rows) > len(data.items)  # some sentences are cut
    scorer = data.scorer()
    for batch in data.batches():
        labels = batch["labels"].clamp(min=0)
        scorer.take({"logits": torch.nn.functional.one_hot(labels, len(data.labels)).float()}, batch)
    scores = scorer.scores()
    assert scores["accuracy"] == scores["macro_f1"] == scores["accuracy_low"] == 1.0
    for record, item in zip(scorer.predictions(), data.items):
        assert tuple(record["words"]) == item.texts
        assert tuple(record["predicted"]) == tuple(record["labels"]) == item.labels


def parquet(path, labels, **columns):
    """Write a Parquet file as `datasets` does: classes are numbers, whose names its metadata has."""
    arrow = pytest.importorskip("pyarrow", reason="reads Parquet; it comes with the extra `data`")
    classes = {"names": list(labels), "_type": "ClassLabel"}
    named = {"label": classes} | {name: {"feature": classes, "_type": "List"} for name in ("ner_tags", "upos")}
    features = {name: feature for name, feature in named.items() if name in columns} if labels else {}
    said = {"huggingface": json.dumps({"info": {"features": features}})} if labels else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    importlib.import_module("pyarrow.parquet").write_table(arrow.table(columns).replace_schema_metadata(said), path)
    return path


def test_files_of_the_hub_are_read(tmp_path):
    columns = {"a": ["x", "y", "z"], "b": [{"en": "1"}, {"en": "2"}, {"en": "3"}], "label": [1, 0, -1]}
    path = parquet(tmp_path / "data.parquet", ("no", "yes"), **columns)
    read = items(Table(path=path, columns=("a", "b.en")))
    assert [item.labels[0] for item in read] == ["yes", "no", None]
    assert read[1].texts == ("y", "2")
    plain = parquet(tmp_path / "plain.parquet", (), **columns)
    assert labels_of(plain, columns=("a",)) == ["1", "0", "-1"]
    with pytest.raises(UserError, match=r"plain.parquet, row 1: no field 'text'"):
        labels_of(plain)
    (tmp_path / "no.parquet").write_bytes(b"nothing at all")
    with pytest.raises(UserError, match=r"no.parquet is no Parquet file"):
        labels_of(tmp_path / "no.parquet")


def test_xnli_is_read_as_the_hub_stores_it(tmp_path):
    for language, labels in (("en", ()), ("fr", LABELS)):
        said = {"premise": [f"{language} a", "b"], "hypothesis": ["c", "d"], "label": [2, 0]}
        parquet(tmp_path / language / "test-00000-of-00001.parquet", labels, **said)
    read = items(Xnli(path=tmp_path, languages=("fr", "en"), split="test"))
    assert [item.labels[0] for item in read] == ["contradiction", "entailment"] * 2
    assert [item.texts[0] for item in read] == ["fr a", "b", "en a", "b"]
    with pytest.raises(UserError, match="its files are of en, fr"):
        items(Xnli(path=tmp_path, languages=("de",), split="test"))


def test_xnli_is_read_by_its_name_on_the_hub(tmp_path, monkeypatch):
    asked = []

    def read_rows(*said):
        asked.append(said)
        yield Row(1, ("2", f"{said[3]} a", "b"))
        yield Row(2, ("entailment", "c", "d"))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub, "read_rows", read_rows)
    monkeypatch.setattr(hub, "commit", lambda name, revision: revision or "a" * 40)
    options = Xnli(path=Path("owner/xnli"), languages=("fr", "de"), split="test")
    assert [(item.texts[0], item.labels[0]) for item in items(options)] == [
        ("fr a", "contradiction"), ("c", "entailment"), ("de a", "contradiction"), ("c", "entailment")]  # fmt: skip
    assert [said[0] for said in asked] == ["owner/xnli"] * 2
    assert [said[2:] for said in asked] == [("test", "fr", "a" * 40), ("test", "de", "a" * 40)]
    facts = options.source_facts()
    assert facts["options"]["revision"] == "a" * 40
    assert set(facts["files"]) == {"owner/xnli fr", "owner/xnli de"}
    assert Xnli(path=Path("owner/xnli"), holdout=0.1, split="test").hub_part == "train"
    parquet(tmp_path / "owner/xnli/fr/test-00000-of-00001.parquet", (), premise=["e"], hypothesis=["f"], label=[1])
    local = Xnli(path=Path("owner/xnli"), languages=("fr",), split="test")  # a folder of that name is what is meant
    assert [item.texts for item in items(local)] == [("e", "f")]


def test_words_are_read_as_the_hub_stores_them(tmp_path):
    words = {"tokens": [["Ada", "Lee", "left"], ["Rome"], []], "ner_tags": [[1, 2, 0], [1], []]}
    parquet(tmp_path / "train-00000-of-00001.parquet", ("O", "B-PER", "I-PER"), **words)
    options = Ner(path=tmp_path)
    assert items(options)[0] == Item(("Ada", "Lee", "left"), ("B-PER", "I-PER", "O"))
    assert [item.texts for item in items(options)] == [("Ada", "Lee", "left"), ("Rome",)]
    assert options.line_of("B-PER").endswith("parquet, line 1")
    strings = {"words": [["en:a", "en:b"]], "tags": [["O", "B-X"]]}
    path = parquet(tmp_path / "strings.parquet", (), **strings)
    assert items(Ner(path=path)) == (Item(("a", "b"), ("O", "B-X")),)
    with pytest.raises(UserError, match=r"row 1: column 'ner_tags' should list texts, .* does not name the classes"):
        items(Ner(path=parquet(tmp_path / "numbers.parquet", (), **words)))
    with pytest.raises(UserError, match="row 1: no column tokens or words; there is x"):
        items(Ner(path=parquet(tmp_path / "other.parquet", (), x=["a"])))
    with pytest.raises(UserError, match="row 1: 2 words and 1 tags"):
        items(Ner(path=parquet(tmp_path / "short.parquet", (), tokens=[["a", "b"]], tags=[["O"]])))


def test_treebanks_are_read_as_the_hub_stores_them(tmp_path):
    columns = {
        "tokens": [["don't", "do", "n't", "cats"]],
        "lemmas": [["_", "do", "not", "cat"]],
        "upos": [[2, 1, 1, 0]],
        "feats": [["None", "None", "None", "{'Case': 'Nom', 'Number': 'Plur'}"]],
        "head": [["None", "0", "1", "1"]],
        "deprel": [["_", "root", "advmod", "obj"]],
    }
    path = parquet(tmp_path / "train-00000-of-00001.parquet", ("NOUN", "AUX", "_"), **columns)
    assert items(ConllU(path=tmp_path)) == (Item(("do", "n't", "cats"), ("AUX", "AUX", "NOUN")),)
    assert items(ConllU(path=path, column="feats"))[0].labels == (None, None, "Case=Nom|Number=Plur")
    assert items(Dependencies(path=path))[0].labels == ("root", "advmod", "obj")
    assert str(path) in ConllU(path=path).line_of("NOUN")
    with pytest.raises(UserError, match="4 tokens and 1 of 'upos'"):
        items(ConllU(path=parquet(tmp_path / "x.parquet", (), tokens=columns["tokens"], upos=[["NOUN"]])))


def test_data_sets_of_the_hub_are_labelled_data(tmp_path, monkeypatch):
    pytest.importorskip("datasets", reason="reads data sets of the hub; it comes with the extra `data`")
    for part, count in (("train", 3), ("test", 2)):
        columns = {"text": [f"{part} {n}" for n in range(count)], "label": [n % 2 for n in range(count)]}
        parquet(tmp_path / f"folder/data/{part}-00000-of-00001.parquet", (), **columns)
    train, test = Table(of=str(tmp_path / "folder")), Table(of=str(tmp_path / "folder"), split="test")
    assert [(item.texts[0], item.labels[0]) for item in items(train)] == [
        ("train 0", "0"), ("train 1", "1"), ("train 2", "0")]  # fmt: skip
    assert built(test, train).labels == ["0", "1"]
    with pytest.raises(UserError, match="as the training set does"):
        built(dataclasses.replace(test, part="train"), train)
    with pytest.raises(ValueError, match="by --path a file, or by --of a data set of the hub"):
        Table()
    monkeypatch.setattr(hub, "commit", lambda name, revision: "a" * 40)
    assert Table(of="some/name").source_facts()["files"] == {"some/name": f"some/name {'a' * 40} None train"}


def test_words_may_have_any_labels(tmp_path):
    for language in ("en", "de"):
        for part in ("train", "test"):
            (tmp_path / language).mkdir(exist_ok=True)
            text = f"{language}\tX\n#\tSYM\n1\tNUM\n\n# a remark\n{part}\tNOUN\nb\t_\n"
            (tmp_path / language / part).write_text(text)
    both = Tagged(path=tmp_path, languages=("en", "de"), split="test")
    assert [item.texts for item in items(both)] == [("en", "#", "1"), ("test", "b"), ("de", "#", "1"), ("test", "b")]
    assert [item.labels for item in items(both)][:2] == [("X", "SYM", "NUM"), ("NOUN", None)]
    assert built(both, Tagged(path=tmp_path)).labels == ["NOUN", "NUM", "SYM", "X"]
    assert both.line_of("NUM").endswith("en/test, line 3")
    (tmp_path / "a.tsv").write_text("# no row\n0 en:a DET x\n1 en:b NOUN x\n# en:c SYM x\n")
    read = items(Tagged(path=tmp_path / "a.tsv", word_column=2, label_column=3, prefix="en"))
    assert read == (Item(("a", "b", "c"), ("DET", "NOUN", "SYM")),)
    for content, said in (
        ("a\tX\nb\n", "line 2: 1 columns"),
        ("a\t\n", "line 1: the label is empty"),
        ("a\n", "1 columns"),
    ):
        (tmp_path / "a.tsv").write_text(content)
        with pytest.raises(UserError, match=said):
            items(Tagged(path=tmp_path / "a.tsv"))
