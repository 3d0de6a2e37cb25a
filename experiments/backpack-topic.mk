# Topic control: how far Backpacks are moved to write about each of the twelve topics of the generated text, and what it
# costs in perplexity under GPT-2, beside a bias on the logits of the same words.
#
# Models are those of backpack-babel.mk, trained if they are not there. STEPS=10000 trains longer, in
# folders of its own.

FIGS := topics
PART := topic
SHOWN = $(RUN)/topics
FIGURES = figures/backpack-topic$(LONGER)

include $(dir $(lastword $(MAKEFILE_LIST)))backpack-babel.mk

MOVED := $(foreach name,$(filter %-senses8,$(NAMES)),$(RUN)/topics/$(name)/metrics.jsonl)

$(MOVED): $(RUN)/topics/%-senses8/metrics.jsonl: $(RUN)/%-senses8/trained $(RUN)/%-gpt2/trained
	$(SEMEQV) --seed $* $(SETTINGS) --output $(@D) --overwrite $(OPTIONS) cli model load --from $(<D) $(HELD) \
	  cli backpack topics --judge $(RUN)/$*-gpt2 --output $(@D)/texts.jsonl

.PHONY: topics
topics: $(MOVED)
	@$(SEMEQV) cli backpack report $(SHOWN)
	$(SEMEQV) cli backpack topics-view --path $(FIGURES)/topics.pdf $(SHOWN)
