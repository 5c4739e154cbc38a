# Verdict's commands; `make help` lists them.

PYTHON ?= python3
SPLIT ?= test
SEED ?= 1
OUT ?= verdicts.csv
RUN := .venv/run
SERVE := .venv/serve
TRAIN := .venv/train
TEACH := .venv/teach
PEERS := .venv/peers
CLIENT := .venv/client
DEV := .venv/dev
BENCH := .venv/bench
AWS := .venv/aws
TEST_AWS := .venv/test-aws
TORTURE := .venv/torture
AUDIT := .venv/audit

# Variables given on the command line reach the programs.
# ONNX Runtime reports its use to its makers unless told not to.
export ORT_DISABLE_TELEMETRY = 1
export ENDPOINT_PORT API_PORT PAGE_PORT IMDB_ARCHIVE VERDICT_CACHE MODEL CHROMIUM
export BESIDE BESIDE_ENDPOINT_PORT BESIDE_API_PORT BESIDE_API_URL
export STAGE ENDPOINT_KIND IMAGE SITE
export AUTH API_KEYS FEEDBACK API_KEY CORS_ORIGIN RATE_LIMIT ENDPOINT_SECONDS

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(RUN)/.ready ## start endpoint, API and page, and print the page's address
	@$(RUN)/bin/python run.py

serve: $(SERVE)/.ready ## the same for many callers, and what ends by itself is started again
	@$(SERVE)/bin/python run.py --serve

key: $(RUN)/.ready ## make an API key and print it, this once, with the hash for API_KEYS
	@$(RUN)/bin/python -m chalice_app.local.new_key

test: $(DEV)/.ready check ## run ruff, mypy and every test
	@$(DEV)/bin/python -m pytest -n 2 --dist loadfile $(TESTS)

test-aws: $(TEST_AWS)/.ready ## run the tests against a simulated AWS and AWS's own servers
	@$(TEST_AWS)/bin/python -m pytest -m aws -n 2 --dist loadfile $(TESTS)

torture: $(TORTURE)/.ready ## attack all of it for long and print what came of it; FLAGS=fuzz for a part
	@$(TORTURE)/bin/python -m tests.torture $(FLAGS)

rehearse: $(TEST_AWS)/.ready ## deploy, use, batch and destroy all of it against a simulated AWS
	@$(TEST_AWS)/bin/python tests/support/rehearse.py $(FLAGS)

simulate: $(TEST_AWS)/.ready ## start a simulated AWS account, for the commands below in another terminal
	@$(TEST_AWS)/bin/python tests/support/rehearse.py --serve

check: $(DEV)/.ready ## run ruff and mypy
	@$(DEV)/bin/ruff check .
	@$(DEV)/bin/ruff format --check .
	@$(DEV)/bin/mypy vocab chalice_app client run.py

format: $(DEV)/.ready ## let ruff order imports and lay out the code
	@$(DEV)/bin/ruff check --fix --select I .
	@$(DEV)/bin/ruff format .

data: $(RUN)/.ready ## get the IMDb archive, check it, print what it holds
	@$(RUN)/bin/python -m training.data.dataset

vocab: $(RUN)/.ready ## count words and write vocab/vocabulary.pkl (then train again)
	@$(RUN)/bin/python -m training.data.build_vocab

train: $(TRAIN)/.ready ## train the network and write training/endpoint/model/ (about 15 minutes on 2 cores)
	@$(TRAIN)/bin/python -m training.recipe.train --resume
	@$(TRAIN)/bin/python -m training.recipe.export

train-best: $(TEACH)/.ready ## run the published model's recipe, training/recipe/reproduce.py, and write training/endpoint/model/
	@$(TEACH)/bin/python -m training.recipe.reproduce --seed $(SEED)

seeds: $(TEACH)/.ready ## repeat the recipe's last training with seeds 1, 2 and 3 and print the spread
	@$(TEACH)/bin/python -m training.recipe.seeds

ablation: $(TEACH)/.ready ## train without one ingredient each and print what each is worth
	@$(TEACH)/bin/python -m training.recipe.ablate

behaviour: $(PEERS)/.ready ## examine the published model, beside three others, on short cases by capability
	@$(PEERS)/bin/python -m training.evaluation.behaviour --peers

peers: $(PEERS)/.ready ## compare the published model with VADER, TextBlob, NB-LR, fastText and the old app
	@$(PEERS)/bin/python -m training.baselines.table --split $(SPLIT)

evaluate: $(RUN)/.ready ## judge the published model on SPLIT=test or SPLIT=development
	@$(RUN)/bin/python -m training.evaluation.evaluate --split $(SPLIT)

evaluate-app: $(RUN)/.ready ## send 500 test reviews through the running app and judge its answers
	@$(RUN)/bin/python -m training.evaluation.evaluate_app

drift: $(RUN)/.ready ## say how what the running API was asked differs from what the model was examined on
	@$(RUN)/bin/python -m training.evaluation.drift $(FLAGS)

bench: $(BENCH)/.ready ## measure Verdict's speed beside what one would pick instead (FLAGS=--quick: a look)
	@$(BENCH)/bin/python -m bench.bench $(FLAGS)

bench-check: $(BENCH)/.ready ## fail when a published ratio of speeds got worse by over 25 %
	@$(BENCH)/bin/python -m bench.check $(FLAGS)

profile: $(BENCH)/.ready ## profile an answer, the network and the app's imports afresh
	@$(BENCH)/bin/python -m bench.profiles $(FLAGS)

faithfulness: $(RUN)/.ready ## ask whether the explanations are honest, on 500 development reviews
	@$(RUN)/bin/python -m training.evaluation.faithfulness

warnings: $(RUN)/.ready ## ask whether other languages are noticed and English is left alone
	@$(RUN)/bin/python -m training.evaluation.language_warnings

doctor: $(RUN)/.ready ## look, before a deploy, at all that would break it
	@$(RUN)/bin/python -m training.aws.doctor $(FLAGS)

package: $(RUN)/.ready ## pack the model for a SageMaker endpoint, into build/
	@$(RUN)/bin/python -m training.aws.package $(FLAGS)

client: $(CLIENT)/.ready ## build the Python client's wheel and sdist, into dist/
	@$(CLIENT)/bin/python -m build --no-isolation --outdir dist client

train-aws: $(AWS)/.ready ## train on SageMaker and bring the network back
	@$(AWS)/bin/python -m training.jobs.train $(FLAGS)

deploy: $(RUN)/.ready ## put model, API and page on AWS, and say what they cost
	@$(RUN)/bin/python -m training.aws.deploy $(FLAGS)

update-model: $(RUN)/.ready ## put another MODEL behind the deployed endpoint
	@$(RUN)/bin/python -m training.aws.update_model $(FLAGS)

batch: $(RUN)/.ready ## judge a FILE of reviews into OUT, by Batch Transform or with FLAGS=--local
	$(if $(FILE),,$(error name the file: make batch FILE=reviews.csv OUT=verdicts.csv))
	@$(RUN)/bin/python -m training.jobs.batch "$(FILE)" --out "$(OUT)" $(FLAGS)

adapt: $(RUN)/.ready ## fit the model to a FILE of your own labelled reviews, and say whether that is better
	$(if $(FILE),,$(error name the file: make adapt FILE=my.csv))
	@$(RUN)/bin/python -m training.adapt.adapt.adapt "$(FILE)" $(FLAGS)

adapt-aws: $(AWS)/.ready ## fine-tune the model to a FILE of labelled reviews, here or in S3, on SageMaker
	$(if $(FILE)$(FLAGS),,$(error name the file: make adapt-aws FILE=my.csv, or FILE=s3://bucket/prefix/my.csv))
	@$(AWS)/bin/python -m training.jobs.adapt $(if $(FILE),"$(FILE)") $(FLAGS)

batch-test: $(RUN)/.ready ## judge the 25,000 test reviews in a batch and print the accuracy
	@$(RUN)/bin/python -m training.jobs.batch_test $(FLAGS)

notebook: $(RUN)/.ready ## start a notebook instance with the repository and the walkthrough
	@$(RUN)/bin/python -m training.jobs.notebook_instance $(FLAGS)

notebook-open: $(RUN)/.ready ## print the address at which the notebook instance opens
	@$(RUN)/bin/python -m training.jobs.notebook_instance --open $(FLAGS)

status: $(RUN)/.ready ## show every thing of the stage on AWS, its age and its cost
	@$(RUN)/bin/python -m training.aws.status $(FLAGS)

destroy: $(RUN)/.ready ## list everything of the stage on AWS, ask, and take it away
	@$(RUN)/bin/python -m training.aws.destroy $(FLAGS)

sbom: $(DEV)/.ready ## list all that is shipped, with licences, as CycloneDX into build/sbom/
	@$(DEV)/bin/python -m tools.sbom

audit: $(AUDIT)/.ready ## ask the advisory database for known weaknesses of what is pinned and what runs
	@$(AUDIT)/bin/pip-audit -r chalice_app/requirements.txt
	@$(AUDIT)/bin/pip-audit --no-deps --disable-pip -r training/endpoint-requirements.txt
	@$(AUDIT)/bin/pip-audit -r requirements-serve.txt

plots: $(DEV)/.ready ## draw the card's figures into docs/
	@$(DEV)/bin/python -m tools.draw_plots

readme: $(RUN)/.ready ## write the card's figures and the curl's answer into README, and docs/model-card.md
	@$(RUN)/bin/python -m tools.fill_docs

picture: $(DEV)/.ready ## take README's picture of the page, and those for links and home screens, in Chromium
	@$(DEV)/bin/python -m tools.take_picture

clean: ## remove the environments and what tools left
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis chalice_app/.chalice/deployments

$(RUN)/.ready: requirements-run.txt
$(AUDIT)/.ready: requirements-audit.txt
$(SERVE)/.ready: requirements-run.txt requirements-serve.txt
$(TRAIN)/.ready: requirements-run.txt requirements-train.txt
$(TEACH)/.ready: requirements-run.txt requirements-train.txt requirements-teach.txt
$(PEERS)/.ready: requirements-run.txt requirements-train.txt requirements-peers.txt
$(CLIENT)/.ready: requirements-client.txt
$(DEV)/.ready: requirements-client.txt requirements-run.txt requirements-serve.txt requirements-train.txt requirements-teach.txt requirements-peers.txt requirements-dev.txt
$(BENCH)/.ready: requirements-client.txt requirements-run.txt requirements-serve.txt requirements-train.txt requirements-teach.txt requirements-peers.txt requirements-dev.txt requirements-bench.txt
$(AWS)/.ready: requirements-run.txt requirements-aws.txt
$(TEST_AWS)/.ready: requirements-client.txt requirements-run.txt requirements-serve.txt requirements-train.txt requirements-teach.txt requirements-peers.txt requirements-dev.txt requirements-aws.txt requirements-test-aws.txt
$(TORTURE)/.ready: requirements-client.txt requirements-run.txt requirements-serve.txt requirements-train.txt requirements-teach.txt requirements-peers.txt requirements-dev.txt requirements-torture.txt

.venv/%/.ready:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Verdict needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@mkdir -p .venv && test -w .venv || { echo "make: this folder can't be written to, and .venv/ belongs here"; exit 1; }
	@echo "making .venv/$* from requirements-$*.txt; this takes a minute"
	@$(PYTHON) -m venv .venv/$* || { echo "make: no venv here; install your system's python3-venv package"; exit 1; }
	@.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-$*.txt || \
		{ echo "make: pip could not install requirements-$*.txt; is there a network?"; exit 1; }
	@touch $@
