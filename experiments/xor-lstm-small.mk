# A small bidirectional LSTM.

EXPERIMENT := xor-lstm-small
MODEL := lstm
MODEL_OPTIONS := --layers 2 --embedding_size 4 --hidden_size 8

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
