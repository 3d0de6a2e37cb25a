# The main figure: a small Transformer; symbols 2 and 3 stand in the same contexts, 0 and 1 do not.

EXPERIMENT := xor-transformer-small
MODEL := transformer
MODEL_OPTIONS := --layers 1 --heads 1 --embedding_size 4 --feedforward_size 4 --activation gelu

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
