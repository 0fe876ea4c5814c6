# From a fresh clone every target works at once: it needs Python >= 3.11, git and make, and makes .venv itself.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
# Passed to the command behind the target: make test ARGS='-k ledger -x'
ARGS :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up bench simulate test faults conform check lint format schemas lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/ready ## Bring up a whole network and tour it, on real pictures
	@$(BIN)/hutong demo $(ARGS)

up: $(VENV)/ready ## Bring up the same network and keep it up; Ctrl-C stops it
	@$(BIN)/hutong up $(ARGS)

bench: $(VENV)/ready ## Measure this machine: the figures of docs/benchmarks.md
	@$(BIN)/hutong bench $(ARGS)

test: $(VENV)/ready-dev ## Run every test
	$(BIN)/python -m pytest -n 2 $(ARGS)

SIM_SEEDS := 1..
SIM_MINUTES := 10
simulate: $(VENV)/ready ## Live a network through every fault, on two cores: SIM_SEEDS=1..2000 or SIM_MINUTES=10
	@$(BIN)/hutong simulate --seeds $(SIM_SEEDS) --minutes $(SIM_MINUTES) --processes 2 $(ARGS)

ROUNDS := 10
faults: $(VENV)/ready-dev ## Kill nodes and database under load, ROUNDS=10 times each; FAULT_SEED=1 chooses other moments
	FAULT_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest tests/network/test_faults.py $(ARGS)

conform: $(VENV)/ready-dev ## Hold our own nodes to docs/scheme with the conformance kit, killing them on the way
	CONFORM_CRASH=1 $(BIN)/python -m pytest tests/conformance $(ARGS)

check: lint test ## All that CI asks: format, lint, types, layers and every test

lint: $(VENV)/ready-dev ## Format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/ready-dev ## Put the code into its format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

schemas: $(VENV)/ready-dev ## Write down what the migrations make, after adding one: see the difference in the review
	$(BIN)/python -m pytest -q tests/runtime/test_migrations.py -k golden --write-schemas

lock: $(VENV)/made ## Renew the pinned requirements from pyproject.toml; ARGS=--upgrade takes newer releases
	$(PIP) 'uv>=0.9'
	$(UV_COMPILE) $(ARGS) pyproject.toml --group build --output-file requirements.txt
	$(UV_COMPILE) $(ARGS) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## Remove the virtual environment, caches and builds; data stays
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made: scripts/make-venv
	@echo "Making the virtual environment $(VENV)"
	@scripts/make-venv $(VENV)
	@touch $@

$(VENV)/ready: $(VENV)/made requirements.txt pyproject.toml
	@echo "Installing what hutong needs into $(VENV)"
	@$(PIP) --require-hashes --requirement requirements.txt
	@$(PIP) --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready requirements-dev.txt
	@echo "Installing what its tests need into $(VENV)"
	@$(PIP) --require-hashes --requirement requirements-dev.txt
	@touch $@
