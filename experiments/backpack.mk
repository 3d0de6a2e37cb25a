# What experiments on real text share: a Backpack and its control trained on CORPUS, in one of three sizes, and measured.
#
# An experiment sets CORPUS, SIZE, SEEDS and EXPERIMENT. Measures that need data which is not there stop with the name of
# the file; MEASURES= names others.

ifeq ($(SIZE),micro)
STEPS ?= 2000
VOCABULARY ?= 4000
LAYOUT ?= --block_size 64 --batch_size 16
MODEL_backpack ?= --layers 2 --heads 4 --embedding_size 128 --block_size 64 --senses 8 --initializer_range .08
MODEL_gpt2 ?= --layers 2 --heads 4 --embedding_size 128 --block_size 64 --initializer_range .08
LEARNING_RATE ?= 3e-3
WARMUP ?= 100
THREADS ?= 1
else
STEPS ?= 100000
VOCABULARY ?= 10001
LAYOUT ?= --block_size 256 --batch_size 16
ACCUMULATION ?= --accumulation 64
MODEL_backpack ?= --preset multilingual-$(SIZE) --senses 16
MODEL_gpt2 ?= --preset multilingual-$(SIZE)
LEARNING_RATE ?= 6e-4
WARMUP ?= 6000
endif

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SETTINGS = --precision bf16 --clip 1 $(ACCUMULATION) $(if $(THREADS),--threads $(THREADS))
EACH := $(if $(findstring ..,$(SEEDS)),$(shell seq $(subst .., ,$(SEEDS))),$(SEEDS))
HELD ?= --documents 2000
TEXT = cli dataset $(CORPUS) --languages en fr $(HOLDOUT) $(DOWNLOAD) $(LAYOUT)
MEASURES ?= cli perplexity cli backpack cloze cli backpack similarity cli backpack lexical
SENSES_MEASURES ?= cli backpack invariance --path dict_freedict/eng-fra.tsv

TRAINING = $(TRAIN) --seed $* --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) \
  cli tokenizer bpe --vocab_size $(VOCABULARY) $(TEXT) $(TEXT) --split validation $(HELD) cli model $(1) \
  cli optimizers adamw --learning_rate $(LEARNING_RATE) --weight_decay .1 \
  cli schedulers cosine-warmup --warmup $(WARMUP) cli savers default-saver --minutes 10 --resume cli train
MEASURING = $(SEMEQV) --seed $* $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) \
  cli model load --from $(RUN)/$(notdir $(@D)) $(TEXT) --split validation $(HELD) $(MEASURES)

BACKPACKS := $(EACH:%=$(RUN)/measured/%-backpack/metrics.jsonl)
CONTROLS := $(EACH:%=$(RUN)/measured/%-gpt2/metrics.jsonl)

$(RUN)/%-backpack/trained: | $(READY)
	$(call TRAINING,backpack $(MODEL_backpack))
	@touch $@

$(RUN)/%-gpt2/trained: | $(READY)
	$(call TRAINING,gpt2 $(MODEL_gpt2))
	@touch $@

$(BACKPACKS): $(RUN)/measured/%-backpack/metrics.jsonl: $(RUN)/%-backpack/trained
	$(MEASURING) $(SENSES_MEASURES)

$(CONTROLS): $(RUN)/measured/%-gpt2/metrics.jsonl: $(RUN)/%-gpt2/trained
	$(MEASURING)

figs: $(BACKPACKS) $(CONTROLS)
	@$(SEMEQV) cli backpack report $(RUN)/measured
