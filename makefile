# make figs    install, run the main experiment, draw its figures
# make test    install, run the tests
# make help    everything else

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXPERIMENTS := $(sort $(wildcard experiments/*.mk))
SMALL := xor-transformer-small xor-transformer-small-ydh xor-transformer-small-ndh xor-lstm-small xor-mlp-small
MEDIUM := xor-transformer-medium xor-lstm-medium xor-mlp-medium

.PHONY: figs test gpu test-window update dist help install install-dev lint format xor xor-medium mlm all bench parity faults
.PHONY: clean docs/scaling.md
.PHONY: docker-build docker-run $(addprefix docs/results/,xor.md mlm.md tagging.md parsing.md backpack.md ofa.md crosslingual.md)

figs: install
	@$(MAKE) --no-print-directory -f experiments/xor-transformer-small.mk figs

test: install-dev
	@$(BIN)/python -m pytest -n auto $(TESTS)

help:
	@echo 'make figs        install, run the main experiment (about two minutes), draw its figures'
	@echo 'make test        install, run the tests'
	@echo 'make xor         the five small experiments, and docs/results/xor.md'
	@echo 'make xor-medium  the three medium experiments (hours; SEEDS=42..43 STEPS=20000 make them shorter)'
	@echo 'make mlm         the experiment on text (Europarl if $$SEMEQV_DATA has it, else generated), and docs/results/mlm.md'
	@echo 'make tagging     taggers on a small encoder, pretrained here or not (40 minutes)'
	@echo 'make docs/results/parsing.md     parsers on a small encoder, pretrained here or not, and a BiLSTM (two hours)'
	@echo 'make docs/results/backpack.md    Backpacks on generated text, and the page (five minutes)'
	@echo 'make docs/results/ofa.md         new vocabularies, every experiment and the page (hours)'
	@echo 'make docs/results/crosslingual.md    tasks across languages with language vectors, and the page (hours)'
	@echo 'make all         every experiment'
	@echo 'make test-window    run the tests at the lowest, the locked and the newest versions (hours); docs/compatibility.md'
	@echo 'make update      lock the newest versions that requirements.txt allows, in constraints.txt'
	@echo 'make dist        build the wheel and the source distribution into dist/, and check them'
	@echo 'make lint        ruff, mypy, import-linter, pydoclint, hadolint'
	@echo 'make format      let ruff format the code'
	@echo 'make bench       time this project beside its peers; results in benchmarks/results'
	@echo 'make parity      compare with lm-evaluation-harness, udtools, mergekit, gensim; docs/results/parity.md'
	@echo 'make gpu         what only a GPU can show (eight minutes; a dry run without one): benchmarks/results/gpu'
	@echo 'make docs/scaling.md     memory and exchange of 1, 8 and 64 GPUs, computed from measured sizes'
	@echo 'make faults      kill runs, fill disks, flip bits (half an hour); the table is docs/results/faults.md'
	@echo 'make docker-build, make docker-run    an image with everything installed; a shell in it, or CMD="make figs"'
	@echo 'make clean       remove the virtual environment and caches (runs and figures stay)'
	@echo
	@echo 'One experiment:  make -f experiments/NAME.mk figs, where NAME is one of'
	@echo '  $(notdir $(basename $(EXPERIMENTS)))'

xor: $(SMALL) docs/results/xor.md
xor-medium: $(MEDIUM)
mlm: mlm-transformer docs/results/mlm.md
all: $(filter-out backpack-text ofa-roberta-glot500 ofa-xlmr-glot500,$(notdir $(basename $(EXPERIMENTS)))) docs/results/xor.md docs/results/mlm.md

.PHONY: $(notdir $(basename $(EXPERIMENTS)))
$(notdir $(basename $(EXPERIMENTS))): install
	@$(MAKE) --no-print-directory -f experiments/$@.mk figs

docs/results/xor.md: install $(if $(filter xor all,$(MAKECMDGOALS)),$(SMALL)) $(if $(filter all,$(MAKECMDGOALS)),$(MEDIUM))
	$(BIN)/semeqv cli xor report --output $@ $(wildcard $(addprefix runs/,$(SMALL) $(MEDIUM)))
	@cat docs/results/xor/splits.md >>$@
	@mkdir -p $(@:.md=) && cp $(wildcard figures/xor-transformer-small/*.png) $(@:.md=)

docs/results/mlm.md: install $(if $(filter mlm all,$(MAKECMDGOALS)),mlm-transformer)
	$(BIN)/semeqv cli mlm report --output $@ $(wildcard runs/mlm-transformer-*)
	@mkdir -p $(@:.md=) && for run in $(notdir $(wildcard runs/mlm-transformer-*)); do \
	  cp figures/$$run/doubles.png $(@:.md=)/$$run.png; done

docs/results/tagging.md docs/results/parsing.md: install
	@$(MAKE) --no-print-directory -f experiments/$(notdir $(basename $@)).mk page

docs/results/backpack.md: install
	@$(MAKE) --no-print-directory -f experiments/backpack-babel.mk results

docs/results/crosslingual.md: install
	@$(MAKE) --no-print-directory -f experiments/crosslingual-grid.mk page

docs/results/ofa.md: install
	@for each in minilm pretrain hypernetwork retrieval tagging; do \
	  $(MAKE) --no-print-directory -f experiments/ofa-$$each.mk results || exit 1; done

bench: install-dev
	$(BIN)/python -m benchmarks

gpu: install-dev
	$(BIN)/python -m benchmarks.gpu $(CHECKS)

docs/scaling.md: install-dev
	$(BIN)/python -m benchmarks.scaling

parity: install-dev
	$(BIN)/python -m benchmarks.parity

faults: install-dev
	$(BIN)/python -m tests.faults

test-window: install-dev
	$(BIN)/python -m tests.window $(WINDOW)

# Versions and markers alone, for Python 3.11 and later, on every platform: pip and uv read the same file. torch stays at
# the release whose CUDA the container has; HOLD= lets it go.
HOLD ?= torch==2.13.0
update: install-dev
	@echo '$(HOLD)' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --strip-extras \
	  --no-annotate --no-header --no-emit-index-url --constraint - --output-file constraints.txt pyproject.toml
	@touch pyproject.toml

dist: install-dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/twine check --strict dist/*

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pydoclint --quiet semeqv backpack crosslingual ofa
	$(BIN)/hadolint Dockerfile

format: install-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

# -- the virtual environment: by uv when it is here, else by venv and pip -------------------------------------------

install: $(VENV)/installed
install-dev: $(VENV)/installed-dev

$(VENV)/installed: pyproject.toml requirements.txt constraints.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing semeqv into $(VENV) ...'
	@$(call install_package,.)
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements.txt constraints.txt | $(VENV)/pyvenv.cfg
	@echo 'Installing semeqv and its development tools into $(VENV) ...'
	@$(call install_package,.[dev])
	@touch $@ $(VENV)/installed

$(VENV)/pyvenv.cfg:
	@if command -v uv >/dev/null; then uv venv --quiet --python '>=3.11' $(VENV); \
	elif ! command -v $(PYTHON) >/dev/null; then \
	  echo 'There is no $(PYTHON) here. Install Python 3.11 or later, or uv (https://docs.astral.sh/uv).' >&2; exit 1; \
	elif ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	  echo "semeqv needs Python 3.11 or later; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; \
	elif ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo 'This Python lacks venv. On Debian or Ubuntu: apt install python3-venv. Or install uv.' >&2; exit 1; \
	else $(PYTHON) -m venv $(VENV); fi

# What constraints.txt names was tested together; CONSTRAINTS= installs the newest versions instead.
CONSTRAINTS ?= --constraint constraints.txt
install_package = if command -v uv >/dev/null; then uv pip install --quiet --python $(BIN)/python $(CONSTRAINTS) -e '$(1)'; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check $(CONSTRAINTS) -e '$(1)'; fi

# -- the container: this folder is mounted over the one that the image was installed from ---------------------------

IMAGE := semeqv
CMD := bash
GPUS ?= $(if $(shell command -v nvidia-smi 2>/dev/null),all)
DOCKER_OPTIONS ?=
DATA = "$$(realpath "$(SEMEQV_DATA)")"

docker-build:
	docker build --build-arg USER_ID=$$(id -u) --build-arg GROUP_ID=$$(id -g) --tag $(IMAGE) .

# Data loaders talk through /dev/shm, of which Docker gives 64 MB. Data has the same path inside as outside, so that a
# run can be resumed on either side.
docker-run: docker-build
	docker run --rm --init --interactive $$(test -t 0 && echo --tty) --shm-size 8g $(if $(GPUS),--gpus $(GPUS)) \
	  --volume "$(CURDIR)":/semeqv --volume semeqv-cache-$$(id -u):/cache \
	  $(if $(SEMEQV_DATA),--volume $(DATA):$(DATA) --env SEMEQV_DATA=$(DATA)) $(DOCKER_OPTIONS) $(IMAGE) $(CMD)
