"""Codes of languages, and what names of files say with them."""

import pytest

from semeqv.text.languages import TWO_TO_THREE, canonical, languages_of, matching, spellings


def test_codes_of_one_language_have_one_form():
    assert len(TWO_TO_THREE) == len(set(TWO_TO_THREE.values())) == 183
    assert {canonical(code) for code in ("de", "deu", "ger", "DE", "deu_Latn", "de-AT")} == {"de"}
    assert canonical("kab") == "kab"
    assert spellings("fr") == ("fr", "fra", "fre")
    assert spellings("cmn")[:2] == ("cmn", "zh")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("en_ewt-ud-train.conllu.xz", {"en"}),
        ("no_bokmaal-ud-test.conllu", {"no"}),
        ("xnli.test.de.tsv", {"de"}),
        ("europarl-v7.fr-en.train", {"fr", "en"}),
        ("qqq_other-ud-test.conllu", {"qqq"}),
        ("train.conllu", set()),
        ("words-of-my-own.tsv", set()),
        ("ner_new.txt", set()),
    ],
)
def test_names_say_languages(name, found):
    assert languages_of(name) == found


def test_a_script_that_is_said_tells_codes_apart():
    there = ["fra_Latn", "zho_Hans", "zho_Hant", "de"]
    assert matching("fr", there) == ["fra_Latn"] == matching("fra_Latn", there)
    assert matching("zh", there) == ["zho_Hans", "zho_Hant"]
    assert matching("zh-Hant", there) == ["zho_Hant"]
    assert matching("deu_Latn", there) == ["de"]
    assert matching("fra_Cyrl", there) == []
