# Two verbs do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: demo test check format bench bench-quick bench-converter bench-watching gowalla faults models mutants site clean
.DEFAULT_GOAL := demo

demo: .venv/.installed
	$(BIN)/recbole-alibaba demo

test: .venv/.installed-dev
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is timed against what, as ratios in one run; each writes its page. Hours in all; see benchmarks/README.md.
bench: .venv/.installed-bench
	$(BIN)/python -m benchmarks

# Three minutes of it, to build/bench: no rows at 10 M, no million items.
bench-quick: .venv/.installed-bench
	$(BIN)/python -m benchmarks --quick --output build/bench

bench-converter: .venv/.installed-bench
	$(BIN)/python benchmarks/converter.py

bench-watching: .venv/.installed-bench
	$(BIN)/python benchmarks/watching.py

# LightGCN's published split, from ../shared/data/gowalla or GOWALLA=folder, to results/gowalla.md: half an hour.
GOWALLA ?= ../shared/data/gowalla
gowalla: .venv/.installed
	$(BIN)/python -m benchmarks.gowalla --data $(GOWALLA)

# The doctor on its bank of planted faults, to results/doctor.md: a quarter of an hour.
faults: .venv/.installed-dev
	$(BIN)/python -m tests.diagnosis.faults

# Every model of RecBole, in RecBole and through run.py, to docs/models.md: an hour. MODELS='BPR FM' for some.
models: .venv/.installed-dev
	$(BIN)/python -m tests.plugin.every_model $(MODELS)

# Whether the tests notice single changes to the core logic: hours. MUTANTS='--number 20 --modules dataset_prep/core.py'
MUTANTS ?= --number 200
mutants: .venv/.installed-dev
	$(BIN)/python -m tests.mutation $(MUTANTS)

# The documentation, to build/site. A warning stops it.
site: .venv/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

clean:
	rm -rf .venv dataset saved log log_tensorboard

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(f"Python 3.11 is needed (recbole 1.2.1 stops there), this is {sys.version.split()[0]}; set PYTHON=/path/to/python3.11") if sys.version_info[:2] != (3, 11) else None'
	$(PYTHON) -m venv .venv

# What a C compiler, where there is one, makes of these at installation is faster; see hatch_build.py.
.venv/.installed: pyproject.toml constraints.txt hatch_build.py $(shell find dataset_prep recbole_alibaba -name '*.c') | .venv/bin/python
	@echo "installing into .venv (a minute or two)"
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

.venv/.installed-bench: .venv/.installed-dev
	$(PIP) -e ".[bench]"
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) -e ".[dev,index,serve,spark]"
	@touch $@

.venv/.installed-docs: .venv/.installed-dev
	$(PIP) -e ".[docs]"
	@touch $@
