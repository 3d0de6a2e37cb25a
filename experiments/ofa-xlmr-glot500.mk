# The same as ofa-roberta-glot500.mk with XLM-R, whose tokens Glot500 has too: it keeps them all.

FROM ?= FacebookAI/xlm-roberta-base
EXPERIMENT := ofa-xlmr-glot500
HYPER_bilstm ?= --layers 4 --hidden_size 800 --dropout .4 --temperature .25
HYPER_setformer ?= --layers 4 --hidden_size 1600 --heads 4 --dropout .4 --temperature .25

include $(dir $(lastword $(MAKEFILE_LIST)))shared/glot500.mk
