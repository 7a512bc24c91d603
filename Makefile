# `make` alone lists what there is.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo studio notebook docs test trials share lint format constraints clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.installed ## a virtual environment with everything, torch to fit the machine

$(VENV)/.installed: pyproject.toml constraints.txt scripts/install.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python scripts/install.py '.[embedded,onnx,dev]'
	touch $@

demo: setup ## distil eight sample shoes with a local model, and show them
	$(BIN)/reaseq import --sample
	$(BIN)/reaseq distill --category shoes --limit 8
	$(BIN)/reaseq knowledge list --category shoes

test: setup ## all tests but long trials
	OMP_NUM_THREADS=1 $(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile -m "not embedded and not trial"
	$(BIN)/pytest -m embedded

studio: setup ## the graphs in LangGraph's development server
	$(BIN)/langgraph dev --allow-blocking

notebook: setup ## run the notebooks of examples/ anew, and keep their outputs
	$(BIN)/python scripts/notebook.py examples/*.ipynb

docs: setup ## the page of API reference, from docstrings, into site/
	$(BIN)/python scripts/reference.py site

trials: setup ## long trials, and in full what `make test` tries a share of: an hour
	$(BIN)/pytest --all-trials -m trial

share: setup ## a share of the long trials: a few minutes
	OMP_NUM_THREADS=1 $(BIN)/pytest -n logical --maxprocesses 4 -m trial tests/graphs/test_interruption.py tests/graphs/test_golden.py tests/agents tests/api

lint: setup ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: setup ## pin what is installed now
	$(BIN)/python scripts/freeze.py > constraints.new && mv constraints.new constraints.txt

clean: ## remove the virtual environment and caches, not your data
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist
