"""Treebanks: what is a word, what is read of it, how trees are counted, and the sentences that train parsers."""

import json

import numpy
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from semeqv.runs.errors import UserError
from semeqv.tasks.classification.models import SequenceClassifier, TokenClassifier
from semeqv.tasks.classification.networks import pooled
from semeqv.tasks.classification.words import ConllU
from semeqv.tasks.parsing.dataset import Dependencies, batches, treebank
from semeqv.tasks.parsing.metrics import conll18_scores, score_trees, tree_counts
from semeqv.tasks.parsing.models import BiLSTMParser, Parser
from semeqv.tasks.parsing.rows import Trees, tree_rows
from semeqv.tasks.question_answering.models import QuestionAnswerer
from semeqv.text.readers.conllu import read_sentences, write_sentences
from semeqv.text.records import EmptyNode, Sentence, Span, Word
from semeqv.text.tokenizers.trained import Wordpiece

CONLLU = """\
# sent_id = 1
# text = don't stop it
1-2	don't	_	_	_	_	_	_	_	_
1	do	do	AUX	_	_	3	aux	_	_
2	n't	not	PART	_	_	3	advmod:neg	_	_
3	stop	stop	VERB	_	_	0	root	_	_
3.1	you	you	PRON	_	_	_	_	3:nsubj	_
4	it	it	PRON	_	_	3	obj	_	_

# sent_id = 2
1	dogs	dog	NOUN	_	_	2	nsubj	_	_
2	bark	bark	VERB	_	_	0	root	_	SpaceAfter=No

"""
TREES = ([3, 3, 0, 3], [2, 0])


@pytest.fixture
def folder(tmp_path):
    for blanks, part in enumerate(("train", "dev", "test")):
        (tmp_path / f"en_toy-ud-{part}.conllu").write_text(CONLLU + blanks * "\n")
    return tmp_path


@pytest.fixture
def tokenizer(folder):
    return Wordpiece(vocab_size=60).build({("train", None): Dependencies(path=folder)})


def built(tokenizer, **options):
    data = Dependencies(**options)
    return batches(data, tokenizer, {("train", None): data}, None)


def test_a_word_is_a_row_with_a_number_of_its_own(folder, tokenizer):
    """A reader that takes every row for a word has two more here, and its trees are of other words."""
    data = built(tokenizer, path=folder, shuffle=False, batch_size=2)
    batch = next(data.batches())
    every = [line for line in CONLLU.splitlines() if line and not line.startswith("#")]
    assert [len(sentence.words) for sentence in data.items] == [4, 2]
    assert len(every) == 8 == sum(map(len, TREES)) + 2
    found = [[head for head in row if head != -100] for row in batch["labels"].tolist()]
    assert sorted(found) == sorted(TREES)
    assert batch["words"].amax(1).add(1).tolist() == [len(row) for row in found]
    assert data.labels == ["advmod", "aux", "nsubj", "obj", "root"]
    assert data.tags == ["AUX", "NOUN", "PART", "PRON", "VERB"]
    assert batch["labels"].shape[1] == 8


def test_rows_that_are_no_words_stay_where_they_are(folder, tokenizer, tmp_path):
    data = built(tokenizer, path=folder, batch_size=2)
    scorer = data.scorer()
    for batch in data.batches():
        scorer.take(outputs_of(batch, data), batch)
    write_sentences(tmp_path / "parsed.conllu", scorer.parsed())
    written = (tmp_path / "parsed.conllu").read_text()
    assert written == CONLLU.replace("advmod:neg", "advmod")
    assert scorer.scores() == {"las": 1.0, "uas": 1.0, "upos": 1.0}
    records = list(scorer.predictions())
    assert records[0]["labels"][1] == "3:advmod:neg"
    assert records[0]["predicted"][1] == "3:advmod"


def test_tags_that_nobody_predicts_are_not_counted(folder, tokenizer):
    data = Dependencies(path=folder, batch_size=2)
    found = batches(data, tokenizer, {("train", None): data}, BiLSTMParser(tagger=False))
    scorer = found.scorer()
    for batch in found.batches():
        scorer.take(outputs_of(batch, found), batch)
    assert [[word.upos for word in each.words] for each in scorer.parsed()] == [
        [word.upos for word in each.words] for each in found.items
    ]
    assert scorer.scores() == {"las": 1.0, "uas": 1.0}
    assert set(scorer.measures(scorer.tally().sum(0))) == {"las", "uas"}


def outputs_of(batch, data):
    """What a parser would say that knows everything."""
    heads, words = batch["labels"], batch["labels"].shape[1]
    arcs = torch.zeros(len(heads), words, words + 1)
    arcs.scatter_(2, heads.clamp(min=0)[..., None], 1.0)
    likeliest = batch["relations"][..., None].expand_as(arcs).clamp(min=0).long()
    if not data.tags:
        return {"logits": arcs, "likeliest": likeliest}
    tags = torch.nn.functional.one_hot(batch["tags"].clamp(min=0), len(data.tags)).float()
    return {"logits": arcs, "likeliest": likeliest, "tag_logits": tags}


def test_the_first_piece_of_a_chinese_word_says_nothing():
    """As in XLM-R, which cuts off the mark of a word's beginning: by first pieces alone, all words are the same."""
    pieces = [("<unk>", 0.0), ("▁", -1.0), ("中", -2.0), ("国", -2.0), ("人", -2.0), ("<pad>", -9.0)]
    inner = Tokenizer(models.Unigram(pieces, unk_id=0))
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="<unk>", pad_token="<pad>")
    none = numpy.full(3, -100)
    rows = tree_rows(tokenizer, [["中", "国", "人"]], Trees(none, none, none), 100).rows
    ids, words = torch.from_numpy(rows.tokens)[None], torch.from_numpy(rows.words)[None]
    states = torch.nn.functional.one_hot(ids, len(pieces)).float()
    first, mean = (pooled(states, words, 3, pooling)[0] for pooling in ("first", "mean"))
    assert torch.equal(first[0], first[1])
    assert torch.equal(first[0], first[2])
    assert len({tuple(vector) for vector in mean.tolist()}) == 3


def test_a_sentence_too_long_loses_tokens_then_words(tokenizer):
    words = ["dogs" * 5, "it"] + ["bark"] * 8
    heads = numpy.array([0, 1, 1, 1, 1, 1, 1, 1, 1, 9])
    trees = Trees(heads, numpy.arange(10), numpy.arange(10))
    whole = tree_rows(
        tokenizer, [["stop"], words, ["it"]], Trees(*(numpy.r_[0, each, 0] for each in trees_of(trees))), 99
    )
    assert whole.read.all()
    size = whole.rows.ends[1] - whole.rows.ends[0]
    for longest in range(3, size):
        found = tree_rows(
            tokenizer, [["stop"], words, ["it"]], Trees(*(numpy.r_[0, each, 0] for each in trees_of(trees))), longest
        )
        rows = found.rows
        assert (numpy.diff(rows.ends, prepend=0) <= longest).all()
        inner = rows.words[rows.ends[0] : rows.ends[1]]
        assert sorted(set(inner.tolist())) == [-1, *range(found.read.sum() - 2)]
        assert found.read.sum() == 2 + min(10, longest - 2)
        assert len(found.trees.heads) == found.read.sum() == rows.label_ends[-1]
        assert (found.trees.heads <= max(1, found.read.sum() - 2)).all()
    tight = built_from([["stop"], words], 8, tokenizer)
    assert (~tight.read).sum() == 4


def trees_of(trees):
    return trees.heads, trees.relations, trees.tags


def built_from(sentences, longest, tokenizer):
    none = numpy.zeros(sum(map(len, sentences)), int)
    return tree_rows(tokenizer, sentences, Trees(none, none, none), longest)


def random_sentence(generator, size):
    order = generator.permutation(size) + 1
    heads = {int(order[0]): 0} | {int(order[i]): int(order[generator.integers(i)]) for i in range(1, size)}
    labels = ["nsubj", "obj", "acl:relcl", "acl", "nmod:poss", "case"]
    words = tuple(
        Word(
            f"w{i}",
            upos=str(generator.choice(["NOUN", "VERB"])),
            head=heads[i],
            deprel=named(generator, labels, heads[i]),
        )
        for i in range(1, size + 1)
    )
    spans = (Span(1, 2, "w1w2"),) if size > 2 else ()
    return Sentence(words, spans=spans, empty=(EmptyNode(1, 1, Word("x", deps="1:dep")),))


def named(generator, labels, head):
    return "root" if head == 0 else str(generator.choice(labels))


def test_counts_of_sentences_sum_to_what_the_official_scorer_finds():
    pytest.importorskip("udtools", reason="needs pip install -e '.[eval]'")
    generator = numpy.random.default_rng(0)
    for _ in range(5):
        sizes = generator.integers(1, 12, size=30)
        gold, found = ([random_sentence(generator, size) for size in sizes] for _ in range(2))
        counts = tree_counts(gold, found).sum(0)
        official = conll18_scores(gold, found)
        assert official == pytest.approx(
            {name: counts[i] / counts[0] for i, name in enumerate(("las", "uas", "upos"), 1)}
        )
        assert 0 < official["las"] < official["uas"] < 1
        judgement = score_trees(gold, found, tagged=True, replicates=200)
        assert judgement["las"] == pytest.approx(official["las"])
        assert judgement["las_low"] < judgement["las"] < judgement["las_high"]


def test_a_parser_is_trained_followed_tested_and_used(run_cli, folder):
    data = f"cli dataset treebank --path {folder} --batch_size 2 --grouping 1"
    learn = "cli optimizers adamw --learning_rate .02"
    out = run_cli(
        f"--steps 80 --output run cli tokenizer bpe --vocab_size 300 {data} {data} --split validation "
        f"{data} --split test --name toy cli model bilstm-parser --layers 1 --embedding_size 16 --arc_size 16 "
        f"--relation_size 8 --dropout 0 {learn} cli callbacks attachment --steps 40 "
        "cli callbacks predictions --path {run}/{name}.csv cli savers default-saver --savebest --metric las "
        "cli train cli test"
    )
    lines = [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text().splitlines()]
    followed = [line for line in lines if "cpu_seconds" in line]
    assert [line["step"] for line in followed] == [40, 80]
    assert 0 < followed[0]["cpu_seconds"] < followed[1]["cpu_seconds"]
    assert lines[-1]["las"] == lines[-1]["las_low"] == 1.0
    assert "1.0000" in out.out
    assert (folder / "run/toy.csv").read_text().splitlines()[2] == "0,n't,3:advmod:neg,3:advmod"
    # Used as it is, by either command that opens it; on text without trees, too.
    for model in ("parser", "load"):
        out = run_cli(f"--output {model} {data} --split test --name toy cli model {model} --from run cli parse").out
        assert "100.00% [100.00%-100.00%]" in out
        assert "100.00% of the 2 sentences of toy occur in the training text" in out
        assert (folder / model / "toy.conllu").read_text() == CONLLU.replace("advmod:neg", "advmod")
        run_cli(f"cli scores {model}")
    bare = "\n".join(
        "\t".join([*line.split("\t")[:6], *"____"]) if "\t" in line else line for line in CONLLU.split("\n")
    )
    (folder / "bare.conllu").write_text(bare)
    raw = "cli dataset treebank --path bare.conllu --split test --no-annotated"
    out = run_cli(f"--output raw {raw} cli model parser --from run cli parse --path raw.conllu").out
    assert out.split() == ["wrote", "raw.conllu"]
    assert [word.head for sentence in read_sentences(folder / "raw.conllu", tree=True) for word in sentence.words] == [
        head for tree in TREES for head in tree
    ]
    # Plain text, too.
    (folder / "my.txt").write_text("Do n't go, you!\n\n  Gone (again).\n")
    text = "cli dataset treebank --path my.txt --split test"
    assert (
        run_cli(f"--output text {text} cli model parser --from run cli parse --path text.conllu").out.split()[0]
        == "wrote"
    )
    one, other = read_sentences(folder / "text.conllu", tree=True)
    assert [word.form for word in one.words] == ["Do", "n't", "go", ",", "you", "!"]
    assert (one.text, other.text) == ("Do n't go, you!", "Gone (again).")
    assert [word.misc for word in other.words] == ["_", *["SpaceAfter=No"] * 4]
    err = run_cli("--steps 1 --output x cli tokenizer bpe --vocab_size 270 cli dataset treebank --path my.txt "
              f"cli model bilstm-parser {learn} cli train", 2).err  # fmt: skip
    assert "my.txt is plain text, which has no trees to train on" in err
    assert (
        "no HEAD"
        in run_cli(f"--output raw {raw.replace('--no-annotated', '')} cli model parser --from run cli parse", 2).err
    )
    # Not used while its head is new; trained in the same sentence, or tested before, it is.
    new = f"{data} {data} --split test --name toy cli model parser --from run --arc_size 8"
    err = run_cli(f"--output new {new} cli parse", 2).err
    assert "drawn anew and never trained" in err
    assert not (folder / "new/toy.conllu").exists()
    run_cli(f"--steps 2 --output new {new} {learn} cli train cli parse")
    run_cli(f"--output new {new} cli test cli parse")
    # On top of it, a parser that knows other labels; and one from sizes.
    run_cli(f"--steps 2 --output other {data} --subtypes cli model parser --from run {learn} cli train")
    sizes = "--layers 1 --heads 2 --embedding_size 16 --no-tagger --attention sdpa"
    run_cli(
        f"--steps 2 --output sizes cli tokenizer bpe --vocab_size 300 {data} {data} --split test "
        f"cli model parser {sizes} {learn} cli train cli test"
    )
    assert "upos" not in json.loads((folder / "sizes/metrics.jsonl").read_text().splitlines()[-1])
    # A parser without a tagger leaves tags as they are, and is opened as it is beside its training set.
    for model in ("parser --from run --no-tagger", "parser --from sizes", "load --from sizes"):
        outcome = run_cli(f"--output plain {data} {data} --split test --name toy cli model {model} cli parse")
        assert "anew" not in outcome.err
        assert "UPOS" not in outcome.out
        written = [word.upos for each in read_sentences(folder / "plain/toy.conllu") for word in each.words]
        assert written == ["AUX", "PART", "VERB", "PRON", "NOUN", "VERB"]
    err = run_cli(f"--output more {data} {data} --split test cli model parser --from sizes --tagger cli parse", 2).err
    assert "starts anew: it had none" in err


def test_what_does_not_fit_is_named(run_cli, folder):
    data, model = f"cli dataset treebank --path {folder}", "cli model bilstm-parser cli optimizers adamw"
    tokenizer = "cli tokenizer bpe --vocab_size 300"
    assert (
        "needs a treebank with --split validation"
        in run_cli(f"--steps 1 --output x {tokenizer} {data} {model} cli callbacks attachment cli train", 2).err
    )
    assert "is not for training" in run_cli(f"{data} --no-annotated {model} cli train", 2).err
    (folder / "tokenizer").mkdir()
    run_cli(f"{tokenizer} {data} cli save-tokenizer --path {folder}/tokenizer")
    saved = f"cli tokenizer load --from {folder}/tokenizer"
    assert "The labels are not known" in run_cli(f"{saved} {data} --split test {model} cli test", 2).err
    (folder / "en_toy-ud-dev.conllu").write_text(CONLLU.replace("nsubj", "nominal"))
    err = run_cli(f"--steps 1 --output y {tokenizer} {data} {data} --split validation {model} cli train").err
    assert "does not know the relations of 16.7% of the words of the validation set: nominal." in err


def test_data_of_another_task_is_refused(folder, tokenizer):
    """Heads would be taken for the numbers of labels, and labels for heads."""
    words, sizes = ConllU(path=folder), {"layers": 1, "heads": 1, "embedding_size": 8}
    tagged = {("train", None): words.build(tokenizer, {("train", None): words}, None)}
    trees = {("train", None): built(tokenizer, path=folder)}
    for model in (TokenClassifier(**sizes), SequenceClassifier(**sizes), QuestionAnswerer(**sizes)):
        with pytest.raises(UserError, match=r"`cli dataset treebank` is not for a .*. Take: cli model parser"):
            model.build(dataset=trees, tokenizer=tokenizer)
    for model in (Parser(**sizes), BiLSTMParser(), SequenceClassifier(**sizes)):
        with pytest.raises(UserError, match=r"`cli dataset conllu` is not for a .*. Take: cli model token-classifier"):
            model.build(dataset=tagged, tokenizer=tokenizer)
    assert BiLSTMParser(embedding_size=8).build(dataset=trees, tokenizer=tokenizer).config.parser["tags"]


def test_nothing_left_for_a_split_is_said(folder):
    with pytest.raises(UserError, match="nothing for the validation split"):
        treebank(Dependencies(path=folder / "en_toy-ud-dev.conllu", split="validation", holdout=1e-9))
    assert len(treebank(Dependencies(path=folder, sentences=1))) == 1
