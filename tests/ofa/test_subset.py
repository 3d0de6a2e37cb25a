"""A part of a corpus of many languages."""

import json

import pytest

from semeqv.text.records import Row

LINE = "cli ofa subset --languages aaa_Latn bbb_Cyrl --sentences 3 --path part.jsonl"


@pytest.fixture
def hub(monkeypatch):
    """A data set on the hub, which breaks off where it is told."""
    found = {"asked": [], "breaks": None}

    def read_rows(name, fields, part, language, revision):
        found["asked"].append((name, language))
        for number in range(1, 8):
            if (language, number) == found["breaks"]:
                raise OSError(5, "the line is cut")
            yield Row(number, ["   " if number == 2 else f"{language}  {number}\n"])

    monkeypatch.setattr("ofa.subset.read_rows", read_rows)
    return found


def texts(path):
    return [json.loads(line)["text"] for line in path.read_text().splitlines()]


WHOLE = [f"{language} {number}" for language in ("aaa_Latn", "bbb_Cyrl") for number in (1, 3, 4)]


def test_so_many_sentences_of_each_language_are_fetched_once(run_cli, hub, tmp_path):
    assert "3 of aaa_Latn, 3 of bbb_Cyrl" in run_cli(LINE).out
    assert texts(tmp_path / "part.jsonl") == WHOLE
    assert hub["asked"] == [("cis-lmu/Glot500", "aaa_Latn"), ("cis-lmu/Glot500", "bbb_Cyrl")]
    assert "is whole" in run_cli(LINE).out
    assert len(hub["asked"]) == 2
    assert "another part" in run_cli(LINE.replace("3", "4"), code=2).err
    data = "cli dataset jsonl --path part.jsonl cli tokenizer bpe --vocab_size 300 cli save-tokenizer"
    run_cli(data)


@pytest.mark.parametrize("place", [("aaa_Latn", 4), ("bbb_Cyrl", 1), ("bbb_Cyrl", 4)])
def test_what_was_interrupted_goes_on(run_cli, hub, tmp_path, place):
    hub["breaks"] = place
    assert "the line is cut" in run_cli(LINE, code=2).err
    with (tmp_path / "part.jsonl.part").open("a") as file:
        file.write('{"language": "aaa_La')  # and was cut off in a line
    hub["breaks"] = None
    part = tmp_path / "part.jsonl.part"
    whole = part.read_bytes()
    part.write_bytes(b"no line\n" + whole)
    assert "part.jsonl.part, line 1, is damaged" in run_cli(LINE, code=2).err
    part.write_bytes(whole)
    run_cli(LINE)
    assert texts(tmp_path / "part.jsonl") == WHOLE
