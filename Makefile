# `make demo` and `make test` need Python 3.11+ and make, nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test check up bench lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP) ## everything installed into .venv, from the lock, by hash

$(STAMP): locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cryptovol needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: setup ## (DEMO="--hours 6" for less) a simulated market recorded, modelled and reported, end to end
	$(BIN)/cryptovol demo $(DEMO)

test: setup ## every test this machine can run
	$(BIN)/python -m pytest

check: setup ## everything static: format, lint, types, layers, definitions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate -w workspace.yaml
	@if command -v docker-compose >/dev/null; then docker-compose -f compose.yaml config -q \
		&& echo "compose.yaml is valid"; else echo "compose.yaml not checked: no docker-compose"; fi

up: setup ## the stack on this machine: simulated feed, Dagster and MLflow UIs
	$(BIN)/cryptovol up

bench: setup bench/.venv/.installed ## the benchmark tables, peers beside us
	$(BIN)/python bench/parse.py
	$(BIN)/python bench/features.py

bench/.venv/.installed: locks/bench.txt
	$(PYTHON) -m venv bench/.venv
	bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/bench.txt
	@touch $@

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --extra kafka --extra batch --extra build --extra dev -o locks/dev.txt $(LOCKING)
	uv pip compile pyproject.toml --extra kafka --extra build -o locks/ingestor.txt $(LOCKING)
	uv pip compile pyproject.toml --extra kafka --extra batch --extra build -o locks/dagster.txt $(LOCKING)
	uv pip compile bench/requirements.in -o locks/bench.txt $(LOCKING)

LOCKING := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --no-strip-extras

clean: ## a full reset: everything recorded, trained and reported here is deleted
	rm -rf data_lake/store bench/.venv bench/reports .pytest_cache .mypy_cache .ruff_cache .hypothesis
