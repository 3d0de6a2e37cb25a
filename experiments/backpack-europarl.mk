# Backpacks and GPT-2 of the same trunk on French and English: perplexity, last words, similarity, translations.
#
# The text is Europarl, from $SEMEQV_DATA or fetched with DOWNLOAD=--download. SIZE=micro is for a CPU: 5 million tokens,
# half an hour of a core for each run. SIZE=mini and SIZE=small are those of the multilingual project:
# OPTIONS='--device cuda'. A measure whose data is not there stops with the name of the file; MEASURES= names others.

CORPUS ?= europarl
SIZE ?= micro
DOWNLOAD ?=
HOLDOUT ?= $(if $(DOWNLOAD),--holdout .001)
EXPERIMENT := backpack-$(CORPUS)-$(SIZE)

ifeq ($(SIZE),micro)
KS ?= 1 8
STEPS ?= 2500
VOCABULARY ?= 8000
LAYOUT ?= --block_size 128
BATCH ?= --batch_size 16
TRUNK ?= --layers 4 --heads 4 --embedding_size 256 --block_size 128 --initializer_range .08
LEARNING_RATE ?= 2e-3
WARMUP ?= 100
THREADS ?= 1
JOBS ?= 2
else
KS ?= 1 4 8 16
STEPS ?= 100000
VOCABULARY ?= 10001
LAYOUT ?= --block_size 256
BATCH ?= --batch_size 16
ACCUMULATION ?= --accumulation 64
TRUNK ?= --preset multilingual-$(SIZE)
LEARNING_RATE ?= 6e-5
LRMIN ?= --lrmin 6e-6
WARMUP ?= 6000
endif
CLIP ?= --clip 1
BETAS ?= --betas .9 .95

TEXT = cli dataset $(CORPUS) --languages en fr $(HOLDOUT) $(DOWNLOAD) $(LAYOUT)
HELD = $(TEXT) --split validation --documents 2000
MEASURES ?= cli perplexity cli backpack cloze cli backpack similarity cli backpack lexical
SENSES_MEASURES ?= $(if $(filter senses1,$(KIND)),,cli backpack invariance --path dict_freedict/eng-fra.tsv)

include $(dir $(lastword $(MAKEFILE_LIST)))shared/backpack.mk
