# How many senses: Backpacks with 1, 4, 8 and 16 senses on the generated text, where coverage can be measured.
#
# SIZE=micro trains as long as backpack-babel.mk, SIZE=small ten times as long. KS names other numbers.

SIZE ?= micro
KS ?= 1 4 8 16
SEEDS ?= 42..44
EXPERIMENT := backpack-senses-k-$(SIZE)
STEPS ?= $(if $(filter micro,$(SIZE)),1200,12000)

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

SETTINGS = --threads 1 --precision bf16
EACH := $(if $(findstring ..,$(SEEDS)),$(shell seq $(subst .., ,$(SEEDS))),$(SEEDS))
GRAMMAR := --plural 0 --past 0 --subject_entity 0 --object_entity 0 --oblique_entity 0 \
  --verbs 30 --adjectives 30 --adverbs 15
TEXT := cli dataset babel $(GRAMMAR) --block_size 64

MEASURED := $(foreach k,$(KS),$(EACH:%=$(RUN)/measured/%-senses$(k)/metrics.jsonl))

figs: $(MEASURED)
	@$(SEMEQV) cli backpack report $(RUN)/measured

define runs
$(RUN)/%-senses$(1)/trained: | $(READY)
	$(TRAIN) --seed $$* --steps $(STEPS) $(SETTINGS) --output $$(@D) $(OPTIONS) \
	  cli tokenizer bpe --vocab_size 2000 $(TEXT) --batch_size 8 \
	  cli model backpack --senses $(1) --layers 2 --heads 4 --embedding_size 96 --block_size 64 --initializer_range .1 \
	  cli optimizers adamw --learning_rate 3e-3 --weight_decay .1 cli schedulers cosine-warmup --warmup 50 \
	  cli savers default-saver --minutes 2 --resume cli train
	@touch $$@

$(EACH:%=$(RUN)/measured/%-senses$(1)/metrics.jsonl): $(RUN)/measured/%-senses$(1)/metrics.jsonl: $(RUN)/%-senses$(1)/trained
	$(SEMEQV) --seed $$* $(SETTINGS) --output $$(@D) --overwrite $(OPTIONS) \
	  cli model load --from $(RUN)/$$*-senses$(1) $(TEXT) --split validation --documents 600 \
	  cli perplexity --no-overlap cli backpack coverage cli backpack disambiguation
endef
$(foreach k,$(KS),$(eval $(call runs,$(k))))
