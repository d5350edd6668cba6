# Two verbs do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: demo test check format bench clean
.DEFAULT_GOAL := demo

demo: .venv/.installed
	$(BIN)/recbole-alibaba demo

test: .venv/.installed-dev
	$(BIN)/python -m pytest

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv dataset saved log log_tensorboard

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11 is needed (recbole 1.2.1 stops there), this is {sys.version.split()[0]}; set PYTHON=/path/to/python3.11") if sys.version_info[:2] != (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing into .venv (a minute or two)"
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) -e ".[dev,spark]"
	@touch $@
