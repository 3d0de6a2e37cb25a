# What the XOR experiments share. An experiment sets EXPERIMENT, MODEL (a word) and MODEL_OPTIONS, and what differs from
# the defaults below.

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

STEPS ?= 150000
LEARNING_RATE ?= 5e-4
THREADS ?= 1
# A GPU waits for its next kernel most of the time of a step of such a small model.
DEVICE ?= cpu
ZERO ?= .1 .9
ONE ?= .5 .5
RECORD ?= 500
# Which strings training sees decides whether a run learns: SPLIT='--split_seed 3', SPLIT='--held_out 0 --all_ones True',
# each with an EXPERIMENT=NAME of its own. Nothing: the split of the study's original code.
SPLIT ?=

# The learning rate goes down for 10,000 steps and up for as many: 150k steps end at the lowest, 300k at the highest.
SETTINGS = --etv 100 --device $(DEVICE) $(if $(THREADS),--threads $(THREADS))
DATA = cli xor dataset default --size 7 $(SPLIT) --zero_dst $(ZERO) --one_dst $(ONE) --batch_size 1024 --drop_last False
SENTENCE = $(DATA) --split train $(DATA) --split validation --shuffle False --draws 80 \
  cli xor model $(MODEL) $(MODEL_OPTIONS) --tie both \
  cli loss cross-entropy \
  cli optimizers adamw --learning_rate $(LEARNING_RATE) --weight_decay .1 --eps 1e-12 \
  cli schedulers cosine --tmax 10000 --lrmin 1e-5 \
  cli callbacks cdists --etc $(RECORD) \
  cli savers default-saver --savebest True --minutes 1 --resume

# In the words of the data: symbols 0 and 1 stand for a zero bit, 2 and 3 for a one bit.
PAIRS ?= --indexes 0 1 "0, 1: same meaning, different contexts (DH fails)" \
  --indexes 2 3 "2, 3: same meaning, same contexts (DH holds)"
ACCURACIES ?= .4 .75
VIEW = $(SEMEQV) cli view --etc $(RECORD) $(PAIRS) --path $@

figs: run
	@$(MAKE) --no-print-directory --output-sync --jobs=4 -f $(firstword $(MAKEFILE_LIST)) figures
	@$(SEMEQV) cli xor report $(RUN)

.PHONY: figures
figures: $(addprefix $(FIGURES)/,accuracies.pdf embeddings_wt.pdf input_embeddings.pdf output_embeddings.pdf)

$(FIGURES)/input_embeddings.pdf: $(RUN)/trained
	$(VIEW) --title "Untied: input embeddings" $(RUN)/*-$(MODEL)/input_cdists.npy

$(FIGURES)/output_embeddings.pdf: $(RUN)/trained
	$(VIEW) --title "Untied: output embeddings" $(RUN)/*-$(MODEL)/output_cdists.npy

$(FIGURES)/embeddings_wt.pdf: $(RUN)/trained
	$(VIEW) --title "Tied: one embedding for input and output" $(RUN)/*-$(MODEL)wt/input_cdists.npy

$(FIGURES)/accuracies.pdf: $(RUN)/trained
	$(SEMEQV) cli accplot --title "Accuracy on the masked bit" --window 10 --ylim $(ACCURACIES) --path $@ \
	  $(foreach run,$(wildcard $(RUN)/*-$(MODEL)),--inputs $(run)/metrics.jsonl untied) \
	  $(foreach run,$(wildcard $(RUN)/*-$(MODEL)wt),--inputs $(run)/metrics.jsonl tied)
