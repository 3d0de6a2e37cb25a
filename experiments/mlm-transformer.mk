# Words that have doubles, in masked-language models of text, tied and untied.
#
# The text is the English Europarl that $SEMEQV_DATA has (half an hour of a CPU core), else generated (ten minutes).
# SCALE=paper is the size that the study was designed in: days of a CPU, so OPTIONS='--device cuda'. SWAP=.1 makes
# doubles rarer than their words. Another text: CORPUS='hub --of bookcorpus/bookcorpus --holdout .001'

SCALE ?= small
SWAP ?= .5
CORPUS ?= $(if $(SEMEQV_DATA),europarl,babel)
SEEDS ?= 42..44
EXPERIMENT := mlm-transformer-$(firstword $(CORPUS))$(if $(filter-out small,$(SCALE)),-$(SCALE))$(if $(filter-out .5,$(SWAP)),-swap$(SWAP))

ifeq ($(SCALE),paper)
EPOCHS ?= 3
VOCABULARY ?= 10000
DOUBLES ?= 100
LAYOUT ?= --batch_size 128 --block_size 128
MODEL ?= --layers 3 --heads 4 --embedding_size 128 --initializer_range .3
LEARNING_RATE ?= 1e-4
WEIGHT_DECAY ?= .01
WARMUP ?= 0
else
# So small a model learns from context in minutes if it knows positions, starts near zero and is asked for more tokens.
STEPS ?= $(if $(filter babel,$(CORPUS)),4000,8000)
VOCABULARY ?= $(if $(filter babel,$(CORPUS)),1000,2000)
DOUBLES ?= $(if $(filter babel,$(CORPUS)),30,100)
LAYOUT ?= --batch_size 32 --block_size 32 --packing True --mask_probability .3
MODEL ?= --layers 2 --heads 4 --embedding_size 64 --initializer_range .02 --positions learned --block_size 32
LEARNING_RATE ?= 2e-3
WEIGHT_DECAY ?= .1
WARMUP ?= 200
THREADS ?= 1
endif

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = $(if $(THREADS),--threads $(THREADS))
DATA = cli mlm dataset $(CORPUS) --doubles $(DOUBLES) --swap $(SWAP) $(LAYOUT)
SENTENCE = cli tokenizer wordpiece --vocab_size $(VOCABULARY) --lowercase \
  $(DATA) --split train $(DATA) --split validation --documents 2000 \
  cli model encoder $(MODEL) --sparse_prediction --tie both \
  cli optimizers adamw --learning_rate $(LEARNING_RATE) --weight_decay $(WEIGHT_DECAY) \
  cli schedulers cosine-warmup --warmup $(WARMUP) \
  cli mlm callbacks cdists --stc 100 \
  cli savers default-saver --minutes 2 --resume

FAILING := "a word and its double: same meaning, different contexts (DH fails)"

figs: run
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) $(FIGURES)/doubles.pdf
	@$(SEMEQV) cli mlm report $(RUN)

$(FIGURES)/doubles.pdf: $(RUN)/trained
	$(SEMEQV) cli mlm view $(if $(filter-out .5,$(SWAP)),--doubles $(FAILING)) --path $@ $(RUN)/*-encoder $(RUN)/*-encoderwt
