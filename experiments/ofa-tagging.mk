# The papers' tagging: models that were given a new vocabulary learn parts of speech and named entities on English, and
# are asked for other languages that they were not shown (zero-shot).
#
# MiniLM with French tokens by default (what it needs: see ofa-minilm); FROM=xlm-roberta-base EPOCHS=10 RATE=2e-5
# LENGTH=256 OPTIONS='--device cuda' is the papers' setting. Beside the methods: the model's own tokenizer, and `bag`, a
# linear tagger on the word vectors that OFA is given, which takes more epochs. An hour and a half of one CPU core;
# SENTENCES limits the training set.

SEEDS ?= 42..44
EXPERIMENT := ofa-tagging

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

LANGUAGE ?= fr
METHODS ?= ofa subword-mean random
FIXED :=
PART := tagging
REPORT = cli scores --metric accuracy --metric f1 $(if $(SUBSETS),--subsets $(SUBSETS)) $(RUN)/pos $(RUN)/ner
EPOCHS ?= 1
BAG_EPOCHS ?= 30
SENTENCES ?= 4000
RATE ?= 1e-4
LENGTH ?= 128
ifdef FROM
MINILM := $(FROM)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))minilm.mk

UPOS := ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X
POS := cli dataset conllu --column upos --labels $(UPOS) --max_length $(LENGTH) --treebank
NER := cli dataset ner --outside OTH MISC O --max_length $(LENGTH)
DATA_pos = $(POS) ewt --sentences $(SENTENCES) $(POS) ewt --split validation $(POS) ewt --split test --name en \
  $(foreach each,$(ZERO_pos),$(POS) pud --languages $(each) --split test --name $(each))
DATA_ner = $(NER) --treebank ewt --sentences $(SENTENCES) $(NER) --treebank ewt --split validation \
  $(NER) --treebank ewt --split test --name en \
  $(foreach each,$(ZERO_ner),$(NER) --convert --path nc_wikineural --languages $(each) --split test --name $(each))
ZERO_pos ?= fr de
ZERO_ner ?= fr de
SCORE_pos := accuracy
SCORE_ner := f1

# $(1) is the task, $(2) the model.
TAGGING = $(TRAIN) --seed $(firstword $(subst -, ,$*)) --epochs $(if $(findstring bag,$@),$(BAG_EPOCHS),$(EPOCHS)) \
  $(SETTINGS) --output $(@D) $(OPTIONS) \
  $(DATA_$(1)) cli model token-classifier --from $(2) \
  cli optimizers adamw --learning_rate $(if $(findstring bag,$@),1e-2,$(RATE)) cli schedulers linear --warmup 20 \
  cli savers default-saver --savebest --metric $(SCORE_$(1)) --minutes 5 --resume cli train cli test

$(RUN)/pos/%/trained: $(RUN)/models/%/$(MADE)
	$(call TAGGING,pos,$(<D))
	@touch $@

$(RUN)/ner/%/trained: $(RUN)/models/%/$(MADE)
	$(call TAGGING,ner,$(<D))
	@touch $@

$(RUN)/pos/%-original/trained: $(RUN)/text.json
	$(call TAGGING,pos,$(MODEL))
	@touch $@

$(RUN)/ner/%-original/trained: $(RUN)/text.json
	$(call TAGGING,ner,$(MODEL))
	@touch $@

$(RUN)/pos/%-bag/trained: $(RUN)/words/bag.txt
	$(call TAGGING,pos,$(<D))
	@touch $@

$(RUN)/ner/%-bag/trained: $(RUN)/words/bag.txt
	$(call TAGGING,ner,$(<D))
	@touch $@

TAGGERS := $(foreach task,pos ner,$(patsubst %,$(RUN)/$(task)/%/trained,$(MODELS) $(EACH:%=%-original) $(EACH:%=%-bag)))

figs: $(FIGURES)/scores.csv
$(FIGURES)/scores.csv: $(TAGGERS)
	$(SEMEQV) $(REPORT) --output $@
