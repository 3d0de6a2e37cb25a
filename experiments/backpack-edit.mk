# An edited fact: what the senses of WORD say for REMOVE they say for ADD. Does it hold in all contexts (generalisation), and
# is everything else as before (specificity, perplexity)?
#
# Models are those of backpack-europarl.mk, trained if they are not there. Another fact has folders of its own.

KS ?= 8
FIGS := exchanged
PART := edit
SHOWN = $(RUN)/exchanged$(FACT)
WORD ?= European
REMOVE ?= Union
ADD ?= Parliament
FACT := $(if $(filter European-Union-Parliament,$(WORD)-$(REMOVE)-$(ADD)),,-$(WORD)-$(REMOVE)-$(ADD))

include $(dir $(lastword $(MAKEFILE_LIST)))backpack-europarl.mk

EXCHANGED := $(foreach name,$(filter-out %-gpt2,$(NAMES)),$(RUN)/exchanged$(FACT)/$(name)/metrics.jsonl)
EDIT = $(RUN)/edits$(FACT)/$*-$(WORD).json

$(EXCHANGED): $(RUN)/exchanged$(FACT)/%/metrics.jsonl: $(RUN)/%/trained
	$(SEMEQV) --seed $(SEED) --output $(@D) --overwrite $(OPTIONS) cli model load --from $(<D) $(HELD) \
	  cli backpack edit knowledge --word $(WORD) --remove $(REMOVE) --add $(ADD) --output $(EDIT) \
	  cli backpack effects --edits $(EDIT) --word $(WORD) --wanted $(ADD) --unwanted $(REMOVE)
	$(SEMEQV) --seed $(SEED) $(SETTINGS) --output $(@D)-edited --overwrite $(OPTIONS) \
	  cli model edited --from $(<D) --edits $(EDIT) $(HELD) cli perplexity

.PHONY: exchanged
exchanged: $(EXCHANGED)
	@$(SEMEQV) cli backpack report $(SHOWN)
