# Does a Backpack find the senses of homonyms? On generated text, where they are known, beside GPT-2 of the same trunk.
#
# Under five minutes on two CPU cores, nothing downloaded. The grammar is the usual one without names and inflection and
# with fewer verbs, adjectives and adverbs, so that little text says much of each word. STEPS=10000 shows where it leads.

EXPERIMENT := backpack-babel
SEEDS ?= 42..44
STEPS ?= 1200
SENSES ?= 8

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SETTINGS = --threads 1 --precision bf16
EACH := $(if $(findstring ..,$(SEEDS)),$(shell seq $(subst .., ,$(SEEDS))),$(SEEDS))
GRAMMAR := --plural 0 --past 0 --subject_entity 0 --object_entity 0 --oblique_entity 0 \
  --verbs 30 --adjectives 30 --adverbs 15
TEXT := cli dataset babel $(GRAMMAR) --block_size 64
TRUNK := --layers 2 --heads 4 --embedding_size 96 --block_size 64 --initializer_range .1
BACKPACK := cli model backpack --senses $(SENSES) $(TRUNK)
GPT2 := cli model gpt2 $(TRUNK)
TRAINING = $(TRAIN) --seed $* --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) \
  cli tokenizer bpe --vocab_size 2000 $(TEXT) --batch_size 8 $(1) \
  cli optimizers adamw --learning_rate 3e-3 --weight_decay .1 cli schedulers cosine-warmup --warmup 50 \
  cli savers default-saver --minutes 2 --resume cli train
MEASURING = $(SEMEQV) --seed $* $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) \
  cli model load --from $(RUN)/$(notdir $(@D)) $(TEXT) --split validation --documents 600 \
  cli perplexity --no-overlap cli backpack disambiguation

BACKPACKS := $(EACH:%=$(RUN)/measured/%-backpack/metrics.jsonl)
CONTROLS := $(EACH:%=$(RUN)/measured/%-gpt2/metrics.jsonl)

$(RUN)/%-backpack/trained: | $(READY)
	$(call TRAINING,$(BACKPACK))
	@touch $@

$(RUN)/%-gpt2/trained: | $(READY)
	$(call TRAINING,$(GPT2))
	@touch $@

$(BACKPACKS): $(RUN)/measured/%-backpack/metrics.jsonl: $(RUN)/%-backpack/trained
	$(MEASURING) cli backpack coverage cli backpack invariance

$(CONTROLS): $(RUN)/measured/%-gpt2/metrics.jsonl: $(RUN)/%-gpt2/trained
	$(MEASURING)

.PHONY: measured
measured: $(BACKPACKS) $(CONTROLS)

# Two runs at a time, each on a core.
figs: | $(READY)
	@$(MAKE) --no-print-directory -j2 -f $(firstword $(MAKEFILE_LIST)) measured
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) $(FIGURES)/senses.pdf
	@$(SEMEQV) cli backpack report $(RUN)/measured

$(FIGURES)/senses.pdf: $(BACKPACKS) $(CONTROLS)
	$(SEMEQV) cli backpack view --path $@ $(RUN)/measured
