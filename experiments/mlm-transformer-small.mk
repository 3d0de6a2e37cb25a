# The study on text in a size that six runs fit into an hour of a CPU: narrower, with short rows and small first values.

EXPERIMENT := mlm-transformer-small
STEPS ?= 14000
VOCABULARY ?= 4000
BATCH ?= 32
LENGTH ?= 32
LAYOUT ?= --packing True
WIDTH ?= 64
INITIAL ?= .02
LEARNING_RATE ?= 1e-3
WARMUP ?= 500
THREADS ?= 1

include $(dir $(lastword $(MAKEFILE_LIST)))mlm.mk
