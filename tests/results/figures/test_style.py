from pathlib import Path

import click
import pytest

from semeqv.results.figures.style import (
    COLORS,
    both_files,
    colors,
    finish,
    fitted,
    house_style,
    new_figure,
    save,
    short_number,
    spread,
)


def drawn():
    figure = new_figure(2, 1)
    figure.add_subplot().plot([0, 1], [0, 1])
    return figure


def test_pdf_and_png_are_written_beside_each_other_and_announced(tmp_path, capsys):
    from matplotlib.image import imread

    with house_style():
        finish(drawn(), tmp_path / "new" / "figure.png", show=False, transparent=False)
    pdf, png = (tmp_path / "new" / f"figure.{suffix}" for suffix in ("pdf", "png"))
    assert pdf.read_bytes().startswith(b"%PDF")
    assert imread(png).shape == (300, 600, 4)
    assert sorted(file.name for file in pdf.parent.iterdir()) == ["figure.pdf", "figure.png"]
    assert "figure.pdf and figure.png" in capsys.readouterr().out


def test_the_same_figure_gives_the_same_bytes_with_truetype_fonts(tmp_path):
    with house_style():
        first, second = (save(drawn(), tmp_path / name) for name in ("a", "b"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    assert b"/CIDFontType2" in first[0].read_bytes()
    assert b"CreationDate" not in first[0].read_bytes()


def test_transparent_leaves_the_background_out(tmp_path):
    from matplotlib.image import imread

    with house_style():
        _, solid = save(drawn(), tmp_path / "a")
        _, clear = save(drawn(), tmp_path / "b", transparent=True)
    assert imread(solid)[0, 0, 3] == 1
    assert imread(clear)[0, 0, 3] == 0


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with house_style(), pytest.raises(click.UsageError, match="cannot be written"):
        save(drawn(), tmp_path / "file" / "figure")


@pytest.mark.parametrize("name", ["a/b.pdf", "a/b.png", "a/b", "a/b.PDF"])
def test_any_suffix_names_both_files(name):
    assert both_files(Path(name)) == (Path("a/b.pdf"), Path("a/b.png"))


def test_only_image_suffixes_are_taken_off():
    assert both_files(Path("run.v2"))[0] == Path("run.v2.pdf")
    with pytest.raises(ValueError, match=r"write a\.pdf"):
        both_files(Path("a.svg"))


def test_colours_come_from_words_then_from_the_palette():
    assert colors(2) == list(COLORS[:2])
    assert colors(2, explicit=["black"]) == ["#000000", COLORS[1]]
    assert len(set(colors(3, "viridis"))) == 3
    assert colors(9, first=2)[:2] == list(COLORS[2:4])
    with pytest.raises(click.UsageError, match="no such palette"):
        colors(2, "nonsense")
    with pytest.raises(click.UsageError, match="no such colour"):
        colors(2, explicit=["nonsense"])


def test_counts_are_written_briefly():
    assert [short_number(value) for value in (0, 500, 50_000, 2_500, 1_500_000)] == ["0", "500", "50k", "2.5k", "1.5M"]


def test_labels_move_apart_as_little_as_possible():
    assert spread([0.0, 10.0], 1) == [0, 10]
    assert spread([5.0, 5.0], 2) == [4, 6]
    assert spread([3.0, 1.0, 1.1, 1.2], 1) == pytest.approx([3.1, 0.1, 1.1, 2.1], abs=0.1)


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize(
    "text", ["", "model from base", "model from bert-base-multilingual-cased", "a" * 40, "runs/x/checkpoints/step-1"]
)
def test_a_text_is_broken_into_lines_that_fit(text, bold):
    lines = fitted(text, 0.84, bold=bold).split("\n")
    width = max(map(len, lines))
    assert width <= 0.84 * 72 / (7 * 0.62)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert len(lines) <= 4


def test_what_is_too_long_loses_its_middle():
    lines = fitted("model from " + "x" * 100 + "-end", 0.84).split("\n")
    assert lines[0] == "model from"
    assert "…" in "".join(lines)
    assert "".join(lines).endswith("-end")
    assert len(lines) <= 5
