# `make run` starts Parley, `make test` runs its tests, `make check` runs everything else that CI runs.
# `make run PORT=8123 CHAT_VAR=elsewhere` starts a second copy: make passes such variables on to what it starts.

SHELL := /bin/sh
VENV := .venv
# The Python that makes it; empty: the first supported one on the PATH.
PYTHON :=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := accounts chatproject conversations messaging
# Three workers keep two cores busy: a worker waits for servers, timers and the browser for almost half of its time.
# PYTEST_ARGS="-n 0 …" overrides this.
WORKERS := -n 3
PYTEST_ARGS ?=
FAULTS_ARGS ?=
BENCH_ARGS ?=

.PHONY: help run test test-long test-pythons faults check bench check-seed fmt docs words seed remove-demo lock check-lock sbom browser clean

help:
	@echo "make run    start Parley on http://127.0.0.1:8000 (PORT=…, HOST=…, CHAT_VAR=…)"
	@echo "make test   run the tests (NO_BROWSER=1 leaves out those that need Chromium)"
	@echo "make test-long  run the tests that take longest: the full permission matrix, fuzzing, load, server crashes"
	@echo "make test-pythons  run make test on every supported Python of this machine, each in a .venv-3.N of its own"
	@echo "make faults run the whole fault suite, four minutes or more (FAULTS_ARGS='--seed 7 --seconds 600 --json FILE')"
	@echo "make check  formats, lint, types, migrations, templates, the demo on an empty database"
	@echo "make bench  measure messages per second, latency and memory (BENCH_ARGS=--quick, --only=pairs, --write …)"
	@echo "make fmt    format the code"
	@echo "make docs   generate docs/openapi.yaml and docs/asyncapi.yaml"
	@echo "make words  compile the translations"
	@echo "make seed   create the demo's people in a running, empty Parley"
	@echo "make remove-demo  close the accounts of the demo's people while Parley is stopped"
	@echo "make lock   write requirements.lock, the packages of production with hashes (check-lock verifies it)"
	@echo "make sbom   print the packages of production (CycloneDX)"
	@echo "make clean  remove the virtual environment and caches; data in var/ is kept"

run: $(STAMP)
	@exec $(BIN)/python -m chatproject.embedded

# Every server that the tests start would compile the code again without the bytecode of an earlier one.
test test-long: export PYTHONDONTWRITEBYTECODE :=

test: $(STAMP) browser
	@$(BIN)/python -m pytest $(WORKERS) -m "not long$(if $(filter 1,$(NO_BROWSER)), and not browser)" $(PYTEST_ARGS)

# Some of these measure time, which a third worker would disturb.
test-long: WORKERS := -n 2
test-long: $(STAMP) browser
	@$(BIN)/python -m pytest $(WORKERS) -m "long$(if $(filter 1,$(NO_BROWSER)), and not browser)" $(PYTEST_ARGS)

test-pythons:
	@.ci/pythons

faults: $(STAMP)
	@exec $(BIN)/python -m tests.faults $(FAULTS_ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/djlint --quiet --check templates
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python -m pytest -q tests/checks
	$(BIN)/python -m tests.support.fresh "makemigrations --check --dry-run" prepare prepare

bench: $(STAMP)
	@$(BIN)/python -m tests.load $(BENCH_ARGS)

docs: $(STAMP)
	$(BIN)/python manage.py documents

words: $(STAMP)
	$(BIN)/pybabel compile --domain=django --directory=messaging/locale
	$(BIN)/pybabel compile --domain=django --directory=accounts/locale

check-seed: $(STAMP)
	$(BIN)/python -m tests.support.fresh prepare prepare

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates

seed: $(STAMP)
	CHAT_DEMO=1 $(BIN)/python manage.py prepare

remove-demo: $(STAMP)
	@exec $(BIN)/python -m chatproject.embedded remove_demo

lock: $(STAMP)
	@.ci/lock $(BIN)

check-lock: $(STAMP)
	$(BIN)/python -m pip install --quiet --dry-run --ignore-installed --require-hashes -r requirements.lock

sbom: $(STAMP)
	@$(BIN)/python .ci/sbom

browser:
	@[ "$(NO_BROWSER)" = 1 ] || .ci/browser

clean:
	rm -rf $(VENV) .venv-3.* .mypy_cache .pytest_cache .ruff_cache
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.txt requirements-dev.txt
	@.ci/venv $(VENV) $(PYTHON)
	@touch $@
