"""Lines in one language or several, and translations as one document."""

import json

import pytest
import torch

from semeqv.babel.dataset import Babel
from semeqv.runs.errors import UserError
from semeqv.text.datasets.corpus import chosen
from semeqv.text.datasets.monolingual import Plain
from semeqv.text.datasets.multilingual import Multilingual
from semeqv.text.datasets.parallel import Europarl, Moses
from semeqv.text.tokenizers.encoding import first_token, separator
from semeqv.text.tokenizers.trained import Bpe

LINES = [{"en": "the house", "de": "das Haus"}, {"de": "ein Hund"}, {"en": "a cat", "fr": "un chat", "de": " "}]


@pytest.fixture
def lines(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in LINES))
    return path


def tokenizer_of(data):
    return Bpe(vocab_size=300).build({("train", None): data})


def texts(data, tokenizer, objective):
    """What the rows of a data set say, masks taken off."""
    made = data.build(tokenizer, type("Options", (), {"objective": objective}))
    found = []
    for batch in made.batches():
        ids = torch.where(batch["labels"] == -100, batch["input_ids"], batch["labels"])
        found += [tokenizer.decode(row).replace("<pad>", "").strip() for row in ids]
    return sorted(found)


def test_languages_are_told_by_their_keys(lines):
    assert list(chosen(Multilingual(path=lines))) == [*LINES[:2], {"en": "a cat", "fr": "un chat"}]
    assert list(chosen(Multilingual(path=lines, languages=("de",)))) == [{"de": "das Haus"}, {"de": "ein Hund"}]


def test_what_is_held_out_of_one_language_is_held_out_of_all(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("".join(json.dumps({"en": f"house {i}", "de": f"Haus {i}"}) + "\n" for i in range(200)))
    held = [
        {int(text.split()[1]) for row in chosen(options) for text in row.values()}
        for languages in ((), ("de",), ("en",))
        for options in [Multilingual(path=path, languages=languages, holdout=0.2, split="validation")]
    ]
    assert 0 < len(held[0]) < 100
    assert held[0] == held[1] == held[2]


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_joined_lines_are_one_document(lines, objective):
    data = Multilingual(path=lines, joined=True, packing=False, block_size=64)
    made = tokenizer_of(data)
    start, end = made.convert_ids_to_tokens([first_token(made, objective == "masked"), separator(made)])
    wanted = [f"{start}{each}{end}" for each in ("the house</s>das Haus", "ein Hund", "a cat</s>un chat")]
    assert texts(data, made, objective) == sorted(each.replace("</s>", end) for each in wanted)
    apart = Multilingual(path=lines, packing=False, block_size=64)
    assert texts(apart, made, objective) == sorted(
        f"{start}{text}{end}" for each in LINES for text in each.values() if text.strip()
    )


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_aligned_corpora_are_joined_too(tmp_path, objective):
    (tmp_path / "pair.en").write_text("the house\na cat\n")
    (tmp_path / "pair.de").write_text("das Haus\neine Katze\n")
    data = Moses(path=tmp_path / "pair", languages=("en", "de"), joined=True, packing=False)
    made = tokenizer_of(data)
    assert data.build(made, type("Options", (), {"objective": objective})).facts()["languages"].keys() == {"en+de"}
    babel = Babel(documents=4, joined=True, packing=False)
    assert all(len(row) == 2 for row in chosen(babel))
    assert babel.source_facts() == Babel(documents=4, objective="translation", packing=False).source_facts()
    assert babel.source_facts() != Babel(documents=4, packing=False).source_facts()


@pytest.mark.parametrize("options", [{"objective": "translation"}, {"joined": True}])
def test_every_pair_of_languages_is_joined(tmp_path, monkeypatch, options):
    monkeypatch.setenv("SEMEQV_DATA", str(tmp_path))
    (tmp_path / "europarl").mkdir()
    for language in ("fr", "de"):
        for each in (language, "en"):
            (tmp_path / f"europarl/europarl-v7.{language}-en.{each}").write_text(f"{each}\n")
    languages = ("fr", "en", "de")
    assert list(chosen(Europarl(languages=languages, **options))) == [
        {"fr": "fr", "en": "en"},
        {"en": "en", "de": "de"},
    ]
    assert list(chosen(Europarl(languages=languages))) == [{"fr": "fr", "en": "en"}, {"de": "de"}]


@pytest.mark.parametrize(
    ("kind", "options"),
    [(Europarl, {"languages": ("en",)}), (Multilingual, {"path": "x", "languages": ("en",)}), (Plain, {"path": "x"})],
)
def test_translation_is_between_languages(kind, options):
    with pytest.raises(ValueError, match="translation needs a corpus in two"):
        kind(objective="translation", **options)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"../en": "x"}', "is no language"),
        ('{"": "x"}', "is no language"),
        ('{"en": ["x"]}', "line 1, 'en': field 'text' should be text"),
        ('{"en": null}', "line 1, 'en'"),
        ("[]", "expected a JSON object"),
        ('{"en": "  "}', "holds no JSON object that says something"),
        ("", "holds no JSON object"),
    ],
)
def test_what_is_no_such_file_is_named(tmp_path, text, said):
    path = tmp_path / "lines.jsonl"
    path.write_text(text + "\n")
    with pytest.raises(UserError) as error:
        list(Multilingual(path=path).rows())
    assert said in str(error.value)
    assert str(path) in str(error.value)
