# The study on text as it was designed: days of a CPU for BookCorpus, hours for Europarl; OPTIONS='--device cuda'.

EXPERIMENT := mlm-transformer

include $(dir $(lastword $(MAKEFILE_LIST)))mlm.mk
