# Two commands matter: `make lab` to look, `make test` to be sure.  The rest are their parts.
# LAB="--no-browser --port 9000" is handed on to `minidock lab`.
#
# Every target makes what it needs: .venv from the lock files, with .venv/bin/minidock in it.
# PYTHON may be a version manager's shim; tools/pythons.py finds the real binary behind it.
# VENV lets `make test` repeat the parts on another Python: make unit VENV=.venv-3.13 …

PYTHON ?= python3
VENV ?= .venv
LANES ?= 3
PIP = $(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST = $(VENV)/bin/python -m pytest -q $(PYTEST_FLAGS)
IN_CI = $(filter true,$(CI))

.DEFAULT_GOAL := help
.NOTPARALLEL:    # edge and compat both build networks, cgroups and mounts
.PHONY: help lab test soak bench check unit edge edge-vm compat stories \
        lessons browser mutants counts traces pictures events-doc notebooks lock clean

help:
	@echo "make lab      set up, check this machine, open JupyterLab on the course"
	@echo "make test     set up, then every test; its parts: check unit edge edge-vm compat"
	@echo "              stories lessons browser mutants"
	@echo "make soak     the same tests at full length       make bench    ratios beside peers"
	@echo "make counts   after adding tests                  make lock     renew requirements/"
	@echo "make clean    remove only what make made"

# ── Set-up ────────────────────────────────────────────────────────────────────────────────

# The last step asks no network: the build backend came with the lock.
$(VENV)/bin/minidock: requirements/run.lock pyproject.toml
	@real=$$($(PYTHON) tools/pythons.py --real) && \
	 { [ -x $(VENV)/bin/python ] || { echo "setting up $(VENV) with $$real"; \
	   "$$real" -m venv $(VENV); }; }
	@$(PIP) install --require-hashes -r requirements/run.lock
	@$(PIP) install --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.lab: $(VENV)/bin/minidock requirements/lab.lock
	@$(PIP) install --require-hashes -r requirements/lab.lock
	@touch $@

$(VENV)/.dev: $(VENV)/.lab requirements/dev.lock requirements/compat.lock
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --require-hashes -r requirements/compat.lock
	@touch $@

# JupyterLab takes the place of make's shell, so Ctrl+C is for it alone.
lab: $(VENV)/.lab
	@exec $(VENV)/bin/minidock lab $(LAB)

# ── Tests ─────────────────────────────────────────────────────────────────────────────────

# First whatever has to be fetched, for lanes have no way out; then all parts in lanes side by
# side (tools/lanes.py); unit and edge again on every other Python.  CI insists on 3.11 and
# Debian's own Python; elsewhere whatever is new enough is used, and named.
test:
	@tools/debian.sh
	@pythons=$$($(PYTHON) tools/pythons.py $(if $(IN_CI),--ci)) || exit 1; \
	 echo "Python on this machine:"; echo "$$pythons" | sed 's/^/  /'; \
	 python="$(PYTHON)"; [ -z "$(IN_CI)" ] || python=$${pythons#* }; \
	 python=$$(echo "$$python" | head -n 1); \
	 $(MAKE) $(VENV)/.dev PYTHON="$$python" || exit 1; \
	 first=$$($(VENV)/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	 others=$$(echo "$$pythons" | grep -v "^$$first " | tr '\n' '|'); \
	 echo "$$others" | tr '|' '\n' | while read -r version python; do \
	   [ -z "$$version" ] || $(MAKE) .venv-$$version/.dev VENV=.venv-$$version \
	     PYTHON="$$python" </dev/null || exit 1; \
	 done || exit 1; \
	 $(VENV)/bin/python -m tests.bench.buildx || [ -z "$(IN_CI)" ] || exit 1; \
	 $(VENV)/bin/python tools/lanes.py $(LANES) "$(MAKE)" "$$others"

soak:
	$(MAKE) test MINIDOCK_TEST_LENGTH=1 PYTEST_FLAGS="-o timeout=14400"
export MINIDOCK_TEST_LENGTH

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache >$(VENV)/lint-imports.txt || \
	  { cat $(VENV)/lint-imports.txt; exit 1; }

unit: $(VENV)/.dev
	$(PYTEST) --part $@

# Beside other programs, a handful that failed is asked once more, alone, and named
# (tests/plugins/second_chance.py).
edge compat browser lessons: $(VENV)/.dev
	@failed="$(VENV)/failed-$@.txt"; \
	 $(PYTEST) --part $@ --second-chance "$$failed" || { \
	   [ -s "$$failed" ] || exit 1; \
	   echo "── $@: asked a second time, alone:"; sed 's/^/  /' "$$failed"; \
	   tr '\n' '\0' <"$$failed" | xargs -0 $(PYTEST) --part $@; }

# ACCEPT=1 shows how the golden journals would change, then rewrites them.
stories: $(VENV)/.dev
	ACCEPT=$(ACCEPT) $(PYTEST) --part stories

# A kernel with cgroup v2, or without a feature, in a small virtual machine (tests/vm).
edge-vm: $(VENV)/.dev
	@if [ -f tests/vm/__main__.py ]; then $(VENV)/bin/python -m tests.vm; \
	 else $(PYTEST) --part edge-vm; fi

# Each lesson is run on a fresh engine; a notebook is written where more than its times changed.
notebooks: $(VENV)/.dev
	$(VENV)/bin/python -W ignore -m pyminidock.course.notebook $(LESSONS)

mutants: $(VENV)/.dev
	$(VENV)/bin/python -m tests.mutants $(ROOMS)

bench: $(VENV)/.dev
	@if [ -f tests/bench/__main__.py ]; then $(VENV)/bin/python -m tests.bench; \
	 else echo "bench: no benchmark is written yet"; fi

# ── What is written by a program ──────────────────────────────────────────────────────────

counts: $(VENV)/.dev
	$(PYTEST) --collect-only --write-counts >$(VENV)/counts.txt || \
	  { cat $(VENV)/counts.txt; exit 1; }
	@git --no-pager diff --stat -- tests/counts.json

# Needs root: a real engine tells them.
traces: $(VENV)/.dev
	$(VENV)/bin/python -m tools.record_traces

# After `make traces`, or when a view or the SVG painter draws differently.
pictures: $(VENV)/.dev
	$(VENV)/bin/python -m tools.pictures

events-doc: $(VENV)/.dev
	$(VENV)/bin/python -c 'from pyminidock.events import catalogue; \
	  print(catalogue.markdown(), end="")' >$(VENV)/events.md
	@mv $(VENV)/events.md docs/events.md

# One version of a package in all four: dev contains run, the other two give way to dev.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 \
          --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
          --upgrade --group build pyproject.toml
lock: $(VENV)/.dev
	$(COMPILE) -o requirements/run.lock
	$(COMPILE) --extra dev -c requirements/run.lock -o requirements/dev.lock
	$(COMPILE) --extra compat -c requirements/dev.lock -o requirements/compat.lock
	$(COMPILE) --extra lab -c requirements/dev.lock -o requirements/lab.lock
	grep -E '^[a-z0-9][^ ]*==' requirements/lab.lock | sed 's/ *\\$$//' >binder/requirements.txt

clean:
	rm -rf .venv .venv-3.* build dist .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find pyminidock tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
