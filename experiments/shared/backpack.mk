# What experiments with Backpacks share: a Backpack for each number of senses in KS, and GPT-2 of the same trunk, their
# control, trained on one text with SEEDS, and measured.
#
# An experiment sets EXPERIMENT, TEXT and HELD (the data sets of training and of validation), BATCH, VOCABULARY, TRUNK,
# LEARNING_RATE, WARMUP and MEASURES; SENSES_MEASURES are of Backpacks alone. JOBS runs at a time, each on THREADS.
# `make -f ... results` writes what was measured into its PART of docs/results/backpack.md.

KS ?= 8
SEEDS ?= 42..44
FIGS ?= report
PART ?= $(EXPERIMENT:backpack-%=%)
PAGE := docs/results/backpack

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SETTINGS = --precision auto $(if $(THREADS),--threads $(THREADS)) $(CLIP) $(ACCUMULATION)
KINDS := $(KS:%=senses%) gpt2
NAMES := $(foreach kind,$(KINDS),$(EACH:%=%-$(kind)))
TRAINED := $(NAMES:%=$(RUN)/%/trained)
MEASURED := $(NAMES:%=$(RUN)/measured/%/metrics.jsonl)

# Of a run called 42-senses8 or 42-gpt2.
SEED = $(firstword $(subst -, ,$*))
KIND = $(lastword $(subst -, ,$*))
MODEL = $(if $(filter gpt2,$(KIND)),cli model gpt2,cli model backpack --senses $(KIND:senses%=%)) $(TRUNK)

$(TRAINED): $(RUN)/%/trained: | $(READY)
	$(TRAIN) --seed $(SEED) --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) \
	  cli tokenizer bpe --vocab_size $(VOCABULARY) $(TEXT) $(BATCH) $(MODEL) \
	  cli optimizers adamw --learning_rate $(LEARNING_RATE) $(BETAS) --weight_decay .1 \
	  cli schedulers cosine-warmup --warmup $(WARMUP) $(LRMIN) cli callbacks log --step_log_path $(@D)/steps.jsonl \
	  cli savers default-saver --minutes 5 --resume cli train
	@touch $@

$(MEASURED): $(RUN)/measured/%/metrics.jsonl: $(RUN)/%/trained
	$(SEMEQV) --seed $(SEED) $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) \
	  cli model load --from $(<D) $(HELD) $(MEASURES) $(if $(filter gpt2,$(KIND)),,$(SENSES_MEASURES))

.PHONY: measured together report results
measured: $(MEASURED)
together: | $(READY)
	@$(MAKE) --no-print-directory -j$(or $(JOBS),1) -f $(firstword $(MAKEFILE_LIST)) measured
SHOWN ?= $(RUN)/measured
report: together
	@$(SEMEQV) cli backpack report $(SHOWN)
results: figs
	$(SEMEQV) cli backpack report --markdown $(PAGE).md --part $(PART) --output $(PAGE)/$(PART).json $(SHOWN)
	$(if $(wildcard $(FIGURES)/*.png),cp $(wildcard $(FIGURES)/*.png) $(PAGE))

figs: $(FIGS)
