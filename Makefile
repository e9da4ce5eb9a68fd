# OpsDesk. The way in is `make run`; `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help run test check format bench chaos docs lock messages

help:
	@echo "make run       start OpsDesk with a demo plant on http://localhost:8000 (PORT=… for another)"
	@echo "make test      install what the tests need and run them all"
	@echo "make check     lint, format, types, missing migrations"
	@echo "make bench     measure; BENCH_JSON=1 for one JSON object per line"
	@echo "make chaos     break one part after another under load and count what was lost (7 minutes)"
	@echo "make format    put the code into the house's format"
	@echo "make docs      play the default policies and write docs/escalation.md"
	@echo "make messages  collect the texts to translate and compile the translations"
	@echo "make lock      resolve pyproject.toml into the two locked requirement files"

# The stamp holds the lock files' content: an unchanged lock installs nothing.
$(VENV)/.runtime: requirements.txt
	@bin/make-venv $(PYTHON) $(VENV) requirements.txt $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	@bin/make-venv $(PYTHON) $(VENV) requirements-dev.txt $@

# exec: the shell becomes OpsDesk itself, so that a signal to make's child reaches it
run: $(VENV)/.runtime
	@exec $(PY) -m opsdesk.run

test: $(VENV)/.dev
	@bin/have-browser
	@$(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: $(VENV)/.dev
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) manage.py makemigrations --check --dry-run

format: $(VENV)/.dev
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

bench: $(VENV)/.dev
	@$(PY) -m benchmarks

# ARGS="--rate 10 --seconds 120", ARGS=--short: python -m chaos --help
chaos: $(VENV)/.dev
	@$(PY) -m chaos $(ARGS)

docs: $(VENV)/.dev
	@WRITE_DOCS=1 $(PY) -m pytest -q tests/scenarios/test_playbook.py

messages: $(VENV)/.dev
	@$(PY) manage.py collect_messages
	@$(PY) manage.py compile_po

# Needs pip-tools in PATH. No index or download host gets into the files.
LOCK := pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock:
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
