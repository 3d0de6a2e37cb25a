# Inference across languages: trained on English, tested on XNLI in others, with language vectors added.
#
# The English training set is what $SEMEQV_DATA has: XNLI's own test part, 5,010 pairs, unless TRAIN_FILE names another, such
# as MultiNLI in XNLI's form. Half of the development part is what oracle strengths are chosen on, the other half the test.
# Without $SEMEQV_DATA: topics of generated documents.

TASK := nli
HEAD := sequence-classifier
SCORE := accuracy
ifdef SEMEQV_DATA
TARGETS ?= $(if $(BASE),de es fr ru hi zh,de es)
TRAIN_FILE ?= nc_xnli/xnli.test.en.tsv.xz
TRAINING := cli dataset xnli --path $(TRAIN_FILE) --max_length 128
LABELLED = cli dataset xnli --languages $(1) --path $(or $(XNLI),nc_xnli)/xnli.dev.$(1).tsv$(if $(XNLI),,.xz) --holdout .5 --batch_size 64
HELD := $(call LABELLED,en) --split validation
MEASURED = $(LABELLED) --split test --name $(1) --sentences $(MEASURED_SENTENCES) \
  $(LABELLED) --split validation --name $(1) --sentences $(MEASURED_SENTENCES)
else
TARGETS := drask
TRAINING := cli dataset babel-topics --languages lume
HELD := cli dataset babel-topics --languages lume --split validation --documents 100
MEASURED = $(foreach each,validation test,cli dataset babel-topics --languages $(1) --split $(each) --name $(1) --documents 100)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))shared/crosslingual.mk
