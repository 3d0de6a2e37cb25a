# A bidirectional LSTM of width 32.

EXPERIMENT := xor-lstm-medium
MODEL := lstm
MODEL_OPTIONS := --layers 4 --embedding_size 32 --hidden_size 32
THREADS :=

include $(dir $(lastword $(MAKEFILE_LIST)))shared/xor.mk
