# What the experiments on text share. An experiment sets EXPERIMENT and what differs from the defaults below, which are
# those of the study: words with a double, masked-language models, tied and untied.

SEEDS ?= 42..44
include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

# What is read, as the words after `cli mlm dataset`: what $SEMEQV_DATA has, else text that is generated. The original
# corpus by name: CORPUS='hub --of bookcorpus/bookcorpus --holdout .001'
CORPUS ?= $(if $(SEMEQV_DATA),europarl,babel)
VOCABULARY ?= 10000
DOUBLES ?= 100
SWAP ?= .5
EPOCHS ?= 3
BATCH ?= 128
LENGTH ?= 128
LAYOUT ?=
WIDTH ?= 128
INITIAL ?= .3
LEARNING_RATE ?= 1e-4
WARMUP ?= 0
THREADS ?=
RECORD ?= 100

SETTINGS = $(if $(THREADS),--threads $(THREADS))
DATA = cli mlm dataset $(CORPUS) --doubles $(DOUBLES) --swap $(SWAP) --batch_size $(BATCH) --block_size $(LENGTH) $(LAYOUT)
SENTENCE = cli tokenizer wordpiece --vocab_size $(VOCABULARY) --lowercase \
  $(DATA) --split train $(DATA) --split validation --documents 2000 \
  cli model encoder --layers 3 --heads 4 --embedding_size $(WIDTH) --initializer_range $(INITIAL) --sparse_prediction --tie both \
  cli optimizers adamw --learning_rate $(LEARNING_RATE) --weight_decay .01 \
  cli schedulers cosine-warmup --warmup $(WARMUP) \
  cli mlm callbacks cdists --stc $(RECORD) \
  cli savers default-saver --minutes 2 --resume

figs: run
	@$(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST)) $(FIGURES)/doubles.pdf
	@$(SEMEQV) cli mlm report $(RUN)

$(FIGURES)/doubles.pdf: $(RUN)/run.json
	$(SEMEQV) cli mlm view --path $@ $(RUN)/*-encoder $(RUN)/*-encoderwt
