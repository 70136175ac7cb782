# Everything a person runs by hand. Each target sets up what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# For a machine without a GPU: address of a package index with CPU builds of torch and torchvision. Both come from it, for
# they must be of one build; everything else from the usual one.
TORCH_INDEX ?=
SIZE := $(if $(TORCH_INDEX),about 1.3 GB,about 5.2 GB (4.2 GB of it are CUDA; without: make setup TORCH_INDEX=ADDRESS, docs/deployment))
TOOLS := $(VENV)/.ready-tools
SITE := $(VENV)/.ready-site
# A program that ends with this make, also where make is killed: the name of its parent, nsmodels/engine/processes/lifeline.py
UNDER_MAKE := NSMODELS_PARENT=$$PPID exec
INSTALLED_FROM := pyproject.toml constraints.txt hatch_build.py pipeline/lib/runs/bare_command.pth

.PHONY: help setup tools demo paper test documents docs links check ui clean-environment
help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(READY)  ## an environment in .venv (VENV=...) with the exact versions of constraints.txt

$(READY): $(INSTALLED_FROM)
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 13) else "error: Python 3.11 or 3.12 is needed, this is %d.%d; set PYTHON=/path/to/python3.11" % v)'
	@echo "environment in $(VENV): $(SIZE) on disk, some minutes; Ctrl-C stops, the same command goes on"
	@df -h . | awk 'NR == 2 {print "free on this disk: " $$4}'
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH_INDEX),$(BIN)/pip install --no-deps --index-url $(TORCH_INDEX) --constraint constraints.txt torch torchvision)
	$(BIN)/pip install --constraint constraints.txt --editable '.[pipeline,export]'
	@echo "compiling the functions of numba: about a minute, once"
	@OMP_NUM_THREADS=1 $(BIN)/python -m nsmodels.commands.compilation
	@touch $(READY)

tools: $(TOOLS)  ## what tests and checks need besides: pytest, Ray, a browser's driver, linters

$(TOOLS): $(READY)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,wandb]'
	@touch $(TOOLS)

demo: $(READY)  ## the main job: synthetic CLEVR, quick preset, evaluation, figures
	@$(UNDER_MAKE) $(BIN)/python -m pipeline.demo

# of everything that is made for the paper; PRESET=debug is a rehearsal of minutes
PRESET ?= quick
SEEDS ?= 0...2
# steps at the same time; 0: as many as fit
JOBS ?= 0
paper: $(READY)  ## the paper in paper/: what is missing of trainings over seeds, studies and figures, then all of it; resumes
	@$(UNDER_MAKE) $(BIN)/python -m pipeline.publication --preset $(PRESET) --seeds $(SEEDS) --jobs $(JOBS) $(if $(DRY_RUN),--dry-run)

# Byte code is kept, also where PYTHONDONTWRITEBYTECODE is set: the tests start some hundred programs of this source.
test: $(TOOLS)  ## the test suite
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q --numprocesses 4 --dist loadfile --no-loadscope-reorder

documents: $(TOOLS)  ## every command of README and docs/, in order, with debug presets; 16 minutes on two cores
	PATH=$(CURDIR)/$(BIN):$$PATH OMP_NUM_THREADS=1 $(UNDER_MAKE) $(BIN)/python -m tests.documented $(PAGES)

docs: $(SITE)  ## the documentation site in build/site/html: pages, reference, search; warnings are errors
	@OMP_NUM_THREADS=1 $(BIN)/python -m docs.site

links: $(SITE)  ## asks the hosts of the external links in the documentation; needs a network
	@OMP_NUM_THREADS=1 $(BIN)/python -m docs.site --external

$(SITE): $(READY)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $(SITE)

check: $(TOOLS)  ## what CI checks before the tests: format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

ui: $(READY)  ## the web UI on a free port, with the project's history
	$(BIN)/dagster dev --port $$($(BIN)/python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

clean-environment:  ## remove .venv; data/ and .dagster/ stay
	rm -rf $(VENV)
