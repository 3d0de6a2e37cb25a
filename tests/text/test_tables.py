"""Tables and JSON objects."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SENTENCES, TABLE, written

from semeqv.runs.errors import UserError
from semeqv.text.readers import jsonl, table
from semeqv.text.records import Row

FIELDS = st.text(st.characters(exclude_characters="\n\r\0\ufeff\t", exclude_categories=["Cs"]), max_size=6)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1)))
def test_rows_of_a_table_come_back(tmp_path_factory, rows):
    rows = [row for row in rows if row != [""]]
    path = written(tmp_path_factory.getbasetemp(), "".join("\t".join(row) + "\n\n" for row in rows))
    if rows:
        found = list(table.read_rows(path, range(1, len(rows[0]) + 1), header=False))
        assert [list(row.values) for row in found] == rows
        assert [list(row.values) for row in table.read_rows(path, [1], header=False)] == [row[:1] for row in rows]


@given(
    st.lists(
        st.tuples(
            *[st.text(st.characters(exclude_characters="\r\0\ufeff", exclude_categories=["Cs"]), max_size=6)] * 2
        ),
        min_size=1,
    )
)
def test_rows_of_a_quoted_table_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "corpus.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("b", "a"), *rows])
    found = list(table.read_rows(path, ["a", "b"], quoted=True, separator=","))
    assert [row.values for row in found] == [(second, first) for first, second in rows]


def test_rows_know_their_lines(tmp_path):
    assert list(table.read_rows(written(tmp_path, TABLE), ["score", 1])) == [
        Row(2, ("7.35", "tiger")),
        Row(4, ("6.77", "love")),
    ]


@pytest.mark.parametrize(
    ("content", "options", "match"),
    [
        (TABLE, {"columns": ["scores"]}, r"no column 'scores'; its header says 'word', 'other', 'score'"),
        ("a\ta\n1\t2\n", {"columns": ["a"]}, r"several columns 'a'"),
        (TABLE, {"columns": [4]}, r"has 3 columns, but column 4 was asked for"),
        (TABLE, {"columns": [0]}, r"has 3 columns, but column 0 was asked for"),
        (TABLE, {"columns": ["word"], "header": False}, r"without a header, so 'word' must be the number"),
        (TABLE + "a\tb\n", {"columns": [1]}, r"line 5: 2 columns, but the header has 3"),
        ('a,b\n"1,2\n', {"columns": ["a"], "quoted": True, "separator": ","}, r"line 2: .*is a quote missing"),
    ],
)
@pytest.mark.bad_input("B2")
def test_tables_that_do_not_fit_are_refused(tmp_path, content, options, match):
    with pytest.raises(UserError, match=f"corpus.txt.*{match}"):
        list(table.read_rows(written(tmp_path, content), **options))


def test_a_first_line_of_usual_names_names_the_columns(tmp_path, capsys):
    path = written(tmp_path, "Text\tlabel\nText\tlabels\na\tb\n")
    assert [row.values for row in table.read_rows(path, [1, 2], header=None)] == [("Text", "labels"), ("a", "b")]
    assert "the first line names the columns (Text, label)" in capsys.readouterr().err
    path = written(tmp_path, "house\tlabel\na\tb\n", "other.txt")
    assert len(list(table.read_rows(path, [1, 2], header=None))) == 2


def test_numbers_that_are_not_finite_are_no_values(tmp_path):
    for said in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(UserError, match=r"corpus.txt, line 1: field 'x' is (nan|inf|-inf), which is no text"):
            list(jsonl.read_rows(written(tmp_path, f'{{"x": {said}}}\n'), ["x"]))
    path = written(tmp_path, '{"x": 1.0}\n{"x": 1}\n{"x": 1.5}\n{"x": -0.0}\n{"x": 1e300}\n')
    assert [row.values[0] for row in jsonl.read_rows(path, ["x"])] == ["1", "1", "1.5", "0", "1e+300"]


def test_a_quoted_field_may_follow_a_blank(tmp_path):
    path = written(tmp_path, 'text, label\n"a, b", c\nd, "e, f"\n', "a.csv")
    rows = table.read_rows(path, ["text", "label"], quoted=True, separator=",")
    assert [row.values for row in rows] == [("a, b", "c"), ("d", "e, f")]


def test_a_quote_that_never_ends_takes_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "LONGEST", 50)
    with pytest.raises(UserError, match=r"corpus.txt, line 11: the row that ends here is longer than 50 characters"):
        list(table.read_rows(written(tmp_path, 'a\tb\n"' + "1234\n" * 30), ["a"], quoted=True))


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1), SENTENCES, st.booleans())
def test_objects_come_back(tmp_path_factory, pairs, key, ascii_only):
    objects = [{"x": first, "deep": {key: second}} for first, second in pairs]
    text = "\n\n".join(json.dumps(each, ensure_ascii=ascii_only) for each in objects)
    rows = list(jsonl.read_rows(written(tmp_path_factory.getbasetemp(), text), ["x", f"deep.{key}"]))
    assert rows == [Row(2 * number + 1, pair) for number, pair in enumerate(pairs)]


def test_fields_of_objects_are_text(tmp_path):
    path = written(tmp_path, '{"a.b": "x", "a": {"b": "y", "c": {"d": 1.50}}, "e": true}\n')
    assert list(jsonl.read_rows(path, ["a.b", "a.c.d", "e"])) == [Row(1, ("x", "1.5", "true"))]
    for content, match in (
        ("[1]", "line 1: expected a JSON object"),
        ('{"a": 1', "line 1: expected a JSON object"),
        ("[" * 100_000, "line 1: expected a JSON object"),
        ('{"b": 1}', "line 1: no field 'a', or null; the object has 'b'"),
        ('{"a": null}', "line 1: no field 'a', or null"),
        ('{"a": [1]}', r"line 1: field 'a' should be text, not \[1\]"),
        ('{"a": "\\ud800"}', r"line 1: field 'a' should be text"),
        ('{"a": "\\u0000"}', r"line 1: field 'a' should be text"),
    ):
        with pytest.raises(UserError, match=f"corpus.txt, {match}"):
            list(jsonl.read_rows(written(tmp_path, content), ["a"]))
