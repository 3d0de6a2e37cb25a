# A Backpack on a text of your own: make -f experiments/backpack-text.mk figs TEXT=my.txt
#
# Trains a tokenizer and a model on a plain file, holds a tenth of its lines out, says loss, perplexity and BLEU of
# continuations, writes a page of senses to search, and shows one intervention: SENSE suppressed. SIZE=micro takes minutes
# of a CPU core; mini and small want OPTIONS='--device cuda'.

TEXT ?= my.txt
SIZE ?= micro
SEEDS ?= 42
SENSE ?= 0
# The name of the file may have blanks, those of runs and figures have none.
NAME := $(shell basename -- '$(subst ','\'',$(TEXT))' | sed -e 's/\.[^.]*$$//' -e 's/[^[:alnum:]._-]/-/g')
EXPERIMENT := backpack-text-$(NAME)-$(SIZE)
STEPS ?= $(if $(filter micro,$(SIZE)),2000,20000)
VOCABULARY ?= $(if $(filter micro,$(SIZE)),2000,10001)

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = --clip 1 --precision auto
LAYOUT_micro := --block_size 64 --batch_size 16
LAYOUT_mini := --block_size 256 --batch_size 64
LAYOUT_small := $(LAYOUT_mini)
MODEL_micro := --layers 2 --heads 4 --embedding_size 128 --block_size 64 --senses 8 --initializer_range .08
MODEL_mini := --preset multilingual-mini
MODEL_small := --preset multilingual-small
DATA = cli dataset plain --path '$(subst ','\'',$(TEXT))' --holdout .1 $(LAYOUT_$(SIZE))
SENTENCE = cli tokenizer bpe --vocab_size $(VOCABULARY) $(DATA) $(DATA) --split validation \
  cli model backpack $(MODEL_$(SIZE)) \
  cli optimizers adamw --learning_rate 2e-3 --weight_decay .1 cli schedulers cosine-warmup --warmup 100 \
  cli savers default-saver --savebest --metric loss --mode min --minutes 2 --resume

MEASURED = $(SEMEQV) --output $(RUN)/measured/$(1) --overwrite $(OPTIONS)
EDIT := $(RUN)/suppressed.json

figs: run
	$(call MEASURED,model) cli model load --from $(RUN) $(DATA) --split validation \
	  cli perplexity cli backpack continuations --output $(RUN)/measured/continuations.jsonl \
	  cli backpack senses --html $(FIGURES)/senses.html cli backpack edit suppress --sense $(SENSE) --output $(EDIT)
	$(call MEASURED,suppressed) cli model edited --from $(RUN) --edits $(EDIT) $(DATA) --split validation \
	  cli perplexity cli generate
