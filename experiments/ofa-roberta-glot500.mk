# OFA and HyperOFA at the size of the papers: RoBERTa is given the tokens of Glot500, and goes on with masked LM on
# Glot500-c; retrieval, tagging and text classification before and after. For a GPU: OPTIONS='--device cuda'.
#
# Word vectors are ColexNet+'s (VECTORS=file), the model and the tokenizer come from the hub, the text is fetched.

FROM ?= FacebookAI/roberta-base
EXPERIMENT := ofa-roberta-glot500
HYPER_bilstm ?= --layers 2 --hidden_size 800 --dropout .4 --temperature .5
HYPER_setformer ?= --layers 2 --hidden_size 1600 --heads 4 --dropout .4 --temperature .5

include $(dir $(lastword $(MAKEFILE_LIST)))shared/glot500.mk
