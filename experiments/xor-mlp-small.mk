# A small MLP-Mixer.

EXPERIMENT := xor-mlp-small
MODEL := mlp
MODEL_OPTIONS := --layers 1 --embedding_size 4 --tokenwise_feedforward_size 4 --channelwise_feedforward_size 8 --activation relu

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
