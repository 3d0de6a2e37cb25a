# Parts of speech across languages: trained on English (UD EWT), tested on PUD in six others, with language vectors added.
#
# Half of PUD is what oracle strengths are chosen on, the other half the test. Without $SEMEQV_DATA: two generated languages.

TASK := pos
HEAD := token-classifier
SCORE := accuracy
ifdef SEMEQV_DATA
TARGETS ?= de es fr ru hi zh
TRAINING := cli dataset conllu --treebank ewt --max_length 64
HELD := cli dataset conllu --treebank ewt --split validation --max_length 64
LABELLED = cli dataset conllu --languages $(1) --max_length 128 --sentences $(MEASURED_SENTENCES) --batch_size 64
MEASURED = $(LABELLED) --treebank pud --holdout .5 --split test --name $(1) \
  $(LABELLED) --split validation --name $(1) --treebank $(if $(filter en,$(1)),ewt,pud --holdout .5)
else
TARGETS := drask
TRAINING := cli dataset babel-tags --languages lume
HELD := cli dataset babel-tags --languages lume --split validation --documents 100
MEASURED = $(foreach each,validation test,cli dataset babel-tags --languages $(1) --split $(each) --name $(1) --documents 100)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))shared/crosslingual.mk
