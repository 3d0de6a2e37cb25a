# Does a Backpack find the senses of homonyms? On generated text, where they are known, beside GPT-2 of the same trunk.
#
# Under five minutes on two CPU cores, nothing downloaded. The grammar is the usual one without names and inflection and
# with fewer verbs, adjectives and adverbs, so that little text says much of each word. STEPS=10000 shows where it leads,
# in folders of its own.

STUDY ?= backpack-babel
STEPS ?= 1200
LONGER := $(if $(filter-out 1200,$(STEPS)),-$(STEPS))
EXPERIMENT := $(STUDY)$(LONGER)
THREADS := 1
JOBS ?= 2
FIGS ?= report figure search

GRAMMAR := --plural 0 --past 0 --subject_entity 0 --object_entity 0 --oblique_entity 0 \
  --verbs 30 --adjectives 30 --adverbs 15
TEXT := cli dataset babel $(GRAMMAR) --block_size 64
HELD := $(TEXT) --split validation --documents 600
BATCH := --batch_size 8
VOCABULARY := 2000
TRUNK := --layers 2 --heads 4 --embedding_size 96 --block_size 64 --initializer_range .1
LEARNING_RATE := 3e-3
WARMUP := 50
MEASURES ?= cli perplexity --no-overlap cli backpack disambiguation
DRAWING ?= cli backpack view --path $(FIGURES)/senses.pdf
SENSES_MEASURES ?= cli backpack coverage cli backpack invariance

include $(dir $(lastword $(MAKEFILE_LIST)))shared/backpack.mk

.PHONY: figure search
figure: together
	$(SEMEQV) $(DRAWING) $(RUN)/measured
search: together
	$(SEMEQV) --output $(RUN)/search --overwrite cli model load --from $(RUN)/$(firstword $(NAMES)) $(HELD) \
	  cli backpack senses --html $(FIGURES)/senses.html
