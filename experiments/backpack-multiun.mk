# The same as backpack-europarl.mk on MultiUN, French and English.
#
# The text is that of $SEMEQV_DATA, or fetched with DOWNLOAD=--download. SIZE=micro, mini or small, as there.

CORPUS ?= multiun
SIZE ?= micro
SEEDS ?= 42..44
DOWNLOAD ?=
HELD ?= --documents 2000
EXPERIMENT := backpack-$(CORPUS)-$(SIZE)

include $(dir $(lastword $(MAKEFILE_LIST)))backpack.mk
