# A Transformer of width 32.

EXPERIMENT := xor-transformer-medium
MODEL := transformer
MODEL_OPTIONS := --layers 2 --heads 1 --embedding_size 32 --feedforward_size 32 --activation gelu
STEPS ?= 300000
LEARNING_RATE := 1e-4
THREADS :=

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
