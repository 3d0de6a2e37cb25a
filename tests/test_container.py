"""The image: its steps are those of the makefile, and what they install runs the experiments. No Docker is needed."""

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("IMAGE", "CMD", "GPUS", "DOCKER_", "SEMEQV", "MAKE", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV", "VENV")
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


def instructions():
    """The Dockerfile's instructions, (name, words) in their order."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def said(name):
    return [words for each, words in instructions() if each == name]


def ignored(path):
    """Whether .dockerignore leaves a path, relative to the project, out."""
    return any(
        fnmatch(part, pattern.removeprefix("**/"))
        for pattern in (ROOT / ".dockerignore").read_text().split()
        for part in (path.parts if "/" in pattern else path.parts[:1])
    )


def dry(target, path=os.environ["PATH"], **variables):
    """What a target would run, one command a line."""
    words = [f"{name}={value}" for name, value in variables.items()]
    make = [shutil.which("make"), "-n", target, *words]
    done = subprocess.run(make, cwd=ROOT, env=CLEAN | {"PATH": path}, check=True, capture_output=True, text=True)
    return done.stdout.replace("\\\n", " ").splitlines()


def test_the_base_is_pinned_and_the_user_is_not_root():
    (base,) = said("FROM")
    assert re.fullmatch(r"nvidia/cuda:\d+\.\d+\.\d+-(base|runtime)-ubuntu\d\d\.\d\d", base)
    assert said("USER")[-1] == "$USER_ID:$GROUP_ID"
    assert set(said("ARG")) == {"USER_ID=1000", "GROUP_ID=1000"}
    assert said("VOLUME") == ["/cache"]


def test_it_installs_by_the_makefile_alone():
    assert "PIP_NO_CACHE_DIR=1 make install" in said("RUN")
    assert not any(re.search(r"\b(pip|uv) ", words) for words in said("RUN"))
    assert any("g++ make python3 python3-dev python3-venv" in words for words in said("RUN"))


def test_nothing_that_git_ignores_gets_into_the_image():
    for line in (ROOT / ".gitignore").read_text().split():
        name = line.strip("/").replace("*", "x")
        assert ignored(Path(name)), line
    assert ignored(Path(".git/config"))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert not [path for path in map(Path, tracked.splitlines()) if ignored(path)]


def test_the_image_is_built_for_the_user():
    (line,) = dry("docker-build")
    assert line == "docker build --build-arg USER_ID=$(id -u) --build-arg GROUP_ID=$(id -g) --tag semeqv ."
    assert dry("docker-build", IMAGE="semeqv:mine")[0].endswith("--tag semeqv:mine .")


def test_a_shell_in_the_container(tmp_path):
    build, run = dry("docker-run", path=str(tmp_path))
    assert build == dry("docker-build")[0]
    assert shlex.split(run.replace("$(test -t 0 && echo --tty)", "--tty").replace("$(id -u)", "$UID")) == [
        *["docker", "run", "--rm", "--init", "--interactive", "--tty", "--shm-size", "8g"],
        *["--volume", f"{ROOT}:/semeqv", "--volume", "semeqv-cache-$UID:/cache", "semeqv", "bash"],
    ]


def test_a_command_on_a_gpu_with_data(tmp_path):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\n")
    driver.chmod(0o755)
    experiment = "make -f experiments/xor-lstm-small.mk figs"
    run = dry("docker-run", path=str(tmp_path), SEMEQV_DATA=str(tmp_path / "my data"), CMD=experiment)[1]
    assert "--gpus all " in run
    place = f'"$(realpath "{tmp_path}/my data")"'
    assert f"--volume {place}:{place} --env SEMEQV_DATA={place} " in run
    assert run.endswith(f" semeqv {experiment}")
    assert "--gpus" not in dry("docker-run", path=str(tmp_path), GPUS="")[1]
    assert "--gpus device=1 " in dry("docker-run", GPUS="device=1")[1]
    assert " --env HF_TOKEN semeqv" in dry("docker-run", DOCKER_OPTIONS="--env HF_TOKEN")[1]


@pytest.mark.slow
@pytest.mark.network
def test_its_steps_install_what_runs_the_experiments(tmp_path):
    """Copies and runs what the Dockerfile does after its system packages, below a folder instead of /."""

    def left_out(at, names):
        return [name for name in names if ignored((Path(at) / name).relative_to(ROOT))]

    context = shutil.copytree(ROOT, tmp_path / "context", ignore=left_out)
    (place,) = said("WORKDIR")
    folder = tmp_path / place.strip("/")
    folder.mkdir()

    env = dict(CLEAN)
    for name, _, value in (words.partition("=") for words in shlex.split(" ".join(said("ENV")))):
        env[name] = re.sub("(^|:)/", rf"\1{tmp_path}/", value).replace("$PATH", os.environ["PATH"])
    env["HOME"] = str(tmp_path)

    def run(command):
        done = subprocess.run(command, shell=True, cwd=folder, env=env, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    in_place = False
    for name, words in instructions():
        in_place = in_place or name == "WORKDIR"
        if name == "COPY":
            *sources, target = [word for word in words.split() if not word.startswith("--")]
            for source in sources:
                if (context / source).is_dir():
                    shutil.copytree(context / source, folder / target, dirs_exist_ok=True)
                else:
                    (folder / target).mkdir(exist_ok=True)
                    shutil.copy2(context / source, folder / target)
        elif name == "RUN" and in_place:
            run(words)
    assert run("command -v semeqv").strip() == env["SEMEQV"]
    # Installed in place: what is edited is what runs, and every package is found from anywhere.
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
    for package in packages:
        name = package.rstrip("*")
        found = run(f"cd / && {env['VENV']}/bin/python -c 'import {name}; print({name}.__file__)'")
        assert found.strip() == str(folder / name / "__init__.py")
    run("make figs SEEDS=42 STEPS=200 OPTIONS='--compile False'")
    assert sorted(path.name for path in (folder / "figures/xor-transformer-small").glob("*.png")) == [
        "accuracies.png",
        "embeddings_wt.png",
        "input_embeddings.png",
        "output_embeddings.png",
    ]
    assert not (folder / ".venv").exists()
