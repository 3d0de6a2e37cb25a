# The same as backpack-europarl.mk on MultiUN, French and English: one file, of which a thousandth is held out.

CORPUS := multiun
HOLDOUT ?= --holdout .001

include $(dir $(lastword $(MAKEFILE_LIST)))backpack-europarl.mk
