# What a person or CI asks of this repository. Each target does its own set-up; nothing has to be exported.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# More words for the command of a target: make test ARGS='-k plan', make lock ARGS=--upgrade
ARGS ?=
# Tests mostly wait, so that more of them than there are processors could run side by side. Some still mind how busy the
# machine is: make test SIDE_BY_SIDE='--numprocesses 3 --dist loadscope --no-loadscope-reorder'
SIDE_BY_SIDE ?=
# Of make chaos: how many rounds, and what all their chance comes from.
ROUNDS ?= 200
SEED ?= 1

# Tools that download parts of themselves keep them inside the environment, whatever HOME is.
export PYRIGHT_PYTHON_CACHE_DIR := $(CURDIR)/.venv/.cache/pyright
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export npm_config_cache := $(CURDIR)/.venv/.cache/npm
export PRE_COMMIT_HOME := $(CURDIR)/.venv/.cache/pre-commit

.PHONY: help setup environment demo test check format bench chaos schema lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Create .venv, make sure of a Docker engine and of the images
	@scripts/setup.sh

environment: ## Create .venv alone
	@scripts/environment.sh

demo: setup ## Run the example pipeline to its end on an embedded Temporal
	$(BIN)/orca run specs/ci-pipeline.yaml $(ARGS)

test: setup ## Run all tests, those on real Temporal and real Docker included
	$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

check: environment ## Lint, formatting, types and import rules
	@failed=(); \
	for check in 'ruff check' 'ruff format --check' pyright lint-imports; do \
		echo "$(BIN)/$$check"; $(BIN)/$$check || failed+=("$$check"); \
	done; \
	[ $${#failed[@]} -eq 0 ] || { printf 'check failed: %s\n' "$${failed[@]}" >&2; exit 1; }

format: environment ## Format the code and mend what the linter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup ## Measure speed as ratios to the bare engine and bare Temporal
	$(BIN)/python -m benchmarks $(ARGS)

chaos: setup ## Kill, stop and freeze worker, server and engine under runs (ROUNDS=200 SEED=1)
	$(BIN)/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED) $(ARGS)

schema: environment ## Write specs/orca.schema.json anew from the models
	$(BIN)/orca schema > specs/orca.schema.json

lock: environment ## Write the lock files anew (ARGS=--upgrade takes newer versions)
	scripts/lock.sh $(ARGS)

clean: ## Remove .venv and what the tools left in this folder
	rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
