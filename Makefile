# Two commands matter: `make lab` to look, `make test` to be sure.  The rest are their parts.
#
# Every target makes what it needs: .venv from the lock files, with .venv/bin/minidock in it.
# PYTHON may be a version manager's shim; tools/pythons.py finds the real binary behind it.
# VENV lets `make test` repeat the parts on another Python: make unit VENV=.venv-3.13 …

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST = $(VENV)/bin/python -m pytest -q $(PYTEST_FLAGS)
IN_CI = $(filter true,$(CI))

.DEFAULT_GOAL := help
.NOTPARALLEL:    # edge and compat both build networks, cgroups and mounts
.PHONY: help lab test soak bench check unit edge edge-vm compat stories lessons browser \
        mutants counts events-doc notebooks lock clean

help:
	@echo "make lab      set up, check this machine, look"
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

$(VENV)/.dev: $(VENV)/bin/minidock requirements/dev.lock requirements/compat.lock
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@$(PIP) install --require-hashes -r requirements/compat.lock
	@touch $@

lab: $(VENV)/bin/minidock
	$(VENV)/bin/minidock doctor
	@echo
	@echo "JupyterLab opens here once the first picture is drawn; until then, this one runs"
	@echo "in a terminal:  $(VENV)/bin/minidock step run busybox echo hi"

# ── Tests ─────────────────────────────────────────────────────────────────────────────────

# First what apt can give, then every part on one Python, then unit and edge on the others.
# CI insists on 3.11 and Debian's own; elsewhere whatever is new enough is used, and named.
test:
	@tools/debian.sh
	@pythons=$$($(PYTHON) tools/pythons.py $(if $(IN_CI),--ci)) || exit 1; \
	 echo "Python on this machine:"; echo "$$pythons" | sed 's/^/  /'; \
	 python="$(PYTHON)"; [ -z "$(IN_CI)" ] || python=$${pythons#* }; \
	 python=$$(echo "$$python" | head -n 1); \
	 $(MAKE) --keep-going check unit edge edge-vm compat stories lessons mutants \
  PYTHON="$$python"
	@first=$$($(VENV)/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	 $(PYTHON) tools/pythons.py $(if $(IN_CI),--ci) | while read -r version python; do \
	   [ "$$version" != "$$first" ] || continue; \
	   echo "── again on Python $$version, $$python"; \
	   $(MAKE) unit edge VENV=.venv-$$version PYTHON="$$python" </dev/null || exit 1; \
	 done

soak:
	$(MAKE) test MINIDOCK_TEST_LENGTH=1 PYTEST_FLAGS="-o timeout=14400"
export MINIDOCK_TEST_LENGTH

check: $(VENV)/.dev
	$(VENV)/bin/ruff format --check --quiet .
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache >$(VENV)/lint-imports.txt || \
	  { cat $(VENV)/lint-imports.txt; exit 1; }

unit edge compat: $(VENV)/.dev
	$(PYTEST) --part $@

# ACCEPT=1 shows how the golden journals would change, then rewrites them.
stories: $(VENV)/.dev
	ACCEPT=$(ACCEPT) $(PYTEST) --part stories

# A kernel with cgroup v2, or without a feature, in a small virtual machine (tests/vm).
edge-vm: $(VENV)/.dev
	@if [ -f tests/vm/__main__.py ]; then $(VENV)/bin/python -m tests.vm; \
	 else $(PYTEST) --part edge-vm; fi

lessons:
	@echo "lessons: none is written yet; they come with the course"

browser:
	@echo "browser: nothing is drawn on a page yet; this comes with the first picture"

notebooks:
	@echo "notebooks: none is written yet; they come with the course"

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

clean:
	rm -rf .venv .venv-3.* build dist .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
	find pyminidock tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
