PYTHON ?= python3

.venv/bin/minidock: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet -e '.[dev]'

check unit: .venv/bin/minidock
