"""Readers: what each gives back, what each refuses, and that nothing in a file ends in a traceback."""

import gzip
import io
import lzma
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import mutated
from samples import SENTENCES, TABLE, TAGGED, TREEBANK, written

from semeqv.runs.errors import UserError
from semeqv.text.datasets.parallel import Europarl, MultiUn
from semeqv.text.readers import bible, conllu, flores, iob2, jsonl, moses, plain, table, tatoeba, xnli
from semeqv.text.records import Aligned, Document, Labelled

PAIRS = 'label\tpremise\thypothesis\nneutral\tIt\'s "so".\tYes\ncontradictory\tNo\tYes\n'
VERSES = "MAT.1.1\tThe book\nMAT.1.2\tAbraham\nMRK.1.1a\tThe beginning\n"
OBJECTS = '{"id": 1, "text": {"en": "one", "fr": "une"}}\n\n{"id": 2, "text": {"en": "two", "fr": "deux"}}\n'
QUOTED = 'word,other\n"a, ""b""\nc",d\n'


def only_file(read, **options):
    """A reader of one file."""
    return lambda path: read(path, **options)


READERS = {
    "plain lines": (plain.read_documents, "One.\n\nTwo.\n"),
    "plain blocks": (only_file(plain.read_documents, unit="block"), "One.\nTwo.\n\nThree.\n"),
    "plain file": (only_file(plain.read_documents, unit="file"), "One.\nTwo.\n\nThree.\n"),
    "moses": (lambda path: moses.read_files({"en": path, "fr": path}), "one\n\ntwo\n"),
    "table": (only_file(table.read_rows, columns=("word", 3)), TABLE),
    "csv": (only_file(table.read_rows, columns=("other",), quoted=True, separator=","), QUOTED),
    "jsonl": (only_file(jsonl.read_rows, fields=("text.en", "id")), OBJECTS),
    "conllu": (conllu.read_sentences, TREEBANK),
    "trees": (only_file(conllu.read_sentences, tree=True), TREEBANK),
    "iob2": (iob2.read_sentences, TAGGED),
    "iob1": (only_file(iob2.read_sentences, columns=(2, 3), convert=True), TAGGED),
    "xnli": (xnli.read_labelled, PAIRS),
    "bible": (bible.read_verses, VERSES),
}
every_reader = pytest.mark.parametrize(("read", "content"), READERS.values(), ids=READERS)


# -- what all readers do --------------------------------------------------------------------------------------------


@every_reader
@given(data=st.data())
def test_almost_valid_files_are_read_or_refused_in_words(tmp_path_factory, read, content, data):
    path = written(tmp_path_factory.getbasetemp(), data.draw(mutated(content.encode())))
    try:
        records = list(read(path))
    except UserError as error:
        assert "corpus.txt" in str(error)  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert records == list(read(path))
        assert records


@every_reader
@pytest.mark.bad_input("B4")
def test_how_a_file_is_stored_changes_nothing(tmp_path, read, content):
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as file:
        file.writestr("corpus.txt", content)
    expected = list(read(written(tmp_path, content)))
    for other in (
        "\ufeff" + content,
        content.replace("\n", "\r\n"),
        gzip.compress(content.encode()),
        lzma.compress(content.encode()),
    ):
        assert list(read(written(tmp_path, other))) == expected
    assert list(read(written(tmp_path, zipped.getvalue(), "corpus.zip"))) == expected


@every_reader
@pytest.mark.parametrize("text", ["", "\n", "\n \n\n", "\ufeff"])
@pytest.mark.bad_input("B3")
def test_empty_and_blank_files_are_refused(tmp_path, read, content, text):
    with pytest.raises(UserError, match=r"corpus.txt"):
        list(read(written(tmp_path, text)))


@pytest.mark.parametrize("name", ["table", "csv", "conllu", "iob2", "xnli"])
@pytest.mark.bad_input("B3")
def test_a_header_alone_is_refused(tmp_path, name):
    read, content = READERS[name]
    with pytest.raises(UserError, match=r"corpus.txt"):
        list(read(written(tmp_path, content.partition("\n")[0])))


@every_reader
@pytest.mark.bad_input("B4")
def test_bytes_that_are_no_text_are_named(tmp_path, read, content):
    for byte, said in ((b"\0", "a NUL"), (b"\xff", "0xff is not UTF-8")):
        line = content.encode().count(b"\n") + 1
        with pytest.raises(UserError, match=rf"corpus.txt, line {line}, byte 4: {said}"):
            list(read(written(tmp_path, content.encode() + b"abc" + byte)))


@pytest.fixture(scope="module")
def endless():
    """A line of 100 MB, compressed."""
    return gzip.compress(b"x" * 100_000_000, 1)


@every_reader
@pytest.mark.bad_input("B5")
def test_a_line_of_100_megabytes_is_refused_in_little_memory(tmp_path, read, content, endless):
    path = written(tmp_path, gzip.compress(content.encode()) + endless)
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"corpus.txt, line \d+, byte 16777217: the line is longer"):
            list(read(path))
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


# -- plain text -----------------------------------------------------------------------------------------------------


def test_a_document_is_a_line_a_block_or_a_file(tmp_path):
    path = written(tmp_path, "\nOne.\nTwo.\n \n\nThree.")
    texts = {unit: [each.text for each in plain.read_documents(path, unit)] for unit in ("line", "block", "file")}
    assert texts == {
        "line": ["One.", "Two.", "Three."],
        "block": ["One.\nTwo.", "Three."],
        "file": ["One.\nTwo.\n \n\nThree."],
    }
    assert next(plain.read_documents(path, language="en")) == Document("One.", "en")


def test_a_document_has_a_largest_size(tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "LARGEST", 10)
    path = written(tmp_path, "1234\n" * 3)
    assert len(list(plain.read_documents(path))) == 3
    for unit in ("block", "file"):
        with pytest.raises(UserError, match=r"corpus.txt, line 3: the document that ends here has over 10 characters"):
            list(plain.read_documents(path, unit))


# -- line-aligned files ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=5))
def test_aligned_lines_come_back(tmp_path_factory, pairs):
    prefix = tmp_path_factory.getbasetemp() / "corpus.en-fr"
    records = [Aligned({"en": first, "fr": second}) for first, second in pairs]
    files = moses.write_aligned(prefix, records, ["en", "fr"])
    assert files == moses.sides(prefix, ["en", "fr"])
    kept = [record for record in records if all(record.sentences.values())]
    assert list(moses.read_aligned(prefix, ["en", "fr"], empty="keep")) == records
    if kept:
        assert list(moses.read_aligned(prefix, ["en", "fr"])) == kept
        assert [list(each.sentences) for each in moses.read_aligned(prefix, ["fr", "en"])] == [["fr", "en"]] * len(kept)
    else:
        with pytest.raises(UserError, match="holds no line that says something in every language"):
            list(moses.read_aligned(prefix, ["en", "fr"]))


@pytest.mark.parametrize("text", ["a\nb", "a\0", "a\r", "\ufeffa"])
def test_what_is_no_line_is_not_written(tmp_path, text):
    with pytest.raises(ValueError, match="No line of a text file can say"):
        moses.write_aligned(tmp_path / "corpus", [Aligned({"en": text})], ["en"])
    assert list(tmp_path.iterdir()) == []


def test_files_of_different_lengths_are_refused_with_their_lengths(tmp_path):
    written(tmp_path, "1\n2\n3\n4\n", "corpus.en")
    written(tmp_path, "1\n2\n", "corpus.fr")
    read = moses.read_aligned(tmp_path / "corpus", ["en", "fr"])
    assert [next(read).sentences["fr"] for _ in range(2)] == ["1", "2"]
    with pytest.raises(UserError, match=r"as many lines as each other, but .*corpus.en has 4, .*corpus.fr has 2\.$"):
        next(read)
    with pytest.raises(UserError, match=r"corpus.fr has 2, .*corpus.en has 4\.$"):
        list(moses.read_aligned(tmp_path / "corpus", ["fr", "en"]))


def test_the_sides_of_a_corpus_are_found(tmp_path):
    written(tmp_path, lzma.compress(b"1\n"), "set/corpus.en-fr.en.xz")
    written(tmp_path, "une\n", "set/corpus.en-fr.fr")
    written(tmp_path, "uno\n", "set/es")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        for path in sorted((tmp_path / "set").iterdir()):
            file.write(path, f"deep/{path.name}")
        file.writestr("deep/README", "about")
    expected = [Aligned({"fr": "une", "en": "1"})]
    for place in (tmp_path / "set" / "corpus.en-fr", tmp_path / "set", tmp_path / "set.zip"):
        assert list(moses.read_aligned(place, ["fr", "en"])) == expected
    assert list(moses.read_aligned(tmp_path / "set.zip", ["es", "en"])) == [Aligned({"es": "uno", "en": "1"})]
    with pytest.raises(UserError, match=r"set/corpus.en-fr.de is missing, for a language"):
        list(moses.read_aligned(tmp_path / "set" / "corpus.en-fr", ["fr", "de"]))
    written(tmp_path, "two\n", "set/other.en")
    with pytest.raises(UserError, match=r"set/\*.en is several files, for a language"):
        list(moses.read_aligned(tmp_path / "set", ["fr", "en"]))
    with pytest.raises(UserError, match="Say which languages"):
        list(moses.read_aligned(tmp_path / "set", []))


# -- labelled pairs and verses --------------------------------------------------------------------------------------


def test_pairs_have_labels_whatever_the_layout(tmp_path):
    mixed = "language\tgold_label\tsentence1\tsentence2\nfr\tneutral\tOui\tNon\nen\tentailment\tYes\tYes\n"
    path = written(tmp_path, mixed)
    assert list(xnli.read_labelled(path, "en")) == [Labelled(("Yes", "Yes"), "entailment", "en")]
    for language, match in (("", "several languages; say which"), ("de", "no pair in the language 'de'")):
        with pytest.raises(UserError, match=match):
            list(xnli.read_labelled(path, language))
    translated = "premise\thypo\tlabel\nOui\tNon\tcontradictory\n"
    assert list(xnli.read_labelled(written(tmp_path, translated))) == [Labelled(("Oui", "Non"), "contradiction")]
    assert [pair.texts for pair in xnli.read_labelled(written(tmp_path, PAIRS))] == [
        ('It\'s "so".', "Yes"),
        ("No", "Yes"),
    ]
    for content, match in (
        (PAIRS.replace("neutral", "-"), "line 2: the label '-' is none of entailment, neutral, contradiction"),
        ("label\tpremise\nneutral\tx\n", " has no column 'hypothesis'"),
    ):
        with pytest.raises(UserError, match=f"corpus.txt,? ?{match.lstrip()}"):
            list(xnli.read_labelled(written(tmp_path, content)))


def test_verses_that_editions_share_are_read(tmp_path):
    written(tmp_path, VERSES, "eng-YLT.tsv")
    written(tmp_path, "MRK.1.1a\tInitium\nMAT.1.2\tAbram\nLUK.1.1\tMulti\n", "lat-Vulgate.tsv")
    assert list(bible.read_aligned(tmp_path, ["eng", "lat-Vulgate"])) == [
        Aligned({"eng": "Abraham", "lat-Vulgate": "Abram"}, "MAT.1.2"),
        Aligned({"eng": "The beginning", "lat-Vulgate": "Initium"}, "MRK.1.1a"),
    ]
    written(tmp_path, "GEN.1.1\tIn the beginning\n", "eng-WEB.tsv")
    for editions, match in (
        (["eng", "lat"], "several editions 'eng'; name one of 'eng-WEB', 'eng-YLT'"),
        (["fra"], "no edition 'fra'; name one of 'eng-WEB', 'eng-YLT', 'lat-Vulgate'"),
        (["eng-WEB", "lat"], "holds no verse that lat have too"),
        ([], "say which editions"),
    ):
        with pytest.raises(UserError, match=match):
            list(bible.read_aligned(tmp_path, editions))
    for content, match in (("Mat 1,1\tx\n", "'Mat 1,1' is no verse"), (VERSES * 2, "line 4: MAT.1.1 comes twice")):
        with pytest.raises(UserError, match=match):
            list(bible.read_verses(written(tmp_path, content)))


# -- test sets in folders -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["flores-dev.{}", "dev/{}.dev", "{}.dev"])
def test_flores_is_read_however_it_is_laid_out(tmp_path, spelling):
    for language in ("eng_Latn", "fra_Latn"):
        written(tmp_path, f"{language} 1\n\n", f"flores/{spelling.format(language)}")
    with zipfile.ZipFile(tmp_path / "flores.zip", "w") as file:
        for path in (tmp_path / "flores").rglob("*_Latn*"):
            file.write(path, path.relative_to(tmp_path))
    for place in (tmp_path / "flores", tmp_path / "flores.zip"):
        found = [each.sentences for each in flores.read_aligned(place, ["fra_Latn", "eng_Latn"])]
        assert found == [{"fra_Latn": "fra_Latn 1", "eng_Latn": "eng_Latn 1"}, {"fra_Latn": "", "eng_Latn": ""}]
        with pytest.raises(UserError, match="has no language 'deu_Latn' of split 'dev'"):
            list(flores.read_aligned(place, ["deu_Latn"]))
        with pytest.raises(UserError, match="has no language 'eng_Latn' of split 'devtest'"):
            list(flores.read_aligned(place, ["eng_Latn"], "devtest"))


def test_flores_is_read_by_codes_of_two_letters(tmp_path):
    for language in ("eng_Latn", "fra_Latn", "zho_Hans", "zho_Hant"):
        written(tmp_path, f"{language} 1\n", f"dev/{language}.dev")
    found = [each.sentences for each in flores.read_aligned(tmp_path, ["fr", "eng"])]
    assert found == [{"fr": "fra_Latn 1", "eng": "eng_Latn 1"}]
    assert [each.sentences for each in flores.read_aligned(tmp_path, ["zh_Hant"])] == [{"zh_Hant": "zho_Hant 1"}]
    with pytest.raises(UserError, match="has zho_Hans and zho_Hant, which may all be 'zh'; name one of them"):
        list(flores.read_aligned(tmp_path, ["zh", "en"]))
    with pytest.raises(UserError, match="has no language 'de' of split 'dev'"):
        list(flores.read_aligned(tmp_path, ["de"]))


def test_tatoeba_is_read(tmp_path):
    for side in ("fra", "eng"):
        written(tmp_path, f"{side} 1\n{side} 2\n", f"tatoeba.fra-eng.{side}")
    assert tatoeba.languages(tmp_path) == ("fra",)
    assert [each.sentences["eng"] for each in tatoeba.read_aligned(tmp_path, "fra")] == ["eng 1", "eng 2"]
    with pytest.raises(UserError, match=r"has no tatoeba.deu-eng.deu; it has fra\."):
        list(tatoeba.read_aligned(tmp_path, "deu"))


@pytest.mark.parametrize("corpus", ["tatoeba", "bible"])
def test_languages_may_be_said_with_two_letters_and_files_have_scripts(tmp_path, corpus):
    for own in ("fra_Latn", "cmn_Hani", "quy_Latn"):
        for side in (own, "eng_Latn"):
            written(tmp_path, f"{side} 1\n{side} 2\n", f"{corpus}.{own}-eng_Latn.{side}")
    assert tatoeba.languages(tmp_path, corpus) == ("cmn_Hani", "fra_Latn", "quy_Latn")
    for said, own in (("fr", "fra_Latn"), ("fra", "fra_Latn"), ("fra_Latn", "fra_Latn"), ("zh", "cmn_Hani")):
        first, _ = tatoeba.read_aligned(tmp_path, said, corpus)
        assert first.sentences == {said: f"{own} 1", "eng": "eng_Latn 1"}
    for side in ("fra_Arab", "eng_Latn"):
        written(tmp_path, "a\nb\n", f"{corpus}.fra_Arab-eng_Latn.{side}")
    with pytest.raises(UserError, match="has fra_Arab and fra_Latn, which may both be 'fr'; name one of them"):
        list(tatoeba.read_aligned(tmp_path, "fr", corpus))


def test_editions_are_found_by_either_code(tmp_path):
    for name in ("eng-YLT", "fra-LSG"):
        written(tmp_path, VERSES, f"{name}.tsv")
    assert next(iter(bible.read_aligned(tmp_path, ["fr", "en"]))).sentences.keys() == {"fr", "en"}


def test_line_aligned_files_may_be_called_by_their_language_alone(tmp_path):
    for language in ("en", "fr"):
        written(tmp_path, f"{language} 1\n", f"whole/{language}.txt")
        for part in (2, 10, 1):
            written(tmp_path, f"{language} {part}\n", f"parts/{language}.txt.{part}")
    (whole,) = moses.read_aligned(tmp_path / "whole", ["en", "fr"])
    assert whole.sentences == {"en": "en 1", "fr": "fr 1"}
    found = [each.sentences["fr"] for each in moses.read_aligned(tmp_path / "parts", ["en", "fr"])]
    assert found == ["fr 1", "fr 2", "fr 10"]
    (tmp_path / "parts/fr.txt.2").unlink()
    with pytest.raises(UserError, match=r"has no fr.txt.2, a part that another language has"):
        list(moses.read_aligned(tmp_path / "parts", ["en", "fr"]))


def test_the_folders_of_the_multilingual_project_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_DATA", str(tmp_path))
    for language in ("en", "fr"):
        written(tmp_path, "".join(f"{language} {n}\n" for n in range(40)), f"europarl/{language}.txt")
        for part in (0, 1):
            written(tmp_path, f"{language} {part}\n", f"multiun/{language}.txt.{part}")
    assert len(list(Europarl(holdout=0.2).corpus())) + len(list(Europarl(holdout=0.2, split="test").corpus())) < 80
    assert [each.text for each in Europarl(languages=("fr",)).corpus()][:2] == ["fr 0", "fr 1"]
    data = MultiUn()
    assert [each.text for each in data.corpus()] == ["en 0", "fr 0", "en 1", "fr 1"]
    assert sorted(data.sources()) == ["en.txt.0", "en.txt.1", "fr.txt.0", "fr.txt.1"]
    assert [each.text for each in MultiUn(path=tmp_path / "multiun", languages=("en",)).corpus()] == ["en 0", "en 1"]
