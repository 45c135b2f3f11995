# What a person does with boneage. Needs make and Python 3.11 or later; every
# target sets up what it needs, and does nothing twice.
#
#   make run                       assess the example image, open the dashboard
#   make test PYTHON=python3.12    with another Python
#   make train DATA=/data/rsna     with other images

DATA ?= ../shared/data/rsna
WEIGHTS ?= ../shared/weights
REFUSAL ?= ../shared/data/refusal
RUN ?= runs/compact
N ?= 100000
IMAGES ?= 60
FILMS ?= 100000
PROFILE ?= compact
OUT ?= out
EVIDENCE ?= docs/evidence
VENV ?= .venv
FILM := examples/synthetic_hand_girl.png

# The first of these that is new enough; tested only when a venv is made.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

BIN := $(VENV)/bin
# Editable: the code in src/ is what runs, so only new dependencies reinstall.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
BASE := $(VENV)/.installed-base
DASH := $(VENV)/.installed-dash
EVAL := $(VENV)/.installed-eval
TRAIN := $(VENV)/.installed-train
DEV := $(VENV)/.installed-dev

export TF_CPP_MIN_LOG_LEVEL ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run example examples test quick lint types pytest format train bundle evidence analyse evaluate ruler stress ablate card bench \
	fit fuzz metal sides encodings bigbench trainbench dashbench servicebench nodebench audit figures catalogues constraints clean

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1@\2/p' $(MAKEFILE_LIST) | \
		while IFS=@ read -r name text; do printf '  make %-13s %s\n' "$$name" "$$text"; done

run: $(DASH) example  ## Assess the example image, then open the dashboard in the browser
	@$(BIN)/boneage dashboard

example: $(BASE)  ## Assess the example image (synthetic) on the command line
	@$(BIN)/boneage assess $(FILM) --sex female --picture $(OUT)
	@echo "The regions are drawn in $(OUT)/$(notdir $(basename $(FILM))).boneage.png"

test: lint types pytest  ## Lint, check types, run every test (installs every extra but ray)

# What needs no Keras, browser, server or process of its own, with fewer examples of Hypothesis.
QUICK := $(addprefix tests/,domain storage reading imaging quality uncertainty clinical inference \
	history i18n synthetic reports batch apps/cli apps/test_audit_log.py test_project.py)

quick: lint types  ## Lint, check types, run the quick tests (a minute or two once set up)
	@$(BIN)/pytest --quiet --numprocesses auto --maxprocesses 4 --dist worksteal \
		-m "not slow and not films and not bundled" --hypothesis-profile quick $(QUICK) \
		--ignore tests/reports/test_orthanc.py --ignore tests/batch/test_big_batch.py \
		--ignore tests/apps/cli/test_output.py

lint: $(DEV)  ## Check style and layout
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || \
		{ echo "the layout of these files differs: make format"; $(BIN)/ruff format --check .; exit 1; }
	@$(BIN)/lint-imports --no-logo >/dev/null || $(BIN)/lint-imports --no-logo
	@echo "lint: good"

types: $(DEV)  ## Check types, strictly
	@$(BIN)/mypy

pytest: $(DEV)
	@$(BIN)/pytest --quiet --numprocesses auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder

format: $(DEV)  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

train: $(TRAIN)  ## Train the weights from DATA into RUN; resumes where it stopped
	$(BIN)/boneage train --profile $(PROFILE) --data $(DATA) --run $(RUN) \
		$(if $(wildcard $(WEIGHTS)),--initial-weights $(WEIGHTS))

bundle: $(EVAL)  ## Make the weights of RUN those that ship, in this checkout
	@$(BIN)/boneage weights --weights $(RUN)/weights >/dev/null
	@rm -rf src/boneage/bundle && cp -r $(RUN)/weights src/boneage/bundle
	@$(BIN)/python -m tools.documents figures

# Everything the documents claim of the weights, in the order in which it is needed.
evidence: analyse evaluate ruler stress ablate bench card  ## Measure everything that the documents state (an hour or two)

analyse: $(EVAL)  ## Analyse the labelled images of DATA
	@$(BIN)/boneage analyse $(DATA) --out $(EVIDENCE)/analysis

evaluate: $(EVAL)  ## Measure the bundled weights on the validation and training images of DATA
	@$(BIN)/boneage evaluate --data $(DATA) --out $(EVIDENCE) --curves $(EVIDENCE)/training \
		$(foreach file,$(wildcard $(EVIDENCE)/earlier/*.csv),--compare $(file) --compare-name $(basename $(notdir $(file)))) \
		|| [ $$? -eq 1 ]  # 1: some images had no result
	@$(BIN)/boneage evaluate --data $(DATA) --split train --out $(EVIDENCE)/train || [ $$? -eq 1 ]
	@$(BIN)/python -m tools.documents figures

fit: $(EVAL)  ## Fit the quality check and the prediction interval to the bundled weights (minutes)
	@$(BIN)/boneage fit --data $(DATA) --refusal $(REFUSAL) --weights src/boneage/bundle \
		--out $(EVIDENCE)/suitability
	@$(BIN)/python -m tools.documents figures

fuzz: $(DEV)  ## Give N damaged files to the readers; failures are kept in build/fuzz
	@$(BIN)/python -m tools.fuzz --inputs $(N) --out build/fuzz
	@[ $(N) -lt 100000 ] || cp build/fuzz/fuzz.json $(EVIDENCE)  # fewer are a trial

metal: $(DEV)  ## Draw metal onto held-out images, and count the warnings (a minute)
	@$(BIN)/python -m tools.metal.fit --data $(DATA) --measure $(EVIDENCE)/metal.json

sides: $(DEV)  ## Flip and mask held-out images, and count the warnings about right and flipped hands (minutes)
	@$(BIN)/python -m tools.sides.measure --data $(DATA) --split validation --out $(EVIDENCE)/sides.json

encodings: $(DEV)  ## Write IMAGES held-out images in hundreds of ways, and compare the results (an hour)
	@$(BIN)/python -m tools.encodings --data $(DATA) --images $(IMAGES) --work build/encodings \
		--out $(if $(and $(filter 60,$(IMAGES)),$(wildcard $(DATA))),$(EVIDENCE),build/encodings)/encodings.json

ruler: $(EVAL)  ## Measure the localization of the regions against marks by people
	@$(BIN)/boneage ruler --data $(DATA) --out $(EVIDENCE)/ruler || [ $$? -eq 1 ]
	@$(BIN)/python -m tools.documents figures

stress: $(EVAL)  ## Measure the robustness to changed images (half an hour)
	@$(BIN)/boneage stress --data $(DATA) --out $(EVIDENCE)/stress || [ $$? -eq 1 ]
	@$(BIN)/python -m tools.documents figures

ablate: $(TRAIN) $(EVAL)  ## Measure what each part of the method is worth, from the finished RUN
	@$(BIN)/boneage ablate --run $(RUN) --data $(DATA) --epochs 3 --out $(EVIDENCE)/ablation \
		$(if $(wildcard $(WEIGHTS)),--initial-weights $(WEIGHTS))
	@$(BIN)/python -m tools.documents figures

examples: $(EVAL)  ## Choose the drawn hands of examples/ by how the bundled weights read them (minutes)
	@$(BIN)/python -m tools.choose_examples

card: $(EVAL)  ## Draw the known failures and write the model card
	@$(BIN)/python -m tools.documents card
	@$(BIN)/python -m tools.documents figures

bench: $(EVAL)  ## Measure time, memory and size
	@$(BIN)/python -m tools.bench --install --out $(EVIDENCE)/bench.json \
		$(if $(wildcard $(RUN)),--run $(RUN))
	@$(BIN)/python -m tools.documents figures

bigbench: $(EVAL)  ## Assess FILMS small images in a folder, killed on the way: time, memory (hours)
	@$(BIN)/python -m tools.bench --folder $(DATA)/squeezed --films $(FILMS) --out $(EVIDENCE)/folder.json
	@$(BIN)/python -m tools.documents figures

trainbench: $(TRAIN) $(EVAL)  ## Measure what training costs beside its bare networks (ten minutes)
	@$(BIN)/python -m tools.bench --training $(DATA) --out $(EVIDENCE)/training-loop.json
	@$(BIN)/python -m tools.documents figures

dashbench: $(DEV)  ## Measure the dashboard in Chromium, and take its pictures for docs/
	@$(BIN)/python -m tools.bench.dashboard --out $(EVIDENCE)/dashboard.json
	@$(BIN)/python -m tools.screenshots docs
	@$(BIN)/python -m tools.screenshots --every-state docs/screens
	@$(BIN)/python -m tools.documents figures

servicebench: $(DEV)  ## Measure the service: images a second, memory (an hour)
	@$(BIN)/python -m tools.bench --service --out $(EVIDENCE)/service.json
	@$(BIN)/python -m tools.documents figures

nodebench: $(DEV)  ## Kill the DICOM node again and again, and count lost images (an hour)
	@$(BIN)/python -m tools.bench.node --films 1000 --kills 20 --out $(EVIDENCE)/node.json

audit: $(DEV)  ## Look for known vulnerabilities of the pinned libraries; needs the internet
	@$(BIN)/python -c 'from urllib.request import urlopen; urlopen("https://pypi.org/pypi/pip/24.0/json", timeout=20)' \
		2>/dev/null || { echo "audit: pypi.org does not answer what is known of a version, so nothing was looked up"; exit 1; }
	@$(BIN)/pip-audit --strict --no-deps --disable-pip -r constraints.txt

figures: $(EVAL)  ## Write the figures in README.md, docs/ and MODEL_CARD.md from the evidence
	@$(BIN)/python -m tools.documents figures

catalogues: $(DEV)  ## Update and compile the translations of the reports
	@$(BIN)/python -m tools.catalogues

# One exact version of everything, from a fresh resolution of pyproject.toml.
# TensorFlow goes by two names, of which a machine installs one: both are pinned.
constraints: $(BIN)/python  ## Resolve and pin all dependencies anew
	@rm -rf build/pins && $(BIN)/python -m venv build/pins
	@echo "resolving all extras in a fresh environment (minutes)"
	@build/pins/bin/python -m pip install --quiet --disable-pip-version-check \
		'.[train,distributed,evaluate,dashboard,history,report,dicom,server,node,big,ray,dev]'
	@{ echo "# Exact versions, written by 'make constraints'; do not edit."; \
		build/pins/bin/python -m pip freeze --exclude boneage | \
		sed -E 's/^tensorflow[-_]cpu==(.*)/&\ntensorflow==\1/'; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/pins
	@echo "constraints.txt: $$(grep -c == constraints.txt) versions"

clean:  ## Remove what can be made again; keeps .venv and the training runs
	@rm -rf $(OUT) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find src tests -type d -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "boneage needs Python 3.11 or later, and none was found." \
		"Install one, or name it: make run PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and \
		f"boneage needs Python 3.11 or later; $(PYTHON) is {v.major}.{v.minor}. \
	Name another: make run PYTHON=python3.12")'
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(BASE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing boneage (once, a minute or two)"
	@$(INSTALL) -e .
	@touch $@

$(DASH): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing boneage with the dashboard extra (once, some minutes)"
	@$(INSTALL) -e '.[dashboard]'
	@touch $(BASE) $@

$(EVAL): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing boneage with the evaluate and report extras (once, a minute or two)"
	@$(INSTALL) -e '.[evaluate,report]'
	@touch $(BASE) $@

$(TRAIN): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing boneage with the training extra (once, some minutes)"
	@$(INSTALL) -e '.[train]'
	@touch $(BASE) $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing boneage with every extra but ray (once, some minutes)"
	@$(INSTALL) -e '.[train,distributed,evaluate,dashboard,history,report,dicom,server,node,big,dev]'
	@touch $(BASE) $(DASH) $(EVAL) $(TRAIN) $@
