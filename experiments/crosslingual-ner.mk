# Named entities across languages: trained on English (UNER EWT), tested in six others, with language vectors added.
#
# UNER's PUD for German, Russian and Chinese, WikiNEuRal for Spanish and French, HiNER for Hindi: sets of different kinds, so
# that scores compare models, not languages. Half of each is what oracle strengths are chosen on.

TASK := ner
HEAD := token-classifier
SCORE := f1
ifdef SEMEQV_DATA
TARGETS ?= de es fr ru hi zh
ENGLISH := cli dataset ner --treebank ewt --outside OTH O
TRAINING := $(ENGLISH) --max_length 64
HELD := $(ENGLISH) --split validation --max_length 64
FILES_pud := --treebank pud --holdout .5 --outside OTH O
FILES_wikineural = --path nc_wikineural/$(1)-test.iob.xz --convert --holdout .5 --outside MISC
FILES_hi := --path ner_hiner --holdout .25 --rename PERSON=PER LOCATION=LOC ORGANIZATION=ORG
FILES = $(if $(filter hi,$(1)),$(FILES_hi),$(if $(filter es fr,$(1)),$(FILES_wikineural),$(FILES_pud)))
LABELLED = cli dataset ner --languages $(1) --max_length 128 --sentences $(MEASURED_SENTENCES) --batch_size 64
MEASURED = $(LABELLED) $(FILES) --split test --name $(1) \
  $(LABELLED) --split validation --name $(1) $(if $(filter en,$(1)),--treebank ewt --outside OTH O,$(FILES))
else
TARGETS := drask
TRAINING := cli dataset babel-tags --label ner --languages lume
HELD := cli dataset babel-tags --label ner --languages lume --split validation --documents 100
MEASURED = $(foreach each,validation test,\
  cli dataset babel-tags --label ner --languages $(1) --split $(each) --name $(1) --documents 100)
endif

include $(dir $(lastword $(MAKEFILE_LIST)))shared/crosslingual.mk
