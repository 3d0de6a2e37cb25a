# HyperOFA's networks, BiLSTM and SetFormer, beside plain OFA that has the same information: on old subwords that neither
# has seen, and for MiniLM with French tokens, by retrieval. 100 coordinates, as in the paper.
#
# Needs what ofa-minilm needs. Half an hour of one CPU core; HYPER_STEPS=20000 trains longer.

SEEDS ?= 42..44
EXPERIMENT := ofa-hypernetwork

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

LANGUAGE ?= fr
KEEP := 100
PART := hypernetworks
REPORT = cli ofa report --hypernetworks $(RUN) --retrieval $(RUN)
METHODS ?= ofa-100 hyperofa hyperofa-setformer random-100

include $(dir $(lastword $(MAKEFILE_LIST)))minilm.mk

NETWORKS := $(foreach network,bilstm setformer,$(EACH:%=$(RUN)/evaluated/%-$(network)/$(MEASURED)))

$(RUN)/evaluated/%/$(MEASURED): $(RUN)/hypernetworks/%/trained
	$(SEMEQV) $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model load --from $(<D) \
	  cli ofa evaluate --mapping $(RUN)/mapping --most_words $(HYPER_WORDS) --split test

RESULTS := $(NETWORKS) $(MODELS:%=$(RUN)/measured/%/$(MEASURED))

figs: $(FIGURES)/retrieval.pdf
	@$(SEMEQV) $(REPORT)

$(FIGURES)/retrieval.pdf: $(RESULTS)
	$(SEMEQV) cli ofa view --path $@ $(RUN)
