"""Real corpora, counted: `SEMEQV_DATA=... pytest -m realdata`, where that folder has a MANIFEST.tsv of its files."""

import re

import pytest

from semeqv.runs.errors import UserError
from semeqv.text.archives import names
from semeqv.text.files import lines
from semeqv.text.location import data_folder, locate
from semeqv.text.readers import bible, conllu, flores, iob2, jsonl, moses, plain, table, tatoeba, xnli

DATA = data_folder()
HERE = bool(DATA and (DATA / "MANIFEST.tsv").is_file())
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not HERE, reason="needs $SEMEQV_DATA, a folder of corpora with a MANIFEST.tsv"),
]

NOTES = (
    {row.values[0]: row.values[1:] for row in table.read_rows(DATA / "MANIFEST.tsv", ["path", "lines", "notes"])}
    if HERE
    else {}
)
REMARK = re.compile(r"# ?\w+( id)? =")
CARELESS = ("ner_wikigold", "nc_wikineural")  # entities that begin with I-
OFFICIAL = {"ner_germeval14/de_germeval14-dev.tsv.xz": 2200, "ner_germeval14/de_germeval14-test.tsv.xz": 5100}


def of(pattern):
    """The files whose paths fit a pattern."""
    return [path for path in NOTES if re.fullmatch(pattern, path)]


def count(records):
    return sum(1 for _ in records)


def said(path, what):
    """The number that the manifest gives: `1,000 sents`."""
    match = re.search(rf"([\d,]+) {what}", NOTES[path][1])
    return match and int(match[1].replace(",", ""))


@pytest.mark.parametrize("path", of(r".*\.conllu\.xz"))
def test_treebanks(path, tmp_path):
    sentences = list(conllu.read_sentences(DATA / path, tree=True))
    assert (len(sentences), sum(len(each.words) for each in sentences)) == (said(path, "sents"), said(path, "tokens"))
    conllu.write_sentences(tmp_path / "again.conllu", sentences)
    assert [line for _, line in lines(tmp_path / "again.conllu")] == [line for _, line in lines(DATA / path)]
    assert all(sentence.text for sentence in sentences)


@pytest.mark.parametrize("path", of(r"(uner|ner_.*)/.*|nc_wikineural/.*-val.*"))
def test_entities(path):
    careless = path.startswith(CARELESS)
    sentences = list(iob2.read_sentences(DATA / path, convert=careless))
    rows = [line.split() for _, line in lines(DATA / path) if line.strip() and not REMARK.match(line)]
    marks = sum(row[0] == "-DOCSTART-" for row in rows)
    assert len(sentences) + marks == OFFICIAL.get(path, said(path, "sents"))
    words = [word for sentence in sentences for word in sentence.words]
    assert len(words) + marks == len(rows)
    at = 2 if path.startswith(("uner", "ner_germeval14", "nc_wikineural")) else 1
    begun = sum(word.tag.startswith("B-") for word in words)
    written = sum(row[at].startswith("B-") for row in rows if row[0] != "-DOCSTART-")
    assert begun >= written if careless else begun == written
    assert begun


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_europarl(split):
    pairs = list(moses.read_aligned(DATA / f"europarl/europarl-v7.fr-en.{split}", ["en", "fr"], empty="keep"))
    assert len(pairs) == {"train": 186_599, "dev": 2000, "test": 1000}[split]
    assert all(all(pair.sentences.values()) for pair in pairs)
    if split == "train":
        words = {side: sum(pair.sentences[side].count(" ") + 1 for pair in pairs) for side in ("en", "fr")}
        assert {side: round(number / 1e6, 2) for side, number in words.items()} == {"en": 4.68, "fr": 4.89}


def test_flores():
    path = DATA / "flores/flores.tar.xz"
    languages = ["en", "fr", "de", "es", "hi", "zh", "ru"]
    for split, expected in (("dev", 997), ("devtest", 1012)):
        assert count(flores.read_aligned(path, languages, split)) == expected


def test_tatoeba():
    path = DATA / "tatoeba_laser_v1/tatoeba_laser_v1.tar.xz"
    assert len(tatoeba.languages(path)) == 112
    assert [count(tatoeba.read_aligned(path, language)) for language in ("fra", "deu", "swh")] == [1000, 1000, 390]


def test_bibles():
    path = DATA / "bible_pd/bible_pd.tar.xz"
    assert sum(count(bible.read_verses(path / name)) for name in names(path)) == int(
        NOTES["bible_pd/bible_pd.tar.xz"][0]
    )
    editions = ["eng-YLT-NT", "zho-CUV-Simplified-1919", "lav-open-bibles-NT"]
    verses = [{verse.name for verse in bible.read_verses(path / f"{edition}.tsv")} for edition in editions]
    assert count(bible.read_aligned(path, ["eng-YLT-NT", "zho", "lav"])) == len(set.intersection(*verses)) > 7800


def test_seed_sentences_in_many_languages():
    path = DATA / "nllb_seed/multitext_nllb_seed.tar.xz"
    assert count(moses.read_aligned(path, ["eng_Latn", "ace_Arab"], empty="keep")) == 6193


@pytest.mark.parametrize("path", of("nc_xnli/.*"))
def test_xnli(path):
    pairs = list(xnli.read_labelled(DATA / path, path.split(".")[2]))
    assert len(pairs) == said(path, "pairs")
    assert {pair.label for pair in pairs} == set(xnli.LABELS)


@pytest.mark.parametrize("path", of("(tatoeba_manythings|dict_freedict)/.*tsv.*|word_similarity_en/.*"))
def test_tables(path):
    rows = count(table.read_rows(DATA / path, (1, 2), header=False))
    assert rows == (said(path, "pairs") or count(text for _, text in lines(DATA / path) if text))


def test_tables_with_headers():
    for name, expected in (("train", 4500), ("trial", 500), ("test_annotated", 4927)):
        path = locate(f"nc_sick/SICK_{name}.txt")
        assert count(table.read_rows(path, ["sentence_A", "sentence_B", "entailment_judgment"])) == expected
    pairs = locate("bias_crows_pairs/crows_pairs_anonymized.csv")
    assert count(table.read_rows(pairs, ["sent_more", "sent_less"], quoted=True, separator=",")) == 1508


def test_blimp():
    path = DATA / "blimp/blimp.tar.xz"
    fields = ["sentence_good", "sentence_bad"]
    assert count(jsonl.read_rows(path / "adjunct_island.jsonl", fields)) == 1000
    assert len(names(path)) == 67


def test_plain_text():
    path = locate("wikitext2_raw/wiki.valid.raw")
    assert count(lines(path)) == int(NOTES["wikitext2_raw/wiki.valid.raw.xz"][0])
    assert count(plain.read_documents(path)) == 2461
    genders = locate("bias_winobias/pro_stereotyped_type1.txt.test")
    assert count(plain.read_documents(genders)) == int(NOTES["bias_winobias/pro_stereotyped_type1.txt.test"][0])
    genesis = DATA / "genesis/genesis.zip"
    assert count(plain.read_documents(genesis / "english-web.txt")) == 3694
    with pytest.raises(UserError, match=r"genesis.zip/german.txt, line 2, byte 19: 0xfc is not UTF-8 here"):
        list(plain.read_documents(genesis / "german.txt"))
