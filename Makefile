# Verdict's commands; `make help` lists them.

PYTHON ?= python3
OUT ?= verdicts.csv
RUN := .venv/run
SERVE := .venv/serve
TRAIN := .venv/train
DISTILL := .venv/distill
CLIENT := .venv/client
DEV := .venv/dev
BENCH := .venv/bench
AWS := .venv/aws
TORTURE := .venv/torture
CHECKOV := .venv/checkov

# An environment finds our packages from any folder: all by the repository's root, Chalice's app by its own.
# Its Python names the new command when a former script is run.
PATHS := import pathlib, sys, sysconfig; \
	pathlib.Path(sysconfig.get_path("purelib"), "verdict.pth").write_text("\n".join(sys.argv[1:]) + "\n")

# ONNX Runtime reports its use to its makers unless told not to.
export ORT_DISABLE_TELEMETRY = 1
# Variables given on the command line reach the programs.
export ENDPOINT_PORT API_PORT PAGE_PORT LISTEN_HOST PUBLIC_API_URL IMDB_ARCHIVE VERDICT_CACHE MODEL CHROMIUM
export BESIDE BESIDE_ENDPOINT_PORT BESIDE_API_PORT BESIDE_API_URL
export STAGE ENDPOINT_KIND IMAGE SITE
export AUTH API_KEYS FEEDBACK API_KEY CORS_ORIGIN RATE_LIMIT COMPATIBLE ENDPOINT_SECONDS

# Messages name the command that was typed.
TYPED = VERDICT_TYPED="make $@"

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*\#\#.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: # prints each group and its commands
	@sed -nE 's/^### (.*)/\n\1/p; s/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

### Use

# exec, because a shell in between would keep a signal to make.
run: $(RUN)/.ready ## start endpoint, API and page, and print the page's address
	@exec env $(TYPED) $(RUN)/bin/python run.py

serve: $(SERVE)/.ready ## the same for many callers; a process that ends is started again
	@exec env $(TYPED) $(SERVE)/bin/python run.py --serve

key: $(RUN)/.ready ## make an API key; print it once, with the hash for API_KEYS
	@$(RUN)/bin/python -m chalice_app.local.new_key

batch: $(RUN)/.ready ## judge a FILE of reviews into OUT, by Batch Transform or with FLAGS=--local
	$(if $(FILE),,$(error name the file: make batch FILE=reviews.csv OUT=verdicts.csv))
	@$(TYPED) $(RUN)/bin/python -m training.jobs.batch "$(FILE)" --out "$(OUT)" $(FLAGS)

report: OUT = report.html
report: $(RUN)/.ready ## write what people say in a FILE, and what moved the number, into OUT (report.html)
	$(if $(FILE),,$(error name the file: make report FILE=reviews.csv))
	@$(TYPED) $(RUN)/bin/python -m training.report.report "$(FILE)" --out "$(OUT)" $(FLAGS)

adapt: $(RUN)/.ready ## fit the model to a FILE of your own labelled reviews; report whether it is better
	$(if $(FILE),,$(error name the file: make adapt FILE=my.csv))
	@$(TYPED) $(RUN)/bin/python -m training.adapt.adapt "$(FILE)" $(FLAGS)

drift: $(RUN)/.ready ## compare the running API's traffic with the model's test data
	@$(TYPED) $(RUN)/bin/python -m training.evaluation.drift $(FLAGS)

client: $(CLIENT)/.ready ## build the Python client's wheel and sdist, into dist/
	@$(CLIENT)/bin/python -m build --no-isolation --outdir dist client

### Build

train: $(TRAIN)/.ready ## train the network (about 15 minutes on 2 cores)
	@$(TRAIN)/bin/python -m training.recipe.train --resume
	@$(TRAIN)/bin/python -m training.recipe.export

train-best: $(DISTILL)/.ready ## run the published model's recipe, stage by stage
	@$(DISTILL)/bin/python -m training.recipe.reproduce $(FLAGS)

evaluate: $(RUN)/.ready ## measure the model on the test split; FLAGS="--split development" for the other
	@$(RUN)/bin/python -m training.evaluation.evaluate $(FLAGS)

### AWS

doctor: $(RUN)/.ready ## check everything that would break a deploy; change nothing
	@$(RUN)/bin/python -m training.aws.doctor $(FLAGS)

deploy: $(RUN)/.ready ## put model, API and page on AWS, and print what they cost
	@$(RUN)/bin/python -m training.aws.deploy $(FLAGS)

status: $(RUN)/.ready ## show everything of the stage on AWS, its age and its cost
	@$(RUN)/bin/python -m training.aws.status $(FLAGS)

update-model: $(RUN)/.ready ## put another MODEL behind the deployed endpoint
	@$(RUN)/bin/python -m training.aws.update_model $(FLAGS)

destroy: $(RUN)/.ready ## list everything of the stage on AWS, ask, and remove it
	@$(RUN)/bin/python -m training.aws.destroy $(FLAGS)

train-aws: $(AWS)/.ready ## train on SageMaker and bring the network back
	@$(AWS)/bin/python -m training.jobs.train $(FLAGS)

adapt-aws: $(AWS)/.ready ## fine-tune the model to a FILE, here or in S3, on SageMaker
	$(if $(FILE)$(FLAGS),,$(error name the file: make adapt-aws FILE=my.csv, or FILE=s3://bucket/prefix/my.csv))
	@$(TYPED) $(AWS)/bin/python -m training.jobs.adapt $(if $(FILE),"$(FILE)") $(FLAGS)

notebook: $(RUN)/.ready ## start a notebook instance with the walkthrough; FLAGS=--open prints its address
	@$(RUN)/bin/python -m training.jobs.notebook_instance $(FLAGS)

rehearse: $(DEV)/.ready ## deploy, use and destroy all of it in a simulated account; FLAGS=--serve keeps it up
	@$(DEV)/bin/python -m tests.support.rehearse $(FLAGS)

### Measure

bench: $(BENCH)/.ready ## measure speed, size and cost beside alternatives; FLAGS=--quick for a look
	@$(BENCH)/bin/python -m bench.bench $(FLAGS)

profile: $(BENCH)/.ready ## show where an answer, a request, a file and the Lambda's start spend their time
	@$(BENCH)/bin/python -m bench.profiles $(FLAGS)

bench-check: $(BENCH)/.ready ## fail when a published ratio of speeds got worse by over 25 %
	@$(BENCH)/bin/python -m bench.check $(FLAGS)

torture: $(TORTURE)/.ready ## attack all of it for long and print the outcome; FLAGS=fuzz for a part
	@$(TORTURE)/bin/python -m tests.torture $(FLAGS)

### Maintain

# Three workers on two cores can starve a browser or a server. So CI runs failed tests once more, alone; a test
# that fails twice fails the run. Status 1 means that every test ran.
ONCE_MORE = $(if $(CI),|| { [ $$? -eq 1 ] && echo "the tests that failed run once more" && \
	$(DEV)/bin/python -m pytest --last-failed --last-failed-no-failures none $(TESTS); })

test: $(DEV)/.ready $(CHECKOV)/.ready check ## run the checks and every test; TESTS=tests/vocab for a part
	@$(DEV)/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 $(TESTS) $(ONCE_MORE)

test-fast: $(DEV)/.ready ## run the quick tests of vocab, messages, app and client, in a minute
	@$(DEV)/bin/python -m pytest -n 3 -m "not slow" tests/vocab tests/chalice_app tests/client

check: $(DEV)/.ready ## run ruff, mypy and import-linter
	@$(DEV)/bin/ruff check .
	@$(DEV)/bin/ruff format --check .
	@$(DEV)/bin/mypy vocab training tools bench static_site run.py launcher client chalice_app/app.py chalice_app/chalicelib
	@$(DEV)/bin/mypy -p chalice_app.local  # by its name: its folder lies on two roots of imports
	@$(DEV)/bin/lint-imports

picture: $(DEV)/.ready ## take the docs' pictures and the visual test's anew; FLAGS="--only looks" for a part
	@$(DEV)/bin/python -m tools.take_picture $(FLAGS)

FROM = $(if $(filter dev,$*),requirements-dev.txt,requirements/$*.txt)
# Environments: .venv/NAME from requirements/NAME.txt, and .venv/dev from requirements-dev.txt.

$(RUN)/.ready: requirements/run.txt
$(SERVE)/.ready: $(addprefix requirements/,run.txt serve.txt)
$(TRAIN)/.ready: $(addprefix requirements/,run.txt train.txt)
$(DISTILL)/.ready: $(addprefix requirements/,run.txt train.txt distill.txt)
$(CLIENT)/.ready: requirements/client.txt
$(AWS)/.ready: $(addprefix requirements/,run.txt aws.txt)
ALL := requirements-dev.txt $(addprefix requirements/,client.txt run.txt serve.txt train.txt distill.txt baselines.txt aws.txt)
$(DEV)/.ready: $(ALL)
$(BENCH)/.ready: $(ALL) requirements/bench.txt
$(TORTURE)/.ready: $(ALL) requirements/torture.txt

# checkov pins its libraries by itself, so its environment leaves constraints.txt out.
$(CHECKOV)/.ready: CONSTRAINTS =
$(CHECKOV)/.ready: requirements/checkov.txt

CONSTRAINTS = -c requirements/constraints.txt
# CI names a quicker one.
INSTALL = .venv/$*/bin/python -m pip install --quiet --disable-pip-version-check
.venv/%/.ready: requirements/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Verdict needs Python 3.11 or newer, $(PYTHON) is " + sys.version.split()[0] + "; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@mkdir -p .venv && test -w .venv || { echo "make: this folder can't be written to, and .venv/ belongs here"; exit 1; }
	@echo "making .venv/$* from $(FROM); this takes a minute"
	@$(PYTHON) -m venv .venv/$* || { echo "make: no venv here; install your system's python3-venv package"; exit 1; }
	@$(INSTALL) -r $(FROM) $(CONSTRAINTS) || \
		{ echo "make: pip could not install $(FROM); is there a network?"; exit 1; }
	@.venv/$*/bin/python -c '$(PATHS)' "$(CURDIR)" "$(CURDIR)/chalice_app" "$(CURDIR)/client" "import sys; 'training/' in ''.join(sys.orig_argv[1:2]) and __import__('training.moved')"
	@touch $@
