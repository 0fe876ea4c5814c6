# From a fresh clone every target works at once: it needs Python >= 3.11, git and make, and makes .venv itself.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
# Passed to the command behind the target: make test ARGS='-k ledger -x'
ARGS :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo up bench simulate test test-gateways gateway-languages screenshots faults claims conform fuzz rolling check lint format schemas docs lock clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/ready ## Bring up a whole network and tour it, on real pictures
	@$(BIN)/hutong demo $(ARGS)

up: $(VENV)/ready ## Bring up the same network and keep it up; Ctrl-C stops it
	@$(BIN)/hutong up $(ARGS)

bench: $(VENV)/ready ## Measure this machine: the figures of docs/benchmarks.md
	@$(BIN)/hutong bench $(ARGS)

test: $(VENV)/ready-browser ## Run every test, pages in a real browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

GATEWAY_CLIENTS := wechatpay alipay alipay-official node
test-gateways: $(VENV)/ready-dev ## Install nine clients of others into .gateways and drive them through merchants' stories; GATEWAY_CLIENTS=node chooses
	scripts/gateway-clients .gateways $(GATEWAY_CLIENTS)
	TEST_GATEWAYS=1 $(BIN)/python -m pytest tests/gateways/clients -n 2 --dist loadfile -rs $(ARGS)

LANGUAGES := php-cli golang-go
gateway-languages: ## Install PHP and Go from Debian, to run what is printed for them; LANGUAGES=php-cli takes PHP alone
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $(LANGUAGES)

screenshots: $(VENV)/ready-browser ## Picture the main pages into docs/pictures, both languages, phone and desktop
	$(BIN)/python -m pytest tests/browser/screenshots.py --timeout 600 $(ARGS)

SIM_SEEDS := 1..
SIM_MINUTES := 10
simulate: $(VENV)/ready ## Live a network through every fault, on two cores: SIM_SEEDS=1..2000 or SIM_MINUTES=10
	@$(BIN)/hutong simulate --seeds $(SIM_SEEDS) --minutes $(SIM_MINUTES) --processes 2 $(ARGS)

ROUNDS := 20
FAULT_SEED := 1
faults: $(VENV)/ready-dev ## Real faults under load, ROUNDS=20 of every kind: crashes, cuts, a full disk; FAULT_SEED=1 chooses
	PYTHONPATH=src:. $(BIN)/python -m tests.network.rounds --rounds $(ROUNDS) --seed $(FAULT_SEED) $(ARGS)

CLAIMS := 100000
KILLS := 24
CLAIM_SEED := 1
claims: $(VENV)/ready-dev ## CLAIMS=100000 payments that want the money of one budget, from several processes, KILLS=24 on the way
	PYTHONPATH=src:. $(BIN)/python -m tests.network.claims --claims $(CLAIMS) --kills $(KILLS) --seed $(CLAIM_SEED) $(ARGS)

conform: $(VENV)/ready-dev ## Hold our own nodes to docs/scheme with the conformance kit, killing them on the way
	CONFORM_CRASH=1 $(BIN)/python -m pytest tests/conformance $(ARGS)

FUZZ_SECONDS := 60
FUZZ_TARGETS := codes merchant_presented_code plate form payment_code picture envelope messages signature http words
fuzz: $(VENV)/ready-fuzz ## Fuzz every parser and message endpoint, FUZZ_SECONDS=60 each, then every operation of the APIs
	@for target in $(FUZZ_TARGETS); do echo "$$target"; \
	  $(BIN)/python -m tests.fuzz.run $$target -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -verbosity=0 || exit 1; done
	OPENAPI_EXAMPLES=30 $(BIN)/python -m pytest tests/network/test_openapi.py --timeout 3600 $(ARGS)

# The last release, or where there is none the commit before operators had names.
ROLLING_FROM := $(shell git describe --tags --abbrev=0 2>/dev/null || echo ceb9c7d)
rolling: $(VENV)/ready-dev ## Upgrade nodes one by one from ROLLING_FROM, a commit or tag, while people pay
	ROLLING_FROM=$(ROLLING_FROM) $(BIN)/python -m pytest tests/network/test_rolling.py $(ARGS)

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

docs: $(VENV)/ready-dev ## Write the tables of the documentation that code has: metrics, what gateways cover, what drives them
	$(BIN)/python -m pytest -q tests/app/test_metrics.py tests/gateways/test_coverage.py tests/gateways/clients/test_driven.py --write-docs

lock: $(VENV)/made ## Renew the pinned requirements from pyproject.toml; ARGS=--upgrade takes newer releases
	$(PIP) 'uv>=0.9'
	$(UV_COMPILE) $(ARGS) pyproject.toml --group build --output-file requirements.txt
	$(UV_COMPILE) $(ARGS) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(UV_COMPILE) $(ARGS) pyproject.toml --group fuzz --constraint requirements-dev.txt --output-file requirements-fuzz.txt

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

# Without a browser the other tests run all the same, and those of pages fail and say what is missing.
$(VENV)/ready-browser: $(VENV)/ready-dev scripts/browser
	@if scripts/browser $(BIN)/python; then touch $@; fi

$(VENV)/ready-fuzz: $(VENV)/ready-dev requirements-fuzz.txt
	@echo "Installing what fuzzing needs into $(VENV)"
	@$(PIP) --require-hashes --requirement requirements-fuzz.txt
	@touch $@
