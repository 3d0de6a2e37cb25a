# The whole grid: every task with language vectors, from both bases, and the two hypotheses, on one page.
#
# TASKS=pos runs one of them; all variables of the tasks' own makefiles are passed on.

TASKS ?= pos parsing ner nli

include $(dir $(lastword $(MAKEFILE_LIST)))shared/crosslingual.mk

HERE := $(dir $(lastword $(filter %crosslingual-grid.mk,$(MAKEFILE_LIST))))
RUNS := $(TASKS:%=runs/crosslingual-%$(NAME)) $(SHARED)/measured
REPORT := $(SEMEQV) cli crosslingual report --distances $(HERE)distances-en.tsv

.NOTPARALLEL:
.PHONY: $(TASKS) page
figs: $(TASKS)
	$(REPORT) --csv $(FIGURES)/cells.csv $(RUNS)

$(TASKS):
	@$(MAKE) --no-print-directory -f $(HERE)crosslingual-$@.mk figs

page:
	@for task in $(TASKS); do $(MAKE) --no-print-directory -f $(HERE)crosslingual-$$task.mk results || exit 1; done
