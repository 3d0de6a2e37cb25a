"""`cli model backpack`: presets, sentences, runs that are opened again, several processes."""

import json
import subprocess
import sys

import pytest
import torch

from backpack.model import Backpack
from semeqv.runs.errors import UserError
from semeqv.text.models.architectures import GPT2
from semeqv.text.models.embeddings import is_tied
from semeqv.text.models.opening import open_model
from tests import copies

SMALL = {"layers": 2, "heads": 2, "embedding_size": 16, "block_size": 32, "senses": 4, "vocab_size": 20}
TOKENIZER = "cli tokenizer bpe --vocab_size 600"
DATA = "cli dataset babel --documents 100 --block_size 32 --batch_size 4"
MODEL = "cli model backpack --layers 1 --heads 2 --embedding_size 16 --block_size 32 --senses 4"


def parameters(options):
    """Millions of parameters of a model that takes no memory."""
    with torch.device("meta"):
        return sum(each.numel() for each in options.build().parameters()) / 1e6


@pytest.mark.parametrize(
    ("preset", "senses", "transformer", "backpack"),
    [
        ("paper-micro", 16, 30, 41.6),
        ("paper-mini", 16, 70, 103.8),
        ("paper-small", 16, 124, 170),
        ("multilingual-mini", 8, 14, 19.6),
        ("multilingual-mini", 16, 14, 24.3),
        ("multilingual-small", 8, 93, 112),
    ],
)
def test_the_parameters_are_those_of_the_papers(preset, senses, transformer, backpack, monkeypatch):
    monkeypatch.setattr("semeqv.text.chunked.chunked", lambda model, chunk: model)  # it would look at weights
    vocabulary = 50264 if preset.startswith("paper") else 10001
    found = parameters(Backpack(preset=preset, senses=senses, vocab_size=vocabulary))
    assert found == pytest.approx(backpack, rel=0.01)  # some of theirs are rounded down, some leave biases out
    assert parameters(GPT2(preset=preset, vocab_size=vocabulary)) == pytest.approx(transformer, abs=2)


def test_what_is_said_counts_more_than_the_preset():
    options = Backpack(preset="multilingual-mini", senses=8, layers=3, scale_contextualization=True)
    assert (options.layers, options.heads, options.senses, options.sense_network) == (3, 6, 8, "multilingual")
    assert options.scale_contextualization
    assert not options.contextualization_bias
    assert GPT2().layers == Backpack().layers == 12
    for preset in GPT2.presets:
        own, control = Backpack(preset=preset), GPT2(preset=preset)
        less = 1 if preset.startswith("multilingual") else 0
        assert own.trunk() | {"n_layer": own.layers + less} == control.trunk()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"senses": 5}, "--senses 5 must divide"), ({"sense_scale": 0.0}, "--sense_scale must be above 0"),
     ({"senses": 0}, "--senses must be at least 1"), ({"heads": 5}, "--heads 5 must divide")],
)  # fmt: skip
def test_wrong_sizes_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        Backpack(**SMALL | given)


def test_the_control_is_the_same_trunk():
    options = {name: value for name, value in SMALL.items() if name != "senses"}
    torch.manual_seed(0)
    own = Backpack(**SMALL).build()
    torch.manual_seed(0)
    control = GPT2(**options).build()
    trunk = own.backpack.gpt2_model.state_dict()
    assert {name: each.shape for name, each in trunk.items()} == {
        name: each.shape for name, each in control.transformer.state_dict().items()
    }
    ours, theirs = own.config.to_dict(), control.config.to_dict()
    same = ("activation_function", "resid_pdrop", "embd_pdrop", "attn_pdrop", "n_inner", "initializer_range",
            "layer_norm_epsilon", "scale_attn_by_inverse_layer_idx", "scale_attn_weights")  # fmt: skip
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    own.backpack.gpt2_model.load_state_dict(control.transformer.state_dict())
    ids = torch.randint(20, (2, 10))
    hidden = own.eval().backpack.gpt2_model(input_ids=ids).last_hidden_state
    assert torch.equal(hidden, control.eval().transformer(input_ids=ids).last_hidden_state)


def test_the_loss_of_some_positions_at_a_time_is_that_of_all():
    torch.manual_seed(0)
    options = Backpack(**SMALL, dropout=0.0, loss_chunk=7)
    model = options.build()
    ids = torch.randint(20, (3, 16))
    lean = model(input_ids=ids, labels=ids)
    assert lean.logits is None
    whole = type(model).__mro__[1].forward(model, input_ids=ids, labels=ids)
    assert lean.loss.item() == pytest.approx(whole.loss.item(), rel=1e-6)
    nothing = model(input_ids=ids, labels=torch.full_like(ids, -100))
    assert nothing.loss.item() == 0


@pytest.mark.parametrize("tie", [True, False])
def test_what_is_saved_is_opened(tie, tmp_path):
    model = Backpack(**SMALL, tie=tie).build().eval()
    model.save_pretrained(tmp_path)
    again = open_model(tmp_path).eval()
    assert is_tied(again) == tie
    assert again.predicts_next
    ids = torch.randint(20, (2, 10))
    assert torch.equal(again(input_ids=ids).logits, model(input_ids=ids).logits)


FRESH = """
import sys
import backpack
from transformers import AutoModel, AutoModelForCausalLM
for auto in (AutoModelForCausalLM, AutoModel):
    print(type(auto.from_pretrained(sys.argv[1])).__name__)
assert backpack.BackpackConfig().model_type == "backpack"
"""


def test_auto_classes_know_it_once_the_package_is_imported(tmp_path):
    Backpack(**SMALL).build().save_pretrained(tmp_path)
    done = subprocess.run([sys.executable, "-c", FRESH, tmp_path], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["BackpackLMHeadModel", "BackpackModel"]


def test_help_does_not_wait_for_torch():
    code = """
import sys
from semeqv.cli import main
for words in (["model", "backpack"], ["backpack"], ["backpack", "convert"], ["backpack", "export"]):
    try:
        main(["cli", *words, "--help"])
    except SystemExit as stopped:
        assert stopped.code == 0
heavy = {"torch", "transformers", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "--sense_network" in done.stdout


def test_a_run_is_trained_opened_and_goes_on(run_cli, tmp_path):
    run_cli(f"--steps 3 --precision bf16 --output run {TOKENIZER} {DATA} {MODEL} cli optimizers adamw cli train")
    parts = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "--senses 4" in str(parts)
    model = open_model(tmp_path / "run")
    assert type(model).__name__ == "BackpackLMHeadModel"
    out = run_cli("cli model load --from run cli generate --prompt a --max_new_tokens 5 --temperature 0").out
    assert out.startswith("a")


def test_a_loss_that_wants_logits_gets_them(run_cli):
    data = DATA.replace("--documents", "--split validation --documents")
    settings = "--steps 2 --etv 1 --precision fp32"
    out = run_cli(f"{settings} {TOKENIZER} {DATA} {data} {MODEL} cli loss cross-entropy cli optimizers adamw "
              "cli callbacks log --split validation cli train").out  # fmt: skip
    assert "accuracy" in out


def test_both_ways_of_tying_side_by_side(run_cli, tmp_path):
    run_cli(f"--steps 2 --output run {TOKENIZER} {DATA} {MODEL} --tie both cli optimizers adamw cli train")
    runs = sorted(path.name for path in (tmp_path / "run").iterdir() if path.is_dir())
    assert [is_tied(open_model(tmp_path / "run" / name)) for name in runs] == [False, True], runs


def test_it_learns_by_heart():
    torch.manual_seed(0)
    model = Backpack(**SMALL, dropout=0.0).build()
    ids = torch.randint(20, (2, 16))
    adamw = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(60):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        adamw.step()
        adamw.zero_grad()
    assert loss.item() < 0.2
    with pytest.raises(UserError, match="for the command line"):
        Backpack(**SMALL, tie="both").build()


def run(folder, cache, settings="", size=1):
    """Train in processes of their own; returns the weights."""
    line = f"--steps 4 --clip 1 --output run {TOKENIZER} {DATA} {MODEL} --dropout 0 cli optimizers adamw cli train"
    known = copies.of_several(size) if size > 1 else [{}]
    processes = [
        copies.start(
            f"{settings} {line}", folder, names | {"SEMEQV_CACHE": str(cache)}, output=f"{folder.name}-{rank}.output"
        )
        for rank, names in enumerate(known)
    ]
    for process in processes:
        code, said = process.end()
        assert code == 0, said[-3000:]
    return open_model(folder / "run").state_dict()


@pytest.mark.slow
def test_two_processes_end_where_one_does(tmp_path, cache):
    alone = run(tmp_path / "alone", cache)
    for strategy in ("ddp", "fsdp"):
        together = run(tmp_path / strategy, cache, f"--strategy {strategy} --processes 2", 2)
        for name, tensor in alone.items():
            torch.testing.assert_close(together[name], tensor, rtol=1e-3, atol=1e-5, msg=f"{strategy}: {name}")
