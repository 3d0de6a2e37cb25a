# Continued pretraining: a small English encoder, trained here, is given French tokens by every method, and goes on with
# masked LM on French text. One plot of the losses of all methods, three seeds.
#
# Text is Europarl's, from $SEMEQV_DATA; without it, that of the generated corpus, whose languages are lume and drask.
# fastText wants gensim (pip install -e '.[vectors]'). SIZE=small takes 40 minutes of one CPU core, SIZE=medium a night;
# SIZE=paper is for a GPU: OPTIONS='--device cuda'. `pairs` is subword-mean that goes on with sentence pairs, translation
# LM on the text that the vectors were made of: what the aligned text is worth without them.

SIZE ?= small
SEEDS ?= 42..44
CORPUS ?= $(if $(SEMEQV_DATA),europarl,babel)
EXPERIMENT := ofa-pretrain-$(CORPUS)-$(SIZE)

STEPS_small := 3000
STEPS_medium := 20000
STEPS_paper := 100000
GO_ON_small := 400
GO_ON_medium := 4000
GO_ON_paper := 4000
TOKENS_small := 6000
TOKENS_medium := 10000
TOKENS_paper := 30000
ENCODER_small := --layers 2 --heads 4 --embedding_size 128 --block_size 64
ENCODER_medium := --layers 4 --heads 4 --embedding_size 256 --block_size 128
ENCODER_paper := --layers 12 --heads 12 --embedding_size 768 --block_size 512
ROWS_small := --batch_size 32 --block_size 64
ROWS_medium := --batch_size 64 --block_size 128
ROWS_paper := --batch_size 384 --block_size 512
RATE_small := 2e-3
RATE_medium := 1e-3
RATE_paper := 5e-5
STEPS ?= $(STEPS_$(SIZE))
GO_ON ?= $(GO_ON_$(SIZE))
TOKENS ?= $(TOKENS_$(SIZE))
# Fewer coordinates, of one method that is given something and one that is not; and what of the losses the plot shows.
FEWER ?= $(if $(filter small,$(SIZE)),64,100)
SHOWN_LOSSES ?= $(if $(filter europarl-small,$(CORPUS)-$(SIZE)),3.4 6)

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

SETTINGS = $(if $(filter paper,$(SIZE)),,--threads 1) --precision auto
METHODS ?= ofa $(FEWER:%=ofa-%) hyperofa wechsel focus omp subword-mean mean random $(FEWER:%=random-%)
FIXED :=
PART := pretraining
SHOWN = $(FIGURES)/losses.png
REPORT = cli ofa report --pretraining $(RUN)
ifeq ($(CORPUS),babel)
SOURCE := lume
TARGET := drask
TEXT_OF = cli dataset babel --documents 4000 --languages $(1)
TEXT_READY :=
HELD := cli dataset babel --languages $(TARGET) --documents 400
TOKENS_small := 600
else
SOURCE := en
TARGET := fr
TEXT_OF = cli dataset moses --path $(RUN)/text --languages $(1)
TEXT_READY := $(RUN)/text.json
HELD := cli dataset europarl --languages $(TARGET)
endif
MODEL := $(RUN)/base
TOKENIZER := $(RUN)/tokenizer
TOKENIZER_READY := $(TOKENIZER)/tokenizer.json

include $(dir $(lastword $(MAKEFILE_LIST)))ofa.mk

LAYOUT = $(ROWS_$(SIZE)) --packing --mask_probability .3
ENGLISH = $(call TEXT_OF,$(SOURCE)) $(LAYOUT)
FRENCH = $(call TEXT_OF,$(TARGET)) $(LAYOUT)
PAIRS = $(TEXT) $(ROWS_$(SIZE)) --objective translation --mask_probability .3
SAVER := cli savers default-saver --minutes 5 --resume

$(RUN)/text.json: | $(READY)
	$(SEMEQV) cli dataset europarl --languages $(SOURCE) $(TARGET) cli ofa text --path $(RUN)/text --disjoint_from \
	  europarl/europarl-v7.fr-en.dev.$(TARGET) europarl/europarl-v7.fr-en.test.$(TARGET)

$(MODEL)/trained: $(TEXT_READY) | $(READY)
	$(TRAIN) --seed 42 --steps $(STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) \
	  cli tokenizer bpe --vocab_size $(TOKENS) $(ENGLISH) \
	  cli model encoder $(ENCODER_$(SIZE)) --positions rotary --initializer_range .02 --sparse_prediction \
	  cli optimizers adamw --learning_rate $(RATE_$(SIZE)) --weight_decay .1 cli schedulers cosine-warmup --warmup $(shell expr $(STEPS) / 20) \
	  $(SAVER) cli train
	@touch $@

$(TOKENIZER)/tokenizer.json: $(MODEL)/trained
	$(SEMEQV) $(call TEXT_OF,$(TARGET)) cli ofa tokenizer extended --from $(MODEL) --tokens $(TOKENS) \
	  cli save-tokenizer --path $(@D)

# What each says of held-out French before any step, then training, then again.
SEED = $(firstword $(subst -, ,$*))
GOING_ON = $(TRAIN) --seed $(SEED) --steps $(GO_ON) $(SETTINGS) --output $(@D) $(OPTIONS) \
  cli model masked-lm --from $(1) $(2) $(HELD) $(LAYOUT) --split test \
  cli optimizers adamw --learning_rate $(RATE_$(SIZE)) cli schedulers cosine-warmup --warmup $(shell expr $(GO_ON) / 20) \
  cli callbacks log --step_log_path $(@D)/steps.jsonl $(SAVER) cli train cli test

$(RUN)/before/%/metrics.jsonl: $(RUN)/models/%/$(MADE)
	$(SEMEQV) $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model masked-lm --from $(<D) \
	  $(FRENCH) $(HELD) $(LAYOUT) --split test cli test

$(RUN)/continued/%/trained: $(RUN)/models/%/$(MADE)
	$(call GOING_ON,$(<D),$(FRENCH))
	@touch $@

$(RUN)/continued/%-pairs/trained: $(RUN)/models/%-subword-mean/$(MADE)
	$(call GOING_ON,$(<D),$(PAIRS))
	@touch $@

CONTINUED := $(MODELS) $(EACH:%=%-pairs)

figs: $(FIGURES)/losses.pdf
	@$(SEMEQV) $(REPORT)

$(FIGURES)/losses.pdf: $(CONTINUED:%=$(RUN)/continued/%/trained) $(MODELS:%=$(RUN)/before/%/metrics.jsonl)
	$(SEMEQV) cli ofa losses --skip pairs $(if $(SHOWN_LOSSES),--ylim $(SHOWN_LOSSES)) --path $@ $(RUN)
