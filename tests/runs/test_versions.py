"""Which packages compute: those of the window, and ours, not others of their names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import semeqv
from semeqv.grammar import plugins
from semeqv.runs import versions
from semeqv.runs.errors import UserError
from semeqv.runs.versions import check_versions, compare_versions

ROOT = Path(semeqv.__file__).parents[1]


@pytest.fixture
def installed(monkeypatch):
    def pretend(lines, found):
        def version(name):
            if name not in found:
                raise versions.PackageNotFoundError(name)
            return found[name]

        monkeypatch.setattr(versions, "requires", lambda name: lines)
        monkeypatch.setattr(versions, "version", version)

    return pretend


def test_the_version_is_said(run_cli):
    assert run_cli("--version").out == f"semeqv {semeqv.__version__}\n"


def test_a_package_below_the_window_is_refused(installed):
    installed(["transformers>=5.15.1,<6"], {"transformers": "5.2.0"})
    with pytest.raises(UserError, match=r"transformers 5.2.0 is installed.*pip install 'transformers<6,>=5.15.1'"):
        check_versions()


def test_one_above_it_is_named(installed, capsys):
    installed(["transformers>=5.15.1,<6"], {"transformers": "6.0.0rc1"})
    check_versions()
    assert "Warning: transformers 6.0.0rc1 is newer" in capsys.readouterr().err


def test_a_missing_one_is_named(installed):
    installed(["filelock>=3", "wandb; extra == 'tracking'"], {})
    with pytest.raises(UserError, match=r"filelock is not installed. Write: pip install 'filelock>=3'"):
        check_versions()


def test_local_versions_and_all_that_is_installed_here_fit(installed, capsys):
    check_versions()
    installed(["torch>=2.10,<3"], {"torch": "2.13.0+cpu"})
    check_versions()
    assert capsys.readouterr().err == ""


def test_versions_that_differ_from_a_saved_run_are_named(capsys, run_cli, tmp_path):
    now = versions.versions()
    compare_versions(now, "run.json")
    compare_versions({"another": "1"}, "run.json")
    assert capsys.readouterr().err == ""
    sentence = {"settings": {"steps": 1}, "parts": [], "actions": ["train"]}
    saved = {"sentence": sentence, "versions": now | {"torch": "1.0", "python": "3.9.1"}}
    (tmp_path / "run.json").write_text(json.dumps(saved))
    err = run_cli("--config run.json", code=2).err
    assert err.splitlines()[0] == (
        f"Note: run.json was written with other versions: python 3.9.1, here {now['python']}; "
        f"torch 1.0, here {now['torch']}."
    )


@pytest.mark.parametrize("package", ["backpack", "ofa", "crosslingual"])
def test_our_packages_are_ours(package):
    assert plugins.stranger(package) is None


def test_a_package_of_the_same_name_is_told_from_ours(tmp_path):
    (tmp_path / "backpack").mkdir()
    (tmp_path / "backpack" / "__init__.py").write_text('"""Second-order quantities for PyTorch."""\n')
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; from semeqv.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import site; site.main(); {code}", "--help"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"Warning: {tmp_path}/backpack/__init__.py is not of semeqv")
    assert "  ofa " in done.stdout
    assert "  backpack " not in done.stdout
