# The papers' retrieval: translations among the states of every layer, of models that were given a new vocabulary.
#
# MiniLM with French tokens by default, which has six layers (what it needs: see ofa-minilm). FROM=xlm-roberta-base is
# the papers' model, of which they take layer 8; SUBSETS=file.json averages over head and tail languages, and
# BIBLE=folder adds verses. VECTORS=file are word vectors of your own, for every language.

SEEDS ?= 42
EXPERIMENT := ofa-retrieval

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

LANGUAGE ?= fr
METHODS ?= ofa subword-mean random
FIXED := mean subword-mean
PART := layers
SHOWN = $(FIGURES)/layers.png
REPORT = cli ofa report --layers $(RUN)
ifdef FROM
MINILM := $(FROM)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))minilm.mk

EVERY = --layer all --no-overlap $(if $(SUBSETS),--subsets $(SUBSETS))
LAYERED = cli retrieval --corpus tatoeba --languages $(CODE) $(EVERY) \
  cli retrieval --corpus flores --languages $(LANGUAGE) $(EVERY) \
  $(if $(BIBLE),cli retrieval --corpus bible --path $(BIBLE) --languages $(CODE) $(EVERY))

$(RUN)/layers/%/$(MEASURED): $(RUN)/models/%/$(MADE)
	$(MEASURE) $(<D) $(LAYERED)

$(RUN)/layers/42-original/$(MEASURED): $(RUN)/text.json
	$(MEASURE) $(MODEL) $(LAYERED)

$(RUN)/layers/42-bag/$(MEASURED): $(RUN)/words/bag.txt
	$(MEASURE) $(<D) $(LAYERED)

EVERYTHING := 42-original 42-bag $(MODELS)
RESULTS := $(EVERYTHING:%=$(RUN)/layers/%/$(MEASURED))

figs: $(FIGURES)/layers.pdf
	@$(SEMEQV) $(REPORT)

$(FIGURES)/layers.pdf: $(RESULTS)
	$(SEMEQV) cli retrieval-view --of $(LANGUAGE) --k 10 --path $@ $(RESULTS:%/$(MEASURED)=%) \
	  $(foreach each,$(EVERYTHING),--label $(if $(word 2,$(EACH)),$(each),$(each:42-%=%)))
