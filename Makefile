# The one door to every chore. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check lint format types data train small bench audited change-rates data-cost formulations training-cost leaderboard bench-service bench-llm lock lock-data clean

PYTHON ?= python3
BIN := .venv/bin

# uv where it is, else a copy of it in the virtual environment, else pip.
UV = $(shell command -v uv || echo $(BIN)/uv)

# A half-made virtual environment would hide the reason from the next run.
define INSTALL
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name yours: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "no virtual environment can be made: apt-get install python3-venv" >&2; exit 1; }
	@$(UV) --version > /dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv 2> /dev/null || true
	@if $(UV) --version > /dev/null 2>&1; then \
		$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements/$(1).txt && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .; \
	else \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements/$(1).txt && \
		$(BIN)/python -m pip install --quiet --no-deps -e .; \
	fi
	@touch $@
endef

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "%-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.serve: requirements/serve.txt pyproject.toml
	$(call INSTALL,serve)

.venv/.dev: requirements/dev.txt pyproject.toml
	$(call INSTALL,dev)

setup: .venv/.dev ## Install everything, the research workbench too.

run: .venv/.serve ## Set up, start the service on 127.0.0.1:8000, heal the bundled example through it and keep serving.
	@$(BIN)/self-heal demo --serve

test: check ## Set up, then pass lint, format, types and every test (long ones apart).
	$(BIN)/python -m pytest -n 2 -q

test-long: .venv/.dev ## The tests that take minutes: a fresh clone, the locks elsewhere.
	$(BIN)/python -m pytest -m long -n 2 -q

check: lint types

lint: .venv/.dev ## Check the style of the code.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev ## Check the types, strictly.
	$(BIN)/mypy

format: .venv/.dev ## Bring the code into the one format.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The stages call `python`: the one of the virtual environment.
data: export PATH := $(CURDIR)/$(BIN):$(PATH)
data: .venv/.dev ## Collect the pages, label them and make the cases (needs npm; about 10 minutes the first time).
	$(BIN)/dvc repro describe

train: export PATH := $(CURDIR)/$(BIN):$(PATH)
train: .venv/.dev ## All of it: data, features, study, candidate and its evaluation (about 17 minutes more).
	$(BIN)/dvc repro

small: export PATH := $(CURDIR)/$(BIN):$(PATH)
small: .venv/.dev ## Make a small real workspace in .cache/small, three sources of two releases each.
	$(BIN)/python pipelines/small.py .cache/small

bench: .venv/.dev ## Measure speed beside the peers (needs npm); writes reports/speed.md.
	$(BIN)/python -m benchmarks.speed

bench-service: .venv/.dev ## Measure the service beside the bare library (12 minutes, nothing else running); writes reports/service.md.
	$(BIN)/python -m benchmarks.service

bench-llm: .venv/.dev ## Measure what a second opinion does to the test cases (after make data); writes reports/llm.md.
	$(BIN)/python -m benchmarks.llm_healer

audited: .venv/.dev ## Measure the rankers on the audited cases (after make data); writes reports/audited.md.
	$(BIN)/python -m benchmarks.audited

change-rates: .venv/.dev ## Measure how much changes at each difficulty (after make data); writes reports/change-rates.md.
	$(BIN)/python -m benchmarks.change_rates

data-cost: small ## Measure what labelling and case making cost; writes reports/data-cost.md.
	$(BIN)/python -m benchmarks.data_cost

formulations: .venv/.dev ## Try other rankers on the feature table (after make train); writes reports/formulations.md.
	$(BIN)/python -m benchmarks.formulations

RANKERS := similo similo++ healenium scrapling pyscrappy voting weighted models/ranker.json

leaderboard: .venv/.dev ## Measure every ranker on the test cases (after make data); writes reports/leaderboard.md.
	$(BIN)/self-heal bench $(addprefix --ranker ,$(RANKERS))
	$(BIN)/self-heal bench --healer benchmarks.scrapling_healer:heal --name "Scrapling (package)" --version 0.5

training-cost: .venv/.dev ## Measure what training costs up to the candidate (after make train; 12 minutes); writes reports/training-cost.md.
	$(BIN)/python -m benchmarks.training_cost --stages features tune train

lock: .venv/.dev ## Lock the versions again: names, versions and hashes, no addresses.
	set -e; for set in dev serve; do \
		same=$$([ $$set = dev ] || echo --constraint requirements/dev.txt); \
		$(UV) pip compile pyproject.toml --extra $$set $$same --universal --generate-hashes --no-header --no-annotate \
			--no-emit-index-url --no-emit-find-links --quiet -o requirements/$$set.txt; \
	done

lock-data: .venv/.dev ## Lock what new releases in data/sources.toml install.
	$(BIN)/python pipelines/lock.py

clean: ## Remove what was installed and made.
	rm -rf .venv .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
