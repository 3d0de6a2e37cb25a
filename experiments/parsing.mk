# Dependency parsing of English (UD EWT): a small encoder, pretrained here or not, and a BiLSTM as their control.
#
# The encoder starts from vectors of tokens that occur in the same sentences, and reads Europarl, Tatoeba and the sentences
# of the treebank by masked LM first, without those of the tests. Data is that of $SEMEQV_DATA; without it, all is done on
# the generated corpus instead. Some two hours on one CPU core, of which the encoder takes forty minutes.

EXPERIMENT := parsing$(if $(SEMEQV_DATA),,-babel)
SEEDS ?= 42..44
STEPS ?= 6000
EPOCHS ?= 8
BILSTM_EPOCHS ?= 12
WIDTH ?= 256

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = --threads 1 --precision auto
PARSERS := bilstm pretrained scratch

ifdef SEMEQV_DATA
VOCABULARY := 8000
GATHERED := $(RUN)/text.jsonl
TEXT := cli dataset multilingual --path $(GATHERED) --languages en --holdout .01
TREES := cli dataset treebank --languages en --treebank
SOURCE := ewt
OTHER := pud --name pud

$(GATHERED): | $(READY)
	$(SEMEQV) cli dataset europarl --languages en --name europarl \
	  $(foreach each,deu fra,cli dataset tsv --path tatoeba_manythings/eng-$(each).tsv.xz --columns 1 --languages en --name tatoeba-$(each)) \
	  cli dataset conllu --path ud_train_en/en_ewt-ud-train.rebuilt.conllu.xz --languages en --name ewt \
	  $(foreach each,validation test,cli dataset conllu --treebank ewt --split $(each) --name ewt-$(each)) \
	  cli dataset conllu --treebank pud --languages en --split test --name pud \
	  cli crosslingual corpus --output $@
else
GATHERED :=
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
PRETRAINING = cli tokenizer load --from $(RUN)/tokens $(TEXT) $(LAYOUT) $(TEXT) $(LAYOUT) --split validation --documents 500 \
  cli model encoder --layers 4 --heads 4 --embedding_size $(WIDTH) --positions rotary --initializer_range .2 \
    --block_size 256 --sparse_prediction --embeddings $(RUN)/together \
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

$(RUN)/tokens/tokenizer.json: $(GATHERED) | $(READY)
	$(SEMEQV) $(TEXT) $(TOKENIZER) cli save-tokenizer --path $(@D)

$(RUN)/together/bag.txt: $(RUN)/tokens/tokenizer.json
	$(SEMEQV) $(TEXT) cli tokenizer load --from $(<D) cli ofa vectors --units tokens --monolingual --dimensions $(WIDTH) \
	  --path $(RUN)/together.vec
	$(SEMEQV) cli ofa bag --vectors $(RUN)/together.vec --smoothing 0 --tokens_of $(<D) --output $(@D)

$(RUN)/encoder/trained: $(RUN)/together/bag.txt
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

SCORES = $(SEMEQV) cli scores --metric las --metric uas --metric upos
PAGE := docs/results/parsing
TRAINED := $(foreach parser,pretrained scratch bilstm,$(EACH:%=$(RUN)/%-$(parser)))

figs: $(FIGURES)/learning.pdf $(FIGURES)/scores.csv

$(FIGURES)/learning.pdf: $(TRAINED:%=%/trained)
	$(SEMEQV) cli attachment-view --path $@ --goal 80 --label "BiLSTM" --label "Transformer, pretrained (masked LM)" \
	  --label "Transformer, from scratch" $(PARSERS:%=$(RUN)/$(firstword $(EACH))-%)

$(FIGURES)/scores.csv: $(TRAINED:%=%/trained)
	$(SCORES) --output $@ $(TRAINED)

.PHONY: page
page: figs
	$(SCORES) --markdown $(PAGE).md --output $(PAGE).json --digits 3 $(TRAINED)
	@mkdir -p $(PAGE) && cp $(FIGURES)/learning.png $(PAGE)

ifeq ($(SEMEQV_DATA)$(filter page,$(MAKECMDGOALS)),page)
$(error The page of results is about real data; say where it is: SEMEQV_DATA=... make docs/results/parsing.md)
endif
