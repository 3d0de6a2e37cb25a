# The distributional hypothesis fails: a zero bit has one symbol, a one bit two of unlike frequency.

EXPERIMENT := xor-transformer-small-ndh
MODEL := transformer
MODEL_OPTIONS := --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4 --activation gelu
ZERO := 1 0
ONE := .1 .9
PAIRS := --indexes 2 3 "2, 3: same meaning, different contexts (DH fails)"
ACCURACIES := .4 1

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
