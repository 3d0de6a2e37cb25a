"""The generated corpus as files: `cli babel write`, read back, and `cli babel show`."""

import json
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import pytest

from semeqv.babel import write as folder
from semeqv.babel.document import align
from semeqv.babel.grammar import SPLITS, Grammar
from semeqv.babel.options import LANGUAGES, GrammarOptions
from semeqv.babel.reader import BayesReader
from semeqv.babel.write import write_corpus
from semeqv.text.files import fingerprint
from semeqv.text.readers.conllu import read_sentences
from semeqv.text.readers.moses import read_aligned
from semeqv.text.readers.plain import read_documents

SENTENCES = 600


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("babel")
    return path, write_corpus(path, Grammar(), SENTENCES, seed=5)


def misc(word):
    return {} if word.misc == "_" else dict(field.split("=") for field in word.misc.split("|"))


def documents(split, facts):
    """The documents of a split: as many as were written."""
    grammar = Grammar(GrammarOptions(**facts["options"]))
    count = {language: facts["splits"][split][language]["documents"] for language in LANGUAGES}
    for document in grammar.documents(split, seed=facts["seed"]):
        for language in document.languages:
            count[language] -= 1
        yield document
        if not any(count.values()):
            return


@pytest.mark.parametrize("split", SPLITS)
def test_the_files_say_what_the_documents_say(written, split):
    path, facts = written
    original = list(documents(split, facts))
    pairs = [tuple(pair.sentences.values()) for pair in read_aligned(path / split, LANGUAGES)]
    assert pairs == [(lume.text, drask.text) for document in original for lume, drask in document.pairs]
    for language in LANGUAGES:
        said = [document for document in original if language in document.sentences]
        texts = [text.text for text in read_documents(path / f"{split}.{language}.txt", "block")]
        assert texts == [document.text(language) for document in said]
        trees = list(read_sentences(path / f"{split}.{language}.conllu", tree=True))
        sentences = [sentence for document in said for sentence in document.sentences[language]]
        assert [tree.text for tree in trees] == [sentence.text for sentence in sentences]
        for tree, sentence in zip(trees, sentences):
            assert [word.form for word in tree.words] == list(sentence.forms)
            for word, token in zip(tree.words, sentence.tokens):
                assert (word.lemma, word.upos, word.head, word.deprel) == (
                    token.lemma,
                    token.upos,
                    token.head,
                    token.relation,
                )
                assert word.feats == (token.features or "_")
                assert misc(word).get("NER", "O") == token.entity
        names = [tree.name for tree in trees]
        assert len(set(names)) == len(names)


def test_translations_share_names_and_senses(written):
    path, _ = written
    trees = {language: list(read_sentences(path / f"train.{language}.conllu", tree=True)) for language in LANGUAGES}
    by_name = [{tree.said("parallel_id"): tree for tree in trees[language]} for language in LANGUAGES]
    shared = (by_name[0].keys() & by_name[1].keys()) - {""}
    assert len(shared) == sum(1 for _ in (path / "train.lume").open())
    for name in shared:
        senses = [Counter(misc(word).get("Sense") for word in found[name].words) for found in by_name]
        assert {sense for sense in senses[0] if sense} == {sense for sense in senses[1] if sense}
        assert all(senses[0][sense] == senses[1][sense] for sense in senses[0] if sense)
    seen = {language: {} for language in LANGUAGES}
    for language, found in trees.items():
        for tree in found:
            for word in tree.words:
                assert ("Sense" in misc(word)) == (word.upos in {"NOUN", "VERB", "ADJ", "ADV"})
                seen[language].setdefault(word.lemma, set()).add(misc(word).get("Sense"))
    lexicon = Grammar().lexicon
    for language, words in seen.items():
        known = {
            each.lemma: {lexicon.concepts[sense].name for sense in each.senses} for each in lexicon.homonyms[language]
        }
        for lemma, senses in words.items():
            assert senses <= known[lemma] if lemma in known else len(senses) == 1


def test_the_facts_are_those_of_the_files(written):
    path, facts = written
    assert json.loads((path / "facts.json").read_text()) == json.loads(json.dumps(facts))
    assert facts["options"] == asdict(GrammarOptions())
    assert facts["sha256"] == {name: fingerprint(path / name) for name in facts["sha256"]}
    assert sorted([*facts["sha256"], "facts.json"]) == sorted(each.name for each in path.iterdir())
    lexicon = Grammar().lexicon
    for language in LANGUAGES:
        known = facts["languages"][language]
        assert known["homonym_share"] == pytest.approx(0.3)
        assert known["types"] == len(lexicon.vocabularies[language].types)
        assert known["homonyms"].keys() == {each.lemma for each in lexicon.homonyms[language]}
    for split in SPLITS:
        original = list(documents(split, facts))
        both = [facts["splits"][split][language] for language in LANGUAGES]
        wanted = SENTENCES if split == "train" else SENTENCES // 10
        assert wanted <= sum(found["sentences"] for found in both) < wanted + 16
        for language, found in zip(LANGUAGES, both):
            text = "".join(document.text(language) + "\n" for document in original if language in document.sentences)
            assert (found["bytes"], found["tokens"]) == (len(text.encode()), len(text.split()))
            assert found["types"] == len(set(text.split()))
            reader = BayesReader(Grammar(), language)
            assert found["nats_per_token"] == pytest.approx(reader.bound(original).nats_per_token)
            assert found["nats_per_token"] < found["unigram_nats_per_token"]
            understood, accuracy = reader.disambiguate(original), found["sense_accuracy"]
            assert found["homonyms"] == len(understood.truth)
            assert accuracy["left"] == pytest.approx(understood.accuracy("left"))
            assert accuracy["usual"] < accuracy["left"] <= 1


def test_the_bound_of_whole_is_that_of_parts(monkeypatch, written):
    """Documents are measured a few at a time, which changes nothing."""
    path, facts = written
    monkeypatch.setattr(folder, "AT_ONCE", 7)
    again = write_corpus(path.with_name("again"), Grammar(), SENTENCES, seed=5)
    assert again["sha256"] == facts["sha256"]
    for split in SPLITS:
        for language in LANGUAGES:
            mine, yours = again["splits"][split][language], facts["splits"][split][language]
            assert mine["nats_per_token"] == pytest.approx(yours["nats_per_token"])
            assert mine["standard_error"] == pytest.approx(yours["standard_error"])
            assert mine["sense_accuracy"] == pytest.approx(yours["sense_accuracy"])


def test_a_larger_corpus_begins_with_a_smaller_one(written, tmp_path):
    path, _ = written
    write_corpus(tmp_path, Grammar(), SENTENCES // 3, seed=5)
    for name in ("train.lume.conllu", "train.drask", "test.lume.txt"):
        assert (path / name).read_text().startswith((tmp_path / name).read_text())


def test_write_prints_what_it_wrote(run_cli):
    outcome = run_cli("cli babel write --path corpus --sentences 60 --topics 3 --seed 2")
    facts = json.loads(Path("corpus/facts.json").read_text())
    assert (facts["options"]["topics"], facts["seed"]) == (3, 2)
    train = facts["splits"]["train"]["lume"]
    for said in (f"{train['perplexity']:.2f}", f"{train['bits_per_byte']:.3f}", "30% of its content words homonyms"):
        assert said in outcome.out
    assert "wrote corpus" in outcome.out


def test_a_corpus_without_homonyms_or_pairs(run_cli):
    run_cli("cli babel write --path corpus --sentences 1 --homonyms 0 --parallel 0")
    facts = json.loads(Path("corpus/facts.json").read_text())
    for language in LANGUAGES:
        assert facts["splits"]["train"][language]["homonyms"] == 0
    assert Path("corpus/train.lume").read_text() == ""


def test_a_write_that_fails_leaves_no_facts(run_cli, monkeypatch):
    run_cli("cli babel write --path corpus --sentences 20")

    def broken(*_):
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(folder, "parsed", broken)
    before = {each.name: each.read_text() for each in Path("corpus").iterdir()}
    with pytest.raises(RuntimeError, match="the power is gone"):
        write_corpus(Path("corpus"), Grammar(), 30, seed=1)
    del before["facts.json"]
    assert {each.name: each.read_text() for each in Path("corpus").iterdir()} == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("write --path x --sentences 0", "--sentences must be at least 1, not 0."),
        ("write --path x --seed -1", "--seed must be at least 0, not -1."),
        ("write --path x --leak 2", "leak must lie between 0 and 1, not 2.0"),
        ("write --path x --homonyms 1 --adverbs 900", "homonyms do not fit into 240 nouns"),
        ("write --path file/x", "cannot be written"),
        ("show --documents 0", "--documents must be at least 1, not 0."),
        ("show --start -3", "--start must be at least 0, not -3."),
        ("show --split dev", "'dev' is not one of 'train', 'validation', 'test'"),
    ],
)
def test_mistakes_are_one_line(run_cli, words, said):
    Path("file").touch()
    outcome = run_cli(f"cli babel {words}", code=2)
    assert said in outcome.err


def test_show_glosses_words_and_names_doubts(run_cli):
    grammar = Grammar()
    document = next(document for document in grammar.documents("test") if document.parallel)
    start = next(place for place, each in enumerate(grammar.documents("test")) if each == document)
    shown = run_cli(f"cli babel show --split test --start {start}").out
    assert f"topic {document.topic}, in Lume and Drask" in shown
    for lume, drask in document.pairs:
        for one, two in align(lume, drask):
            assert lume.tokens[one].form in shown
            assert drask.tokens[two].form in shown
    rows = [line.split() for line in shown.splitlines()]
    assert list(document.pairs[0][0].forms[:3]) == rows[1][:3]
    ambiguous = grammar.lexicon.ambiguous_forms("lume") | grammar.lexicon.ambiguous_forms("drask")
    forms = Counter(form for pair in document.pairs for sentence in pair for form in sentence.forms)
    assert shown.count("→") == sum(count for form, count in forms.items() if form in ambiguous)
    assert max(map(len, shown.splitlines())) <= 80


def test_show_shows_several(run_cli):
    shown = run_cli("cli babel show --documents 3 --topics 6").out
    documents = islice(Grammar(GrammarOptions(topics=6)).documents("train"), 3)
    assert [f"Document {document.index}, on topic {document.topic}" in shown for document in documents] == [True] * 3
