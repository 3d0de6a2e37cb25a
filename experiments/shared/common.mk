# What every experiment shares: where things are, and the one rule that runs a sentence.
#
# An experiment sets EXPERIMENT (its name), SETTINGS (before the first `cli`) and SENTENCE (the segments), and adds its
# figures to the target `figs`. From the command line: SEEDS, STEPS (or EPOCHS), NPROC (processes, started by torchrun),
# and OPTIONS for further settings, such as OPTIONS='--device cuda' or OPTIONS=--overwrite. LAUNCHER starts the processes
# instead, on several machines (see slurm.sh).

SEEDS ?= 42..46
EACH := $(if $(findstring ..,$(SEEDS)),$(shell seq $(subst .., ,$(SEEDS))),$(SEEDS))
OPTIONS ?=
RUN := runs/$(EXPERIMENT)
FIGURES ?= figures/$(EXPERIMENT)

# In a container the command is installed already, and SEMEQV says so; elsewhere it is in the virtual environment.
ifndef SEMEQV
VENV ?= .venv
SEMEQV := $(VENV)/bin/semeqv
READY := $(VENV)/installed
$(READY):
	@$(MAKE) --no-print-directory -f makefile install
endif

TORCHRUN = $(if $(findstring /,$(SEMEQV)),$(dir $(SEMEQV)))torchrun
SIGNALS = --signals_to_handle SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1
ALONE = $(if $(NPROC),$(TORCHRUN) --standalone --nproc_per_node $(NPROC) $(SIGNALS) -m semeqv --processes $(NPROC),$(SEMEQV))
TRAIN = $(if $(LAUNCHER),$(LAUNCHER) -m semeqv,$(ALONE))

.PHONY: figs run
.DELETE_ON_ERROR:
.DEFAULT_GOAL := figs
run: $(RUN)/trained

# An interrupted run is resumed; the mark appears when all its seeds are done. Another sentence (SEEDS=42..61,
# STEPS=20000, ...) goes on from there, or is told why it cannot.
SAID = --seeds $(SEEDS) $(if $(STEPS),--steps $(STEPS),--epochs $(EPOCHS)) $(SETTINGS) --output $(RUN) $(OPTIONS) $(SENTENCE) cli train

$(RUN)/trained: $(RUN)/sentence | $(READY)
	$(TRAIN) $(SAID)
	@touch $@

.PHONY: FORCE
$(RUN)/sentence: FORCE
	@said='$(subst ','\'',$(SAID))'; [ "$$said" = "$$(cat $@ 2>/dev/null)" ] || { mkdir -p $(@D) && printf '%s\n' "$$said" >$@; }
