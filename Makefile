# Verdict's commands; `make help` lists them.

PYTHON ?= python3
SPLIT ?= test
SEED ?= 1
RUN := .venv/run
TRAIN := .venv/train
TEACH := .venv/teach
PEERS := .venv/peers
DEV := .venv/dev

# Variables given on the command line reach the programs.
# ONNX Runtime reports its use to its makers unless told not to.
export ORT_DISABLE_TELEMETRY = 1
export ENDPOINT_PORT API_PORT PAGE_PORT IMDB_ARCHIVE VERDICT_CACHE MODEL CHROMIUM

.DEFAULT_GOAL := help
.PHONY: help run test check format data vocab train train-best seeds ablation behaviour peers evaluate evaluate-app faithfulness warnings plots readme picture clean

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(RUN)/.ready ## start endpoint, API and page, and print the page's address
	@$(RUN)/bin/python run.py

test: $(DEV)/.ready check ## run ruff, mypy and every test
	@$(DEV)/bin/python -m pytest $(TESTS)

check: $(DEV)/.ready ## run ruff and mypy
	@$(DEV)/bin/ruff check .
	@$(DEV)/bin/ruff format --check .
	@$(DEV)/bin/mypy vocab chalice_app run.py

format: $(DEV)/.ready ## let ruff order imports and lay out the code
	@$(DEV)/bin/ruff check --fix --select I .
	@$(DEV)/bin/ruff format .

data: $(RUN)/.ready ## get the IMDb archive, check it, print what it holds
	@$(RUN)/bin/python training/dataset.py

vocab: $(RUN)/.ready ## count words and write vocab/vocabulary.pkl (then train again)
	@$(RUN)/bin/python training/build_vocab.py

train: $(TRAIN)/.ready ## train the network and write training/model/ (about 15 minutes on 2 cores)
	@$(TRAIN)/bin/python training/train.py --resume
	@$(TRAIN)/bin/python training/export.py

train-best: $(TEACH)/.ready ## run the published model's recipe, training/best.py, and write training/model/
	@$(TEACH)/bin/python training/best.py --seed $(SEED)

seeds: $(TEACH)/.ready ## repeat the recipe's last training with seeds 1, 2 and 3 and print the spread
	@$(TEACH)/bin/python training/seeds.py

ablation: $(TEACH)/.ready ## train without one ingredient each and print what each is worth
	@$(TEACH)/bin/python training/ablate.py

behaviour: $(PEERS)/.ready ## examine the published model, beside three others, on short cases by capability
	@$(PEERS)/bin/python training/examine.py --peers

peers: $(PEERS)/.ready ## compare the published model with VADER, TextBlob, NB-LR, fastText and the old app
	@$(PEERS)/bin/python training/peers.py --split $(SPLIT)

evaluate: $(RUN)/.ready ## judge the published model on SPLIT=test or SPLIT=development
	@$(RUN)/bin/python training/evaluate.py --split $(SPLIT)

evaluate-app: $(RUN)/.ready ## send 500 test reviews through the running app and judge its answers
	@$(RUN)/bin/python training/evaluate_app.py

faithfulness: $(RUN)/.ready ## ask whether the explanations are honest, on 500 development reviews
	@$(RUN)/bin/python training/faithfulness.py

warnings: $(RUN)/.ready ## ask whether other languages are noticed and English is left alone
	@$(RUN)/bin/python training/examine_warnings.py

plots: $(DEV)/.ready ## draw the card's figures into docs/
	@$(DEV)/bin/python docs/draw_plots.py

readme: $(RUN)/.ready ## write the card's figures and the curl's answer into README, and docs/model-card.md
	@$(RUN)/bin/python docs/fill_readme.py

picture: $(DEV)/.ready ## take README's picture of the page, in Chromium
	@$(DEV)/bin/python docs/take_picture.py

clean: ## remove the environments and what tools left
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis chalice_app/.chalice/deployments

$(RUN)/.ready: requirements-run.txt
$(TRAIN)/.ready: requirements-run.txt requirements-train.txt
$(TEACH)/.ready: requirements-run.txt requirements-train.txt requirements-teach.txt
$(PEERS)/.ready: requirements-run.txt requirements-train.txt requirements-peers.txt
$(DEV)/.ready: requirements-run.txt requirements-train.txt requirements-teach.txt requirements-peers.txt requirements-dev.txt

.venv/%/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Verdict needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@mkdir -p .venv && test -w .venv || { echo "make: this folder can't be written to, and .venv/ belongs here"; exit 1; }
	@echo "making .venv/$* from requirements-$*.txt; this takes a minute"
	@$(PYTHON) -m venv .venv/$* || { echo "make: no venv here; install your system's python3-venv package"; exit 1; }
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-$*.txt || \
		{ echo "make: pip could not install requirements-$*.txt; is there a network?"; exit 1; }
	@touch $@
