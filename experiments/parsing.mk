# Dependency parsing of English (UD EWT): a small encoder, pretrained here or not, and a BiLSTM as their control.
#
# The encoder reads Europarl by masked LM first. Data is that of $SEMEQV_DATA; without it, all is done on the generated
# corpus instead. Some two hours on one CPU core, of which a seed of the BiLSTM takes nine minutes.

EXPERIMENT := parsing$(if $(SEMEQV_DATA),,-babel)
SEEDS ?= 42..44
STEPS ?= 4000
EPOCHS ?= 8
BILSTM_EPOCHS ?= 12
WIDTH ?= 256

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = --threads 1 --precision bf16
PARSERS := bilstm pretrained scratch

ifdef SEMEQV_DATA
VOCABULARY := 8000
TEXT := cli dataset europarl --languages en
TREES := cli dataset treebank --languages en --treebank
SOURCE := ewt
OTHER := pud --name pud
else
VOCABULARY := 1000
WRITTEN := $(RUN)/text/facts.json
TEXT := cli dataset babel --languages lume
TREES := cli dataset treebank --path $(dir $(WRITTEN)) --languages
SOURCE := lume
OTHER := drask --name drask

$(WRITTEN): | $(READY)
	$(SEMEQV) cli babel write --path $(@D)
endif

LAYOUT := --packing --block_size 64 --batch_size 32 --mask_probability .3
TOKENIZER := cli tokenizer bpe --vocab_size $(VOCABULARY)
PRETRAINING = $(TOKENIZER) $(TEXT) $(LAYOUT) $(TEXT) $(LAYOUT) --split validation --documents 500 \
  cli model encoder --layers 4 --heads 4 --embedding_size $(WIDTH) --positions rotary --initializer_range .2 \
    --block_size 256 --sparse_prediction \
  cli optimizers adamw --learning_rate 1e-3 cli schedulers linear --warmup $(shell expr $(STEPS) / 10) \
  cli savers default-saver --minutes 2 --resume

# Narrow heads, and less dropout than in the paper: in runs of minutes more of it costs more than it saves.
HEAD := --arc_size 200 --relation_size 64

# $(1) is the model, $(2) the learning rate, $(3) how many epochs.
PARSING = $(TRAIN) --seed $* --epochs $(3) --clip 5 $(SETTINGS) --output $(@D) $(OPTIONS) \
  $(TREES) $(SOURCE) $(TREES) $(SOURCE) --split validation $(TREES) $(SOURCE) --split test --name $(SOURCE) \
  $(TREES) $(OTHER) --split test $(1) \
  cli optimizers adamw --learning_rate $(2) cli schedulers linear --warmup 50 \
  cli callbacks attachment --steps 400 \
  cli savers default-saver --savebest --metric las --minutes 2 --resume cli train cli test

$(RUN)/encoder/trained: | $(READY)
	$(TRAIN) --seed 42 --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) $(PRETRAINING) cli train
	@touch $@

$(RUN)/%-pretrained/trained: $(RUN)/encoder/trained $(WRITTEN)
	$(call PARSING,cli model parser --from $(RUN)/encoder $(HEAD) --dropout .1,1e-3,$(EPOCHS))
	@touch $@

$(RUN)/%-scratch/trained: $(RUN)/encoder/trained $(WRITTEN)
	$(call PARSING,cli model parser --from $(RUN)/encoder --pretrained False $(HEAD) --dropout .1,1e-3,$(EPOCHS))
	@touch $@

$(RUN)/%-bilstm/trained: $(WRITTEN) | $(READY)
	$(call PARSING,$(TOKENIZER) cli model bilstm-parser --embedding_size 160 --word_dropout .05 $(HEAD) --dropout .2,4e-3,$(BILSTM_EPOCHS))
	@touch $@

TRAINED := $(foreach parser,pretrained scratch bilstm,$(EACH:%=$(RUN)/%-$(parser)))

figs: $(FIGURES)/learning.pdf $(FIGURES)/scores.csv

$(FIGURES)/learning.pdf: $(TRAINED:%=%/trained)
	$(SEMEQV) cli attachment-view --path $@ --goal 80 --label "BiLSTM" --label "Transformer, pretrained (masked LM)" \
	  --label "Transformer, from scratch" $(PARSERS:%=$(RUN)/$(firstword $(EACH))-%)

$(FIGURES)/scores.csv: $(TRAINED:%=%/trained)
	$(SEMEQV) cli scores --metric las --metric uas --metric upos --output $@ $(TRAINED)
