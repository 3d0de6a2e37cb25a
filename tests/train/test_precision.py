"""Which precision a run computes in, on processors of every kind."""

import json

import pytest
import torch

from semeqv.runs.errors import UserError
from semeqv.train import compute as precision
from semeqv.train.compute import is_native, resolve_precision, set_precision

CPU = torch.device("cpu")
# The flags that /proc/cpuinfo names, shortened.
ZEN_2 = "flags\t\t: fpu sse2 avx avx2 fma\n"
ICE_LAKE = "flags\t\t: fpu avx2 avx512f avx512_vnni\n"
ZEN_4 = "flags\t\t: fpu avx2 avx512f avx512_bf16\n"
SAPPHIRE_RAPIDS = "flags\t\t: fpu avx512f avx512_bf16 amx_bf16 avx512_fp16 amx_tile\n"
GRAVITON_2 = "Features\t: fp asimd asimdhp\n"
GRAVITON_3 = "Features\t: fp asimd asimdhp sve bf16 i8mm\n"


@pytest.fixture
def processor(tmp_path, monkeypatch):
    def pretend(text):
        path = tmp_path / "cpuinfo"
        path.write_text("processor\t: 0\nmodel name\t: bf16 avx512_bf16\n" + text)
        monkeypatch.setattr(precision, "CPUINFO", path)

    return pretend


@pytest.mark.parametrize(
    ("text", "bf16", "fp16"),
    [
        (ZEN_2, False, False), (ICE_LAKE, False, False), (ZEN_4, True, False), (SAPPHIRE_RAPIDS, True, True),
        (GRAVITON_2, False, True), (GRAVITON_3, True, True), ("", False, False),
    ],
)  # fmt: skip
def test_a_cpu_is_asked_for_its_instructions(text, bf16, fp16, processor, capsys):
    processor(text)
    assert (is_native("bf16", CPU), is_native("fp16", CPU), is_native("fp32", CPU)) == (bf16, fp16, True)
    assert resolve_precision("auto", CPU) == ("bf16" if bf16 else "fp32")
    assert capsys.readouterr().err == ""
    assert resolve_precision("bf16", CPU) == "bf16"
    assert ("is emulated" in capsys.readouterr().err) is not bf16


def test_without_cpuinfo_nothing_is_native_but_fp32(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "none")
    assert resolve_precision("auto", CPU) == "fp32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_a_gpu_is_asked_for_its_capability(capability, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert resolve_precision("auto", torch.device("cuda")) == expected
    assert is_native("fp16", torch.device("cuda"))


def test_tf32_is_for_the_gpus_that_have_it(monkeypatch):
    for capability, native in (((7, 5), False), ((8, 0), True)):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, found=capability: found)
        assert is_native("tf32", torch.device("cuda")) is native
    assert resolve_precision("tf32", torch.device("cuda")) == "tf32"
    with pytest.raises(UserError, match="--precision tf32 is what NVIDIA GPUs"):
        resolve_precision("tf32", CPU)
    for name, reduced in (("tf32", True), ("fp32", False)):
        set_precision(name)
        assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is reduced


def test_a_deterministic_run_refuses_other_kernels(run_cli, tmp_path):
    try:
        run_cli(f"--deterministic --steps 2 --output run {TRAIN}")
        assert torch.are_deterministic_algorithms_enabled()
        assert json.loads((tmp_path / "run/run.json").read_text())["facts"]["deterministic"] is True
    finally:
        torch.use_deterministic_algorithms(False)


DATA = "cli xor dataset default --size 3 --batch_size 4"
TRAIN = f"{DATA} cli xor model mlp cli loss cross-entropy cli optimizers sgd cli train"


@pytest.mark.parametrize(("text", "expected"), [(ZEN_2, "fp32"), (ZEN_4, "bf16")])
def test_a_run_says_which_precision_it_has_and_resumes_in_that_alone(text, expected, processor, run_cli, tmp_path):
    processor(text)
    assert "emulated" not in run_cli(f"--precision auto --steps 2 --output run {TRAIN}").err
    assert json.loads((tmp_path / "run/run.json").read_text())["facts"]["precision"] == expected
    processor(ZEN_4 if expected == "fp32" else ZEN_2)
    resumed = f"--precision auto --steps 4 --output run cli savers default-saver --resume {TRAIN}"
    other = "bf16" if expected == "fp32" else "fp32"
    assert f"precision was {expected}, is {other}" in run_cli(resumed, code=2).err


def test_an_emulated_precision_is_said_in_one_line(processor, run_cli):
    processor(ZEN_2)
    err = run_cli(f"--precision bf16 --steps 2 --output run {TRAIN}").err
    (line,) = [line for line in err.splitlines() if "emulated" in line]
    where = f"this processor ({precision.platform.machine()})"
    assert line == (
        f"Note: --precision bf16 is emulated on {where}, many times slower than fp32. Write --precision auto."
    )
