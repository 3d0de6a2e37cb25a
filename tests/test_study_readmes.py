"""What the READMEs of the studies show, runs: their sentences, with fewer steps and documents, and their Python."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STUDIES = ["backpack", "ofa", "crosslingual", "semeqv/tying", "semeqv/babel"]


@pytest.mark.parametrize("study", STUDIES)
def test_the_sentences_and_the_python_run(run_cli, study, capsys):
    text = (ROOT / study / "README.md").read_text(encoding="utf-8")
    for sentence in re.findall(r"^    semeqv ((?:.*\\\n)*.*)$", text, re.MULTILINE):
        short = re.sub(r"--steps \d+", "--steps 2", sentence.replace("\\\n", " "))
        run_cli(re.sub(r"(cli dataset babel(?:-tags)?)", r"\1 --documents 200", short))
    (python,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(python, f"{study}/README.md", "exec"), {})
    assert capsys.readouterr().out == ""  # functions print nothing


@pytest.mark.parametrize("study", STUDIES)
def test_the_map_names_every_file(study):
    text = (ROOT / study / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/.]+)`", text.partition("## Map")[2]))
    there = {each.name + "/" * each.is_dir() for each in (ROOT / study).iterdir()}
    there -= {"README.md", "py.typed", "__pycache__/"}
    assert there <= named
    assert {name for name in named if name.endswith(("/", ".py"))} <= there
