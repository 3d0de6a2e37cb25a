# Dependency parsing across languages: trained on English (UD EWT), tested on PUD in six others, with language vectors added.
#
# LAS and UAS are counted as the CoNLL 2018 scorer counts them. Half of PUD is what oracle strengths are chosen on, the
# other half the test. Without $SEMEQV_DATA: two generated languages.

TASK := parsing
HEAD := parser
SCORE := las
TASK_BATCH ?= 32
TASK_EPOCHS ?= $(if $(BASE),3,8)
ifdef SEMEQV_DATA
TARGETS ?= de es fr ru hi zh
TRAINING := cli dataset treebank --treebank ewt --max_length 128
HELD := cli dataset treebank --treebank ewt --split validation --max_length 128
LABELLED = cli dataset treebank --languages $(1) --max_length 128 --sentences $(MEASURED_SENTENCES) --batch_size 64
MEASURED = $(LABELLED) --treebank pud --holdout .5 --split test --name $(1) \
  $(LABELLED) --split validation --name $(1) --treebank $(if $(filter en,$(1)),ewt,pud --holdout .5)
else
TARGETS := drask
WRITTEN := runs/crosslingual-parsing-babel/text/facts.json
TREES := cli dataset treebank --path $(dir $(WRITTEN))
TRAINING := $(TREES) --languages lume
HELD := $(TREES) --languages lume --split validation --sentences 200
MEASURED = $(foreach each,validation test,$(TREES) --languages $(1) --split $(each) --name $(1) --sentences 200)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))shared/crosslingual.mk

$(WRITTEN): | $(READY)
	$(SEMEQV) cli babel write --path $(@D)
