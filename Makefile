# Huiyuan. Two commands for everybody: `make demo` and `make test`. `make help` lists the rest.

# The first Python that is new enough; a version manager's stand-ins exist without working, so each is tried.
PYTHON  ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit; }; done; echo python3)
PORT    ?= 8000
DATA    ?= var/demo
WORKERS ?= 1

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

# Stamps: what is installed, and from which lists. A changed list installs again, an unchanged one costs nothing.
RUN := $(VENV)/.stamp-run
DEV := $(VENV)/.stamp-dev

# Bytecode is kept whatever the environment says: without, each of some hundred processes compiles the program anew.
demo test lint bench torture: export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt bench torture mutants screenshots requirements install clean
.SUFFIXES:

help:
	@echo "make demo          everything on this machine, in a browser    PORT=$(PORT) DATA=$(DATA) WORKERS=$(WORKERS)"
	@echo "make test          the whole test-suite, on real engines       ARGS='tests/ledger -k refund'"
	@echo "make lint          style, types, architecture"
	@echo "make fmt           put the style right"
	@echo "make bench         settlements per second, against the database alone"
	@echo "make torture       a whole system, killed and cut and stalled, loses nothing    ARGS='--seed 7 --ops 100000'"
	@echo "make mutants       seeded defects, and the test that catches each   ARGS='wallet pin-tries-not-counted'"
	@echo "make screenshots   pictures of the phone and POS pages, for the README"
	@echo "make requirements  pin every dependency anew, with hashes"

demo: $(RUN)
	@exec $(BIN)/huiyuan demo --port $(PORT) --data $(DATA) --workers $(WORKERS) $(ARGS)

# All of it in several processes, each with engines of its own; a file stays in one process, as its fixtures do.
test: $(DEV)
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder)

lint: $(DEV)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@out=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$out"; exit 1; }
	@echo "lint: style, types and architecture are in order"

fmt: $(DEV)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

bench: $(RUN)
	@$(BIN)/huiyuan bench settle $(ARGS)

torture: $(RUN)
	@exec $(BIN)/huiyuan torture $(ARGS)

mutants: $(DEV)
	@$(BIN)/python -m tests.mutants $(ARGS)

screenshots: $(DEV)
	@$(BIN)/python -m tests.browser.screenshots $(ARGS)

install: $(DEV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + " (set PYTHON=...)")'
	@echo "installing into $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: on Debian, apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(RUN): requirements/runtime.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

# One list serves every supported Python: what only some of them need is named without a marker in pyproject.toml.
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links

requirements: $(DEV)
	@$(COMPILE) $(ARGS) --output-file requirements/build.txt requirements/build.in
	@$(COMPILE) $(ARGS) --output-file requirements/runtime.txt pyproject.toml
	@$(COMPILE) $(ARGS) --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt pyproject.toml

clean:
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
