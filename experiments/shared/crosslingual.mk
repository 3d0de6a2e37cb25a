# What experiments with language vectors share: text, a base, a vector for each language, models of a task, sweeps.
#
# An experiment sets TASK, HEAD (the model), SCORE (what its best weights are chosen by), TRAINING (its data in the source
# language), MEASURED (the data sets of a language, $(1)), TARGETS, and WRITTEN where data must be made first, then includes
# this. All have one base; vectors and models of the task are trained anew for each seed. Without $SEMEQV_DATA all is done
# in two generated languages.
#
# SIZE=small takes two hours of a CPU core for the parts of speech, half of which serves all tasks; SIZE=tiny takes half an
# hour.
#
# BASE=xlm-roberta-base (or bert-base-multilingual-cased) takes that in place of the encoder trained here, at the sizes of
# the literature: OPTIONS='--device cuda --precision auto'. WIKIPEDIA=20231101 reads language text from the hub.

SEEDS ?= 42..44
SIZE ?= $(if $(BASE),paper,small)
SOURCE := $(if $(SEMEQV_DATA),en,lume)
NAME := $(if $(SEMEQV_DATA),,-babel)$(if $(BASE),-$(notdir $(BASE)))$(if $(filter-out small,$(SIZE)),-$(SIZE))
EXPERIMENT := crosslingual-$(or $(TASK),grid)$(NAME)

ifeq ($(SEMEQV_DATA)$(if $(BASE),,made here),)
$(error Data of tasks is not here: say where it is, SEMEQV_DATA=..., or leave out BASE for generated languages)
endif

ifeq ($(SIZE),tiny)
BASE_STEPS ?= 1500
LANGUAGE_STEPS ?= 80
TASK_EPOCHS ?= 1
MEASURED_SENTENCES ?= 100
STRENGTHS ?= 0 .5 1
endif
ifneq ($(filter tiny small,$(SIZE)),)
VOCABULARY ?= $(if $(SEMEQV_DATA),8000,1000)
WIDTH ?= 192
MODEL ?= --layers 2 --heads 4 --block_size 128 --positions rotary --initializer_range .2 --sparse_prediction
LAYOUT ?= --packing --block_size 64 --batch_size 32 --mask_probability .3
BASE_STEPS ?= 10000
LANGUAGE_STEPS ?= 500
BASE_RATE ?= 2e-3
LANGUAGE_RATE ?= 5e-4
TASK_RATE ?= 1e-3
TASK_EPOCHS ?= 2
TASK_BATCH ?= 32
LANGUAGE_SETTINGS ?= --threads 1 --precision auto
TASK_SETTINGS ?= --threads 1 --precision auto
STRENGTHS ?= 0 .25 .5 .75 1
MEASURED_SENTENCES ?= 400
MEASURED_SEEDS ?= $(firstword $(EACH))
else
LAYOUT ?= --packing --block_size 128 --batch_size 32
LANGUAGE_STEPS ?= 20000
LANGUAGE_RATE ?= 1e-5
TASK_RATE ?= 2e-5
TASK_EPOCHS ?= 3
TASK_BATCH ?= 8
LANGUAGE_SETTINGS ?= --accumulation 2 --clip .5
STRENGTHS ?= 0 .1 .2 .3 .4 .5 .6 .7 .8 .9 1
MEASURED_SENTENCES ?= 0
endif

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

MEASURED_SEEDS ?= $(EACH)
SHARED := runs/crosslingual$(NAME)
LANGUAGES = $(SOURCE) $(TARGETS)
UNRELATED := $(if $(SEMEQV_DATA),babel)
SAVING := cli savers default-saver --minutes 5 --resume

ifdef TASK

# -- text, without what will be tested ------------------------------------------------------------------------------

ifdef SEMEQV_DATA
GATHERED := $(SHARED)/text.jsonl
FIRST = $(word 1,$(subst :, ,$(1)))
SECOND = $(word 2,$(subst :, ,$(1)))
TREEBANKS := de:ud_train_de/de_gsd-ud-dev de:ud_train_de/de_gsd-ud-test es:ud_train_es/es_ancora_2021-ud-dev \
  es:ud_train_es/es_ancora_2021-ud-test es:ud_train_es/es_gsd-ud-dev fr:ud_train_fr/fr_gsd-ud-dev \
  fr:ud_train_fr/fr_gsd-ud-test fr:ud_train_fr/fr_sequoia-ud-train ru:ud_train_ru/ru_taiga_2020-ud-train \
  ru:ud_train_ru/ru_taiga-ud-dev ru:ud_train_ru/ru_gsd-ud-dev hi:nc_ud_hi/hi_hdtb_2015-ud-dev \
  hi:nc_ud_hi/hi_hdtb_2015-ud-test zh:nc_ud_zh_v1/zh_gsd_v1-ud-train zh:nc_ud_zh_v1/zh_gsd_v1-ud-dev \
  zh:ud_train_zh/zh_gsdsimp-ud-dev en:ud_train_en/en_ewt-ud-train.rebuilt
ENTITIES := de:nc_wikineural/de-val.iob es:nc_wikineural/es-val.iob fr:nc_wikineural/fr-val.iob \
  ru:nc_wikineural/ru-val.iob ru:ner_factrueval/ru_factrueval-devset.iob2
TATOEBA := deu:de:60000 fra:fr:30000 cmn:zh:0
TEXT := cli dataset europarl --languages en fr --documents 20000 --name europarl \
  $(foreach each,$(TATOEBA),cli dataset tsv --path tatoeba_manythings/eng-$(call FIRST,$(each)).tsv.xz --columns 1 2 \
    --languages en $(call SECOND,$(each)) --documents $(lastword $(subst :, ,$(each))) --name tatoeba-$(call SECOND,$(each))) \
  cli dataset tsv --path dict_freedict/spa-eng.tsv --columns 2 1 --languages en es --name freedict-es \
  cli dataset moses --path nllb_seed/multitext_nllb_seed --languages eng_Latn bho_Deva mag_Deva hne_Deva --name nllb \
  $(foreach each,$(TREEBANKS),cli dataset conllu --path $(call SECOND,$(each)).conllu.xz --languages $(call FIRST,$(each)) \
    --name $(notdir $(call SECOND,$(each)))) \
  $(foreach each,$(ENTITIES),cli dataset ner --convert --path $(call SECOND,$(each)).xz --languages $(call FIRST,$(each)) \
    --name $(notdir $(call SECOND,$(each)))) \
  cli dataset ner --path ner_hiner --languages hi --holdout .25 --name hiner
TESTED := $(foreach each,en de es fr ru hi zh,cli dataset conllu --treebank pud --languages $(each) --split test --name pud-$(each)) \
  $(foreach each,de es fr ru en,cli dataset ner --convert --path nc_wikineural --languages $(each) --split test --name entities-$(each)) \
  $(foreach each,validation test,cli dataset conllu --treebank ewt --split $(each) --name ewt-$(each) \
    cli dataset ner --path ner_hiner --languages hi --holdout .25 --split $(each) --name hiner-$(each)) \
  $(foreach each,en de es,cli dataset xnli --languages $(each) --split validation --name xnli-$(each)) \
  $(foreach each,deu fra cmn spa,cli dataset moses --path tatoeba_laser_v1/tatoeba_laser_v1 --languages $(each) \
    --split test --name laser-$(each))
LANGUAGE_DATA = $(if $(WIKIPEDIA),cli dataset hub --of wikimedia/wikipedia --configuration $(WIKIPEDIA).$(1) --language $(1) \
  --holdout .001,cli dataset multilingual --path $(GATHERED) --languages $(1) --holdout .01)
BASE_DATA = cli dataset multilingual --path $(GATHERED) --joined --holdout .01 --temperature 2

$(GATHERED): | $(READY)
	$(SEMEQV) $(TEXT) $(TESTED) \
	  cli crosslingual corpus --output $@ --call eng_Latn en --call bho_Deva bho --call mag_Deva mag --call hne_Deva hne
else
GATHERED :=
LANGUAGE_DATA = cli dataset babel --languages $(1)
BASE_DATA = cli dataset babel --joined
endif

# -- the base, and what each language changes in it -----------------------------------------------------------------

LEARNING = cli optimizers adamw --learning_rate $(1) --weight_decay .01 cli schedulers cosine-warmup --warmup $(2) $(SAVING)
EVERY = $(SEMEQV) --seed $* --overwrite $(OPTIONS)

ifdef BASE
FROM := $(BASE)
else
FROM := $(SHARED)/base

# Its tokens start from vectors of the same text, which its pairs tie together across languages.
$(SHARED)/tokens/tokenizer.json: $(GATHERED) | $(READY)
	$(SEMEQV) $(BASE_DATA) cli tokenizer bpe --vocab_size $(VOCABULARY) cli save-tokenizer --path $(@D)

$(SHARED)/aligned/bag.txt: $(SHARED)/tokens/tokenizer.json
	$(SEMEQV) $(BASE_DATA) cli tokenizer load --from $(<D) cli ofa vectors --units tokens --monolingual \
	  --dimensions $(WIDTH) --path $(SHARED)/aligned.vec
	$(SEMEQV) cli ofa bag --vectors $(SHARED)/aligned.vec --smoothing 0 --tokens_of $(<D) --output $(@D)

$(SHARED)/base/trained: $(SHARED)/aligned/bag.txt
	$(TRAIN) --seed 42 --steps $(BASE_STEPS) $(LANGUAGE_SETTINGS) --output $(@D) $(OPTIONS) \
	  cli tokenizer load --from $(SHARED)/tokens $(BASE_DATA) $(LAYOUT) \
	  cli model encoder $(MODEL) --embedding_size $(WIDTH) --embeddings $(<D) \
	  $(call LEARNING,$(BASE_RATE),$(shell expr $(BASE_STEPS) / 10)) cli train
	@touch $@
TRAINED := $(SHARED)/base/trained
endif

# $(1) is the language, $(2) its data set.
define LANGUAGE
$(SHARED)/%/lm-$(1)/trained: $(TRAINED) $(GATHERED) | $(READY)
	$$(TRAIN) --seed $$* --steps $(LANGUAGE_STEPS) $(LANGUAGE_SETTINGS) --output $$(@D) $(OPTIONS) \
	  $(2) $(LAYOUT) cli model masked-lm --from $$(FROM) \
	  $(call LEARNING,$(LANGUAGE_RATE),$(shell expr $(LANGUAGE_STEPS) / 100)) cli train
	@touch $$@
$(SHARED)/%/vectors/$(1)/vector.json: $(SHARED)/%/lm-$(1)/trained
	$$(SEMEQV) cli crosslingual vector --from $$(<D) --base $$(FROM) --output $$(@D) --overwrite
endef
$(foreach each,$(LANGUAGES),$(eval $(call LANGUAGE,$(each),$(call LANGUAGE_DATA,$(each)))))
$(if $(UNRELATED),$(eval $(call LANGUAGE,$(UNRELATED),cli dataset babel)))
VECTORS = $(LANGUAGES) $(UNRELATED)

# Perplexity of held-out text before and after, and the angles between vectors.
HELD_TEXT = $(call LANGUAGE_DATA,$(1)) $(LAYOUT) --split validation --documents 60 --name $(2)-$(1)
$(SHARED)/measured/%-base/metrics.jsonl: $(TRAINED) $(GATHERED) | $(READY)
	$(EVERY) $(LANGUAGE_SETTINGS) --output $(@D) $(foreach each,$(LANGUAGES),$(call HELD_TEXT,$(each),base)) \
	  cli model masked-lm --from $(FROM) cli perplexity --pseudo --no-overlap

define ADAPTED
$(SHARED)/measured/%-$(1)/metrics.jsonl: $(SHARED)/%/lm-$(1)/trained
	$$(EVERY) $(LANGUAGE_SETTINGS) --output $$(@D) $(call HELD_TEXT,$(1),adapted) \
	  cli model masked-lm --from $$(<D) cli perplexity --pseudo --no-overlap
endef
$(foreach each,$(LANGUAGES),$(eval $(call ADAPTED,$(each))))

.SECONDEXPANSION:
VECTOR_FILES = $(foreach each,$(VECTORS),$(SHARED)/$(1)/vectors/$(each)/vector.json)
$(SHARED)/measured/%-vectors/metrics.jsonl: $$(call VECTOR_FILES,$$*)
	$(EVERY) --output $(@D) cli crosslingual compare $(^D)

# -- models of the task, from the base and from that which was adapted to the source language ------------------------

TASK_TRAINING = $(TRAIN) --seed $* --epochs $(TASK_EPOCHS) $(TASK_SETTINGS) --output $(@D) $(OPTIONS) \
  $(TRAINING) --batch_size $(TASK_BATCH) $(HELD) cli model $(HEAD) --from $(1) \
  cli optimizers adamw --learning_rate $(TASK_RATE) cli schedulers linear --warmup 100 \
  cli savers default-saver --savebest --metric $(SCORE) --minutes 5 --resume cli train

$(SHARED)/%/$(TASK)-base/trained: $(TRAINED) $(WRITTEN) | $(READY)
	$(call TASK_TRAINING,$(FROM))
	@touch $@

$(SHARED)/%/$(TASK)-$(SOURCE)/trained: $(SHARED)/%/lm-$(SOURCE)/trained $(WRITTEN)
	$(call TASK_TRAINING,$(SHARED)/$*/lm-$(SOURCE))
	@touch $@

CALLED := $(if $(BASE),$(notdir $(BASE))-)
SWEEP = $(EVERY) $(TASK_SETTINGS) --output $(@D) $(foreach each,$(LANGUAGES),$(call MEASURED,$(each))) \
  cli model $(HEAD) --from $(SHARED)/$*/$(TASK)-$(1) cli crosslingual sweep \
  $(foreach each,$(VECTORS),--vector $(each) $(SHARED)/$*/vectors/$(each)) --source $(SOURCE) \
  $(if $(UNRELATED),--unrelated $(UNRELATED)) --lambdas $(STRENGTHS) --task $(TASK) --label $(CALLED)$(1) $(SWEEPING)

$(RUN)/%-base/metrics.jsonl: $(SHARED)/%/$(TASK)-base/trained $$(call VECTOR_FILES,$$*)
	$(call SWEEP,base)

$(RUN)/%-$(SOURCE)/metrics.jsonl: $(SHARED)/%/$(TASK)-$(SOURCE)/trained $$(call VECTOR_FILES,$$*)
	$(call SWEEP,$(SOURCE))

# -- figures --------------------------------------------------------------------------------------------------------

SWEEPS := $(foreach seed,$(EACH),$(RUN)/$(seed)-base/metrics.jsonl $(RUN)/$(seed)-$(SOURCE)/metrics.jsonl)

MEASURES := $(foreach seed,$(MEASURED_SEEDS),$(foreach each,base $(LANGUAGES),$(SHARED)/measured/$(seed)-$(each)/metrics.jsonl)) \
  $(EACH:%=$(SHARED)/measured/%-vectors/metrics.jsonl)

# What is mentioned here make keeps, and makes when it is not there.
.PHONY: base vectors trained swept
base: $(TRAINED)
vectors: $(foreach seed,$(EACH),$(call VECTOR_FILES,$(seed)) $(VECTORS:%=$(SHARED)/$(seed)/lm-%/trained))
trained: $(foreach seed,$(EACH),$(SHARED)/$(seed)/$(TASK)-base/trained $(SHARED)/$(seed)/$(TASK)-$(SOURCE)/trained)
swept: $(SWEEPS) $(MEASURES)
figs: $(SWEEPS) $(MEASURES)
	$(SEMEQV) cli sweep-view --draw curves --path $(FIGURES)/curves $(RUN)
	$(SEMEQV) cli sweep-view --draw matrix --path $(FIGURES)/matrix $(RUN)
	$(SEMEQV) cli crosslingual report $(REPORTING) $(RUN) $(SHARED)/measured
	$(SEMEQV) cli vectors-view --path $(FIGURES)/cosines $(SHARED)/measured/$(firstword $(EACH))-vectors

ifeq ($(SEMEQV_DATA)$(filter results,$(MAKECMDGOALS)),results)
$(error The page of results is about real data; say where it is: SEMEQV_DATA=...)
endif

# The part of the page that is about this task; what it says of the others stays.
PAGE := docs/results/crosslingual
.PHONY: results
results: figs
	@mkdir -p $(PAGE)
	@for figure in curves matrix; do cp $(FIGURES)/$$figure.png $(PAGE)/$(TASK)-$$figure.png; done
	@cp $(FIGURES)/cosines.png $(PAGE)/cosines.png
	$(SEMEQV) cli crosslingual report --keep --distances $(dir $(lastword $(filter %crosslingual-$(TASK).mk,$(MAKEFILE_LIST))))distances-en.tsv \
	  --output $(PAGE).md $(RUN) $(SHARED)/measured
endif
