# The distributional hypothesis holds for all there is: a zero bit has one symbol, a one bit two equally likely ones.

EXPERIMENT := xor-transformer-small-ydh
MODEL := transformer
MODEL_OPTIONS := --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4 --activation gelu
ZERO := 1 0
PAIRS := --indexes 2 3 "2, 3: same meaning, same contexts (DH holds)" --color "\#0072B2"
ACCURACIES := .4 .8

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
