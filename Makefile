# `make run` starts Parley, `make test` runs its tests, `make check` does all that CI does beside them.
# Say `make run PORT=8123 CHAT_VAR=elsewhere` for a second copy: make hands such words on to everything it starts.

SHELL := /bin/sh
VENV := .venv
# The Python that makes it; empty: the first supported one on the PATH.
PYTHON :=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := accounts chatproject conversations messaging
# Two workers. PYTEST_ARGS has the last word: PYTEST_ARGS="-n 0 …".
WORKERS := -n 2
PYTEST_ARGS ?=
FAULTS_ARGS ?=
BENCH_ARGS ?=

.PHONY: help run test test-long test-pythons faults check bench check-seed fmt docs words seed remove-demo lock check-lock sbom browser clean

help:
	@echo "make run    start Parley on http://127.0.0.1:8000 (PORT=…, HOST=…, CHAT_VAR=…)"
	@echo "make test   run the tests (NO_BROWSER=1 leaves out those that need Chromium)"
	@echo "make test-long  run those that take longest: everything tried by everyone, fuzz, load, falls of whole servers"
	@echo "make test-pythons  run make test on every supported Python of this machine, each in a .venv-3.N of its own"
	@echo "make faults the fault suite in full, four minutes and more (FAULTS_ARGS='--seed 7 --seconds 600 --json FILE')"
	@echo "make check  formats, lint, types, migrations, templates, a seed on an empty database"
	@echo "make bench  messages a second, how long they take, memory (BENCH_ARGS=--quick, --only=pairs, --write …)"
	@echo "make fmt    bring the code into its format"
	@echo "make docs   write docs/openapi.yaml from the code"
	@echo "make words  compile the translations"
	@echo "make seed   put the demo's people into a running, empty Parley"
	@echo "make remove-demo  close the accounts of the demo's people, while Parley is stopped"
	@echo "make lock   write requirements.lock: what production installs, with hashes (check-lock tries it)"
	@echo "make sbom   print what production consists of (CycloneDX)"
	@echo "make clean  remove the virtual environment and caches; data in var/ stays"

run: $(STAMP)
	@exec $(BIN)/python -m chatproject.embedded

test: $(STAMP) browser
	@$(BIN)/python -m pytest $(WORKERS) -m "not long$(if $(filter 1,$(NO_BROWSER)), and not browser)" $(PYTEST_ARGS)

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
