"""Parsers: the biaffine head against its formula, padding, and the folders that parsers become."""

import pytest
import torch
from torch.nn import functional
from transformers import (
    AutoModel,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    set_seed,
)

from semeqv.grammar.plugins import command
from semeqv.runs.errors import UserError
from semeqv.tasks.parsing.bilstm import BiLSTMConfig, BiLSTMModel
from semeqv.tasks.parsing.models import Labels, Parser, new_parser, open_parser
from semeqv.tasks.parsing.networks import AutoModelForDependencyParsing, Biaffine
from semeqv.text.models.opening import open_model
from semeqv.text.networks.encoder import EncoderConfig, EncoderForMaskedLM

LABELS = Labels(("det", "nsubj", "root"), ("DET", "NOUN"))
SIZES = {"arc_size": 6, "relation_size": 5, "dropout": 0.0}
SMALL = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
MODELS = {
    "bert": lambda: BertForMaskedLM(BertConfig(**SMALL, max_position_embeddings=16)),
    "xlm-roberta": lambda: XLMRobertaForMaskedLM(XLMRobertaConfig(**SMALL, max_position_embeddings=18)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=2, n_positions=16)),
    "encoder": lambda: EncoderForMaskedLM(EncoderConfig(**SMALL, positions="learned")),
    "bilstm": lambda: BiLSTMModel(BiLSTMConfig(vocab_size=30, embedding_size=4, hidden_size=8)),
}
BATCH = {
    "input_ids": torch.tensor([[1, 5, 6, 7, 8, 2], [1, 9, 10, 2, 0, 0]]),
    "words": torch.tensor([[-1, 0, 0, 1, 2, -1], [-1, 0, 1, -1, -1, -1]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]),
}
TREES = {
    "labels": torch.tensor([[2, 0, 2], [0, 1, -100]]),
    "relations": torch.tensor([[0, 2, 1], [2, 1, -100]]),
    "tags": torch.tensor([[0, 1, 1], [0, 1, -100]]),
}


@pytest.fixture(params=MODELS)
def folder(request, tmp_path):
    set_seed(0)
    MODELS[request.param]().save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


@pytest.fixture
def head():
    set_seed(2)
    head = Biaffine(8, arcs=6, relations=5, relation_labels=3, tag_labels=2, dropout=0.0).eval()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head


def in_parts(layer, vector, place):
    """One of the two networks that a layer holds: 0 as head, 1 as dependent."""
    size = layer.out_features // 2
    part = slice(place * size, (place + 1) * size)
    return functional.leaky_relu(layer.weight[part] @ vector + layer.bias[part], 0.1)


def test_scores_are_those_of_the_papers_formula(head):
    words, sizes = torch.randn(2, 4, 8), (4, 2)
    real = torch.arange(4) < torch.tensor(sizes)[:, None]
    heads = torch.tensor([[2, 0, 2, 1], [0, 1, -100, -100]])
    found = head(words, real, heads)
    expected = []
    for row, size in enumerate(sizes):
        candidates = [head.root, *words[row, :size]]
        for word in range(size):
            as_word = in_parts(head.arc_layer, words[row, word], 1)
            for place, candidate in enumerate(candidates):
                as_head = in_parts(head.arc_layer, candidate, 0)
                score = as_word @ head.arc_weight @ as_head + head.arc_bias @ as_head
                if place != word + 1:
                    torch.testing.assert_close(found.arcs[row, word, place], score)
            weight = head.relation_weight.unflatten(1, (3, 6))  # (dependent, relation, head)
            every = []
            for candidate in candidates:
                one = torch.cat([in_parts(head.relation_layer, words[row, word], 1), torch.ones(1)])
                other = torch.cat([in_parts(head.relation_layer, candidate, 0), torch.ones(1)])
                every.append(torch.einsum("d,drh,h->r", one, weight, other))
            expected.append(every[heads[row, word]])
            assert found.likeliest[row, word, : size + 1].tolist() == [int(each.argmax()) for each in every]
    torch.testing.assert_close(found.relations, torch.stack(expected))
    assert torch.isneginf(found.arcs[1, :, 3:]).all()
    assert torch.isneginf(torch.stack([found.arcs[0, word, word + 1] for word in range(4)])).all()


def test_a_head_is_a_word_not_a_subword(head):
    """Subword states before word states in one list, and head h is subword h: what a published parser did."""
    states, words = torch.randn(1, 6, 8), torch.tensor([[-1, 0, 0, 0, 1, 2]])
    vectors = torch.stack([states[0, 1:4].mean(0), states[0, 4], states[0, 5]])[None]
    heads, weight = torch.tensor([[3, 1, 0]]), head.relation_weight.unflatten(1, (3, 6))
    ours = head(vectors, torch.ones(1, 3, dtype=torch.bool), heads).relations

    def scores(candidates):
        found = []
        for word, place in enumerate(heads[0]):
            one = torch.cat([in_parts(head.relation_layer, vectors[0, word], 1), torch.ones(1)])
            other = torch.cat([in_parts(head.relation_layer, candidates[place], 0), torch.ones(1)])
            found.append(torch.einsum("d,drh,h->r", one, weight, other))
        return torch.stack(found)

    torch.testing.assert_close(ours, scores([head.root, *vectors[0]]))
    assert not torch.allclose(ours, scores([head.root, *states[0], *vectors[0]]), atol=0.1)
    from semeqv.tasks.classification.networks import pooled

    torch.testing.assert_close(pooled(states, words, 3, "mean"), vectors)


@pytest.mark.parametrize("padding", [0, 1])
def test_no_head_is_taken_for_padding(folder, padding):
    """With padding that is a head's number too, the words with that head (the root's, or the first word's) are lost."""
    set_seed(1)
    model = open_parser(folder, LABELS, SIZES).eval()
    torch.nn.init.normal_(model.parser.arc_weight)
    found = model(**BATCH, labels=TREES["labels"])
    asked = [(0, 0, 2), (0, 1, 0), (0, 2, 2), (1, 0, 0), (1, 1, 1)]
    each = torch.stack([-found.logits[row, word].log_softmax(-1)[head] for row, word, head in asked])
    torch.testing.assert_close(found.loss, each.mean())
    labels = TREES["labels"].where(TREES["labels"] != -100, padding)
    real = found.logits.nan_to_num(neginf=-1e4).flatten(0, 1)
    theirs = functional.cross_entropy(real, labels.flatten(), ignore_index=padding)
    kept = torch.tensor([head != padding for *_, head in asked])
    torch.testing.assert_close(theirs, each[kept].mean())
    assert not torch.allclose(theirs, found.loss, rtol=1e-3)


def test_padding_changes_nothing(folder):
    set_seed(1)
    model = open_parser(folder, LABELS, SIZES).eval()
    torch.nn.init.normal_(model.parser.arc_weight)
    both = model(**BATCH)
    alone = model(input_ids=BATCH["input_ids"][1:, :4], words=BATCH["words"][1:, :4])
    torch.testing.assert_close(both.logits[1, :2, :3], alone.logits[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both.tag_logits[1, :2], alone.tag_logits[0], rtol=1e-4, atol=1e-5)
    assert torch.equal(both.likeliest[1, :2, :3], alone.likeliest[0])


def test_the_loss_is_that_of_heads_relations_and_tags(folder):
    model = open_parser(folder, LABELS, SIZES).eval()
    parts = [
        {"labels": TREES["labels"]},
        {"labels": TREES["labels"], "relations": TREES["relations"]},
        {"labels": TREES["labels"], "relations": TREES["relations"], "tags": TREES["tags"]},
    ]
    losses = [model(**BATCH, **part).loss for part in parts]
    assert losses[0] < losses[1] < losses[2]
    assert torch.isfinite(model(**BATCH, labels=torch.full((2, 3), -100)).loss)


def test_a_parser_survives_its_folder(folder, tmp_path, capsys):
    model = open_parser(folder, LABELS, SIZES).eval()
    for parameter in model.parser.parameters():
        torch.nn.init.normal_(parameter)
    model.save_pretrained(tmp_path / "saved")
    capsys.readouterr()
    command()  # the plugins, which say where heads live
    saved = tmp_path / "saved"
    for again in (open_parser(saved), AutoModelForDependencyParsing.from_pretrained(saved), open_model(saved)):
        assert type(again) is type(model)
        assert model.state_dict().keys() == again.state_dict().keys()
        for name, value in model.state_dict().items():
            assert torch.equal(value, again.state_dict()[name]), name
        assert again.config.parser == model.config.parser
        torch.testing.assert_close(again.eval()(**BATCH).logits, model(**BATCH).logits)
    assert "start anew" not in capsys.readouterr().err
    body = AutoModel.from_pretrained(saved).eval()  # the folder is one of the kind of model below the head
    for name, value in model.base_model.state_dict().items():
        assert torch.equal(value, body.state_dict()[name]), name


def test_other_labels_or_sizes_start_a_new_head(folder, tmp_path):
    model = open_parser(folder, LABELS, SIZES)
    torch.nn.init.normal_(model.parser.arc_weight)
    model.save_pretrained(tmp_path / "saved")
    same = open_parser(tmp_path / "saved", LABELS, {"pooling": "first", "dropout": 0.5})
    assert same.source == str(tmp_path / "saved")
    assert same.parser.dropout == 0.5
    assert torch.equal(same.parser.arc_weight, model.parser.arc_weight)
    for labels, sizes in ((Labels(("root",), ()), None), (LABELS, {"arc_size": 4})):
        other = open_parser(tmp_path / "saved", labels, sizes)
        assert not hasattr(other, "source")
        assert not other.parser.arc_weight.any()
        rows = model.get_input_embeddings().weight
        assert torch.equal(other.get_input_embeddings().weight, rows)
        assert (other.parser.tagger is None) == (labels.tags == ())


def test_only_what_tells_other_things_apart_starts_anew(tmp_path, capsys):
    set_seed(0)
    MODELS["encoder"]().save_pretrained(tmp_path / "lm")
    model, untagged = open_parser(tmp_path / "lm", LABELS, SIZES), LABELS._replace(tags=())
    for parameter in model.parser.parameters():
        torch.nn.init.normal_(parameter)
    model.save_pretrained(tmp_path / "tagged")
    old = model.parser.state_dict()
    trees = {name for name in old if not name.startswith("tagger")}

    def kept(labels, saved="tagged"):
        """What is as it was, and what was said, which is nothing for what can be tested as it is."""
        capsys.readouterr()
        found = open_parser(tmp_path / saved, labels)
        said = capsys.readouterr().err
        assert hasattr(found, "source") == (not said), said
        return {name for name, value in found.parser.state_dict().items() if torch.equal(value, old[name])}, said

    open_parser(tmp_path / "tagged", untagged).save_pretrained(tmp_path / "untagged")
    assert kept(untagged) == kept(untagged, "untagged") == kept(None, "untagged") == (trees, "")
    for labels, saved, why in (
        (LABELS, "untagged", "it had none"),
        (LABELS._replace(tags=("ADJ", "NOUN")), "tagged", "its tags are others"),
        (LABELS._replace(tags=("ADJ", "DET", "NOUN")), "tagged", "its tags are others"),
    ):
        same, said = kept(labels, saved)
        assert same == trees
        assert why in said
        assert said.count("\n") == 1
    for relations in (("det", "obj", "root"), ("det", "root")):
        same, said = kept(LABELS._replace(relations=relations))
        assert same == old.keys() - trees
        assert "arcs and relations" in said


def test_a_parser_tags_as_it_was_trained_to(tmp_path):
    set_seed(0)
    MODELS["encoder"]().save_pretrained(tmp_path / "lm")
    for name, labels in (("tagged", LABELS), ("untagged", LABELS._replace(tags=()))):
        open_parser(tmp_path / "lm", labels, SIZES).save_pretrained(tmp_path / name)
    said = {
        (source, tagger): Parser(source=str(tmp_path / source), tagger=tagger)
        for source in ("lm", "tagged", "untagged")
        for tagger in (None, True, False)
    }
    tags = {key: options.has_tagger() for key, options in said.items()}
    assert all(tags[source, tagger] == tagger for source in ("lm", "tagged", "untagged") for tagger in (True, False))
    assert (tags["lm", None], tags["tagged", None], tags["untagged", None]) == (True, True, False)
    assert said["tagged", None].known_tags() == LABELS.tags
    assert said["tagged", False].known_tags() == ()


def test_one_batch_can_be_learnt_by_heart(folder):
    set_seed(1)
    model = open_parser(folder, LABELS, SIZES)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    for _ in range(100):
        loss = model.train()(**BATCH, **TREES).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found = model.eval()(**BATCH)
    assert found.logits[0].argmax(-1).tolist() == [2, 0, 2]
    assert found.logits[1, :2].argmax(-1).tolist() == [0, 1]
    assert [int(found.likeliest[0, word, head]) for word, head in enumerate([2, 0, 2])] == [0, 2, 1]
    assert found.tag_logits[0].argmax(-1).tolist() == [0, 1, 1]


def test_what_cannot_be_a_parser_is_refused(tmp_path):
    MODELS["bert"]().save_pretrained(tmp_path)
    with pytest.raises(UserError, match="is no trained parser: it names no relations"):
        open_parser(tmp_path)
    with pytest.raises(UserError, match="needs a treebank"):
        new_parser(BiLSTMConfig(vocab_size=30), None)


def test_a_bilstm_reads_words_whatever_stands_behind_them():
    set_seed(0)
    model = new_parser(BiLSTMConfig(vocab_size=30, embedding_size=4, hidden_size=8), LABELS, SIZES).eval()
    torch.nn.init.normal_(model.parser.arc_weight)
    embedded = model.bilstm.embeddings(torch.tensor([[9, 10]]))
    alone = model.bilstm(inputs_embeds=embedded).last_hidden_state
    torch.testing.assert_close(model.bilstm(torch.tensor([[9, 10]])).last_hidden_state, alone)
    expected = model.parser(alone, torch.ones(1, 2, dtype=torch.bool)).arcs
    torch.testing.assert_close(model(**BATCH).logits[1:, :2, :3], expected)


def test_a_golden_loss():
    set_seed(0)
    model = new_parser(BiLSTMConfig(vocab_size=30, embedding_size=4, hidden_size=8), LABELS, SIZES).eval()
    for parameter in model.parser.parameters():
        torch.nn.init.constant_(parameter, 0.1)
    assert float(model(**BATCH, **TREES).loss.detach()) == pytest.approx(2.73100, abs=1e-4)
