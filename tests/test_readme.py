"""What the README shows, runs."""

import re
import shlex
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import torch

from semeqv.grammar.action import Result, action
from semeqv.grammar.component import component
from semeqv.grammar.plugins import command

README = (Path(__file__).parent.parent / "README.md").read_text()


def code(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_sentence_runs(run_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_CACHE", str(tmp_path / "cache"))
    (line,) = re.findall(r"^    semeqv (--seed 42 .*?cli train)$", README, re.DOTALL | re.MULTILINE)
    run_cli(
        line.replace("\\\n", " ")
        .replace("--steps 300", "--steps 2")
        .replace("babel --block", "babel --documents 50 --block")
    )
    for left in re.findall(r"^    (runs/first/\S+)", README, re.MULTILINE):
        assert (tmp_path / left).exists()
    (again,) = re.findall(r"`semeqv (--config .*?)`", README)
    run_cli(again.replace("--steps 100", "--steps 3"))


def test_the_language_model_trains_and_generates(run_cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SEMEQV_CACHE", str(tmp_path / "cache"))
    (line,) = re.findall(r"^    semeqv (--steps 2000 .*?cli train)$", README, re.DOTALL | re.MULTILINE)
    short = line.replace("--steps 2000", "--steps 2").replace("--documents 500", "--documents 20")
    run_cli(short.replace("\\\n", " ").replace("babel --block_size", "babel --documents 200 --block_size"))
    generate, measure, *_ = re.findall(r"^    semeqv (cli model load (?:.*\\\n)*.*)$", README, re.MULTILINE)
    assert run_cli(f"{generate} --max_new_tokens 3").out.startswith("gåk")
    assert (
        "Perplexity of runs/babel"
        in run_cli(measure.replace("\\\n", " ").replace("--documents 500", "--documents 20")).out
    )
    (line,) = re.findall(r"^    semeqv (--epochs 3 .*?cli test)$", README, re.DOTALL | re.MULTILINE)
    short = line.replace("--epochs 3", "--steps 2").replace("babel-tags", "babel-tags --documents 20")
    run_cli(short.replace("\\\n", " "))
    (line,) = re.findall(r"^    semeqv (cli scores .*)$", README, re.MULTILINE)
    assert "both   accuracy" in run_cli(line).out


def test_the_mistake_is_named_as_shown(run_cli):
    (line, words) = re.search(r"\$ semeqv (.*)\n((?:    .*\n)+)", README).groups()
    assert run_cli(line, code=2).err == words.replace("    ", "")


def test_the_python_runs():
    subprocess.run([sys.executable, "-c", code("python")[0]], check=True, capture_output=True)


def test_the_component_works():
    chain, found = command(), {}
    exec(code("python")[1], {"component": component, "dataclass": dataclass, "__name__": "rprop"}, found)
    chain.get_command(None, "optimizers").load()
    chain.add_component(found["Rprop"])
    words = shlex.split("--dump-config /dev/null cli optimizers rprop --learning_rate 0.5")
    ctx = chain.make_context("semeqv", words)
    (step,) = chain.parse(ctx, ctx.meta["segments"], "the line")
    assert step.options == found["Rprop"](learning_rate=0.5)


def test_the_action_works(monkeypatch, capsys):
    module = types.ModuleType("norms_of_the_readme")
    module.__dict__.update(action=action, dataclass=dataclass, Result=Result)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(code("python")[2], module.__dict__)
    model = types.SimpleNamespace(get_input_embeddings=lambda: torch.nn.Embedding(5, 2))
    assert len(module.norms(model, top=2).lengths) == 2
    module.norms.options(top=2).build(model=model, record=list)
    assert capsys.readouterr().out.startswith("[")


def test_the_first_code_of_the_study_still_has_its_sentence(run_cli, tmp_path):
    """The example that users of the study's first command line know, word for word, with fewer epochs."""
    run_cli("""--seed 42 --epochs 3
      cli callbacks cdists --split train --input_embedding_path ./input --output_embedding_path ./output
      cli callbacks log --epoch_log_path ./valid.log --split validation
      cli loss cross-entropy
      cli xor dataset default --batch_size 100 --split train
      cli xor dataset default --batch_size 100 --split validation
      cli xor model transformer --layers 1 --heads 1 --embedding_size 4 --activation gelu
      cli optimizers adamw --learning_rate 0.0001
      cli schedulers cosine
      cli savers default-saver --dirpath ./run
      cli train""")
    for left in ("input.npy", "output.npy", "valid.log", "run/run.json", "run/checkpoints/last"):
        assert (tmp_path / left).exists(), left
