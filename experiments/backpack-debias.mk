# Gender bias of Backpacks before and after an edit of their senses: WinoBias and CrowS-Pairs, and what it costs in
# perplexity, beside GPT-2.
#
# Models are those of backpack-europarl.mk, trained if they are not there. `fitted` scales one sense of the words for
# occupations, `projected` takes from all their senses what tells `he` from `she`.

KS ?= 8
FIGS := edited
PART := debias
SHOWN = $(RUN)/debias

include $(dir $(lastword $(MAKEFILE_LIST)))backpack-europarl.mk

# A small vocabulary has no word for an occupation whole.
PIECES ?= $(if $(filter micro,$(SIZE)),--pieces)

EDITS := $(RUN)/edits
BEFORE := $(NAMES:%=$(RUN)/debias/%/metrics.jsonl)
AFTER := $(foreach name,$(filter-out %-gpt2,$(NAMES)),$(RUN)/debias/$(name)-fitted/metrics.jsonl $(RUN)/debias/$(name)-projected/metrics.jsonl)
PLAIN = $(firstword $(subst -, ,$*))-$(word 2,$(subst -, ,$*))
BIAS := cli backpack bias cli backpack crows-pairs cli perplexity

$(BEFORE): $(RUN)/debias/%/metrics.jsonl: $(RUN)/%/trained
	$(SEMEQV) --seed $(SEED) $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model load --from $(<D) $(HELD) $(BIAS)

$(EDITS)/%-fitted.json: $(RUN)/%/trained
	$(SEMEQV) --output $(EDITS)/$*-fitted --overwrite $(OPTIONS) cli model load --from $(<D) cli backpack edit debias $(PIECES) --output $@
$(EDITS)/%-projected.json: $(RUN)/%/trained
	$(SEMEQV) --output $(EDITS)/$*-projected --overwrite $(OPTIONS) cli model load --from $(<D) \
	  cli backpack edit debias $(PIECES) --by projection --output $@

$(AFTER): $(RUN)/debias/%/metrics.jsonl: $(EDITS)/%.json
	$(SEMEQV) --seed $(SEED) $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) \
	  cli model edited --from $(RUN)/$(PLAIN) --edits $< $(HELD) $(BIAS)

.PHONY: edited
edited: $(BEFORE) $(AFTER)
	@$(SEMEQV) cli backpack report $(SHOWN)
