# An MLP-Mixer of width 32.

EXPERIMENT := xor-mlp-medium
MODEL := mlp
MODEL_OPTIONS := --layers 2 --embedding_size 32 --tokenwise_feedforward_size 32 --channelwise_feedforward_size 32 --activation relu
STEPS ?= 300000
THREADS :=

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
