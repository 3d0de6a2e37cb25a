# What the experiments on new vocabularies share: how every method gets what it needs, and the models that it makes.
#
# An experiment sets RUN, SEEDS, METHODS, MODEL (what is given a new vocabulary), TOKENIZER (the new one), SOURCE and
# TARGET (two languages), and TEXT_OF (the segment of their aligned text, which holds no sentence of a test, for the
# languages $(1)); TEXT_READY and TOKENIZER_READY are what to make first. VECTORS, if it is set, are word vectors that are
# there. Models come to be in $(RUN)/models/SEED-METHOD. ofa-N is OFA with N coordinates. `make -f ... results` writes what
# REPORT says into the PART of docs/results/ofa.md that an experiment names, and takes the figures SHOWN there along.

DIMENSIONS ?= 200
TEXT = $(call TEXT_OF,$(SOURCE) $(TARGET))

# fastText, trained by gensim (pip install -e '.[vectors]').
FASTTEXT_DOCUMENTS ?= 20000
FASTTEXT = cli ofa token-vectors --dimensions $(DIMENSIONS) --documents $(FASTTEXT_DOCUMENTS)

# Hypernetworks are small ones, for a CPU; HYPER_bilstm='--layers 2 --hidden_size 800' is that of the paper for RoBERTa.
# KEEP is how many coordinates they predict, the width of the model if it is empty.
HYPER_bilstm ?= --layers 1 --hidden_size 128 --dropout .1
HYPER_setformer ?= --layers 1 --hidden_size 256 --heads 4 --dropout .1
HYPER_STEPS ?= 1500
HYPER_BATCH ?= 64
HYPER_WORDS ?= 16
HYPER_OPTIMIZER ?= cli optimizers adam --learning_rate 1e-3
HYPER_SCHEDULE ?= cli schedulers cosine
KEEP ?=

# Methods that draw nothing need one seed.
FIXED ?= mean
MODELS := $(foreach method,$(METHODS),$(foreach seed,$(if $(filter $(method),$(FIXED)),$(firstword $(EACH)),$(EACH)),$(seed)-$(method)))

INIT = $(SEMEQV) --seed $* cli ofa init $(1) --from $(MODEL) --target_tokenizer $(TOKENIZER) --output $(@D) --overwrite
MADE := initialisation.json

# What is mentioned here make keeps, and makes when it is not there.
NETWORKS_OF = $(foreach network,bilstm setformer,$(EACH:%=$(RUN)/hypernetworks/%-$(network)/$(1)))
.PHONY: models networks words
models: $(MODELS:%=$(RUN)/models/%/$(MADE))
networks: $(call NETWORKS_OF,trained) $(call NETWORKS_OF,predictions.safetensors)
words: $(RUN)/words-$(SOURCE).vec $(RUN)/words-$(TARGET).vec

ifdef PART
PAGE := docs/results/ofa
.PHONY: results
results: figs
	$(SEMEQV) $(REPORT) --markdown $(PAGE).md --part $(PART) --output $(PAGE)/$(PART).json
	$(if $(SHOWN),cp $(SHOWN) $(PAGE))
endif

ifdef VECTORS
$(RUN)/vectors.vec: | $(READY)
	@mkdir -p $(@D) && ln -sf $(abspath $(VECTORS)) $@
else
$(RUN)/vectors.vec: $(TEXT_READY)
	$(SEMEQV) $(TEXT) cli ofa vectors --dimensions $(DIMENSIONS) --path $@
endif

$(RUN)/models/%-random/$(MADE): $(TOKENIZER_READY)
	$(call INIT,random)

$(RUN)/models/%-mean/$(MADE): $(TOKENIZER_READY)
	$(call INIT,mean)

$(RUN)/models/%-subword-mean/$(MADE): $(TOKENIZER_READY)
	$(call INIT,subword-mean)

$(RUN)/models/%-ofa/$(MADE): $(RUN)/vectors.vec $(TOKENIZER_READY)
	$(call INIT,ofa --vectors $<)

# Fewer coordinates: ofa-100 and so on.
define WITH_COORDINATES
$(RUN)/models/%-random-$(1)/$(MADE): $(TOKENIZER_READY)
	$$(call INIT,random --keep_dim $(1))

$(RUN)/models/%-subword-mean-$(1)/$(MADE): $(TOKENIZER_READY)
	$$(call INIT,subword-mean --keep_dim $(1))

$(RUN)/models/%-ofa-$(1)/$(MADE): $(RUN)/vectors.vec $(TOKENIZER_READY)
	$$(call INIT,ofa --vectors $$< --keep_dim $(1))
endef
$(foreach kept,$(sort 64 100 200 400 $(KEEP)),$(eval $(call WITH_COORDINATES,$(kept))))

# WECHSEL: fastText on the words of each language, and a dictionary of the words that are nearest in OFA's vectors.
$(RUN)/words/bag.txt: $(RUN)/vectors.vec
	$(SEMEQV) cli ofa bag --vectors $< --smoothing 0 --output $(@D)

$(RUN)/words-%.vec: $(RUN)/words/bag.txt
	$(SEMEQV) $(call TEXT_OF,$*) cli tokenizer load --from $(<D) $(FASTTEXT) --path $@

$(RUN)/dictionary.tsv: $(RUN)/vectors.vec
	$(SEMEQV) cli ofa dictionary --vectors $< --languages $(SOURCE) $(TARGET) --path $@

$(RUN)/models/%-wechsel/$(MADE): $(RUN)/words-$(SOURCE).vec $(RUN)/words-$(TARGET).vec $(RUN)/dictionary.tsv $(TOKENIZER_READY)
	$(call INIT,wechsel --source_vectors $(RUN)/words-$(SOURCE).vec --target_vectors $(RUN)/words-$(TARGET).vec \
	  --dictionary $(RUN)/dictionary.tsv)

# FOCUS: fastText on the tokens of the new vocabulary. OMP is given the same vectors as its donor.
$(RUN)/tokens.vec: $(TEXT_READY) $(TOKENIZER_READY)
	$(SEMEQV) $(TEXT) cli tokenizer load --from $(TOKENIZER) $(FASTTEXT) --path $@

$(RUN)/donor/bag.txt: $(RUN)/tokens.vec
	$(SEMEQV) cli ofa bag --vectors $< --smoothing 0 --tokens_of $(TOKENIZER) --output $(@D)

$(RUN)/models/%-focus/$(MADE): $(RUN)/tokens.vec
	$(call INIT,focus --vectors $<)

$(RUN)/models/%-omp/$(MADE): $(RUN)/donor/bag.txt
	$(call INIT,omp --donor $(<D))

# HyperOFA, step by step.
KEPT = $(if $(KEEP),--keep_dim $(KEEP))
$(RUN)/mapping/mapping.json: $(RUN)/vectors.vec $(TOKENIZER_READY)
	$(SEMEQV) cli ofa mapping --from $(MODEL) --target_tokenizer $(TOKENIZER) --vectors $< $(KEPT) --path $(@D)

SUBWORDS = cli ofa dataset mapping --mapping $(RUN)/mapping --most_words $(HYPER_WORDS)
NETWORK = $(lastword $(subst -, ,$*))
$(RUN)/hypernetworks/%/trained: $(RUN)/mapping/mapping.json
	$(SEMEQV) --seed $(firstword $(subst -, ,$*)) --steps $(HYPER_STEPS) $(SETTINGS) --output $(@D) $(OPTIONS) \
	  $(SUBWORDS) --batch_size $(HYPER_BATCH) $(SUBWORDS) --split validation \
	  cli ofa model $(NETWORK) $(HYPER_$(NETWORK)) $(HYPER_OPTIMIZER) $(HYPER_SCHEDULE) \
	  cli savers default-saver --savebest --metric loss --mode min --minutes 2 --resume cli train
	@touch $@

$(RUN)/hypernetworks/%/predictions.safetensors: $(RUN)/hypernetworks/%/trained
	$(SEMEQV) $(SETTINGS) cli model load --from $(@D) \
	  cli ofa predict --mapping $(RUN)/mapping --most_words $(HYPER_WORDS) --path $@

$(RUN)/models/%-hyperofa/$(MADE): $(RUN)/hypernetworks/%-bilstm/predictions.safetensors
	$(call INIT,hyperofa --predictions $< $(KEPT))

$(RUN)/models/%-hyperofa-setformer/$(MADE): $(RUN)/hypernetworks/%-setformer/predictions.safetensors
	$(call INIT,hyperofa --predictions $< $(KEPT))
