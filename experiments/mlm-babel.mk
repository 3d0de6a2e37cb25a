# The study on generated text, in minutes: an invented language of few words.

EXPERIMENT := mlm-babel
CORPUS := babel
STEPS ?= 5000
VOCABULARY ?= 1000
DOUBLES ?= 30
BATCH ?= 32
LENGTH ?= 32
LAYOUT ?= --packing True
WIDTH ?= 32
INITIAL ?= .02
LEARNING_RATE ?= 2e-3
WARMUP ?= 200
THREADS ?= 1

include $(dir $(lastword $(MAKEFILE_LIST)))mlm.mk
