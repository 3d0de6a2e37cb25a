"""What importing the product costs: modules are cheap, but for those that define networks."""

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("semeqv", "backpack", "ofa", "crosslingual")
HEAVY = ("torch", "numpy", "transformers", "pandas", "scipy", "matplotlib", "tokenizers", "safetensors")
# Modules that define modules of torch, optimizers or configurations of transformers, and may only be imported late.
NETWORKS = ("networks", "ofa.factorised", "semeqv.tasks.parsing.bilstm", "semeqv.text.chunked", "semeqv.train.combined")
NETWORKS += ("semeqv.train.schedule", "ofa.conversion.published", "ofa.conversion.hyperofa", "semeqv.__main__")


def modules():
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def test_modules_can_be_imported_for_their_help():
    names = [name for name, _ in modules() if not any(each in name for each in NETWORKS)]
    code = "import sys, json, importlib; from semeqv.grammar import plugins; plugins.loading = True\n"
    code += f"for name in {names}: importlib.import_module(name)\n"
    code += f"print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(done.stdout) == []


def test_few_imports_hide_in_functions():
    """A guide, not a law: what imports torch at its top, and packages that may be absent."""
    hidden = set()
    for name, path in modules():
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                hidden |= {
                    (name, node.lineno) for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)
                }
    assert len(hidden) <= 100
