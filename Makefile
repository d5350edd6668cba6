# Two verbs do everything on a fresh machine: `make demo` and `make test`.
# Another Python in another folder: make test PYTHON=python3.13 VENV=.venv-3.13
NAMES := python3.11 python3.12 python3.13 python3.10 python3.14
PYTHON ?= $(firstword $(foreach name,$(NAMES),$(shell $(name) -c 'print("$(name)")' 2>/dev/null)) python3)
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c $(CONSTRAINTS)

.PHONY: demo test check format bench bench-quick bench-converter bench-watching gowalla gowalla-softmax yelp2018 yelp2018-softmax faults models mutants matrix site clean
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/recbole-alibaba demo

# Hundreds of the tests start a process, which is slow where Python may not keep compiled modules.
test: $(VENV)/.installed-dev
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What is timed against what, as ratios in one run; each writes its page. Hours in all; see benchmarks/README.md.
bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks

# Three minutes of it, to build/bench: no rows at 10 M, no million items.
bench-quick: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks --quick --output build/bench

bench-converter: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/converter.py

bench-watching: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/watching.py

# LightGCN's published splits, from ../shared/data or GOWALLA=folder, YELP2018=folder, to results/: half an hour each, the softmax
# a quarter or a half of it.
GOWALLA ?= ../shared/data/gowalla
YELP2018 ?= ../shared/data/yelp2018
gowalla gowalla-softmax: $(VENV)/.installed
	$(BIN)/python -m benchmarks.lightgcn_table $@ --data $(GOWALLA)

yelp2018 yelp2018-softmax: $(VENV)/.installed
	$(BIN)/python -m benchmarks.lightgcn_table $@ --data $(YELP2018)

# The doctor on its bank of planted faults, to results/doctor.md: a quarter of an hour.
faults: $(VENV)/.installed-dev
	$(BIN)/python -m tests.diagnosis.faults

# Every model of RecBole, in RecBole and through run.py, to docs/models.md: an hour. MODELS='BPR FM' for some.
models: $(VENV)/.installed-dev
	$(BIN)/python -m tests.plugin.every_model $(MODELS)

# Whether the tests notice single changes to the core logic: an hour. MUTANTS='--number 20 --modules "dataset_prep/pairs/*"'
MUTANTS ?= --number 200
mutants: $(VENV)/.installed-dev
	$(BIN)/python -m tests.mutation $(MUTANTS)

# The documentation, to build/site. A warning stops it.
site: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The tests on every Python found, or on those of PYTHONS='python3.12 /path/to/python3.13', to docs/pythons.md: hours.
matrix:
	$(PYTHON) -m tests.matrix $(PYTHONS)

clean:
	rm -rf .venv dataset saved log log_tensorboard

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(f"Python 3.10 or later is needed, this is {sys.version.split()[0]}; set PYTHON=/path/to/python3") if sys.version_info < (3, 10) else None'
	$(PYTHON) -m venv $(VENV)

# RecBole pins ray <= 2.6.3, which cannot be installed on Python 3.12 and later; --no-deps passes over that pin.
# What a C compiler, where there is one, makes of the .c files at installation is faster; see hatch_build.py.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) hatch_build.py $(shell find dataset_prep recbole_alibaba -name '*.c') | $(BIN)/python
	@echo "installing into $(VENV) (a minute or two)"
	$(PIP) -e .
	$(PIP) --no-deps recbole==1.2.1
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) -e ".[bench]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -e ".[dev,index,serve,spark]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	$(PIP) -e ".[docs]"
	@touch $@
