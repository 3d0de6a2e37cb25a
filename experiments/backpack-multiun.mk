# The same as backpack-europarl.mk on MultiUN, French and English.
#
# The text is that of $SEMEQV_DATA, or fetched with DOWNLOAD=--download; it is one file, of which a thousandth is held
# out. SIZE=micro, mini or small, as there.

CORPUS ?= multiun
SIZE ?= micro
SEEDS ?= 42..44
DOWNLOAD ?=
HOLDOUT ?= --holdout .001
EXPERIMENT := backpack-$(CORPUS)-$(SIZE)

include $(dir $(lastword $(MAKEFILE_LIST)))backpack.mk
