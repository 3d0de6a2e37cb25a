# What the experiments at the size of the papers share: every initialiser at KEEP coordinates (100, 200 or 400), masked
# LM on a part of Glot500-c, and before and after it the four evaluations, whose averages are over head and tail languages.
#
# An experiment sets FROM, EXPERIMENT and the sizes of hypernetworks. LANGUAGES are the configurations of Glot500-c,
# SENTENCES how many of each; TATOEBA, BIBLE, TREEBANKS, WIKIANN and TAXI are where the evaluations are, and those that
# are not said are left out. SUBSETS is a JSON file of lists of languages, head and tail.
#
# VECTORS are ColexNet+'s. gensim has saved them, as a pickle; text is made of it by
#   semeqv cli ofa convert-vectors --from colexnet_vectors_minlang_50_200_10_updated.wv --path colexnet_plus.vec --allow_pickle

SEEDS ?= 42
KEEP ?= 100
TARGET_TOKENIZER ?= cis-lmu/glot500-base
VECTORS ?= $(SEMEQV_DATA)/colexnet/colexnet_plus.vec
LANGUAGES ?= eng_Latn deu_Latn fra_Latn rus_Cyrl swh_Latn quy_Latn
SENTENCES ?= 100000
GO_ON ?= 4000
LAYER ?= 8
LAYOUT ?= --batch_size 384 --block_size 512 --packing
FINETUNING ?= --epochs 10

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SETTINGS ?= --precision auto
METHODS ?= random-$(KEEP) ofa-$(KEEP) hyperofa hyperofa-setformer subword-mean-$(KEEP)
HYPER_STEPS ?= 20000
HYPER_BATCH := 256
HYPER_WORDS := 256
HYPER_OPTIMIZER := cli optimizers adam --learning_rate 1e-4
HYPER_SCHEDULE := cli ofa schedulers stairs --factor .95 --every 10
MODEL := $(FROM)
TOKENIZER := $(TARGET_TOKENIZER)
SOURCE := eng
TARGET := all

include $(dir $(lastword $(MAKEFILE_LIST)))ofa.mk

$(RUN)/text.jsonl: | $(READY)
	$(SEMEQV) cli ofa subset --languages $(LANGUAGES) --sentences $(SENTENCES) --path $@

$(RUN)/continued/%/trained: $(RUN)/models/%/$(MADE) $(RUN)/text.jsonl
	$(TRAIN) --seed $(firstword $(subst -, ,$*)) --steps $(GO_ON) $(SETTINGS) --output $(@D) $(OPTIONS) \
	  cli model masked-lm --from $(<D) cli dataset jsonl --path $(RUN)/text.jsonl --language mul --holdout .001 $(LAYOUT) \
	  cli dataset jsonl --path $(RUN)/text.jsonl --language mul --holdout .001 $(LAYOUT) --split test \
	  cli optimizers adamw --learning_rate 5e-5 cli schedulers linear --warmup 100 \
	  cli callbacks log --step_log_path $(@D)/steps.jsonl cli savers default-saver --minutes 10 --resume cli train cli test
	@touch $@

MEASURES = cli retrieval --corpus tatoeba $(if $(TATOEBA),--path $(TATOEBA)) --layer $(LAYER) --no-overlap $(if $(SUBSETS),--subsets $(SUBSETS)) \
  $(if $(BIBLE),cli retrieval --corpus bible --path $(BIBLE) --languages $(BIBLE_LANGUAGES) --layer $(LAYER) --no-overlap $(if $(SUBSETS),--subsets $(SUBSETS)))

# English, then every language that there is: parts of speech, entities, and the topics of verses.
OTHERS ?= deu fra rus swh
FINETUNED = $(TRAIN) --seed $(firstword $(subst -, ,$*)) $(FINETUNING) $(SETTINGS) --output $(@D) $(OPTIONS) \
  $(1) $(2) eng $(1) $(2) eng --split validation $(foreach each,$(OTHERS),$(1) $(2) $(each) --split test --name $(each)) \
  cli model $(3) --from $(<D) cli optimizers adamw --learning_rate 2e-5 cli schedulers linear --warmup 100 \
  cli savers default-saver --savebest --metric $(4) --minutes 10 --resume cli train cli test

# Taxi1500: eng_train.tsv and so on, without a header; a verse's number, its topic, its text.
TAXI_DATA = cli dataset labelled --columns 3 --label 2 --max_length 100 --batch_size 8 --path $(TAXI)/$(1)_$(2).tsv
TAXI_FINETUNING ?= --epochs 30 --accumulation 2

# Before continued pretraining and after it: $(1) is what the names of the folders end in, $(2) and $(3) are where the
# models are, and what tells that they are made.
define EVALUATED
$(RUN)/measured$(1)/%/metrics.jsonl: $(RUN)/$(2)/%/$(3)
	$$(SEMEQV) $$(SETTINGS) --output $$(@D) --overwrite $$(OPTIONS) cli model load --from $$(<D) $$(MEASURES)

$(RUN)/pos$(1)/%/trained: $(RUN)/$(2)/%/$(3)
	$$(call FINETUNED,cli dataset conllu --column upos --max_length 256 --path $$(TREEBANKS),--languages,token-classifier,accuracy)
	@touch $$@

$(RUN)/ner$(1)/%/trained: $(RUN)/$(2)/%/$(3)
	$$(call FINETUNED,cli dataset ner --max_length 256 --path $$(WIKIANN),--languages,token-classifier,f1)
	@touch $$@

$(RUN)/taxi$(1)/%/trained: $(RUN)/$(2)/%/$(3)
	$$(TRAIN) --seed $$(firstword $$(subst -, ,$$*)) $$(TAXI_FINETUNING) $$(SETTINGS) --output $$(@D) $$(OPTIONS) \
	  $$(call TAXI_DATA,eng,train) $$(call TAXI_DATA,eng,dev) --split validation \
	  $$(foreach each,$$(OTHERS),$$(call TAXI_DATA,$$(each),test) --split test --name $$(each)) \
	  cli model sequence-classifier --from $$(<D) cli optimizers adamw --learning_rate 1e-5 cli schedulers linear \
	  cli savers default-saver --savebest --metric macro_f1 --minutes 10 --resume cli train cli test
	@touch $$@
endef
$(eval $(call EVALUATED,,models,$(MADE)))
$(eval $(call EVALUATED,-after,continued,trained))

TASKS := $(foreach task,$(if $(TREEBANKS),pos) $(if $(WIKIANN),ner) $(if $(TAXI),taxi),$(task) $(task)-after)
RESULTS := $(foreach each,measured measured-after,$(MODELS:%=$(RUN)/$(each)/%/metrics.jsonl)) \
  $(foreach task,$(TASKS),$(MODELS:%=$(RUN)/$(task)/%/trained))

figs: $(FIGURES)/losses.pdf $(RESULTS)
	@$(SEMEQV) cli ofa view --k 10 --path $(FIGURES)/retrieval.pdf $(RUN)
	@$(if $(TASKS),$(SEMEQV) cli scores $(if $(SUBSETS),--subsets $(SUBSETS)) --csv $(FIGURES)/scores.csv $(TASKS:%=$(RUN)/%))

$(FIGURES)/losses.pdf: $(MODELS:%=$(RUN)/continued/%/trained)
	$(SEMEQV) cli ofa losses --path $@ $(RUN)
