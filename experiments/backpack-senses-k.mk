# How many senses: Backpacks with 1, 4, 8 and 16 on the generated text of backpack-babel.mk, where coverage can be measured.
#
# STEPS=12000 trains ten times as long, in folders of its own. KS names other numbers.

KS ?= 1 4 8 16
STUDY := backpack-senses-k
FIGS := report figure
SENSES_MEASURES := cli backpack coverage
DRAWING = cli backpack number-view --path $(FIGURES)/number.pdf

include $(dir $(lastword $(MAKEFILE_LIST)))backpack-babel.mk
