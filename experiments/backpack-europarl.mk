# A Backpack and GPT-2 of the same trunk on French and English: perplexity, last words, similarity, translations.
#
# The text is Europarl, from $SEMEQV_DATA or fetched with DOWNLOAD=--download. SIZE=micro is for a CPU; SIZE=mini and
# SIZE=small are those of the multilingual project: OPTIONS='--device cuda'.

CORPUS ?= europarl
SIZE ?= micro
SEEDS ?= 42..44
DOWNLOAD ?=
HOLDOUT ?= $(if $(DOWNLOAD),--holdout .001)
EXPERIMENT := backpack-$(CORPUS)-$(SIZE)

include $(dir $(lastword $(MAKEFILE_LIST)))backpack.mk
