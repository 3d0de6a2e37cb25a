# Taggers on a small encoder, pretrained here or not: parts of speech (UD EWT) and named entities (UNER), English.
#
# The encoder reads Europarl by masked LM first. Data is that of $SEMEQV_DATA; without it, all is done on the generated
# corpus instead. Some 40 minutes on one CPU core.

EXPERIMENT := tagging$(if $(SEMEQV_DATA),,-babel)
SEEDS ?= 42..44
STEPS ?= 5000
EPOCHS ?= 3

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = --threads 1 --precision auto
ENCODER := $(RUN)/encoder
TAGGERS := $(foreach task,pos ner,$(addprefix $(RUN)/$(task)-,scratch pretrained))

ifdef SEMEQV_DATA
VOCABULARY := 4000
TEXT := cli dataset europarl --languages en
POS := cli dataset conllu --column upos --max_length 64 --treebank
NER := cli dataset ner --outside OTH O --max_length 64 --treebank
SOURCE := ewt
OTHER := pud --name pud
else
VOCABULARY := 1000
TEXT := cli dataset babel --languages lume
POS := cli dataset babel-tags --label pos --max_length 64 --languages
NER := cli dataset babel-tags --label ner --max_length 64 --languages
SOURCE := lume
OTHER := drask --name drask
endif

LAYOUT := --packing --block_size 64 --batch_size 32 --mask_probability .3
PRETRAINING = cli tokenizer bpe --vocab_size $(VOCABULARY) $(TEXT) $(LAYOUT) $(TEXT) $(LAYOUT) --split validation \
  cli model encoder --layers 2 --heads 4 --embedding_size 128 --positions learned --initializer_range .2 \
    --block_size 128 --sparse_prediction \
  cli optimizers adamw --learning_rate 2e-3 cli schedulers linear --warmup $(shell expr $(STEPS) / 10) \
  cli savers default-saver --minutes 2 --resume

# $(1) is the data set of the task, $(2) the score that the best weights are chosen by.
TAGGING = $(1) $(SOURCE) $(1) $(SOURCE) --split validation $(1) $(SOURCE) --split test --name $(SOURCE) \
  $(1) $(OTHER) --split test \
  cli model token-classifier --from $(ENCODER) --pretrained $(if $(findstring scratch,$@),False,True) \
  cli optimizers adamw --learning_rate 1e-3 cli schedulers linear --warmup 100 \
  cli savers default-saver --savebest --metric $(2) --minutes 2 --resume \
  cli train cli test
TAG = $(TRAIN) --seeds $(SEEDS) --epochs $(EPOCHS) $(SETTINGS) --output $(@D) $(OPTIONS)

$(ENCODER)/trained: | $(READY)
	$(TRAIN) --seed 42 --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) $(PRETRAINING) cli train
	@touch $@

$(RUN)/pos-%/trained: $(ENCODER)/trained
	$(TAG) $(call TAGGING,$(POS),accuracy)
	@touch $@

$(RUN)/ner-%/trained: $(ENCODER)/trained
	$(TAG) $(call TAGGING,$(NER),f1)
	@touch $@

# What the words alone tell, without a model.
$(RUN)/pos-words/metrics.jsonl: | $(READY)
	$(SEMEQV) --output $(@D) $(POS) $(SOURCE) $(POS) $(SOURCE) --split test --name $(SOURCE) $(POS) $(OTHER) --split test \
	  cli majority-labels

$(RUN)/ner-words/metrics.jsonl: | $(READY)
	$(SEMEQV) --output $(@D) $(NER) $(SOURCE) $(NER) $(SOURCE) --split test --name $(SOURCE) $(NER) $(OTHER) --split test \
	  cli majority-labels

SCORES = $(SEMEQV) cli scores --metric accuracy --metric f1 --metric macro_f1
TABLE := $(foreach task,pos ner,$(addprefix $(RUN)/$(task)-,words scratch pretrained))

figs: $(FIGURES)/scores.csv
$(FIGURES)/scores.csv: $(addsuffix /trained,$(TAGGERS)) $(RUN)/pos-words/metrics.jsonl $(RUN)/ner-words/metrics.jsonl
	$(SCORES) --output $@ $(TABLE)

.PHONY: page
page: figs
	$(SCORES) --markdown docs/results/tagging.md --output docs/results/tagging.json --digits 3 $(TABLE)

ifeq ($(SEMEQV_DATA)$(filter page,$(MAKECMDGOALS)),page)
$(error The page of results is about real data; say where it is: SEMEQV_DATA=... make docs/results/tagging.md)
endif
