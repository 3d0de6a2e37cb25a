"""Run the suite in throwaway environments, at the lowest, the locked and the newest versions.

    python -m tests.window                        every environment that can be made here
    python -m tests.window lowest-3.11 newest-3.13    these alone; the others keep their rows

The table is docs/compatibility.md, its numbers docs/compatibility.json. uv makes the environments; it finds the
interpreters that are installed, and downloads none.
"""

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "compatibility.json"
PAGE = ROOT / "docs" / "compatibility.md"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
KINDS = {
    "lowest": ["--resolution", "lowest-direct"],
    "locked": ["--constraint", "constraints.txt"],
    "newest": ["--upgrade"],
}
ENVIRONMENTS = ("lowest-3.11", *(f"locked-{each}" for each in PYTHONS), *(f"newest-{each}" for each in PYTHONS))
PACKAGES = ("torch", "transformers", "tokenizers", "huggingface-hub", "numpy", "pandas", "scipy", "matplotlib", "click")
VERSIONS = "import sys, importlib.metadata as m; print(*(m.version(each) for each in sys.argv[1:]))"


def main() -> int:
    """Try the environments that are asked for; returns the number in which a test failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment", nargs="*", choices=[*ENVIRONMENTS, []], help="KIND-PYTHON; all if left out")
    parser.add_argument("--tests", nargs="*", default=[], help="arguments of pytest; the whole suite if left out")
    parser.add_argument("--keep", type=Path, help="make the environments below this folder and keep them")
    options = parser.parse_args()
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in options.environment or ENVIRONMENTS:
        print(f"== {name}", flush=True)
        rows[name] = {"tried": datetime.date.today().isoformat()} | attempt(name, options.tests, options.keep)
        print(f"== {name}: {outcome(rows[name])}", flush=True)
        if not options.tests:  # a part of the suite is no row of the table
            RESULTS.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
            PAGE.write_text(page(rows), encoding="utf-8")
    return sum(bool(rows[name].get("failed")) for name in options.environment or ENVIRONMENTS)


def attempt(name: str, tests: list[str], keep: Path | None) -> dict[str, object]:
    """Make an environment and run the suite in it.

    Args:
        name: One of `ENVIRONMENTS`.
        tests: Arguments of pytest.
        keep: The folder to make it in; a temporary one, removed afterwards, if None.

    Returns:
        Versions, counts and seconds; or `missing`: why there is no such environment here.
    """
    kind, _, version = name.partition("-")
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise SystemExit("uv makes the environments. Install it: make install-dev")
    folder = Path(tempfile.mkdtemp(prefix="semeqv-window-")) if keep is None else keep / name
    environment = folder / "venv"
    python = environment / "bin" / "python"
    try:
        made = run([uv, "venv", "--quiet", "--no-python-downloads", "--clear", "--python", version, environment])
        if made.returncode:
            return {"missing": f"Python {version}: {made.stderr.strip().splitlines()[0]}"}
        installed = run([uv, "pip", "install", "--quiet", "--python", python, *KINDS[kind], "-e", ".[test]"])
        if installed.returncode:
            return {"missing": f"the installation failed: {installed.stderr.strip().splitlines()[-1]}"}
        versions = run([python, "-c", VERSIONS, *PACKAGES]).stdout.split()
        report = folder / "report.xml"
        start = time.monotonic()
        arguments = ["-n", "auto", "-p", "no:cacheprovider", f"--junit-xml={report}", *tests]
        subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False)
        full = run([python, "-c", "import platform; print(platform.python_version())"]).stdout.strip()
        return {
            "python": full,
            "versions": dict(zip(PACKAGES, versions)),
            "processor": f"{platform.system()} {platform.machine()}",
            "minutes": round((time.monotonic() - start) / 60, 1),
        } | counts(report)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def run(words: list[object]) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout; returns its output."""
    return subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True, check=False)


def counts(report: Path) -> dict[str, object]:
    """Return what a JUnit report says: tests passed, skipped and failed, and the names of those that failed."""
    if not report.exists():
        return {"passed": 0, "skipped": 0, "failed": ["pytest wrote no report"]}
    cases = list(ElementTree.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = [f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}" for case in failed]
    return {"passed": len(cases) - len(failed) - skipped, "skipped": skipped, "failed": names}


def outcome(row: dict[str, object]) -> str:
    """Return the outcome of an environment in a few words."""
    if "missing" in row:
        return f"not tried: {row['missing']}"
    failed = row["failed"]
    assert isinstance(failed, list)
    return f"{row['passed']:,} passed, {row['skipped']} skipped, {len(failed)} failed"


def page(rows: dict[str, dict[str, object]]) -> str:
    """Return the page, in Markdown."""
    tried = {name: rows[name] for name in ENVIRONMENTS if name in rows and "missing" not in rows[name]}
    missing = {name: rows[name] for name in ENVIRONMENTS if name in rows and "missing" in rows[name]}
    lines = [
        "# Versions",
        "",
        "`make test-window` runs the whole suite in throwaway environments: the lowest versions that",
        "`requirements.txt` allows, those of `constraints.txt`, and the newest that the package index has. Skipped",
        "tests need a GPU, real data, the network or another extra.",
        "",
        f"| environment | Python | {' | '.join(PACKAGES)} | passed | skipped | failed | tried |",
        f"|---|---|{'---|' * len(PACKAGES)}---|---|---|---|",
    ]
    for name, row in tried.items():
        versions, failed = row["versions"], row["failed"]
        assert isinstance(versions, dict)
        assert isinstance(failed, list)
        cells = [name.partition("-")[0], row["python"], *(versions[each] for each in PACKAGES)]
        cells += [f"{row['passed']:,}", row["skipped"], len(failed), row["tried"]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    for name, row in tried.items():
        failed = row["failed"]
        assert isinstance(failed, list)
        lines += [f"\n{name}, failed:\n"] * bool(failed) + [f"- `{each}`" for each in failed]
    if missing:
        lines += ["", "Not tried:", "", *(f"- {name}: {row['missing']}" for name, row in missing.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
